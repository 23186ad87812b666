//! Decides what happens to an action. Pure: facts and the time in, a plan out.
//!
//! The receipt decides. Without one nothing was ever sent under this name; with one, this action or an earlier one of
//! the same name was; see `follow`. What is sent does not depend on the action's own status.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::facts::{Facts, Lookup, Passed, Stage, Tenant};
use super::follow::follow;
use super::preflight::Target;
use super::reason::Reason;
use super::record::AttemptEnd;
use super::verdict::Verdict;
use crate::api::action::{ActionState, DeviceAction};
use crate::api::receipt::DeviceActionReceipt;
use crate::controllers::settings::ActionSettings;

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Nothing.
    Nothing,
    /// Create the receipt that ends the action before anything is sent.
    Refuse(Verdict),
    /// Check the device at Google, claim the action by creating its receipt, and send it.
    Attempt(Target),
    /// The same with a receipt whose attempts all surely sent nothing.
    AttemptAgain(Target),
    /// Record how the attempt of this process ended.
    Record(AttemptEnd),
    /// End the action in its receipt.
    End(Verdict),
    /// Ask Google what became of the command.
    AskCommand { command_id: String },
    /// Look at the device at Google, whether it is as asked for.
    AskDevice,
}

/// Which story the status of the action tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum View {
    /// Nothing is written: there is no action, or it is about to be gone.
    Silent,
    /// Nothing is claimed yet: why, in one word and in a sentence.
    Pending(&'static str, String),
    /// What the receipt says.
    Receipt,
}

/// What to do, what to tell, and when to look again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) act: Act,
    pub(super) view: View,
    pub(super) look_again: Option<Duration>,
}

/// How often something that nobody tells us about is looked at.
pub(super) const LOOK_SOON: Duration = Duration::from_secs(2);
/// The same, when a person has to do something first.
pub(super) const LOOK_LATER: Duration = Duration::from_secs(15);
/// Longest time between two looks, so that a clock that was set is noticed.
pub(super) const LOOK_AT_LEAST: Duration = Duration::from_mins(10);

/// Decides what happens to the action.
#[must_use]
pub(super) fn plan(facts: &Facts, settings: &ActionSettings) -> Plan {
    match (&facts.action, &facts.receipt) {
        (None, None) => rest(View::Silent),
        (Some(action), None) if action.metadata.deletion_timestamp.is_some() => rest(View::Silent),
        (Some(action), None) => begin(action, facts),
        (None, Some(receipt)) => follow(&receipt.spec, facts, settings, &View::Silent),
        (Some(_), Some(receipt)) => follow(&receipt.spec, facts, settings, &View::Receipt),
    }
}

const fn rest(view: View) -> Plan {
    Plan {
        act: Act::Nothing,
        view,
        look_again: None,
    }
}

