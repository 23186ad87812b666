//! Tells whether the runtime still turns: the answer of `/healthz`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often the beat is renewed.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A beat older than this means that the runtime is stuck. Generous: a starved node must not restart a Pod that works.
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// The time of the last turn of the runtime. Clones share it.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    origin: Instant,
    last_milliseconds: Arc<AtomicU64>,
}

impl Heartbeat {
    /// A heart that beats now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            last_milliseconds: Arc::default(),
        }
    }

    /// Records that the runtime turns.
    pub fn beat(&self) {
        let elapsed = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_milliseconds.store(elapsed, Ordering::Relaxed);
    }

    /// Time since the last beat.
    #[must_use]
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last_milliseconds.load(Ordering::Relaxed));
        self.origin.elapsed().saturating_sub(last)
    }

    /// Whether the last beat is recent enough.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.age() < STUCK_AFTER
    }

    /// Beats until `stop` is cancelled.
    pub async fn keep(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(BEAT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.beat();
        }
    }

    #[cfg(test)]
    pub(crate) fn stopped_for(age: Duration) -> Option<Self> {
        Some(Self {
            origin: Instant::now().checked_sub(age)?,
            last_milliseconds: Arc::default(),
        })
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_beat_is_no_life_and_a_new_one_is() {
        let heart = Heartbeat::stopped_for(STUCK_AFTER + BEAT_EVERY).unwrap();
        assert!(!heart.is_alive());
        heart.beat();
        assert!(heart.is_alive());
        assert!(heart.age() < BEAT_EVERY);
    }

    #[tokio::test]
    async fn beats_until_it_is_stopped() {
        let heart = Heartbeat::stopped_for(STUCK_AFTER * 2).unwrap();
        let stop = CancellationToken::new();
        let keeper = tokio::spawn(heart.clone().keep(stop.clone()));
        while !heart.is_alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        tokio::time::timeout(BEAT_EVERY * 5, keeper)
            .await
            .unwrap()
            .unwrap();
    }
}
