//! How fast Google may be asked.
//!
//! Google counts per project and admin account ("Directory API: Limits and quotas"): 2,400 queries a minute, and far fewer
//! writes to devices. Connections that share an account share its quota, so the governor is looked up by
//! project and account.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use governor::clock::DefaultClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::observer::Observer;

/// Who waits for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody waits for this one: an action. A share of the quota is kept free for this lane.
    Interactive,
    /// One of very many: a sync.
    Sync,
}

impl Lane {
    /// One word for metrics.
    #[must_use]
    pub const fn metric_label(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Sync => "sync",
        }
    }
}

/// The quota of one admin account in one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaSettings {
    /// Reads in any 60 seconds.
    pub reads_per_minute: u32,
    /// Reads that may start at once after a pause.
    pub burst: u32,
    /// Calls that may be under way at once.
    pub concurrent: u32,
    /// Share of reads and of concurrent calls that the sync leaves to interactive calls, in percent.
    pub kept_for_interactive_percent: u32,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            reads_per_minute: 2_400,
            burst: 40,
            concurrent: 8,
            kept_for_interactive_percent: 25,
        }
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, NoOpMiddleware>;

/// One admin account in one project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AccountName {
    project: String,
    account: String,
}

/// Gives every account its quota.
pub(super) struct Governor {
    settings: QuotaSettings,
    accounts: Mutex<HashMap<AccountName, Weak<AccountQuota>>>,
}

impl Governor {
    pub(super) fn new(settings: QuotaSettings) -> Self {
        Self {
            settings,
            accounts: Mutex::new(HashMap::new()),
        }
    }

    /// The quota of this account. It lives as long as somebody holds it.
    pub(super) fn account(&self, project: &str, account: &str) -> Arc<AccountQuota> {
        let name = AccountName {
            project: project.to_owned(),
            account: account.to_ascii_lowercase(),
        };
        // A panic elsewhere cannot leave the map half changed.
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quota) = accounts.get(&name).and_then(Weak::upgrade) {
            return quota;
        }
        accounts.retain(|_, quota| quota.strong_count() > 0);
        let quota = Arc::new(AccountQuota::new(self.settings));
        accounts.insert(name, Arc::downgrade(&quota));
        quota
    }
}

/// The quota of one account: reads now; writes get a bucket of their own beside it.
pub(super) struct AccountQuota {
    reads: Limiter,
    sync_reads: Limiter,
    concurrent: Semaphore,
    concurrent_sync: Semaphore,
    paused_until: Mutex<Option<Instant>>,
}

/// The right to make one call. Dropping it lets the next one go.
pub(super) struct Turn<'a> {
    _sync: Option<SemaphorePermit<'a>>,
    _any: Option<SemaphorePermit<'a>>,
}

impl AccountQuota {
    fn new(settings: QuotaSettings) -> Self {
        let kept = settings.kept_for_interactive_percent.min(99);
        let left = |whole: u32| (u64::from(whole) * u64::from(100 - kept) / 100).max(1);
        let left = |whole: u32| u32::try_from(left(whole)).unwrap_or(u32::MAX);
        Self {
            reads: limiter(settings.reads_per_minute, settings.burst),
            sync_reads: limiter(left(settings.reads_per_minute), left(settings.burst)),
            concurrent: Semaphore::new(permits(settings.concurrent)),
            concurrent_sync: Semaphore::new(permits(left(settings.concurrent))),
            paused_until: Mutex::new(None),
        }
    }

    /// Waits until a read may be sent.
    pub(super) async fn turn_to_read(&self, lane: Lane, observer: &dyn Observer) -> Turn<'_> {
        let started = Instant::now();
        let turn = match lane {
            Lane::Interactive => Turn {
                _sync: None,
                _any: self.concurrent.acquire().await.ok(),
            },
            Lane::Sync => {
                // The narrower gate first, so that a waiting sync holds nothing that others need.
                let sync = self.concurrent_sync.acquire().await.ok();
                self.sync_reads.until_ready().await;
                Turn {
                    _sync: sync,
                    _any: self.concurrent.acquire().await.ok(),
                }
            }
        };
        while let Some(pause) = self.pause_left() {
            tokio::time::sleep(pause).await;
        }
        self.reads.until_ready().await;
        let waited = started.elapsed();
        if waited >= Duration::from_millis(1) {
            observer.waited_for_quota(lane, waited);
        }
        turn
    }

    /// Keeps everybody on this account quiet: Google has just refused one of them.
    pub(super) fn pause(&self, duration: Duration) {
        let Some(until) = Instant::now().checked_add(duration) else {
            return;
        };
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|earlier| earlier < until) {
            *paused = Some(until);
        }
    }

    fn pause_left(&self) -> Option<Duration> {
        let paused = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused?
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}

