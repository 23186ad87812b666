//! What Google's answers about an accepted action mean for its record. Pure.
//!
//! Source: Directory API reference, `customer.devices.chromeos.commands`: `EXECUTED_BY_CLIENT` says that the device
//! has dealt with the command, and only `commandResult` says how.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::reason::Reason;
use super::record::{ended, quote, set, whole};
use super::request::wanted_state;
use super::verdict::Verdict;
use crate::api::action::ActionState;
use crate::api::receipt::DeviceActionReceiptSpec;
use crate::google::{ChromeOsDevice, CommandStatus};

/// The record after Google answered about its command; `None` is "I know no such command".
pub(super) fn of_command(
    record: DeviceActionReceiptSpec,
    answer: Option<&CommandStatus>,
    patience: Duration,
    now: Timestamp,
) -> DeviceActionReceiptSpec {
    let Some(answer) = answer else {
        let forgotten = Verdict::new(ActionState::OutcomeUnknown, Reason::CommandForgotten);
        return closed(record, &forgotten, now);
    };
    let mut record = record;
    record.command_state.clone_from(&answer.state);
    if let Some(expires) = answer.command_expire_time {
        record.command_expire_time = Some(whole(expires));
    }
    let result = answer.command_result.as_ref();
    let device_says = result.and_then(|result| result.error_message.as_deref());
    quote(&mut record, device_says);
    if let Some(result) = result.and_then(|result| result.result.as_ref()) {
        record.command_result = Some(result.clone());
    }
    let verdict = match answer.state.as_deref() {
        Some("EXECUTED_BY_CLIENT") => executed(record.command_result.as_deref()),
        Some("EXPIRED") => Some(Verdict::new(ActionState::Expired, Reason::ExpiredAtGoogle)),
        Some("CANCELLED") => Some(Verdict::new(ActionState::Failed, Reason::CancelledInConsole)),
        Some(_) | None => None,
    };
    if let Some(verdict) = verdict {
        return closed(record, &verdict.quoting(device_says), now);
    }
    going_on(record, patience, now)
}

/// What the device says about a command that it has dealt with; nothing yet, if it does not say.
fn executed(result: Option<&str>) -> Option<Verdict> {
    match result {
        Some("SUCCESS") => Some(Verdict::new(ActionState::Succeeded, Reason::ExecutedByDevice)),
        Some("FAILURE") => Some(Verdict::new(ActionState::Failed, Reason::FailedOnDevice)),
        Some("IGNORED") => Some(Verdict::new(ActionState::Failed, Reason::IgnoredByDevice)),
        Some(_) | None => None,
    }
}

/// A command that Google still has, until the operator's patience ends.
fn going_on(
    mut record: DeviceActionReceiptSpec,
    patience: Duration,
    now: Timestamp,
) -> DeviceActionReceiptSpec {
    if record.state.is_final() {
        return record;
    }
    let word = record.command_state.as_deref();
    let delivered = matches!(word, Some("ACKED_BY_CLIENT" | "EXECUTED_BY_CLIENT"));
    let accepted = record.accepted_time.as_ref().map_or(now, |time| time.0);
    let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
    if now.duration_since(accepted) < patience {
        if delivered {
            set(
                &mut record,
                ActionState::Acknowledged,
                Reason::DeliveredToDevice,
                "",
            );
        } else if record.state != ActionState::Acknowledged {
            set(&mut record, ActionState::Sent, Reason::AcceptedByGoogle, "");
        }
        return record;
    }
    if word == Some("EXECUTED_BY_CLIENT") {
        let silent = Verdict::new(ActionState::OutcomeUnknown, Reason::ResultMissing);
        return ended(record, &silent, now);
    }
    let verdict =
        Verdict::new(ActionState::OutcomeUnknown, Reason::StillPendingAtGoogle).with(&until_when(&record));
    // It goes on: Google may still deliver it, in some cases years later.
    let mut record = ended(record, &verdict, now);
    record.open = true;
    record
}

fn until_when(record: &DeviceActionReceiptSpec) -> String {
    let cancel = "To cancel it, open the device in the Admin console and cancel its pending command.";
    match &record.command_expire_time {
        Some(Time(expires)) => format!("Google gives it up at {expires}. {cancel}"),
        None => cancel.to_owned(),
    }
}

/// The closed record. One that was ended before, because it took so long, tells what came of it after all.
fn closed(record: DeviceActionReceiptSpec, verdict: &Verdict, now: Timestamp) -> DeviceActionReceiptSpec {
    let was_final = record.state.is_final();
    let mut record = ended(record, verdict, now);
    if was_final {
        let told = record.message.unwrap_or_default();
        record.message = Some(format!(
            "{told} What came of it, told at {now:.0}: {}",
            verdict.message
        ));
        quote(&mut record, verdict.google_message.as_deref());
    }
    record
}

/// The record after the device was looked at, because the answer to a state change was lost; `None` while that proves
/// nothing.
pub(super) fn of_device(
    record: &DeviceActionReceiptSpec,
    device: Option<&ChromeOsDevice>,
    now: Timestamp,
) -> Option<DeviceActionReceiptSpec> {
    let wanted = wanted_state(record.request.type_)?;
    let device = device.filter(|device| Some(&device.device_id) == record.request.device_id.as_ref())?;
    (device.status.as_deref() == Some(wanted)).then(|| {
        let seen = Verdict::new(ActionState::Succeeded, Reason::ObservedInRequestedState);
        ended(record.clone(), &seen, now)
    })
}

#[cfg(test)]
mod tests;
