//! Decides what happens to an action. Pure: facts and the time in, a plan out.
//!
//! The receipt decides. Without one nothing was ever sent under this name; with one, this action or an earlier one of
//! the same name was. The action's own status is output and never read.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, Lookup, Passed, Stage, Tenant};
use super::preflight::Target;
use super::reason::Reason;
use super::record::{self, AttemptEnd, MOST_ATTEMPTS};
use super::request::Order;
use super::verdict::Verdict;
use crate::api::action::{ActionState, DeviceAction};
use crate::api::receipt::{AttemptOutcome, DeviceActionReceipt, DeviceActionReceiptSpec};
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
const LOOK_SOON: Duration = Duration::from_secs(2);
/// The same, when a person has to do something first.
const LOOK_LATER: Duration = Duration::from_secs(15);
/// Longest time between two looks, so that a clock that was set is noticed.
const LOOK_AT_LEAST: Duration = Duration::from_mins(10);
/// Least time that another process gets to record the end of its attempt, however late its deadline was.
const GRACE: Duration = Duration::from_secs(5);
/// Between two questions about a command its age grows by half. Were it a sixth, ten thousand pending commands would
/// need all the reads that Google allows.
const AGE_BY_INTERVAL: i32 = 2;
const SHORTEST_INTERVAL: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

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
            return refuse(Verdict::new(ActionState::Expired, Reason::NotAfterPassed));
        }
        Passed::Disputed if !claimed_before => return wait(Reason::ClockDisputed, LOOK_SOON),
        Passed::Yes | Passed::Disputed | Passed::No => {}
    }
    // The only place that reads the status, and only to do less: an action that was claimed has a receipt. Whoever
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
        let reason = Reason::WaitingForEarlierAction;
        let message = format!("{} It is {rival}.", reason.sentence());
        return wait_as(reason.name(), message, LOOK_SOON);
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

/// Why the connection of the namespace ends the action.
fn tenant_refuses(tenant: &Tenant) -> Option<Verdict> {
    let rejected = |reason| Some(Verdict::new(ActionState::Rejected, reason));
    match (tenant.deleting, tenant.read_only) {
        (true, _) => rejected(Reason::ConnectionDeleted),
        (false, true) => rejected(Reason::ConnectionReadOnly),
        (false, false) => None,
    }
}

/// Why the connection of the namespace lets the action wait.
fn tenant_holds(tenant: &Tenant) -> Option<(&'static str, String)> {
    if tenant.suspended {
        let reason = Reason::ConnectionSuspended;
        return Some((reason.name(), reason.sentence().to_owned()));
    }
    let problem = tenant.unusable.as_ref()?;
    Some((problem.reason, problem.message.clone()))
}

/// An action with a receipt: its own, or that of an earlier action of the same name.
fn follow(receipt: &DeviceActionReceiptSpec, facts: &Facts, settings: &ActionSettings, view: &View) -> Plan {
    let plan = |act, look_again| Plan {
        act,
        view: view.clone(),
        look_again,
    };
    if facts.memory.stage.is_some() {
        return plan(Act::Nothing, Some(LOOK_AT_LEAST));
    }
    // Also after somebody ended the action meanwhile: what was found out belongs into the record.
    if let Some(end) = &facts.memory.attempt_end {
        return plan(Act::Record(end.clone()), Some(LOOK_SOON));
    }
    if !receipt.open {
        return plan(Act::Nothing, None);
    }
    if receipt.state.is_final() {
        return poll(receipt, facts, &plan);
    }
    let Some(last) = receipt.attempts.last() else {
        // The rules of the resource type do not let this be: a record that goes on has an attempt.
        let verdict = Verdict::new(ActionState::OutcomeUnknown, Reason::SenderLost);
        return plan(Act::End(verdict), Some(LOOK_SOON));
    };
    match last.outcome {
        None => match orphaned(receipt, facts, settings) {
            Some(wait) => plan(Act::Nothing, Some(wait)),
            None => doubtful(receipt, facts, settings, Reason::SenderLost, &plan),
        },
        Some(AttemptOutcome::NotSent) => again(receipt, facts, &plan),
        Some(AttemptOutcome::Unknown) => doubtful(receipt, facts, settings, Reason::AnswerLost, &plan),
        Some(AttemptOutcome::Accepted) => poll(receipt, facts, &plan),
        Some(AttemptOutcome::Refused) => {
            let verdict = Verdict::new(ActionState::Failed, Reason::RefusedByGoogle);
            plan(Act::End(verdict), Some(LOOK_SOON))
        }
    }
}

