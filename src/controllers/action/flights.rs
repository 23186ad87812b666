//! What this process does and knows beside what is stored: one flight for each action that it works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;

use super::facts::{Memory, Stage, Trouble};
use super::record::AttemptEnd;
use crate::controllers::tenant::problem::Problem;
use crate::runtime::backoff::Backoff;
use crate::runtime::clock;

/// The name that an action and its receipt share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Everything that this process works on.
#[derive(Debug, Default)]
pub(super) struct Flights {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    flights: HashMap<Key, Flight>,
    /// Which flight has the turn on a device, from its check at Google to its record.
    devices: HashMap<(String, String), Key>,
    /// Looks that are under way: an action and its receipt are watched apart, and one look at a time is enough.
    looks: HashMap<Key, Weak<tokio::sync::Mutex<()>>>,
}

#[derive(Debug, Default)]
struct Flight {
    stage: Option<Stage>,
    /// The last attempt of the receipt, and since when it is seen.
    attempt: Option<(String, Instant)>,
    /// How this process's attempt of that ID ended, until it is recorded.
    end: Option<(String, AttemptEnd)>,
    trouble: Option<Trouble>,
    failures: u32,
    asked: Option<Timestamp>,
}

/// The right to work on an action. Dropping it ends the stage and frees the device.
pub(super) struct Guard {
    flights: Arc<Flights>,
    key: Key,
    device: Option<(String, String)>,
    on_end: Box<dyn Fn(&Key) + Send + Sync>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        {
            let mut inner = self.flights.lock();
            if let Some(flight) = inner.flights.get_mut(&self.key) {
                flight.stage = None;
            }
            if let Some(device) = &self.device {
                inner.devices.remove(device);
            }
        }
        (self.on_end)(&self.key);
    }
}

/// Waits after failures of one action: Google is asked again soon, and then rarer.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

impl Flights {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change below leaves the maps whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this process knows. `last_attempt` is the ID of the last attempt in the receipt.
    pub(super) fn memory(&self, key: &Key, last_attempt: Option<&str>) -> Memory {
        let mut inner = self.lock();
        let flight = match (last_attempt, inner.flights.get_mut(key)) {
            (_, Some(flight)) => flight,
            (None, None) => return Memory::default(),
            (Some(_), None) => inner.flights.entry(key.clone()).or_default(),
        };
        let mut seen = Duration::ZERO;
        if let Some(id) = last_attempt {
            match &flight.attempt {
                Some((known, since)) if known == id => seen = since.elapsed(),
                Some(_) | None => flight.attempt = Some((id.to_owned(), Instant::now())),
            }
        }
        Memory {
            stage: flight.stage,
            attempt_end: flight
                .end
                .as_ref()
                .filter(|(id, _)| last_attempt == Some(id))
                .map(|(_, end)| end.clone()),
            attempt_seen: seen,
            trouble: flight.trouble.clone(),
            asked: flight.asked,
        }
    }

    /// Waits until no other look at this action is under way, and keeps others waiting.
    pub(super) async fn look(&self, key: &Key) -> tokio::sync::OwnedMutexGuard<()> {
        let look = {
            let mut inner = self.lock();
            if let Some(look) = inner.looks.get(key).and_then(Weak::upgrade) {
                look
            } else {
                inner.looks.retain(|_, look| look.strong_count() > 0);
                let look = Arc::default();
                inner.looks.insert(key.clone(), Arc::downgrade(&look));
                look
            }
        };
        look.lock_owned().await
    }

    /// Begins to work on an action, unless somebody does already, or another action has its turn on the device.
    pub(super) fn begin(
        self: &Arc<Self>,
        key: &Key,
        stage: Stage,
        device_id: Option<&str>,
        on_end: impl Fn(&Key) + Send + Sync + 'static,
    ) -> Option<Guard> {
        let mut inner = self.lock();
        let device = device_id.map(|id| (key.namespace.clone(), id.to_owned()));
        let busy = device
            .as_ref()
            .is_some_and(|device| inner.devices.contains_key(device));
        let flight = inner.flights.entry(key.clone()).or_default();
        if busy || flight.stage.is_some() {
            return None;
        }
        flight.stage = Some(stage);
        if let Some(device) = &device {
            inner.devices.insert(device.clone(), key.clone());
        }
        drop(inner);
        Some(Guard {
            flights: Arc::clone(self),
            key: key.clone(),
            device,
            on_end: Box::new(on_end),
        })
    }

    /// Forgets an action that is done, unless this process still works on it or has something to record.
    pub(super) fn forget(&self, key: &Key) {
        let mut inner = self.lock();
        if inner
            .flights
            .get(key)
            .is_some_and(|flight| flight.stage.is_none() && flight.end.is_none())
        {
            inner.flights.remove(key);
        }
    }

