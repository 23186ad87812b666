//! A restart, and lost mode on and off: three actions on one device, one after the other, as a person applies them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use chrome_enterprise_operator::api::action::{ActionState, ActionType, DeviceAction};
use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, ChromeOSDevice};
use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, Patch, PatchParams, WatchEvent, WatchParams};
use kube::runtime::wait::await_condition;
use kube::{Client, Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::course::Course;
use crate::display::Display;
use crate::google::Subject;
use crate::inventory::read_table;
use crate::setup::{FIELD_MANAGER, NAMESPACE};

/// How long one action may take; a restart needs some seconds at the simulated device.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the object of the device may take to show what Google has done.
const SHOWN: Duration = Duration::from_secs(10);
/// Characters of one cell.
const WIDEST: usize = 20;
/// The action whose receipt is shown.
pub(crate) const LOST: &str = "lost";

/// One of the actions.
#[derive(Debug)]
struct Step {
    name: &'static str,
    type_: ActionType,
    /// What the object of the device has to show afterwards.
    state: Option<&'static str>,
}

const STEPS: [Step; 3] = [
    Step {
        name: "restart",
        type_: ActionType::Restart,
        state: None,
    },
    Step {
        name: LOST,
        type_: ActionType::EnableLostMode,
        state: Some("DISABLED"),
    },
    Step {
        name: "found",
        type_: ActionType::DisableLostMode,
        state: Some("ACTIVE"),
    },
];

/// Carries them out and shows how they went.
///
/// # Errors
/// When one does not succeed, or the object of the device does not show it.
pub(crate) async fn show(
    client: &Client,
    subject: &Subject,
    connection: &ChromeEnterpriseConnection,
    display: &Display,
) -> Result<()> {
    display.print(&format!(
        "\nThree actions on one device that is active and online: {}, serial number {}.",
        subject.model, subject.serial_number
    ));
    let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
    let next = sync.and_then(|sync| sync.next_time.as_ref());
    if let Some(next) = next {
        display.print(&format!(
            "Its object does not wait for the next sync, which is due at {}.",
            next.0
        ));
    }
    for step in &STEPS {
        display.print("");
        carry_out(client, subject, step, display).await?;
    }
    let actions = DeviceAction::url_path(&(), Some(NAMESPACE));
    let receipts = DeviceActionReceipt::url_path(&(), Some(NAMESPACE));
    for (shown, path) in [
        ("cda".to_owned(), actions),
        (
            format!("cdr {LOST}    # the receipt, which stays when the action is deleted"),
            format!("{receipts}/{LOST}"),
        ),
    ] {
        display.print(&format!("\n$ kubectl -n {NAMESPACE} get {shown}\n"));
        for line in read_table(client, &path).await?.lines(WIDEST) {
            display.print(&line);
        }
    }
    Ok(())
}

async fn carry_out(client: &Client, subject: &Subject, step: &Step, display: &Display) -> Result<()> {
    let api: Api<DeviceAction> = Api::namespaced(client.clone(), NAMESPACE);
    let (name, begun) = (step.name, Instant::now());
    let manifest = manifest(name, step.type_, &subject.serial_number, in_an_hour());
    let applied = api
        .patch(name, &PatchParams::apply(FIELD_MANAGER), &Patch::Apply(manifest))
        .await
        .with_context(|| format!("the API server refused the DeviceAction {name}"))?;
    display.say(&format!(
        "Applied DeviceAction {name}: {} for {}",
        step.type_.as_str(),
        subject.serial_number
    ));
    let mut course = Course::default();
    let followed = tokio::time::timeout(PATIENCE, follow(&api, &applied, &mut course, display)).await;
    let Ok(ended) = followed else {
        bail!(
            "DeviceAction {name} did not end within {} s: {}.",
            PATIENCE.as_secs(),
            course.told()
        );
    };
    if ended? != ActionState::Succeeded {
        bail!("DeviceAction {name} did not succeed: {}", course.told());
    }
    display.say(&format!(
        "{name} went {} in {:.2} s.",
        course.states(),
        begun.elapsed().as_secs_f64()
    ));
    if let Some(state) = step.state {
        device_shows(client, &subject.device_id, state).await?;
        display.say(&format!(
            "ChromeOSDevice {} shows {state}, {:.2} s after the apply.",
            subject.device_id,
            begun.elapsed().as_secs_f64()
        ));
    }
    Ok(())
}

/// Tells every change of the action from the apply on, also those that are over in a moment, until it has ended.
async fn follow(
    api: &Api<DeviceAction>,
    applied: &DeviceAction,
    course: &mut Course,
    display: &Display,
) -> Result<ActionState> {
    let name = applied.name_any();
    let version = applied.resource_version().unwrap_or_default();
    let only = WatchParams::default().fields(&format!("metadata.name={name}"));
    let watched = api.watch(&only, &version).await;
    let mut changes = Box::pin(watched.with_context(|| format!("DeviceAction {name} cannot be watched"))?);
    while let Some(change) = changes.try_next().await? {
        match change {
            WatchEvent::Added(action) | WatchEvent::Modified(action) => {
                if let Some(line) = course.observe(&action) {
                    display.say(&format!("  {line}"));
                }
                if let Some(end) = course.end() {
                    return Ok(end);
                }
            }
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Deleted(_) => bail!("Somebody deleted DeviceAction {name} before it ended."),
            WatchEvent::Error(status) => bail!("The watch of DeviceAction {name} failed: {}", status.message),
        }
    }
    Err(anyhow!("The API server ended the watch of DeviceAction {name}."))
}

async fn device_shows(client: &Client, device_id: &str, state: &'static str) -> Result<()> {
    let api: Api<ChromeOSDevice> = Api::namespaced(client.clone(), NAMESPACE);
    let shows = |device: Option<&ChromeOSDevice>| {
        device
            .and_then(|device| device.status.as_ref()?.state.as_deref())
            .is_some_and(|shown| shown == state)
    };
    tokio::time::timeout(SHOWN, await_condition(api, device_id, shows))
        .await
        .map_err(|_| {
            anyhow!(
                "ChromeOSDevice {device_id} did not show {state} within {} s of the end of the action.",
                SHOWN.as_secs()
            )
        })?
        .with_context(|| format!("ChromeOSDevice {device_id} cannot be watched"))?;
    Ok(())
}

/// Until when an action that is applied now may be sent.
pub(crate) fn in_an_hour() -> Timestamp {
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    Timestamp::from_second(later.as_second()).unwrap_or(later)
}

/// An action as a person writes it.
pub(crate) fn manifest(name: &str, type_: ActionType, serial_number: &str, not_after: Timestamp) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": "DeviceAction",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "serialNumber": serial_number, "type": type_, "notAfter": not_after.to_string() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_an_action() {
        let not_after = "2026-03-02T10:00:00Z".parse().unwrap();
        let manifest = manifest("found", ActionType::DisableLostMode, "5CD1", not_after);
        let action: DeviceAction = serde_json::from_value(manifest).unwrap();
        assert_eq!(action.name_any(), "found");
        assert_eq!(action.spec.type_, ActionType::DisableLostMode);
        assert_eq!(action.spec.serial_number.as_deref(), Some("5CD1"));
        assert_eq!(action.spec.not_after.0, not_after);
    }

    #[test]
    fn the_device_ends_as_it_began() {
        let states: Vec<&str> = STEPS.iter().filter_map(|step| step.state).collect();
        assert_eq!(states, ["DISABLED", "ACTIVE"]);
        assert_eq!(in_an_hour().subsec_nanosecond(), 0);
    }
}
