//! Which failed reads are tried again, how often, and after how long.
//!
//! Google's advice ("Directory API: Limits and quotas") is to wait 2^n seconds and a random part of it, for n from 0 to 4,
//! after rate refusals and 5xx answers. Only reads and token requests come here: nothing that changes
//! something at Google is ever sent twice by this module.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::{HeaderMap, header};
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

use super::errors::{GoogleError, Reason};

/// Longest wait that a read sits out by itself. Whoever is told to wait longer gets the error and decides.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often the same page is asked for again when Google refuses its own token, or when a success is
/// damaged: the cause may be lasting, so the patience is smaller than with an outage.
const FEW_RETRIES: u32 = 2;

/// Google serves the pages of a walk for about 60 minutes. From this age on, a 503 means that.
const PAGE_TOKEN_LIFE: Duration = Duration::from_mins(55);

/// How often, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// The first wait; each further one is twice as long. A random part of up to the same length is added.
    pub base_delay: Duration,
    /// How many times a read is repeated at most.
    pub max_retries: usize,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            base_delay: Duration::from_secs(1),
            max_retries: 5,
        }
    }
}

/// What one read may still spend.
pub(super) struct RetryBudget {
    base_delay: Duration,
    backoff: ExponentialBackoff,
    doubtful: u32,
}

impl RetryBudget {
    pub(super) fn new(settings: RetrySettings) -> Self {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(settings.base_delay)
            .with_max_delay(LONGEST_WAIT)
            .with_max_times(settings.max_retries)
            .with_jitter()
            .build();
        Self {
            base_delay: settings.base_delay,
            backoff,
            doubtful: 0,
        }
    }

    /// How long to wait before the next attempt; `None` when this failure is the end.
    pub(super) fn next_delay(&mut self, error: &GoogleError) -> Option<Duration> {
        match repetition(error) {
            Repetition::Never => None,
            Repetition::Few => {
                self.doubtful += 1;
                // A good token that was refused works again after several seconds rather than at once.
                let delay = self.base_delay * 5 * self.doubtful;
                (self.doubtful <= FEW_RETRIES).then_some(delay)
            }
            Repetition::Backoff => {
                let delay = self.backoff.next()?;
                let wanted = error.retry_after.unwrap_or_default();
                (wanted <= LONGEST_WAIT).then(|| delay.max(wanted))
            }
        }
    }
}

/// Makes an exchange that may be repeated until it succeeds, or until its failure is final or the budget spent.
pub(super) async fn patiently<T, F>(
    settings: RetrySettings,
    method: &'static str,
    mut exchange: impl FnMut() -> F,
) -> Result<T, GoogleError>
where
    F: Future<Output = Result<T, GoogleError>>,
{
    let mut budget = RetryBudget::new(settings);
    loop {
        let error = match exchange().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(delay) = budget.next_delay(&error) else {
            return Err(error);
        };
        tracing::debug!(method, reason = error.reason.name(), ?delay, "trying again");
        tokio::time::sleep(delay).await;
    }
}

enum Repetition {
    Never,
    Few,
    Backoff,
}

const fn repetition(error: &GoogleError) -> Repetition {
    match error.reason {
        Reason::GoogleUnavailable
        | Reason::NetworkUnreachable
        | Reason::ConnectionLost
        // The metadata server of a new Pod may need some seconds.
        | Reason::IdentityUnavailable
        | Reason::QuotaExhausted => Repetition::Backoff,
        // A damaged success may be whole next time; the refusal of some proxy stays one.
        Reason::UnexpectedAnswer => match error.http_status {
            Some(200..=299) => Repetition::Few,
            Some(_) | None => Repetition::Never,
        },
        Reason::PageTokenRejected | Reason::PageTokenExpired => Repetition::Few,
        Reason::DelegationMissing { .. }
        | Reason::CredentialRevoked
        | Reason::ConsentIncomplete { .. }
        | Reason::AccountMismatch { .. }
        | Reason::SigningForbidden
        | Reason::KeylessNotAllowed
        | Reason::KeyInvalid
        | Reason::AccountNotFound
        | Reason::AccountSuspended
        | Reason::AccountNotAdmin
        | Reason::AccessBlocked
        | Reason::PrivilegeMissing
        | Reason::ScopeMissing
        | Reason::ApiDisabled
        | Reason::DomainApiAccessDisabled
        | Reason::CustomerNotFound
        | Reason::OrgUnitNotFound
        | Reason::NotFound
        | Reason::InvalidQuery
        | Reason::PageSizeRange { .. }
        | Reason::RequestInvalid
        | Reason::ConditionNotMet
        | Reason::Conflict
        | Reason::ClockSkew => Repetition::Never,
    }
}