fn limiter(per_minute: u32, burst: u32) -> Limiter {
    RateLimiter::direct(rate(per_minute, burst))
}

/// At most `per_minute` in any 60 seconds, of which up to `burst` at once.
fn rate(per_minute: u32, burst: u32) -> Quota {
    let per_minute = per_minute.max(2);
    let burst = burst.clamp(1, per_minute / 2);
    // A burst comes on top of what is refilled meanwhile, so it is taken off the refill.
    let interval = Duration::from_mins(1) / (per_minute - burst);
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let every_second = Quota::per_second(NonZeroU32::MIN);
    Quota::with_period(interval)
        .unwrap_or(every_second)
        .allow_burst(burst)
}

fn permits(count: u32) -> usize {
    usize::try_from(count.max(1))
        .unwrap_or(Semaphore::MAX_PERMITS)
        .min(Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::google::NoObserver;

    #[test]
    fn connections_of_one_account_share_its_quota() {
        let governor = Governor::new(QuotaSettings::default());
        let one = governor.account("project", "admin@school.example");
        assert!(Arc::ptr_eq(
            &one,
            &governor.account("project", "Admin@School.example")
        ));
        assert!(!Arc::ptr_eq(
            &one,
            &governor.account("other", "admin@school.example")
        ));
        assert!(!Arc::ptr_eq(
            &one,
            &governor.account("project", "head@school.example")
        ));
    }

    #[test]
    fn accounts_that_nobody_uses_are_forgotten() {
        let governor = Governor::new(QuotaSettings::default());
        for number in 0..100 {
            drop(governor.account("project", &format!("admin{number}@school.example")));
        }
        assert_eq!(governor.accounts.lock().unwrap().len(), 1);
    }

    #[test]
    fn no_minute_holds_more_than_the_quota() {
        for (per_minute, burst) in [
            (2_400_u32, 40_u32),
            (60, 6),
            (2, 1),
            (1, 50),
            (0, 0),
            (100, 1_000),
        ] {
            let clock = FakeRelativeClock::default();
            let limiter = RateLimiter::direct_with_clock(rate(per_minute, burst), clock.clone());
            let mut admitted = 0;
            // The worst minute: it begins with a full burst.
            for _ in 0..60_000 {
                while limiter.check().is_ok() {
                    admitted += 1;
                }
                clock.advance(Duration::from_millis(1));
            }
            assert!(admitted <= per_minute.max(2), "{admitted} of {per_minute}");
            assert!(admitted + 1 >= per_minute.max(2), "{admitted} of {per_minute}");
        }
    }

    #[tokio::test]
    async fn a_full_sync_leaves_room_for_an_action() {
        let governor = Governor::new(QuotaSettings::default());
        let account = governor.account("project", "admin@school.example");
        let mut syncing = Vec::new();
        for _ in 0..6 {
            syncing.push(account.turn_to_read(Lane::Sync, &NoObserver).await);
        }
        let soon = Duration::from_millis(50);
        assert!(
            tokio::time::timeout(soon, account.turn_to_read(Lane::Sync, &NoObserver))
                .await
                .is_err()
        );
        let first = account.turn_to_read(Lane::Interactive, &NoObserver).await;
        let _second = account.turn_to_read(Lane::Interactive, &NoObserver).await;
        let third = account.turn_to_read(Lane::Interactive, &NoObserver);
        assert!(
            tokio::time::timeout(soon, third).await.is_err(),
            "eight calls are under way"
        );
        drop(first);
        assert!(
            tokio::time::timeout(soon, account.turn_to_read(Lane::Interactive, &NoObserver))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_refusal_keeps_everybody_quiet_for_a_while() {
        let governor = Governor::new(QuotaSettings::default());
        let account = governor.account("project", "admin@school.example");
        account.pause(Duration::from_millis(120));
        account.pause(Duration::from_millis(10));
        let started = Instant::now();
        drop(account.turn_to_read(Lane::Interactive, &NoObserver).await);
        assert!(started.elapsed() >= Duration::from_millis(110));
    }
}
