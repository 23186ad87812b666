//! What the whole process shares towards Google.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::access_token::TokenCache;
use super::endpoints::Endpoints;
use super::errors::GoogleError;
use super::http::{HttpClient, HttpSettings};
use super::observer::Observer;
use super::quota::{AccountQuota, Governor, QuotaSettings};
use super::retry::RetrySettings;

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// An endpoint is no web address.
    #[error("the Google endpoint must be an http or https address")]
    Endpoint,
    /// The extra certificate authorities cannot be read.
    #[error("the extra certificate authorities are no PEM bundle of certificates")]
    CertificateAuthorities,
    /// The proxy is no usable address.
    #[error("the proxy must be an http or https address")]
    Proxy,
    /// The HTTP client cannot be made, for example because the system has no certificate authorities.
    #[error("the HTTP client for Google cannot be made: {0}")]
    Client(String),
}

/// Endpoints, HTTP client, quota and observer: one for the process, cheap to clone.
#[derive(Clone)]
pub struct GoogleContext {
    inner: Arc<Inner>,
}

struct Inner {
    endpoints: Endpoints,
    http: HttpClient,
    retry: RetrySettings,
    governor: Governor,
    observer: Arc<dyn Observer>,
    clock: Mutex<Option<(Timestamp, Instant)>>,
    ambient: TokenCache,
}

impl GoogleContext {
    /// Makes the HTTP client; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`] names the setting that cannot be used.
    pub fn new(
        endpoints: Endpoints,
        http: &HttpSettings,
        quota: QuotaSettings,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, SetupError> {
        if !matches!(endpoints.token().scheme(), "http" | "https") {
            return Err(SetupError::Endpoint);
        }
        let client = HttpClient::new(http)?;
        let governor = Governor::new(quota);
        let inner = Inner {
            endpoints,
            http: client,
            retry: http.retry,
            governor,
            observer,
            clock: Mutex::default(),
            ambient: TokenCache::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Where Google is.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.inner.endpoints
    }

    /// The time by Google's clock, as far as an answer told it; to about a second. A second opinion for decisions that
    /// must not be made by a wrong clock.
    #[must_use]
    pub fn time_at_google(&self) -> Option<Timestamp> {
        let told = *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let (time, when) = told?;
        time.saturating_add(SignedDuration::try_from(when.elapsed()).ok()?)
            .ok()
    }

    /// An answer of Google itself came with this time.
    pub(super) fn google_said_the_time(&self, time: Timestamp) {
        let told = Some((time, Instant::now()));
        *self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.inner.http
    }

    pub(super) fn retry(&self) -> RetrySettings {
        self.inner.retry
    }

    pub(super) fn observer(&self) -> &dyn Observer {
        self.inner.observer.as_ref()
    }

    /// The token of the identity that this process runs as.
    pub(super) fn ambient(&self) -> &TokenCache {
        &self.inner.ambient
    }

    /// Tells the observer of an exchange of signing in.
    pub(super) fn report<T>(
        &self,
        method: &'static str,
        started: Instant,
        outcome: &Result<T, GoogleError>,
        bytes: usize,
    ) {
        let name = outcome
            .as_ref()
            .map_or_else(|error| error.reason.name(), |_| "Success");
        self.observer().call(method, name, started.elapsed(), bytes);
    }

    pub(super) fn quota(&self, project: &str, account: &str) -> Arc<AccountQuota> {
        self.inner.governor.account(project, account)
    }
}

impl fmt::Debug for GoogleContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleContext")
            .field("endpoints", &self.inner.endpoints)
            .finish_non_exhaustive()
    }
}
