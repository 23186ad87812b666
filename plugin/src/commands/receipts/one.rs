//! Everything about one receipt.

use std::fmt::Write as _;

use chrome_enterprise_operator::api::receipt::{Attempt, DeviceActionReceipt};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::columns::more;
use crate::cluster::Cluster;
use crate::commands::act::{Sheet, moment_text, named};
use crate::commands::actions::object_format;
use crate::failure::{Exit, Failure};
use crate::output::{ListFormat, clean, print_object};
use crate::terminal;

/// Shows it.
pub(super) async fn show(cluster: &Cluster, name: &str, format: ListFormat) -> Result<Exit, Failure> {
    let format = object_format(format)?;
    let scope = cluster.scope(false).words();
    let shown = clean(name).into_owned();
    let doing = format!("read receipt {shown} {scope}");
    let receipt = named::<DeviceActionReceipt>(cluster, DeviceActionReceipt::name_for(name), &doing).await?;
    let receipt = receipt.ok_or_else(|| {
        Failure::new(format!("There is no receipt {shown} {scope}.")).advise(format!(
            "An action gets its receipt when it is claimed or ends: `kubectl chromeos actions {shown}` shows whether \
             it is still waiting."
        ))
    })?;
    print_object(&receipt, format, || {
        text(&receipt, terminal::width(), Timestamp::now())
    })?;
    Ok(Exit::Done)
}

fn text(receipt: &DeviceActionReceipt, width: usize, now: Timestamp) -> String {
    let (record, request, name) = (&receipt.spec, &receipt.spec.request, receipt.name_any());
    let time = |time: Option<Timestamp>| time.map(|time| moment_text(time, now));
    let mut sheet = Sheet::new();
    sheet
        .add("Name", name.as_str())
        .add("Namespace", receipt.metadata.namespace.as_deref())
        .add("Device", request.serial_number.as_deref())
        .add("Device ID", request.device_id.as_deref())
        .add("Type", request.type_.as_str())
        .add("Details", more(receipt).as_deref())
        .add("State", record.state.as_str())
        .add("Reason", record.reason.as_deref())
        .add("Message", record.message.as_deref())
        .add("Google says", record.google_message.as_deref())
        .add(
            "Followed",
            record
                .open
                .then_some("yes, the operator still asks Google about it"),
        )
        .add("Requested by", request.requester.as_deref())
        .add("Claimed", time(Some(request.created_time.0)).as_deref())
        .add(
            "Accepted",
            time(record.accepted_time.as_ref().map(|time| time.0)).as_deref(),
        )
        .add(
            "Finished",
            time(record.finished_time.as_ref().map(|time| time.0)).as_deref(),
        )
        .add("Not after", time(Some(request.not_after.0)).as_deref())
        .add("Command", record.command_id.as_deref())
        .add("Command state", record.command_state.as_deref())
        .add("Command result", record.command_result.as_deref())
        .add(
            "Google's limit",
            time(record.command_expire_time.as_ref().map(|time| time.0)).as_deref(),
        )
        .add("Connection", request.connection_name.as_deref())
        .add("Customer", request.customer_id.as_deref())
        .add("Action UID", request.action_uid.as_str())
        .add("Digest", request.digest.as_str());
    let mut text = sheet.text(width);
    if !record.attempts.is_empty() {
        text.push_str("\nAttempts\n");
        let mut sheet = Sheet::new();
        for attempt in &record.attempts {
            sheet.add("", attempt_text(attempt).as_str());
        }
        text.push_str(&sheet.text(width));
    }
    text
}

/// `1  Accepted at 2026-12-01T16:00:00Z, HTTP 200: …`
fn attempt_text(attempt: &Attempt) -> String {
    let outcome = attempt
        .outcome
        .map_or_else(|| "no outcome yet".to_owned(), |outcome| format!("{outcome:?}"));
    let mut text = format!(
        "{}  {outcome}, begun {:.0}",
        attempt.number, attempt.started_time.0
    );
    // Writing into a String cannot fail.
    if let Some(status) = attempt.http_status {
        let _ = write!(text, ", HTTP {status}");
    }
    if let Some(message) = &attempt.message {
        let _ = write!(text, ": {message}");
    }
    text
}
