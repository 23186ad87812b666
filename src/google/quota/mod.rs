//! How fast Google may be asked.
//!
//! Google counts per project and admin account ("Directory API: Limits and quotas"): 2,400 queries a minute, and far fewer
//! writes to devices. Connections that share an account share its quota, so the governor is looked up by
//! project and account.

mod gate;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use governor::clock::DefaultClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::Timestamp;

use super::observer::Observer;
use gate::{Gate, Pass, Shares};

/// Who waits for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A device may be in the hands of a thief: lost mode is switched on. Nobody goes before it.
    Urgent,
    /// Somebody waits for this one: an action. A share of the quota is kept free for it and the urgent lane.
    Interactive,
    /// What became of an action that Google has accepted.
    Follow,
    /// One of very many: a sync.
    Sync,
}

impl Lane {
    /// One word for metrics.
    #[must_use]
    pub const fn metric_label(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Interactive => "interactive",
            Self::Follow => "follow",
            Self::Sync => "sync",
        }
    }

    /// The lower goes first. Following and syncing take turns; their shares keep them from starving each other.
    const fn rank(self) -> u8 {
        match self {
            Self::Urgent => 0,
            Self::Interactive => 1,
            Self::Follow | Self::Sync => 2,
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
    /// Share of reads and of concurrent calls that sync and following leave to actions, in percent.
    pub kept_for_interactive_percent: u32,
    /// Changes of devices in any 60 seconds. A tenth is kept for the urgent lane.
    pub writes_per_minute: u32,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            reads_per_minute: 2_400,
            burst: 40,
            concurrent: 8,
            kept_for_interactive_percent: 25,
            writes_per_minute: 60,
        }
    }
}

/// Changes of devices that may be under way at once.
const CONCURRENT_WRITES: usize = 4;

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

/// The quota of one account. Google counts reads and changes of devices apart.
pub(super) struct AccountQuota {
    reads: Limiter,
    background_reads: Limiter,
    reading: Arc<Gate>,
    reads_paused: Pause,
    writes: Limiter,
    unhurried_writes: Limiter,
    writing: Arc<Gate>,
    writes_paused: Pause,
}

/// The right to make one call. Dropping it lets the next one go.
#[derive(Debug)]
pub struct Turn {
    _pass: Pass,
}

/// Google has asked for silence until then.
#[derive(Debug, Default)]
struct Pause(Mutex<Option<Instant>>);

impl AccountQuota {
    fn new(settings: QuotaSettings) -> Self {
        let kept = settings.kept_for_interactive_percent.min(99);
        let background = |whole: u32| percent(whole, 100 - kept);
        let width = usize::try_from(settings.concurrent).unwrap_or(usize::MAX);
        let left = usize::try_from(background(settings.concurrent)).unwrap_or(usize::MAX);
        let reading = Shares {
            urgent: width,
            interactive: width.saturating_sub(1),
            follow: left / 3,
            sync: left,
        };
        let writing = Shares {
            urgent: CONCURRENT_WRITES,
            interactive: CONCURRENT_WRITES - 1,
            follow: 1,
            sync: 1,
        };
        let writes = settings.writes_per_minute;
        Self {
            reads: limiter(settings.reads_per_minute, settings.burst),
            background_reads: limiter(background(settings.reads_per_minute), background(settings.burst)),
            reading: Gate::new(width, reading),
            reads_paused: Pause::default(),
            writes: limiter(writes, percent(writes, 10)),
            unhurried_writes: limiter(percent(writes, 90), percent(writes, 9)),
            writing: Gate::new(CONCURRENT_WRITES, writing),
            writes_paused: Pause::default(),
        }
    }

    /// Waits until a read may be sent.
    pub(super) async fn turn_to_read(&self, lane: Lane, observer: &dyn Observer) -> Turn {
        let started = Instant::now();
        let pass = self.reading.enter(lane, 0).await;
        self.reads_paused.over().await;
        match lane {
            Lane::Urgent | Lane::Interactive => {}
            Lane::Follow | Lane::Sync => self.background_reads.until_ready().await,
        }
        self.reads.until_ready().await;
        report(lane, started, observer);
        Turn { _pass: pass }
    }