    /// The last attempt's end is recorded, or there is nothing to record it in.
    pub(super) fn recorded(&self, key: &Key) {
        if let Some(flight) = self.lock().flights.get_mut(key) {
            flight.end = None;
        }
    }

    /// How many actions this process works on or remembers.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().flights.len()
    }
}

impl Guard {
    /// The action that is worked on.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    fn change(&self, change: impl FnOnce(&mut Flight)) {
        if let Some(flight) = self.flights.lock().flights.get_mut(&self.key) {
            change(flight);
        }
    }

    /// What is being done now.
    pub(super) fn stage(&self, stage: Stage) {
        self.change(|flight| flight.stage = Some(stage));
    }

    /// Remembers how the attempt ended, until it is recorded.
    pub(super) fn ended(&self, attempt_id: &str, end: &AttemptEnd) {
        self.change(|flight| flight.end = Some((attempt_id.to_owned(), end.clone())));
    }

    /// The attempt's end is recorded.
    pub(super) fn recorded(&self) {
        self.flights.recorded(&self.key);
    }

    /// It came to nothing this time: left alone for a while, for at least `pause`.
    pub(super) fn failed(&self, problem: Problem, pause: Option<Duration>) {
        self.change(|flight| {
            flight.failures = flight.failures.saturating_add(1);
            let seed = u64::from(flight.failures);
            let wait = Backoff::new(RETRY.0, RETRY.1)
                .delay(flight.failures, seed)
                .max(pause.unwrap_or_default().min(Duration::from_hours(1)));
            let until = clock::now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            flight.trouble = Some(Trouble { problem, until });
        });
    }

    /// It went well: earlier trouble is over.
    pub(super) fn went_well(&self) {
        self.change(|flight| (flight.failures, flight.trouble) = (0, None));
    }

    /// Google was asked what became of the action.
    pub(super) fn asked(&self) {
        self.change(|flight| flight.asked = Some(clock::now()));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::controllers::action::record::Why;

    fn key(name: &str) -> Key {
        Key {
            namespace: "school".into(),
            name: name.into(),
        }
    }

    #[test]
    fn one_flight_for_an_action_and_one_turn_for_a_device() {
        let flights = Arc::new(Flights::default());
        let begin =
            |name: &str, device: &str| flights.begin(&key(name), Stage::Checking, Some(device), |_| {});
        let first = begin("a", "device").unwrap();
        assert!(begin("a", "other").is_none(), "the same action");
        assert!(begin("b", "device").is_none(), "the same device");
        let _elsewhere = begin("c", "other").unwrap();
        assert_eq!(flights.memory(&key("a"), None).stage, Some(Stage::Checking));
        first.stage(Stage::Sending);
        assert_eq!(flights.memory(&key("a"), None).stage, Some(Stage::Sending));
        drop(first);
        assert_eq!(flights.memory(&key("a"), None).stage, None);
        assert!(begin("b", "device").is_some());
    }

    #[test]
    fn an_end_is_remembered_for_its_attempt_until_it_is_recorded() {
        let flights = Arc::new(Flights::default());
        let guard = flights.begin(&key("a"), Stage::Sending, None, |_| {}).unwrap();
        let end = AttemptEnd::NotSent(Why::own("no"));
        guard.ended("attempt-1", &end);
        drop(guard);
        flights.forget(&key("a"));
        assert_eq!(
            flights.memory(&key("a"), Some("attempt-1")).attempt_end,
            Some(end)
        );
        assert_eq!(flights.memory(&key("a"), Some("attempt-2")).attempt_end, None);
        flights.recorded(&key("a"));
        flights.forget(&key("a"));
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn looks_at_one_action_come_one_after_the_other() {
        let flights = Flights::default();
        let first = flights.look(&key("a")).await;
        let _other = flights.look(&key("b")).await;
        assert!(flights.look(&key("a")).now_or_never().is_none());
        drop(first);
        assert!(flights.look(&key("a")).now_or_never().is_some());
        drop(flights.look(&key("c")).await);
        assert!(flights.lock().looks.len() <= 2, "what is over is forgotten");
    }

    #[test]
    fn trouble_grows_and_ends() {
        let flights = Arc::new(Flights::default());
        let guard = flights.begin(&key("a"), Stage::Checking, None, |_| {}).unwrap();
        let wait = |pause| {
            guard.failed(Problem::passing("GoogleUnavailable", "later"), pause);
            let trouble = flights.memory(&key("a"), None).trouble.unwrap();
            trouble.until.duration_since(clock::now()).as_secs_f64()
        };
        assert!(wait(None) < 1.1);
        assert!(wait(Some(Duration::from_secs(30))) > 29.0);
        for _ in 0..20 {
            assert!(wait(None) < 61.0);
        }
        guard.went_well();
        assert_eq!(flights.memory(&key("a"), None).trouble, None);
    }
}
