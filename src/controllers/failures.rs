//! What follows when an object could not be looked at, for every controller: a wait that grows, and one line in the log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kube::runtime::controller::Action;

use crate::runtime::backoff::Backoff;

/// How long one look may take. It is a handful of small requests.
pub(crate) const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// Why an object could not be looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// The API server refused or could not be reached.
    #[error(transparent)]
    Kubernetes(#[from] kube::Error),
    /// The API server took the request and said nothing. The client would wait for minutes.
    #[error("no answer from the Kubernetes API server within {} seconds", LOOK_TIMEOUT.as_secs())]
    Silent,
}

impl LookError {
    /// Whether somebody else changed the object meanwhile.
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Kubernetes(kube::Error::Api(status)) if status.code == 409)
    }
}

/// How many looks at an object failed in a row.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<(String, String), u32>>);

impl Failures {
    /// It worked.
    pub(crate) fn clear(&self, namespace: &str, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// It did not: when to look again.
    pub(crate) fn after(&self, kind: &'static str, namespace: &str, name: &str, error: &LookError) -> Action {
        if error.is_conflict() {
            tracing::debug!(%namespace, kind, %name, "somebody else changed the object; looking again");
            return Action::requeue(Duration::from_millis(200));
        }
        let failures = self.count(namespace, name);
        let delay = Backoff::new(Duration::from_millis(500), Duration::from_secs(30))
            .delay(failures, u64::from(failures));
        tracing::warn!(%namespace, kind, %name, %error, retry_seconds = delay.as_secs_f64(), "the Kubernetes API server could not be used");
        Action::requeue(delay)
    }

    fn count(&self, namespace: &str, name: &str) -> u32 {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures
            .entry((namespace.to_owned(), name.to_owned()))
            .or_default();
        *count = count.saturating_add(1);
        *count
    }
}
