//! What was asked of the simulator, for assertions. Tokens, keys and bodies are never kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use crate::api::methods::ApiMethod;
use crate::faults::Struck;

/// How many requests are remembered; the counts go on.
pub const CAPACITY: usize = 20_000;

/// Query parameters whose values are secrets.
const SECRETS: [&str; 11] = [
    "access_token",
    "oauth_token",
    "key",
    "token",
    "id_token",
    "code",
    "client_secret",
    "code_verifier",
    "assertion",
    "refresh_token",
    "state",
];

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Counts the requests as they come, from 1 over the whole life of the simulator.
    pub number: u64,
    /// Simulated time of the answer.
    pub time: Timestamp,
    /// HTTP method, after `X-HTTP-Method-Override`.
    pub verb: String,
    /// Path as it came.
    pub path: String,
    /// Query as it came; values of secret parameters are replaced by `…`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// What is known of a call of the Directory API.
    #[serde(flatten)]
    pub call: CallNote,
    /// The HTTP status; none if no answer was sent.
    pub status: Option<u16>,
    /// The fault rule that struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
    /// Real milliseconds until the head of the answer.
    pub milliseconds: u64,
    /// `User-Agent`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
}

/// What the Directory API learnt about a call while it answered it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallNote {
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiMethod>,
    /// The customer of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The account that acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The project whose quota is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The scopes of the caller's token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Units of quota which the call used up.
    #[serde(skip_serializing_if = "is_zero")]
    pub quota_units: u32,
    /// Page of a walk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Devices on that page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// `errors[0].reason` of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(units: &u32) -> bool {
    *units == 0
}

/// Which requests to show.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogFilter {
    /// Only this method.
    pub api: Option<ApiMethod>,
    /// Only this customer.
    pub customer: Option<String>,
    /// Only this status.
    pub status: Option<u16>,
    /// Only paths that begin so.
    pub path: Option<String>,
    /// Only requests with a number above this one.
    pub after: Option<u64>,
    /// Only the last so many.
    pub last: Option<usize>,
}

impl LogFilter {
    fn matches(&self, entry: &LogEntry) -> bool {
        self.api.is_none_or(|api| entry.call.api == Some(api))
            && self
                .customer
                .as_deref()
                .is_none_or(|customer| entry.call.customer.as_deref() == Some(customer))
            && self.status.is_none_or(|status| entry.status == Some(status))
            && self
                .path
                .as_deref()
                .is_none_or(|path| entry.path.starts_with(path))
            && self.after.is_none_or(|after| entry.number > after)
    }
}

/// The number of a request in the log; travels with the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestNumber(pub(crate) u64);

/// Lets a fault rule that never answers tell the log what it did. Travels with the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldBack(Arc<OnceLock<(Struck, CallNote)>>);

impl HeldBack {
    pub(crate) fn tell(&self, struck: Struck, note: CallNote) {
        let _ = self.0.set((struck, note));
    }

    pub(crate) fn told(&self) -> Option<(Struck, CallNote)> {
        self.0.get().cloned()
    }
}

/// The log of one simulator.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_number: u64,
    entries: VecDeque<LogEntry>,
    counts: BTreeMap<String, u64>,
}

impl RequestLog {
    /// The number of a request that has just come.
    pub(crate) fn next_number(&self) -> RequestNumber {
        let mut inner = self.lock();
        inner.last_number += 1;
        RequestNumber(inner.last_number)
    }

    /// Remembers a request that has ended. The log is in the order of the numbers, however long each took.
    pub(crate) fn record(&self, entry: LogEntry) {
        let mut inner = self.lock();
        let name = match entry.call.api {
            Some(api) => api.id().to_owned(),
            // Paths are the caller's: only those of the simulator itself are counted one by one.
            None => known_path(&entry.verb, &entry.path),
        };
        *inner.counts.entry(name).or_default() += 1;
        if inner.entries.len() >= CAPACITY {
            inner.entries.pop_front();
        }
        let place = inner.entries.partition_point(|other| other.number < entry.number);
        inner.entries.insert(place, entry);
    }

    pub(crate) fn entries(&self, filter: &LogFilter) -> Vec<LogEntry> {
        let inner = self.lock();
        let matching = inner.entries.iter().filter(|entry| filter.matches(entry));
        match filter.last {
            None => matching.cloned().collect(),
            Some(last) => {
                let mut entries: Vec<LogEntry> = matching.rev().take(last).cloned().collect();
                entries.reverse();
                entries
            }
        }
    }

    /// Requests per method since the last clearing.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    /// Forgets entries and counts; the numbers go on.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.entries.clear();
        inner.counts.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known_path(verb: &str, path: &str) -> String {
    const KNOWN: [&str; 8] = [
        "/token",
        "/revoke",
        "/batch",
        "/batch/admin/directory_v1",
        "/o/oauth2/v2/auth",
        "/v1/userinfo",
        "/oauth2/v1/certs",
        "/oauth2/v3/certs",
    ];
    if KNOWN.contains(&path) {
        format!("{verb} {path}")
    } else {
        "other".to_owned()
    }
}

/// A query without the values of secret parameters.
pub(crate) fn without_secrets(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if SECRETS.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}=…"),
        Some(_) | None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_query_are_not_kept() {
        assert_eq!(
            without_secrets("alt=json&access_token=ya29.x&KEY=abc&pageToken=AQ"),
            "alt=json&access_token=…&KEY=…&pageToken=AQ"
        );
    }

    #[test]
    fn the_log_is_bounded_and_counts_go_on() {
        let log = RequestLog::default();
        for _ in 0..CAPACITY + 5 {
            let RequestNumber(number) = log.next_number();
            log.record(LogEntry {
                number,
                time: Timestamp::UNIX_EPOCH,
                verb: "GET".to_owned(),
                path: "/x".to_owned(),
                query: String::new(),
                call: CallNote {
                    api: Some(ApiMethod::UsersGet),
                    ..CallNote::default()
                },
                status: Some(200),
                fault: None,
                milliseconds: 0,
                user_agent: String::new(),
            });
        }
        assert_eq!(log.entries(&LogFilter::default()).len(), CAPACITY);
        assert_eq!(
            log.entries(&LogFilter {
                last: Some(2),
                ..LogFilter::default()
            })[0]
                .number,
            CAPACITY as u64 + 4
        );
        assert_eq!(log.counts()["directory.users.get"], CAPACITY as u64 + 5);
        log.clear();
        assert!(log.entries(&LogFilter::default()).is_empty() && log.counts().is_empty());
    }
}