    /// Waits until a change of a device may be sent. `since` is when somebody asked for it: the oldest goes first.
    pub(super) async fn turn_to_write(&self, lane: Lane, since: Timestamp, observer: &dyn Observer) -> Turn {
        let started = Instant::now();
        let pass = self.writing.enter(lane, since.as_nanosecond()).await;
        self.writes_paused.over().await;
        match lane {
            Lane::Urgent => {}
            Lane::Interactive | Lane::Follow | Lane::Sync => self.unhurried_writes.until_ready().await,
        }
        self.writes.until_ready().await;
        report(lane, started, observer);
        Turn { _pass: pass }
    }

    /// Keeps every read on this account quiet: Google has just refused one.
    pub(super) fn pause_reads(&self, duration: Duration) {
        self.reads_paused.begin(duration);
    }

    /// Keeps every change on this account quiet: Google has just refused one.
    pub(super) fn pause_writes(&self, duration: Duration) {
        self.writes_paused.begin(duration);
    }
}

impl Pause {
    fn begin(&self, duration: Duration) {
        let Some(until) = Instant::now().checked_add(duration) else {
            return;
        };
        let mut paused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|earlier| earlier < until) {
            *paused = Some(until);
        }
    }

    /// Waits until it is over, however often it is prolonged meanwhile.
    async fn over(&self) {
        while let Some(left) = self.left() {
            tokio::time::sleep(left).await;
        }
    }

    fn left(&self) -> Option<Duration> {
        let paused = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paused?
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}

fn report(lane: Lane, started: Instant, observer: &dyn Observer) {
    let waited = started.elapsed();
    if waited >= Duration::from_millis(1) {
        observer.waited_for_quota(lane, waited);
    }
}

/// So many percent, but at least one.
fn percent(whole: u32, share: u32) -> u32 {
    let part = (u64::from(whole) * u64::from(share) / 100).max(1);
    u32::try_from(part).unwrap_or(u32::MAX)
}

fn limiter(per_minute: u32, burst: u32) -> Limiter {
    RateLimiter::direct(rate(per_minute, burst))
}

/// At most `per_minute` in any 60 seconds, of which up to `burst` at once.
fn rate(per_minute: u32, burst: u32) -> Quota {
    let per_minute = per_minute.max(2);
    let burst = burst.clamp(1, per_minute / 2);
    // A burst comes on top of what is refilled meanwhile, so it is taken off the refill.
    let interval = minute() / (per_minute - burst);
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let every_second = Quota::per_second(NonZeroU32::MIN);
    Quota::with_period(interval)
        .unwrap_or(every_second)
        .allow_burst(burst)
}

/// A minute, as Google counts. Debug builds let it pass quicker, for tests against a Google whose time does.
fn minute() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(short) = std::env::var("CHROME_ENTERPRISE_OPERATOR_DEBUG_MINUTE_MILLISECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
    {
        return Duration::from_millis(short);
    }
    Duration::from_mins(1)
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
    async fn lost_mode_does_not_wait_behind_a_queue_of_other_changes() {
        let governor = Governor::new(QuotaSettings::default());
        let account = governor.account("project", "admin@school.example");
        let now = Timestamp::now();
        let mut queue = Vec::new();
        for _ in 0..100 {
            let account = account.clone();
            queue.push(tokio::spawn(async move {
                drop(account.turn_to_write(Lane::Interactive, now, &NoObserver).await);
            }));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(queue.iter().filter(|task| task.is_finished()).count() < 10);
        let started = Instant::now();
        drop(account.turn_to_write(Lane::Urgent, now, &NoObserver).await);
        assert!(
            started.elapsed() < Duration::from_millis(500),
            "{:?}",
            started.elapsed()
        );
        queue.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn a_refused_change_keeps_only_changes_quiet() {
        let governor = Governor::new(QuotaSettings::default());
        let account = governor.account("project", "admin@school.example");
        account.pause_writes(Duration::from_millis(200));
        let started = Instant::now();
        drop(account.turn_to_read(Lane::Interactive, &NoObserver).await);
        assert!(started.elapsed() < Duration::from_millis(100));
        drop(
            account
                .turn_to_write(Lane::Urgent, Timestamp::now(), &NoObserver)
                .await,
        );
        assert!(started.elapsed() >= Duration::from_millis(190));
    }

    #[tokio::test]
    async fn a_refusal_keeps_everybody_quiet_for_a_while() {
        let governor = Governor::new(QuotaSettings::default());
        let account = governor.account("project", "admin@school.example");
        account.pause_reads(Duration::from_millis(120));
        account.pause_reads(Duration::from_millis(10));
        let started = Instant::now();
        drop(account.turn_to_read(Lane::Interactive, &NoObserver).await);
        assert!(started.elapsed() >= Duration::from_millis(110));
    }
}
