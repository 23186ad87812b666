//! What came out: the connection, some devices, and the numbers of all three sides.

use anyhow::{Result, bail};
use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, ChromeOSDevice};
use jiff::{SpanRound, Timestamp, Unit};
use kube::{Client, Resource as _};

use crate::display::Display;
use crate::google::Google;
use crate::inventory::{read_objects, read_table};
use crate::journey::Journey;
use crate::proof::{Proof, human};
use crate::setup::{CONNECTION, NAMESPACE};

/// Devices that are shown.
const ROWS: u32 = 10;
/// Characters of one cell.
const WIDEST: usize = 20;

/// Shows it all.
///
/// # Errors
/// When something cannot be read, or the numbers do not agree.
pub(crate) async fn show(
    client: &Client,
    google: &Google,
    journey: &Journey,
    connection: &ChromeEnterpriseConnection,
    display: &Display,
) -> Result<()> {
    display.print(&format!("\nThe connection went {}.\n", journey.states()));
    for (name, value) in facts(connection, Timestamp::now()) {
        display.print(&format!("  {name:18} {value}"));
    }
    let objects = read_objects(client).await?;
    let path = ChromeOSDevice::url_path(&(), Some(NAMESPACE));
    let table = read_table(client, &format!("{path}?limit={ROWS}")).await?;
    display.print(&format!(
        "\n$ kubectl -n {NAMESPACE} get cros    # the first {ROWS} of {}\n",
        objects.len()
    ));
    for line in table.lines(WIDEST) {
        display.print(&line);
    }
    let proof = Proof {
        google: google.devices()?,
        objects,
        status: connection
            .status
            .as_ref()
            .and_then(|status| status.devices)
            .unwrap_or_default(),
    };
    display
        .print("\nDevices by state, as the simulated Google has them, as objects in the cluster, and as the");
    display.print(&format!("status of connection {CONNECTION} counts them:\n"));
    display.print(&proof.table());
    let mut wrong = proof.disagreements();
    if !journey.is_the_plain_way() {
        wrong.push(format!(
            "The connection went {}, not Connecting -> Syncing -> Active.",
            journey.states()
        ));
    }
    if !wrong.is_empty() {
        bail!("What was found is not right:\n  {}", wrong.join("\n  "));
    }
    display.print("All three agree, device by device.");
    Ok(())
}

/// What an administrator wants to know of a connection.
fn facts(connection: &ChromeEnterpriseConnection, now: Timestamp) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let status = connection.status.clone().unwrap_or_default();
    let sync = status.sync.unwrap_or_default();
    vec![
        (
            "State",
            status.state.map_or_else(unknown, |state| format!("{state:?}")),
        ),
        (
            "Connected account",
            status.connected_account.unwrap_or_else(unknown),
        ),
        ("Customer", status.customer_id.unwrap_or_else(unknown)),
        (
            "Devices",
            status
                .devices
                .map_or_else(unknown, |devices| human(devices.synced)),
        ),
        (
            "Last check-in",
            status
                .last_check_in_time
                .map_or_else(unknown, |time| format!("{} ({})", time.0, ago(time.0, now))),
        ),
        (
            "First sync took",
            sync.last_duration_seconds
                .map_or_else(unknown, |seconds| format!("{seconds} s")),
        ),
        (
            "Next look",
            sync.next_time.map_or_else(unknown, |time| time.0.to_string()),
        ),
    ]
}

fn ago(time: Timestamp, now: Timestamp) -> String {
    let rounded = now
        .since(time)
        .and_then(|span| span.round(SpanRound::new().largest(Unit::Hour).smallest(Unit::Second)));
    rounded.map_or_else(|_| String::new(), |span| format!("{span:#} ago"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_facts_come_from_the_status() {
        let connection: ChromeEnterpriseConnection = serde_json::from_value(json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1",
            "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "school" },
            "spec": { "adminEmail": "it-admin@school.example", "credentials": {} },
            "status": {
                "state": "Active",
                "connectedAccount": "it-admin@school.example",
                "lastCheckInTime": "2026-03-02T10:00:00Z",
                "devices": { "synced": 1200, "active": 1200, "disabled": 0, "deprovisioned": 0, "other": 0 },
            },
        }))
        .unwrap();
        let facts = facts(&connection, "2026-03-02T10:01:05Z".parse().unwrap());
        let value = |name| facts.iter().find(|fact| fact.0 == name).unwrap().1.as_str();
        assert_eq!(value("State"), "Active");
        assert_eq!(value("Devices"), "1,200");
        assert_eq!(value("Last check-in"), "2026-03-02T10:00:00Z (1m 5s ago)");
        assert_eq!(value("Customer"), "unknown");
    }
}
