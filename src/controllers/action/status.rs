//! Tells how an action goes. [`build`] is pure; [`report`] writes once, and only what changed.
//!
//! The status repeats what the receipt says. Every end is in the receipt before it is here.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::Context;
use super::facts::Facts;
use super::plan::{Plan, Relation, View, relation};
use super::reason::Reason;
use super::record::whole;
use crate::api::action::{ActionState, DeviceAction, DeviceActionStatus};
use crate::api::conditions::{self, Desired, READY, STALLED};
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec};
use crate::controllers::status_write::replace_status;
use crate::runtime::moments::{Moment, reached};

/// Condition that says how an action ended; `Unknown` while it runs and when nobody knows.
const SUCCEEDED: &str = "Succeeded";

/// Writes the status of the action if it changed. Returns the new status if it was written.
///
/// # Errors
/// When the API server does not take it. An action that is gone meanwhile is no error.
pub(super) async fn report(
    context: &Context,
    facts: &Facts,
    plan: &Plan,
    now: Timestamp,
) -> kube::Result<Option<DeviceActionStatus>> {
    let Some(action) = &facts.action else {
        return Ok(None);
    };
    let Some(status) = build(action, facts, plan, now) else {
        return Ok(None);
    };
    if action.status.as_ref() == Some(&status) {
        return Ok(None);
    }
    reached(Moment::BeforeStatus);
    replace_status::<DeviceAction>(
        &context.client,
        &action.namespace().unwrap_or_default(),
        &action.name_any(),
        action.metadata.uid.as_deref(),
        action.metadata.resource_version.as_deref(),
        &status,
    )
    .await?;
    reached(Moment::AfterStatus);
    Ok(Some(status))
}

/// The status that the action should have, or `None` where nothing is to be written.
pub(super) fn build(
    action: &DeviceAction,
    facts: &Facts,
    plan: &Plan,
    now: Timestamp,
) -> Option<DeviceActionStatus> {
    let mut status = match (&plan.view, &facts.receipt) {
        (View::Silent, _) | (View::Receipt, None) => return None,
        (View::Pending(reason, message), _) => pending(action, facts, reason, message),
        (View::Receipt, Some(receipt)) => match relation(action, receipt) {
            Relation::Other => name_used(receipt),
            Relation::Own => mirrored(receipt),
            Relation::Earlier => repeated(receipt),
        },
    };
    status.status.observed_generation = action.metadata.generation;
    let old = action.status.as_ref();
    let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
    status.status.conditions =
        conditions::merge(before, &status.desired, action.metadata.generation, &whole(now));
    if status.status.state.is_some_and(ActionState::is_final) && status.status.finished_time.is_none() {
        // An end that no receipt dates: the name was used up before. It keeps the time at which it was first told.
        let told = old.and_then(|old| old.finished_time.clone());
        status.status.finished_time = Some(told.unwrap_or_else(|| whole(now)));
    }
    Some(status.status)
}

/// A status with the conditions that it should have.
struct Wanted {
    status: DeviceActionStatus,
    desired: Vec<Desired>,
}

fn pending(action: &DeviceAction, facts: &Facts, reason: &str, message: &str) -> Wanted {
    let found = facts.lookup.target();
    // A look that did not look the device up leaves what an earlier one found.
    let old = action.status.as_ref();
    let status = DeviceActionStatus {
        state: Some(ActionState::Pending),
        device_id: found
            .map(|target| target.device_id.clone())
            .or_else(|| old?.device_id.clone())
            .or_else(|| action.spec.device_id.clone()),
        serial_number: found
            .and_then(|target| target.serial_number.clone())
            .or_else(|| old?.serial_number.clone())
            .or_else(|| action.spec.serial_number.clone()),
        ..DeviceActionStatus::default()
    };
    Wanted {
        status,
        desired: conditions_of(ActionState::Pending, reason, message),
    }
}

/// What the receipt of this very object says.
fn mirrored(receipt: &DeviceActionReceipt) -> Wanted {
    let record = &receipt.spec;
    let reason = record.reason.as_deref().unwrap_or_default();
    let message = record.message.as_deref().unwrap_or_default();
    Wanted {
        status: copy(receipt, record),
        desired: conditions_of(record.state, reason, message),
    }
}

/// What became of an earlier object of the same name and content.
fn repeated(receipt: &DeviceActionReceipt) -> Wanted {
    let record = &receipt.spec;
    let (reason, message) = (record.reason.as_deref(), record.message.as_deref());
    let (reason, message) = (reason.unwrap_or_default(), message.unwrap_or_default());
    let told = Reason::AlreadyExecuted.sentence();
    let desired = if record.state.is_final() {
        let message = format!(
            "{told} It ended as {} ({reason}). {message}",
            record.state.as_str()
        );
        conditions_of(record.state, Reason::AlreadyExecuted.name(), &message)
    } else {
        let message =
            format!("{message} It was sent for an earlier DeviceAction of the same name and content.");
        conditions_of(record.state, reason, &message)
    };
    Wanted {
        status: copy(receipt, record),
        desired,
    }
}

fn copy(receipt: &DeviceActionReceipt, record: &DeviceActionReceiptSpec) -> DeviceActionStatus {
    DeviceActionStatus {
        state: Some(record.state),
        observed_generation: None,
        receipt_name: Some(receipt.name_any()),
        device_id: record.request.device_id.clone(),
        serial_number: record.request.serial_number.clone(),
        command_id: record.command_id.clone(),
        command_state: record.command_state.clone(),
        command_expire_time: record.command_expire_time.clone(),
        google_message: record.google_message.clone(),
        started_time: record
            .attempts
            .first()
            .map(|attempt| Time(attempt.started_time.0))
            .map(|time| whole(time.0)),
        accepted_time: record.accepted_time.clone(),
        finished_time: record.finished_time.clone(),
        conditions: Vec::new(),
    }
}

/// The name is used up by a request for something else.
fn name_used(receipt: &DeviceActionReceipt) -> Wanted {
    let reason = Reason::NameAlreadyUsed;
    Wanted {
        status: DeviceActionStatus {
            state: Some(ActionState::Rejected),
            receipt_name: Some(receipt.name_any()),
            ..DeviceActionStatus::default()
        },
        desired: conditions_of(ActionState::Rejected, reason.name(), reason.sentence()),
    }
}

fn conditions_of(state: ActionState, reason: &str, message: &str) -> Vec<Desired> {
    let condition = |type_, status| Desired {
        type_,
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    match state {
        ActionState::Pending | ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged => {
            vec![condition(SUCCEEDED, None), condition(READY, None)]
        }
        ActionState::Succeeded => vec![condition(SUCCEEDED, Some(true)), condition(READY, Some(true))],
        ActionState::Failed | ActionState::Expired | ActionState::Rejected => vec![
            condition(SUCCEEDED, Some(false)),
            condition(READY, Some(false)),
            condition(STALLED, Some(true)),
        ],
        ActionState::OutcomeUnknown => vec![
            condition(SUCCEEDED, None),
            condition(READY, Some(false)),
            condition(STALLED, Some(true)),
        ],
    }
}