type Planner<'a> = dyn Fn(Act, Option<Duration>) -> Plan + 'a;

/// How long the process of the last attempt still has; `None` when its attempt is surely over. What this process has
/// seen itself needs no clock but its own; after a restart the recorded deadline counts, by every clock.
fn orphaned(receipt: &DeviceActionReceiptSpec, facts: &Facts, settings: &ActionSettings) -> Option<Duration> {
    let seen = facts.memory.attempt_seen;
    let whole = settings.attempt_window + settings.in_flight;
    if seen >= whole {
        return None;
    }
    let in_flight = SignedDuration::try_from(settings.in_flight).unwrap_or(SignedDuration::ZERO);
    let over = record::surely_over(receipt, in_flight);
    if seen >= GRACE && over.is_some_and(|over| facts.clocks.passed(over) == Passed::Yes) {
        return None;
    }
    Some(LOOK_SOON.min(whole.saturating_sub(seen)))
}

/// It may have been done and it may not. A state can be looked at; a command cannot.
fn doubtful(
    receipt: &DeviceActionReceiptSpec,
    facts: &Facts,
    settings: &ActionSettings,
    reason: Reason,
    plan: &Planner<'_>,
) -> Plan {
    let unknown = Verdict::new(ActionState::OutcomeUnknown, reason);
    match Order::of(&receipt.request) {
        Some(Order::Command(_)) | None => return plan(Act::End(unknown), Some(LOOK_SOON)),
        Some(Order::State(_)) => {}
    }
    let in_flight = SignedDuration::try_from(settings.in_flight).unwrap_or(SignedDuration::ZERO);
    let settle = SignedDuration::try_from(settings.settle).unwrap_or(SignedDuration::ZERO);
    let end = record::surely_over(receipt, in_flight).and_then(|over| over.checked_add(settle).ok());
    // A process that comes late looks once all the same, if Google lets it within another settle time.
    let memory = &facts.memory;
    let looked = |end| memory.trouble.is_none() && memory.asked.is_some_and(|asked| asked >= end);
    let nothing_comes =
        |end| facts.clocks.own > end && (looked(end) || memory.attempt_seen >= settings.settle);
    if end.is_none_or(nothing_comes) {
        return plan(Act::End(unknown), Some(LOOK_SOON));
    }
    match (&facts.tenant, due(facts, SHORTEST_INTERVAL)) {
        (None, _) => plan(Act::Nothing, Some(LOOK_SOON)),
        (Some(_), Some(left)) => plan(Act::Nothing, Some(left)),
        (Some(_), None) => plan(Act::AskDevice, Some(LOOK_AT_LEAST)),
    }
}

/// Every attempt surely sent nothing: another one, if the action still stands.
fn again(receipt: &DeviceActionReceiptSpec, facts: &Facts, plan: &Planner<'_>) -> Plan {
    let end = |verdict| plan(Act::End(verdict), Some(LOOK_SOON));
    let rejected = |reason| end(Verdict::new(ActionState::Rejected, reason));
    let request = &receipt.request;
    let own_action = facts
        .action
        .as_ref()
        .filter(|action| action.metadata.uid.as_deref() == Some(request.action_uid.as_str()))
        .filter(|action| action.metadata.deletion_timestamp.is_none());
    if own_action.is_none() {
        return rejected(Reason::ActionDeleted);
    }
    match facts.clocks.passed(request.not_after.0) {
        Passed::Yes => return end(Verdict::new(ActionState::Expired, Reason::NotAfterPassed)),
        Passed::Disputed => return plan(Act::Nothing, Some(LOOK_SOON)),
        Passed::No => {}
    }
    let Some(tenant) = facts
        .tenant
        .as_ref()
        .filter(|tenant| Some(&tenant.uid) == request.connection_uid.as_ref())
    else {
        return rejected(Reason::ConnectionDeleted);
    };
    if let Some(verdict) = tenant_refuses(tenant) {
        return end(verdict);
    }
    if receipt.attempts.len() >= MOST_ATTEMPTS {
        return rejected(Reason::TooManyAttempts);
    }
    let Some(device_id) = request.device_id.clone() else {
        return rejected(Reason::DeviceNotFound);
    };
    let wait = |duration| plan(Act::Nothing, Some(sooner(duration, request.not_after.0, facts)));
    if tenant_holds(tenant).is_some() {
        return wait(LOOK_LATER);
    }
    if facts.rival.is_some() {
        return wait(LOOK_SOON);
    }
    if let Some(trouble) = &facts.memory.trouble
        && let Some(left) = until(trouble.until, facts.clocks.own)
    {
        return wait(left);
    }
    let target = Target {
        device_id,
        serial_number: request.serial_number.clone(),
    };
    plan(
        Act::AttemptAgain(target),
        Some(sooner(LOOK_AT_LEAST, request.not_after.0, facts)),
    )
}

