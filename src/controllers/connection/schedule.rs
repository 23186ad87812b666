//! Decides when the next pass is due, and which kind. Pure.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::time::Duration;

use super::facts::{Facts, Finished, PassStart};
use crate::api::{ALLOW_PRUNE_ANNOTATION, SYNC_REQUESTED_ANNOTATION};
use crate::controllers::inventory::PassKind;
use crate::runtime::backoff::Backoff;

/// However long Google asks to be left alone, the operator looks again after this time.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// How long to wait after a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) initial: Duration,
    pub(super) max: Duration,
}

impl Patience {
    /// Doubles with every failure in a row, with some jitter so that many connections do not return together.
    pub(super) fn after(self, failures: u32, seed: &str) -> SignedDuration {
        let seed = seed.bytes().fold(u64::from(failures), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        SignedDuration::try_from(Backoff::new(self.initial, self.max).delay(failures, seed))
            .unwrap_or(SignedDuration::from_mins(10))
    }
}

/// The next pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) at: Timestamp,
    pub(super) start: PassStart,
}

/// The next pass of a connection that may sync.
#[must_use]
pub(super) fn next(facts: &Facts, patience: Patience, now: Timestamp) -> Due {
    let requested = new_request(facts);
    let allowed = new_permission(facts);
    let last = facts.relevant_last();
    let start = |kind, failures| PassStart {
        kind,
        inputs: facts.inputs(),
        scope: facts.scope().digest(),
        requested: facts.annotation(SYNC_REQUESTED_ANNOTATION).map(str::to_owned),
        allowed: facts.annotation(ALLOW_PRUNE_ANNOTATION).map(str::to_owned),
        failures,
    };
    if requested || allowed {
        return Due {
            at: now,
            start: start(PassKind::Full, 0),
        };
    }
    let Some(last) = last else {
        // Nothing is known in this process, or the spec or the credentials changed: look at once. This also
        // builds the index, and tells the truth about a connection whose operator was away.
        let kind = if facts.scope_is_complete() && now < full_at(facts, now) {
            incremental(facts, now)
        } else {
            PassKind::Full
        };
        return Due {
            at: now,
            start: start(kind, 0),
        };
    };
    match &last.outcome {
        Err(failed) => {
            let failures = last.start.failures.saturating_add(1);
            let seed = facts.connection.metadata.uid.as_deref().unwrap_or_default();
            let pause = failed
                .pause
                .and_then(|pause| SignedDuration::try_from(pause).ok());
            let wait = patience
                .after(failures, seed)
                .max(pause.unwrap_or_default().min(LONGEST_PAUSE));
            Due {
                at: add(last.ended, wait),
                start: start(again(last), failures),
            }
        }
        Ok(_) if !facts.scope_is_complete() => Due {
            at: now,
            start: start(PassKind::Full, 0),
        },
        Ok(_) => {
            let full = full_at(facts, now);
            let interval = SignedDuration::from_secs(facts.connection.spec.sync.interval_seconds.into());
            let incremental_at = add(last.started, interval).max(last.ended);
            if full <= incremental_at.max(now) {
                Due {
                    at: full.max(last.ended),
                    start: start(PassKind::Full, 0),
                }
            } else {
                Due {
                    at: incremental_at,
                    start: start(incremental(facts, now), 0),
                }
            }
        }
    }
}

/// A failed pass is done again as what it was.
fn again(last: &Finished) -> PassKind {
    last.start.kind
}

/// When a full pass is due, by the last one that ended well.
fn full_at(facts: &Facts, now: Timestamp) -> Timestamp {
    let interval = SignedDuration::from_secs(facts.connection.spec.sync.full_interval_seconds.into());
    let recorded = facts
        .connection
        .status
        .as_ref()
        .and_then(|status| status.sync.as_ref()?.last_complete_time.as_ref())
        .map(|time| time.0);
    let in_process = facts.session.last_full.as_ref().map(|full| full.started);
    in_process.or(recorded).map_or(now, |begun| add(begun, interval))
}

/// Since when an incremental pass asks: the last exchange that is on record.
fn incremental(facts: &Facts, now: Timestamp) -> PassKind {
    let recorded = facts
        .connection
        .status
        .as_ref()
        .and_then(|status| status.last_check_in_time.as_ref())
        .map(|time| time.0);
    let in_process = facts
        .session
        .last
        .as_ref()
        .filter(|last| last.outcome.is_ok())
        .map(|last| last.started);
    PassKind::Incremental {
        since: in_process.or(recorded).unwrap_or(now),
    }
}

/// Whether the annotation that asks for a sync has a value that no pass was started for.
fn new_request(facts: &Facts) -> bool {
    let Some(wanted) = facts.annotation(SYNC_REQUESTED_ANNOTATION) else {
        return false;
    };
    let handled = facts
        .connection
        .status
        .as_ref()
        .and_then(|status| status.sync.as_ref()?.handled_request.as_deref());
    let started = facts
        .session
        .last
        .as_ref()
        .and_then(|last| last.start.requested.as_deref());
    handled != Some(wanted) && started != Some(wanted)
}

/// Whether the annotation permits what is held, and no pass was started with it.
fn new_permission(facts: &Facts) -> bool {
    let Some(allowed) = facts.annotation(ALLOW_PRUNE_ANNOTATION) else {
        return false;
    };
    let held = match facts
        .session
        .last_full
        .as_ref()
        .and_then(|full| full.outcome.as_ref().ok()?.pruning.as_ref())
    {
        Some(pruning) => pruning.hold.as_ref().map(|hold| hold.id.as_str()),
        None => facts
            .connection
            .status
            .as_ref()
            .and_then(|status| Some(status.sync.as_ref()?.prune_hold.as_ref()?.id.as_str())),
    };
    let started = facts
        .session
        .last
        .as_ref()
        .and_then(|last| last.start.allowed.as_deref());
    held == Some(allowed) && started != Some(allowed)
}

fn add(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(time)
}
