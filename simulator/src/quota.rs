//! Quotas: calls per minute of a user in a project, and calls at the same time.
//!
//! "Directory API: Limits and quotas" gives 2,400 queries per minute, per user and project. Changes of ChromeOS
//! devices have a smaller quota of their own, which Google does not document; users report 60 per minute. The
//! minute is the last 60 seconds of the simulated clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::api_error::{ApiError, QuotaMetric};

const WINDOW_SECONDS: i64 = 60;

/// Users beyond this number start a new book: an upper bound of memory, not a rule of Google's.
const MAXIMUM_USERS: usize = 20_000;

/// The limits, as `GET /sim/v1/quota` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct QuotaLimits {
    /// Calls of one user in one project per minute.
    pub queries_per_minute: u32,
    /// Changes of devices by one user in one project per minute.
    pub device_writes_per_minute: u32,
    /// Calls of one user at the same time, beyond which 403 `quotaExceeded` is answered; `null` for no limit.
    pub concurrent_per_user: Option<u32>,
    /// Calls of one customer at the same time, beyond which 429 is answered; `null` for no limit.
    pub concurrent_per_customer: Option<u32>,
    /// In which of the forms seen an exceeded quota is told.
    pub exceeded_as: ExceededForm,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        Self {
            queries_per_minute: 2400,
            device_writes_per_minute: 60,
            concurrent_per_user: None,
            concurrent_per_customer: None,
            exceeded_as: ExceededForm::default(),
        }
    }
}

/// How an exceeded quota is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExceededForm {
    /// 403 with reason `userRateLimitExceeded`.
    #[default]
    UserRateLimit403,
    /// 403 with reason `rateLimitExceeded`.
    RateLimit403,
    /// 429 with reason `rateLimitExceeded`.
    RateLimit429,
}

/// What one user has used in the last minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaUsage {
    /// Number of the project.
    pub project: String,
    /// The account that is acted for.
    pub user: String,
    /// Calls in the last 60 seconds.
    pub queries: u32,
    /// Changes of devices in the last 60 seconds.
    pub device_writes: u32,
    /// All calls since the start, refused ones too.
    pub total: u64,
    /// Calls that were refused for the quota since the start.
    pub refused: u64,
}

/// A call's place in the books, and the marker that a batch sets on inner calls which cost nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FreeOfQuota;

/// The books of all users.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    book: Mutex<Book>,
    running: Arc<Mutex<Running>>,
}

#[derive(Debug, Default)]
struct Book {
    limits: QuotaLimits,
    users: BTreeMap<(String, String), User>,
}

#[derive(Debug, Default)]
struct User {
    queries: Window,
    writes: Window,
    total: u64,
    refused: u64,
}

/// Counts the events of the last 60 seconds, one count per second.
#[derive(Debug)]
struct Window {
    counts: [u32; 60],
    last: i64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            counts: [0; 60],
            last: i64::MIN,
        }
    }
}

impl Window {
    fn used(&mut self, now: i64) -> u32 {
        if now > self.last {
            let passed = now.saturating_sub(self.last).min(WINDOW_SECONDS);
            for step in 0..passed {
                *self.cell(now - step) = 0;
            }
            self.last = now;
        }
        self.counts.iter().sum()
    }

    fn add(&mut self, now: i64) {
        *self.cell(now.max(self.last)) += 1;
    }

    fn cell(&mut self, second: i64) -> &mut u32 {
        &mut self.counts[usize::try_from(second.rem_euclid(WINDOW_SECONDS)).unwrap_or(0)]
    }
}

#[derive(Debug, Default)]
struct Running {
    users: FxHashMap<String, u32>,
    customers: FxHashMap<String, u32>,
}

/// Counts a running call until it is dropped.
#[derive(Debug)]
pub(crate) struct RunningCall {
    running: Arc<Mutex<Running>>,
    user: String,
    customer: Option<String>,
}

impl Quota {
    pub(crate) fn limits(&self) -> QuotaLimits {
        self.lock().limits.clone()
    }

    pub(crate) fn set_limits(&self, limits: QuotaLimits) {
        self.lock().limits = limits;
    }

    /// Forgets what was used.
    pub(crate) fn reset(&self) {
        self.lock().users.clear();
    }

    /// Charges one call at this time (seconds since 1970).
    pub(crate) fn charge(&self, project: &str, user: &str, write: bool, now: i64) -> Result<(), ApiError> {
        let mut book = self.lock();
        let limits = book.limits.clone();
        if book.users.len() >= MAXIMUM_USERS {
            book.users.clear();
        }
        let entry = book
            .users
            .entry((project.to_owned(), user.to_owned()))
            .or_default();
        entry.total += 1;
        let exceeded = if entry.queries.used(now) >= limits.queries_per_minute {
            Some(QuotaMetric::Queries)
        } else if write && entry.writes.used(now) >= limits.device_writes_per_minute {
            Some(QuotaMetric::ChromeDeviceWrites)
        } else {
            None
        };
        if let Some(metric) = exceeded {
            entry.refused += 1;
            return Err(match limits.exceeded_as {
                ExceededForm::UserRateLimit403 => ApiError::user_rate_limited(metric, project),
                ExceededForm::RateLimit403 => ApiError::rate_limited(StatusCode::FORBIDDEN, metric, project),
                ExceededForm::RateLimit429 => {
                    ApiError::rate_limited(StatusCode::TOO_MANY_REQUESTS, metric, project)
                }
            });
        }
        entry.queries.add(now);
        if write {
            entry.writes.add(now);
        }
        Ok(())
    }

