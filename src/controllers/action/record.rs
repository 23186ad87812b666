//! What is written into a receipt: pure functions from one record to the next.
//!
//! The rules of the resource type (`src/api/receipt.rs`) hold the same at the API server, against every writer: a
//! final state never changes, and no attempt follows one that may have been sent.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::reason::Reason;
use super::request::Order;
use super::verdict::Verdict;
use crate::api::action::ActionState;
use crate::api::receipt::{Attempt, AttemptOutcome, DeviceActionReceiptSpec, ReceiptRequest};
use crate::google::{GoogleError, Sent};

/// How an attempt ended, as far as its process knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AttemptEnd {
    /// Surely nothing happened at Google.
    NotSent(Why),
    /// Google took it; a command has an ID.
    Accepted(Option<String>),
    /// Google refused it for good.
    Refused(Why),
    /// It may have been done and it may not.
    Unknown(Why),
}

/// Why an attempt was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    /// A sentence for people.
    pub(super) explanation: String,
    /// What Google said, in its own words.
    pub(super) google_message: Option<String>,
    pub(super) http_status: Option<u16>,
}

impl Why {
    /// A reason on our side.
    pub(super) fn own(explanation: &str) -> Self {
        Self {
            explanation: explanation.to_owned(),
            google_message: None,
            http_status: None,
        }
    }
}

impl From<GoogleError> for Why {
    fn from(error: GoogleError) -> Self {
        Self {
            explanation: error.reason.explanation().to_owned(),
            google_message: Some(error.google_message).filter(|message| !message.is_empty()),
            http_status: error.http_status,
        }
    }
}

impl From<Sent<Option<String>>> for AttemptEnd {
    fn from(sent: Sent<Option<String>>) -> Self {
        match sent {
            Sent::NotSent(error) => Self::NotSent(error.into()),
            Sent::Accepted(command_id) => Self::Accepted(command_id),
            Sent::Refused(error) => Self::Refused(error.into()),
            // What the reason says about trying again holds for reads, and nothing of it for what may have been done.
            Sent::Unknown(error) => Self::Unknown(Why {
                explanation: format!("No clear answer ({}).", error.reason.name()),
                ..error.into()
            }),
        }
    }
}

/// Most characters of Google's words that a record keeps.
const LONGEST_QUOTE: usize = 1024;
/// Most attempts that a record holds.
pub(super) const MOST_ATTEMPTS: usize = 256;

/// A new attempt, numbered after those in the record.
pub(super) fn attempt(
    before: usize,
    id: &str,
    process: &str,
    now: Timestamp,
    deadline: Timestamp,
) -> Attempt {
    Attempt {
        number: i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1),
        id: id.to_owned(),
        process: process.to_owned(),
        started_time: micro(now),
        deadline: micro(deadline),
        outcome: None,
        ended_time: None,
        http_status: None,
        message: None,
    }
}

/// The record that claims an action: its creation is the claim, so it carries the first attempt already.
pub(super) fn claimed(request: ReceiptRequest, first: Attempt) -> DeviceActionReceiptSpec {
    DeviceActionReceiptSpec {
        attempts: vec![first],
        state: ActionState::Dispatching,
        reason: Some(Reason::Sending.name().to_owned()),
        message: Some(Reason::Sending.sentence().to_owned()),
        open: true,
        ..empty(request)
    }
}

/// The record of an action that ends before anything was sent.
pub(super) fn tombstone(
    request: ReceiptRequest,
    verdict: &Verdict,
    now: Timestamp,
) -> DeviceActionReceiptSpec {
    ended(empty(request), verdict, now)
}

fn empty(request: ReceiptRequest) -> DeviceActionReceiptSpec {
    DeviceActionReceiptSpec {
        request,
        attempts: Vec::new(),
        state: ActionState::Dispatching,
        reason: None,
        message: None,
        open: false,
        command_id: None,
        command_state: None,
        command_result: None,
        command_expire_time: None,
        google_message: None,
        accepted_time: None,
        finished_time: None,
    }
}

/// The same record with one more attempt.
pub(super) fn with_attempt(mut record: DeviceActionReceiptSpec, next: Attempt) -> DeviceActionReceiptSpec {
    record.attempts.push(next);
    set(&mut record, ActionState::Dispatching, Reason::Sending, "");
    record
}

/// The same record in a final state, and closed. A final state stays as it is.
pub(super) fn ended(
    mut record: DeviceActionReceiptSpec,
    verdict: &Verdict,
    now: Timestamp,
) -> DeviceActionReceiptSpec {
    if !record.state.is_final() {
        record.state = verdict.state;
        record.reason = Some(verdict.reason.name().to_owned());
        record.message = Some(verdict.message.clone());
        record.finished_time = Some(whole(now));
        quote(&mut record, verdict.google_message.as_deref());
    }
    record.open = false;
    record
}

