//! One read from Google, from its turn under the quota to an answer that means success.

use std::time::Instant;

use url::Url;

use super::context::GoogleContext;
use super::errors::GoogleError;
use super::http::Answer;
use super::page::unexpected;
use super::quota::Lane;
use super::refusal::{self, Asked, Subject};
use super::retry::{RetryBudget, name_expired_page_token};
use super::token::TokenSource;

/// A read, ready to be sent.
pub(super) struct Read<'a> {
    pub(super) method: &'static str,
    pub(super) subject: Subject,
    pub(super) url: Url,
    pub(super) page_token: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) walk_started: Option<Instant>,
}

/// A read that is not one of many pages and has no search.
pub(super) fn plain(method: &'static str, subject: Subject, url: Url) -> Read<'static> {
    Read {
        method,
        subject,
        url,
        page_token: None,
        query: None,
        walk_started: None,
    }
}

/// Who reads.
pub(super) struct Reader<'a> {
    pub(super) context: &'a GoogleContext,
    pub(super) tokens: &'a TokenSource,
    pub(super) quota: &'a super::quota::AccountQuota,
    pub(super) lane: Lane,
}

impl Reader<'_> {
    /// Sends a read until it succeeds, or until its failure is final or the budget spent.
    ///
    /// `accept` reads the answer; what it refuses counts as a failed exchange.
    pub(super) async fn read<T>(
        &self,
        read: &Read<'_>,
        accept: impl Fn(&Answer) -> Result<T, GoogleError>,
    ) -> Result<T, GoogleError> {
        let mut budget = RetryBudget::new(self.context.retry());
        loop {
            // Boxed, because an HTTP exchange is large and callers keep many of these futures.
            let error = match Box::pin(self.attempt(read, &accept)).await {
                Ok(value) => return Ok(value),
                Err(Failure::NoToken(error)) => return Err(error),
                Err(Failure::Exchange(error)) => error,
            };
            let Some(delay) = budget.next_delay(&error) else {
                return Err(error);
            };
            if error.reason == super::Reason::QuotaExhausted {
                self.quota.pause_reads(delay);
            }
            tracing::debug!(
                method = read.method,
                reason = error.reason.name(),
                ?delay,
                "trying again"
            );
            tokio::time::sleep(delay).await;
        }
    }

    async fn attempt<T>(
        &self,
        read: &Read<'_>,
        accept: &impl Fn(&Answer) -> Result<T, GoogleError>,
    ) -> Result<T, Failure> {
        let token = self.tokens.token().await.map_err(Failure::NoToken)?;
        let (answer, wants_new_token) = self.exchange(read, token.authorization(), accept).await;
        if !wants_new_token {
            return answer.map_err(Failure::Exchange);
        }
        // Tokens die early when an admin resets sessions; a second refusal is about more than the token.
        let token = self.tokens.replace(&token).await.map_err(Failure::NoToken)?;
        self.exchange(read, token.authorization(), accept)
            .await
            .0
            .map_err(Failure::Exchange)
    }

    /// One exchange, and whether its answer asks for another token.
    async fn exchange<T>(
        &self,
        read: &Read<'_>,
        authorization: http::HeaderValue,
        accept: &impl Fn(&Answer) -> Result<T, GoogleError>,
    ) -> (Result<T, GoogleError>, bool) {
        let observer = self.context.observer();
        let _turn = self.quota.turn_to_read(self.lane, observer).await;
        let started = Instant::now();
        let answer = self
            .context
            .http()
            .read(read.method, &read.url, authorization)
            .await;
        let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
        let wants_new_token = answer.as_ref().is_ok_and(refusal::wants_new_token);
        let date = answer.as_ref().ok().and_then(|answer| answer.date);
        let outcome = answer.and_then(|answer| read.judge(&answer, accept));
        if let (Ok(_), Some(date)) = (&outcome, date) {
            self.context.google_said_the_time(date);
        }
        let name = outcome
            .as_ref()
            .map_or_else(|error| error.reason.name(), |_| "Success");
        observer.call(read.method, name, started.elapsed(), bytes);
        (outcome, wants_new_token)
    }
}

/// A failed attempt. The token has a retry budget of its own, so its failure is not repeated here.
enum Failure {
    NoToken(GoogleError),
    Exchange(GoogleError),
}

impl Read<'_> {
    fn judge<T>(
        &self,
        answer: &Answer,
        accept: &impl Fn(&Answer) -> Result<T, GoogleError>,
    ) -> Result<T, GoogleError> {
        if answer.status.is_success() {
            let kind = answer
                .content_type
                .as_deref()
                .unwrap_or("application/json")
                .trim_start();
            if !kind.to_ascii_lowercase().starts_with("application/json") {
                return Err(unexpected(self.method, answer.status, "the answer is no JSON"));
            }
            return accept(answer);
        }
        let asked = Asked {
            method: self.method,
            subject: self.subject,
            page_token: self.page_token,
            query: self.query,
        };
        let mut error = refusal::judge(answer, asked);
        if self.page_token.is_some() {
            name_expired_page_token(&mut error, self.walk_started);
        }
        Err(error)
    }
}
