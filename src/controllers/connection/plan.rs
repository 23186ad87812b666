//! Decides what happens to a connection. Pure: facts and the time in, a plan out.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::time::Duration;

use super::facts::{Facts, Job, PassStart, Running};
use super::schedule::{self, Patience};
use crate::api::CLEANUP_FINALIZER;
use crate::controllers::tenant::credentials::CredentialFacts;

/// How often a running job is reported. The status must move at least every five seconds.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// A stopped job says so by itself; this is for the case that it cannot.
const STOP_CHECK: Duration = Duration::from_secs(1);
/// An older connection says when it is gone; this is for the case that it was removed by force.
const CONFLICT_CHECK: Duration = Duration::from_secs(15);

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// Nothing.
    Nothing,
    /// Take responsibility for cleaning up later.
    AddFinalizer,
    /// Let the deleted connection go.
    RemoveFinalizer,
    /// Start a pass.
    StartPass(PassStart),
    /// Ask the running job to stop.
    Stop,
    /// Start to remove all devices.
    StartCleanup,
}

/// Which story the status tells. The status step adds the details from the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Nothing is written: the object is about to be changed or gone.
    Silent,
    Deleting,
    Conflict,
    Suspended,
    /// The credentials cannot be tried.
    Unusable,
    /// Syncing, or waiting for the next pass.
    Working,
}

/// What to do, what to tell, and when to look again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) act: Act,
    pub(super) view: View,
    pub(super) next_pass: Option<Timestamp>,
    pub(super) look_again: Duration,
}

/// Operator settings that bear on decisions.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanSettings {
    pub(super) secret_poll: Duration,
    pub(super) patience: Patience,
}

/// Decides what happens to the connection.
#[must_use]
pub(super) fn plan(facts: &Facts, settings: &PlanSettings, now: Timestamp) -> Plan {
    let plan = |act, view, look_again| Plan {
        act,
        view,
        next_pass: None,
        look_again,
    };
    let meta = &facts.connection.metadata;
    let finalizer = meta
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == CLEANUP_FINALIZER);
    let running = facts.session.running.as_ref();
    if meta.deletion_timestamp.is_some() {
        return if finalizer {
            deletion(facts, settings, now)
        } else {
            plan(Act::Nothing, View::Silent, CONFLICT_CHECK)
        };
    }
    // An older connection owns the namespace. Whoever is in conflict has nothing to clean up, so it gets no finalizer.
    if facts.older.is_some() {
        return plan(stop_if(running), View::Conflict, CONFLICT_CHECK);
    }
    if !finalizer {
        return plan(Act::AddFinalizer, View::Silent, STOP_CHECK);
    }
    if facts.connection.spec.sync.suspend {
        return plan(stop_if(running), View::Suspended, settings.secret_poll);
    }
    if let CredentialFacts::Unusable(_) = facts.credentials {
        return plan(stop_if(running), View::Unusable, settings.secret_poll);
    }
    match running {
        Some(Running {
            job: Job::Pass(start),
            ..
        }) if start.inputs == facts.inputs() => plan(Act::Nothing, View::Working, REPORT_EVERY),
        // What it reads is no longer what is asked for.
        Some(Running {
            job: Job::Pass(_) | Job::Cleanup,
            ..
        }) => plan(Act::Stop, View::Working, STOP_CHECK),
        None => {
            let due = schedule::next(facts, settings.patience, now);
            if due.at <= now {
                return plan(Act::StartPass(due.start), View::Working, REPORT_EVERY);
            }
            let wait = Duration::try_from(due.at.duration_since(now)).unwrap_or_default();
            Plan {
                next_pass: Some(due.at),
                ..plan(
                    Act::Nothing,
                    View::Working,
                    wait.clamp(Duration::from_millis(50), settings.secret_poll),
                )
            }
        }
    }
}

/// A connection that is being deleted: stop, remove the devices, let go.
fn deletion(facts: &Facts, settings: &PlanSettings, now: Timestamp) -> Plan {
    let plan = |act, view, look_again| Plan {
        act,
        view,
        next_pass: None,
        look_again,
    };
    if facts.older.is_some() {
        return plan(Act::RemoveFinalizer, View::Silent, STOP_CHECK);
    }
    match (&facts.session.running, &facts.session.cleanup) {
        (
            Some(Running {
                job: Job::Pass(_), ..
            }),
            _,
        ) => plan(Act::Stop, View::Deleting, STOP_CHECK),
        (
            Some(Running {
                job: Job::Cleanup, ..
            }),
            _,
        ) => plan(Act::Nothing, View::Deleting, REPORT_EVERY),
        (None, None) => plan(Act::StartCleanup, View::Deleting, REPORT_EVERY),
        (None, Some(end)) if end.outcome.is_ok() => plan(Act::RemoveFinalizer, View::Silent, STOP_CHECK),
        (None, Some(end)) => {
            let wait = settings.patience.after(
                end.failures,
                facts.connection.metadata.uid.as_deref().unwrap_or_default(),
            );
            let left = wait - now.duration_since(end.ended);
            if left <= SignedDuration::ZERO {
                plan(Act::StartCleanup, View::Deleting, REPORT_EVERY)
            } else {
                plan(
                    Act::Nothing,
                    View::Deleting,
                    Duration::try_from(left).unwrap_or(STOP_CHECK),
                )
            }
        }
    }
}

fn stop_if(running: Option<&Running>) -> Act {
    if running.is_some() {
        Act::Stop
    } else {
        Act::Nothing
    }
}
