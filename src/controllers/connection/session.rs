//! What this process does and did for each connection: one job at a time, its progress, and how the last one ended.

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

use super::facts::{CleanupEnd, Finished, Job, Running, SessionFacts};
use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::inventory::Index;
use crate::controllers::inventory::progress::Progress;

/// A job that runs now.
#[derive(Debug)]
struct RunningJob {
    job: Job,
    started: Timestamp,
    progress: Arc<Progress>,
    cancel: CancellationToken,
}

/// One connection, by UID: a connection that is deleted and made again starts anew.
#[derive(Debug, Default)]
struct Session {
    namespace: String,
    name: String,
    running: Option<RunningJob>,
    last: Option<Finished>,
    last_full: Option<Finished>,
    cleanup: Option<CleanupEnd>,
    index: Arc<tokio::sync::Mutex<Index>>,
}

/// Which connection is meant. One that is deleted and made again has another UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Identity {
    /// The identity of this object.
    pub(super) fn of(connection: &ChromeEnterpriseConnection) -> Self {
        Self {
            uid: connection.uid().unwrap_or_default(),
            namespace: connection.namespace().unwrap_or_default(),
            name: connection.name_any(),
        }
    }
}

/// What a job works with.
#[derive(Debug)]
pub(super) struct JobHandle {
    pub(super) progress: Arc<Progress>,
    pub(super) cancel: CancellationToken,
    pub(super) index: Arc<tokio::sync::Mutex<Index>>,
    pub(super) started: Timestamp,
}

/// All connections of this process.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_uid: Mutex<HashMap<String, Session>>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        // Every change below leaves the map whole at each step, so a panic elsewhere does not spoil it.
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of this connection.
    pub(super) fn facts(&self, uid: &str) -> SessionFacts {
        let sessions = self.lock();
        let Some(session) = sessions.get(uid) else {
            return SessionFacts::default();
        };
        SessionFacts {
            running: session.running.as_ref().map(|running| Running {
                job: running.job.clone(),
                started: running.started,
                progress: running.progress.snapshot(),
            }),
            last: session.last.clone(),
            last_full: session.last_full.clone(),
            cleanup: session.cleanup.clone(),
        }
    }

    /// Begins a job; `None` if one is running.
    pub(super) fn begin(
        &self,
        who: &Identity,
        job: Job,
        progress: Progress,
        cancel: CancellationToken,
    ) -> Option<JobHandle> {
        let mut sessions = self.lock();
        let session = sessions.entry(who.uid.clone()).or_default();
        if session.running.is_some() {
            return None;
        }
        session.namespace.clone_from(&who.namespace);
        session.name.clone_from(&who.name);
        let (progress, started) = (Arc::new(progress), Timestamp::now());
        session.running = Some(RunningJob {
            job,
            started,
            progress: progress.clone(),
            cancel: cancel.clone(),
        });
        Some(JobHandle {
            progress,
            cancel,
            index: session.index.clone(),
            started,
        })
    }

    /// Asks the running job to stop. It ends by itself, at its next safe point.
    pub(super) fn stop(&self, uid: &str) {
        if let Some(running) = self.lock().get(uid).and_then(|session| session.running.as_ref()) {
            running.cancel.cancel();
        }
    }

    /// Records how a pass ended; `None` for one that was stopped, which says nothing about the connection.
    pub(super) fn pass_ended(&self, uid: &str, finished: Option<Finished>) {
        let mut sessions = self.lock();
        let Some(session) = sessions.get_mut(uid) else {
            return;
        };
        session.running = None;
        let Some(finished) = finished else { return };
        if finished
            .outcome
            .as_ref()
            .is_ok_and(|report| report.pruning.is_some())
        {
            session.last_full = Some(finished.clone());
        }
        session.last = Some(finished);
    }

    /// Records how a removal of all devices ended; `None` for one that was stopped.
    pub(super) fn cleanup_ended(&self, uid: &str, ended: Timestamp, outcome: Option<Result<(), String>>) {
        let mut sessions = self.lock();
        let Some(session) = sessions.get_mut(uid) else {
            return;
        };
        session.running = None;
        let Some(outcome) = outcome else { return };
        let failures = match (&outcome, &session.cleanup) {
            (Ok(()), _) => 0,
            (Err(_), Some(before)) => before.failures.saturating_add(1),
            (Err(_), None) => 1,
        };
        session.cleanup = Some(CleanupEnd {
            ended,
            failures,
            outcome,
        });
    }

    /// Forgets a connection that is gone.
    pub(super) fn forget(&self, uid: &str) {
        if let Some(running) = self.lock().remove(uid).and_then(|session| session.running) {
            running.cancel.cancel();
        }
    }

    /// Every connection that this process did something for.
    pub(super) fn known(&self) -> Vec<Identity> {
        let identity = |(uid, session): (&String, &Session)| Identity {
            uid: uid.clone(),
            namespace: session.namespace.clone(),
            name: session.name.clone(),
        };
        self.lock().iter().map(identity).collect()
    }
}
