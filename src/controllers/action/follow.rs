//! Decides what happens to an action that has a receipt: its own, or that of an earlier action of the same name. Pure.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, Passed, Tenant};
use super::plan::{
    Act, LOOK_AT_LEAST, LOOK_LATER, LOOK_SOON, Plan, View, sooner, tenant_holds, tenant_refuses, until,
};
use super::preflight::Target;
use super::reason::Reason;
use super::record::{self, MOST_ATTEMPTS};
use super::request::Order;
use super::verdict::Verdict;
use crate::api::action::ActionState;
use crate::api::connection::MY_CUSTOMER;
use crate::api::receipt::{AttemptOutcome, DeviceActionReceiptSpec};
use crate::controllers::settings::ActionSettings;

/// Least time that another process gets to record the end of its attempt, however late its deadline was.
const GRACE: Duration = Duration::from_secs(5);
/// Between two questions about a command its age grows by half. Were it a sixth, ten thousand pending commands would
/// need all the reads that Google allows.
const AGE_BY_INTERVAL: i32 = 2;
const SHORTEST_INTERVAL: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// What happens to an action with a receipt, and what its status tells.
pub(super) fn follow(
    receipt: &DeviceActionReceiptSpec,
    facts: &Facts,
    settings: &ActionSettings,
    view: &View,
) -> Plan {
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
    let tenant = facts
        .tenant
        .as_ref()
        .filter(|tenant| same_customer(receipt, tenant));
    match (tenant, due(facts, SHORTEST_INTERVAL)) {
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
    let Some(tenant) = facts
        .tenant
        .as_ref()
        .filter(|tenant| same_customer(receipt, tenant))
    else {
        return gone(receipt, facts, plan);
    };
    if tenant.unusable.is_some() {
        return plan(Act::Nothing, Some(LOOK_LATER));
    }
    match due(facts, interval(receipt, facts.clocks.own)) {
        Some(left) => plan(Act::Nothing, Some(left)),
        None => plan(Act::AskCommand { command_id }, Some(LOOK_AT_LEAST)),
    }
}

/// Whether this connection belongs to the customer of the device. One that has not signed in yet may belong to another.
fn same_customer(receipt: &DeviceActionReceiptSpec, tenant: &Tenant) -> bool {
    let recorded = receipt.request.customer_id.as_deref().unwrap_or(MY_CUSTOMER);
    recorded == MY_CUSTOMER || recorded.eq_ignore_ascii_case(&tenant.customer_id)
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