    /// Lets a call run, if not too many run already.
    pub(crate) fn enter(&self, user: &str, customer: Option<&str>) -> Result<RunningCall, ApiError> {
        let limits = self.limits();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = running.users.get(user).copied().unwrap_or(0);
        let of_customer = customer
            .and_then(|customer| running.customers.get(customer).copied())
            .unwrap_or(0);
        if limits
            .concurrent_per_customer
            .is_some_and(|limit| of_customer >= limit)
        {
            return Err(ApiError::too_many_concurrent());
        }
        if limits.concurrent_per_user.is_some_and(|limit| of_user >= limit) {
            return Err(ApiError::quota_exceeded());
        }
        running.users.insert(user.to_owned(), of_user + 1);
        if let Some(customer) = customer {
            running.customers.insert(customer.to_owned(), of_customer + 1);
        }
        Ok(RunningCall {
            running: Arc::clone(&self.running),
            user: user.to_owned(),
            customer: customer.map(str::to_owned),
        })
    }

    /// Who used what in the minute before this time (seconds since 1970).
    pub(crate) fn usage(&self, now: i64) -> Vec<QuotaUsage> {
        let mut book = self.lock();
        let usage = book.users.iter_mut().map(|((project, user), entry)| QuotaUsage {
            project: project.clone(),
            user: user.clone(),
            queries: entry.queries.used(now),
            device_writes: entry.writes.used(now),
            total: entry.total,
            refused: entry.refused,
        });
        usage.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        leave(&mut running.users, &self.user);
        if let Some(customer) = &self.customer {
            leave(&mut running.customers, customer);
        }
    }
}

fn leave(counts: &mut FxHashMap<String, u32>, key: &str) {
    match counts.get_mut(key) {
        Some(count) if *count > 1 => *count -= 1,
        Some(_) | None => {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(queries: u32, writes: u32) -> Quota {
        let quota = Quota::default();
        quota.set_limits(QuotaLimits {
            queries_per_minute: queries,
            device_writes_per_minute: writes,
            ..QuotaLimits::default()
        });
        quota
    }

    #[test]
    fn the_limit_holds_in_every_sixty_seconds() {
        let quota = limited(10, 10);
        for second in 0..10 {
            quota.charge("1", "a", false, 1000 + second).unwrap();
        }
        for second in 10..60 {
            let error = quota.charge("1", "a", false, 1000 + second).unwrap_err();
            assert_eq!(
                (error.status().as_u16(), error.reason()),
                (403, "userRateLimitExceeded")
            );
        }
        quota.charge("1", "a", false, 1060).unwrap();
        assert!(quota.charge("1", "a", false, 1060).is_err());
        quota.charge("1", "a", false, 1061).unwrap();
    }

    #[test]
    fn users_and_projects_have_their_own_books() {
        let quota = limited(1, 1);
        quota.charge("1", "a", false, 5).unwrap();
        quota.charge("1", "b", false, 5).unwrap();
        quota.charge("2", "a", false, 5).unwrap();
        assert!(quota.charge("1", "a", false, 5).is_err());
    }

    #[test]
    fn writes_have_a_smaller_quota_which_names_itself() {
        let quota = limited(100, 1);
        quota.charge("77", "a", true, 5).unwrap();
        let error = quota.charge("77", "a", true, 6).unwrap_err();
        assert!(
            error.message().contains("Write requests for Chrome Devices"),
            "{}",
            error.message()
        );
        assert!(
            error.message().contains("project_number:77"),
            "{}",
            error.message()
        );
        quota.charge("77", "a", false, 6).unwrap();
        let usage = quota.usage(6);
        assert_eq!(
            (usage[0].queries, usage[0].device_writes, usage[0].refused),
            (2, 1, 1)
        );
    }

    #[test]
    fn calls_at_the_same_time_are_counted_until_they_end() {
        let quota = Quota::default();
        quota.set_limits(QuotaLimits {
            concurrent_per_customer: Some(1),
            ..QuotaLimits::default()
        });
        let first = quota.enter("a", Some("C0")).unwrap();
        assert_eq!(quota.enter("b", Some("C0")).unwrap_err().status().as_u16(), 429);
        quota.enter("b", Some("C1")).unwrap();
        drop(first);
        quota.enter("b", Some("C0")).unwrap();
    }
}