/// The same record after the attempt with this ID has ended. Somebody may have ended the action meanwhile, because it
/// took so long: then only what was found out is added.
pub(super) fn with_end(
    mut record: DeviceActionReceiptSpec,
    attempt_id: &str,
    end: &AttemptEnd,
    now: Timestamp,
) -> DeviceActionReceiptSpec {
    let Some(own) = record
        .attempts
        .iter_mut()
        .find(|attempt| attempt.id == attempt_id)
    else {
        return record;
    };
    if own.outcome.is_none() {
        end_attempt(own, end, now);
    }
    let already_final = record.state.is_final();
    match end {
        AttemptEnd::Accepted(command_id) => {
            record.accepted_time.get_or_insert(whole(now));
            if record.command_id.is_none() {
                record.command_id.clone_from(command_id);
            }
            if already_final {
                let late = "Google's answer came later: it had accepted the action.";
                record.message = Some(format!("{} {late}", record.message.unwrap_or_default()));
                return record;
            }
            // What Google said to earlier attempts stays with those.
            record.google_message = None;
            if command_id.is_some() {
                set(&mut record, ActionState::Sent, Reason::AcceptedByGoogle, "");
                return record;
            }
            let done = Verdict::new(ActionState::Succeeded, Reason::ChangedAtGoogle);
            ended(record, &done, now)
        }
        AttemptEnd::Refused(why) => {
            let refused = Verdict::new(ActionState::Failed, Reason::RefusedByGoogle)
                .with(&why.explanation)
                .quoting(why.google_message.as_deref());
            ended(record, &refused, now)
        }
        AttemptEnd::NotSent(_) | AttemptEnd::Unknown(_) if already_final => record,
        AttemptEnd::NotSent(why) => {
            set(
                &mut record,
                ActionState::Dispatching,
                Reason::RetryLater,
                &why.explanation,
            );
            quote(&mut record, why.google_message.as_deref());
            record
        }
        AttemptEnd::Unknown(why) => match Order::of(&record.request) {
            Some(Order::State(_)) => {
                set(&mut record, ActionState::Dispatching, Reason::Settling, "");
                quote(&mut record, why.google_message.as_deref());
                record
            }
            Some(Order::Command(_)) | None => {
                let lost = Verdict::new(ActionState::OutcomeUnknown, Reason::AnswerLost)
                    .quoting(why.google_message.as_deref());
                ended(record, &lost, now)
            }
        },
    }
}

fn end_attempt(attempt: &mut Attempt, end: &AttemptEnd, now: Timestamp) {
    let (outcome, why) = match end {
        AttemptEnd::NotSent(why) => (AttemptOutcome::NotSent, Some(why)),
        AttemptEnd::Accepted(_) => (AttemptOutcome::Accepted, None),
        AttemptEnd::Refused(why) => (AttemptOutcome::Refused, Some(why)),
        AttemptEnd::Unknown(why) => (AttemptOutcome::Unknown, Some(why)),
    };
    attempt.outcome = Some(outcome);
    attempt.ended_time = Some(micro(now));
    attempt.http_status = why.and_then(|why| why.http_status).map(i32::from);
    attempt.message = why.map(|why| match &why.google_message {
        Some(message) => cut(&format!("{} ({message})", why.explanation)),
        None => cut(&why.explanation),
    });
}

/// State, reason and sentence of a record that goes on.
pub(super) fn set(record: &mut DeviceActionReceiptSpec, state: ActionState, reason: Reason, detail: &str) {
    record.state = state;
    record.reason = Some(reason.name().to_owned());
    let sentence = reason.sentence();
    record.message = Some(if detail.is_empty() {
        sentence.to_owned()
    } else {
        format!("{sentence} {detail}")
    });
}

/// Keeps what Google or the device said. Earlier words stay when there are no new ones.
pub(super) fn quote(record: &mut DeviceActionReceiptSpec, message: Option<&str>) {
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        record.google_message = Some(cut(message));
    }
}

/// Times as they are stored, so that what is read back compares equal.
pub(super) fn whole(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

fn micro(time: Timestamp) -> MicroTime {
    MicroTime(Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time))
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_QUOTE).collect()
}

/// When the last attempt was surely over: its recorded end, or the end of everything that it may have been waiting for.
pub(super) fn surely_over(
    record: &DeviceActionReceiptSpec,
    in_flight_time: SignedDuration,
) -> Option<Timestamp> {
    let last = record.attempts.last()?;
    let latest = || last.deadline.0.saturating_add(in_flight_time).ok();
    last.ended_time.as_ref().map(|time| time.0).or_else(latest)
}

#[cfg(test)]
mod tests;