/// A 503 for a page of an old walk means that Google no longer serves its tokens. It does not say so itself.
pub(super) fn name_expired_page_token(error: &mut GoogleError, walk_started: Option<Instant>) {
    let old = walk_started.is_some_and(|started| started.elapsed() >= PAGE_TOKEN_LIFE);
    if old && error.http_status == Some(503) && error.reason == Reason::GoogleUnavailable {
        error.reason = Reason::PageTokenExpired;
    }
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    retry_after_at(headers, Timestamp::now())
}

fn retry_after_at(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(reason: Reason, status: Option<u16>, retry_after: Option<u64>) -> GoogleError {
        GoogleError {
            method: "m",
            http_status: status,
            reason,
            google_message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn waits_double_and_end() {
        let mut budget = RetryBudget::new(RetrySettings::default());
        let unavailable = error(Reason::GoogleUnavailable, Some(503), None);
        for seconds in [1, 2, 4, 8, 16] {
            let delay = budget.next_delay(&unavailable).unwrap();
            let base = Duration::from_secs(seconds);
            assert!(delay >= base && delay <= base * 2, "{delay:?} for {seconds}");
        }
        assert_eq!(budget.next_delay(&unavailable), None);
    }

    #[test]
    fn google_is_left_alone_as_long_as_it_wants() {
        let mut budget = RetryBudget::new(RetrySettings::default());
        let patient = budget.next_delay(&error(Reason::QuotaExhausted, Some(429), Some(30)));
        assert_eq!(patient, Some(Duration::from_secs(30)));
        let too_long = budget.next_delay(&error(Reason::QuotaExhausted, Some(429), Some(61)));
        assert_eq!(too_long, None);
    }

    #[test]
    fn a_page_is_asked_for_twice_more_when_its_token_is_refused() {
        let mut budget = RetryBudget::new(RetrySettings::default());
        let refused = error(Reason::PageTokenRejected, Some(400), None);
        assert_eq!(budget.next_delay(&refused), Some(Duration::from_secs(5)));
        assert_eq!(budget.next_delay(&refused), Some(Duration::from_secs(10)));
        assert_eq!(budget.next_delay(&refused), None);
    }

    #[test]
    fn what_somebody_must_change_is_not_repeated() {
        for (reason, status) in [
            (Reason::PrivilegeMissing, Some(403)),
            (
                Reason::DelegationMissing {
                    missing_scopes: Vec::new(),
                },
                Some(401),
            ),
            (Reason::InvalidQuery, Some(400)),
            (Reason::PageSizeRange { min: 1, max: 100 }, Some(400)),
            (Reason::UnexpectedAnswer, Some(404)),
            (Reason::UnexpectedAnswer, None),
        ] {
            let mut budget = RetryBudget::new(RetrySettings::default());
            assert_eq!(
                budget.next_delay(&error(reason.clone(), status, None)),
                None,
                "{reason:?}"
            );
        }
        let mut budget = RetryBudget::new(RetrySettings::default());
        assert!(
            budget
                .next_delay(&error(Reason::UnexpectedAnswer, Some(200), None))
                .is_some()
        );
    }

    #[test]
    fn only_an_old_walk_turns_a_503_into_an_expired_token() {
        let ago = |minutes: u64| Instant::now().checked_sub(Duration::from_secs(minutes * 60));
        for (walk, status, reason, expected) in [
            (ago(56), 503, Reason::GoogleUnavailable, Reason::PageTokenExpired),
            (ago(10), 503, Reason::GoogleUnavailable, Reason::GoogleUnavailable),
            (None, 503, Reason::GoogleUnavailable, Reason::GoogleUnavailable),
            (ago(56), 500, Reason::GoogleUnavailable, Reason::GoogleUnavailable),
            (ago(56), 503, Reason::QuotaExhausted, Reason::QuotaExhausted),
        ] {
            let mut error = error(reason, Some(status), None);
            name_expired_page_token(&mut error, walk);
            assert_eq!(error.reason, expected);
        }
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Mon, 23 Nov 2026 10:00:09 GMT", Some(9)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            assert_eq!(
                retry_after_at(&headers, now),
                expected.map(Duration::from_secs),
                "{value}"
            );
        }
        assert_eq!(retry_after_at(&HeaderMap::new(), now), None);
    }
}