/// An action that was never claimed.
fn begin(action: &DeviceAction, facts: &Facts) -> Plan {
    let refuse = |verdict| Plan {
        act: Act::Refuse(verdict),
        view: View::Silent,
        look_again: Some(LOOK_SOON),
    };
    let wait_as = |reason, message, look_again| Plan {
        act: Act::Nothing,
        view: View::Pending(reason, message),
        look_again: Some(sooner(look_again, action.spec.not_after.0, facts)),
    };
    let wait = |reason: Reason, look_again| wait_as(reason.name(), reason.sentence().to_owned(), look_again);
    let claimed_before = action
        .status
        .as_ref()
        .is_some_and(|status| status.receipt_name.is_some());
    match facts.clocks.passed(action.spec.not_after.0) {
        Passed::Yes if !claimed_before => {
            let expired = Verdict::new(ActionState::Expired, Reason::NotAfterPassed);
            return refuse(match held_by(facts) {
                Some(held) => expired.with(&format!("What it waits for: {held}")),
                None => expired,
            });
        }
        Passed::Disputed if !claimed_before => return wait(Reason::ClockDisputed, LOOK_SOON),
        Passed::Yes | Passed::Disputed | Passed::No => {}
    }
    // The only place that decides by the status, and only to do less: an action that was claimed has a receipt. Whoever
    // removed it must not arm the action anew.
    if claimed_before {
        return refuse(Verdict::new(ActionState::OutcomeUnknown, Reason::ReceiptMissing));
    }
    let Some(tenant) = &facts.tenant else {
        return wait(Reason::NoConnection, LOOK_LATER);
    };
    if let Some(verdict) = tenant_refuses(tenant) {
        return refuse(verdict);
    }
    match facts.memory.stage {
        Some(Stage::Checking | Stage::Sending | Stage::Asking) => {
            return wait(Reason::CheckingDevice, LOOK_AT_LEAST);
        }
        Some(Stage::Queued) => return wait(Reason::WaitingForQuota, LOOK_AT_LEAST),
        None => {}
    }
    if let Some((reason, message)) = tenant_holds(tenant) {
        return wait_as(reason, message, LOOK_LATER);
    }
    let rejected = |reason, detail: &str| refuse(Verdict::new(ActionState::Rejected, reason).with(detail));
    let target = match &facts.lookup {
        Lookup::Found(target) => target,
        // A device that the inventory does not have yet may come, and so may a second one with this serial number.
        Lookup::NotFound | Lookup::OnlyDeprovisioned(_) | Lookup::NotNeeded if !tenant.inventory_complete => {
            return wait(Reason::InventoryIncomplete, LOOK_SOON);
        }
        Lookup::NotRead => return wait(Reason::InventoryIncomplete, LOOK_SOON),
        Lookup::NotNeeded => return wait(Reason::CheckingDevice, LOOK_SOON),
        Lookup::NotFound => {
            return rejected(
                Reason::DeviceNotFound,
                "Check the number. A device that was enrolled just now appears with the next sync.",
            );
        }
        Lookup::OnlyDeprovisioned(_) => {
            return rejected(
                Reason::DeviceNotFound,
                "The device with this serial number is deprovisioned; wipe it by hand and enrol it again.",
            );
        }
        Lookup::Ambiguous(count) => {
            return rejected(Reason::AmbiguousSerial, &format!("There are {count} of them."));
        }
    };
    if action.spec.serial_number.is_some() && !tenant.inventory_complete {
        return wait(Reason::InventoryIncomplete, LOOK_SOON);
    }
    if let Some(rival) = &facts.rival {
        return wait_as(Reason::WaitingForEarlierAction.name(), behind(rival), LOOK_SOON);
    }
    if let Some(trouble) = &facts.memory.trouble
        && let Some(left) = until(trouble.until, facts.clocks.own)
    {
        return wait_as(trouble.problem.reason, trouble.problem.message.clone(), left);
    }
    Plan {
        act: Act::Attempt(target.clone()),
        view: View::Pending(
            Reason::CheckingDevice.name(),
            Reason::CheckingDevice.sentence().to_owned(),
        ),
        look_again: Some(sooner(LOOK_SOON, action.spec.not_after.0, facts)),
    }
}

/// That this action comes first.
fn behind(rival: &str) -> String {
    format!("{} It is {rival}.", Reason::WaitingForEarlierAction.sentence())
}

/// What keeps an action from being sent, as far as it is known without asking anybody.
fn held_by(facts: &Facts) -> Option<String> {
    let Some(tenant) = &facts.tenant else {
        return Some(Reason::NoConnection.sentence().to_owned());
    };
    if let Some((_, message)) = tenant_holds(tenant) {
        return Some(message);
    }
    if let Some(rival) = &facts.rival {
        return Some(behind(rival));
    }
    let trouble = facts.memory.trouble.as_ref()?;
    Some(trouble.problem.message.clone())
}

/// Why the connection of the namespace ends the action.
pub(super) fn tenant_refuses(tenant: &Tenant) -> Option<Verdict> {
    let rejected = |reason| Some(Verdict::new(ActionState::Rejected, reason));
    match (tenant.deleting, tenant.read_only) {
        (true, _) => rejected(Reason::ConnectionDeleted),
        (false, true) => rejected(Reason::ConnectionReadOnly),
        (false, false) => None,
    }
}

/// Why the connection of the namespace lets the action wait.
pub(super) fn tenant_holds(tenant: &Tenant) -> Option<(&'static str, String)> {
    if tenant.suspended {
        let reason = Reason::ConnectionSuspended;
        return Some((reason.name(), reason.sentence().to_owned()));
    }
    let problem = tenant.unusable.as_ref()?;
    Some((problem.reason, problem.message.clone()))
}

pub(super) fn until(moment: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = moment.duration_since(now);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

/// The wait, but not past this moment: something is decided then.
pub(super) fn sooner(wait: Duration, moment: Timestamp, facts: &Facts) -> Duration {
    let margin = Duration::from_millis(50);
    until(moment, facts.clocks.own).map_or(wait, |left| wait.min(left + margin))
}

/// Whether the receipt was made for this object, for an earlier one with the same request, or for another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Own,
    Earlier,
    Other,
}

/// How a receipt and an action of the same name belong together.
pub(super) fn relation(action: &DeviceAction, receipt: &DeviceActionReceipt) -> Relation {
    if receipt.spec.request.digest != super::request::digest(&action.spec) {
        Relation::Other
    } else if receipt.belongs_to(action) {
        Relation::Own
    } else {
        Relation::Earlier
    }
}