/// Google has accepted a command: ask what became of it, the older the rarer.
fn poll(receipt: &DeviceActionReceiptSpec, facts: &Facts, plan: &Planner<'_>) -> Plan {
    let Some(command_id) = receipt.command_id.clone() else {
        // Only an accepted command leaves its receipt open.
        let verdict = Verdict::new(ActionState::OutcomeUnknown, Reason::AnswerLost);
        return plan(Act::End(verdict), Some(LOOK_SOON));
    };
    let Some(tenant) = &facts.tenant else {
        return gone(receipt, facts, plan);
    };
    let resolved = |customer: &&String| *customer != "my_customer" && tenant.customer_id != "my_customer";
    let recorded = receipt.request.customer_id.as_ref().filter(resolved);
    if recorded.is_some_and(|customer| !customer.eq_ignore_ascii_case(&tenant.customer_id)) {
        return gone(receipt, facts, plan);
    }
    if tenant.unusable.is_some() {
        return plan(Act::Nothing, Some(LOOK_LATER));
    }
    match due(facts, interval(receipt, facts.clocks.own)) {
        Some(left) => plan(Act::Nothing, Some(left)),
        None => plan(Act::AskCommand { command_id }, Some(LOOK_AT_LEAST)),
    }
}

/// Nobody can ask Google any more. A connection may come back, for as long as the command may live.
fn gone(receipt: &DeviceActionReceiptSpec, facts: &Facts, plan: &Planner<'_>) -> Plan {
    let expires = receipt.command_expire_time.as_ref().map(|time| time.0);
    let accepted = receipt.accepted_time.as_ref().map(|time| time.0);
    let day_later = accepted.and_then(|time| time.checked_add(SignedDuration::from_hours(24)).ok());
    match expires.or(day_later) {
        Some(end) if facts.clocks.own <= end => plan(Act::Nothing, Some(LOOK_LATER)),
        Some(_) | None => {
            let verdict = Verdict::new(ActionState::OutcomeUnknown, Reason::ConnectionGone);
            plan(Act::End(verdict), Some(LOOK_SOON))
        }
    }
}

/// The time between two questions about a command of this age.
pub(super) fn interval(receipt: &DeviceActionReceiptSpec, now: Timestamp) -> SignedDuration {
    let accepted = receipt.accepted_time.as_ref().map_or(now, |time| time.0);
    let age = now.duration_since(accepted);
    (age / AGE_BY_INTERVAL).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
}

/// How long until the next question; `None` if it is due.
fn due(facts: &Facts, interval: SignedDuration) -> Option<Duration> {
    let next = facts.memory.asked?.checked_add(interval).ok()?;
    let trouble = facts.memory.trouble.as_ref().map(|trouble| trouble.until);
    until(
        trouble.map_or(next, |trouble| trouble.max(next)),
        facts.clocks.own,
    )
}

fn until(moment: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = moment.duration_since(now);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

/// The wait, but not past this moment: something is decided then.
fn sooner(wait: Duration, moment: Timestamp, facts: &Facts) -> Duration {
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
