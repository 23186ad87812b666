//! How an access token is obtained and kept.
//!
//! yup-oauth2 signs the request and reads the answer; this file decides when a new token is needed, lets
//! only one task fetch it, and says what a refusal means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Mutex;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator};

use super::context::GoogleContext;
use super::credentials::ServiceAccountKey;
use super::errors::{GoogleError, Reason};
use super::retry::RetryBudget;
use super::scopes::{Access, required_scopes};
use super::token_refusal;
use super::token_transport::TokenTransport;

/// The name under which token requests are reported.
pub(super) const TOKEN_METHOD: &str = "oauth2.token";

/// How long before its end a token is replaced, so that none dies on its way to Google.
const MARGIN: Duration = Duration::from_mins(5);

// yup-oauth2 writes signed requests and tokens to the `log` crate at the debug level. Cargo.toml compiles
// that level out; this line does not compile without it.
const _: () = assert!(matches!(
    log::STATIC_MAX_LEVEL,
    log::LevelFilter::Off | log::LevelFilter::Error | log::LevelFilter::Warn | log::LevelFilter::Info
));

/// The token of one connection. Clones share it.
#[derive(Clone)]
pub(super) struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    context: GoogleContext,
    key: ServiceAccountKey,
    subject: String,
    access: Access,
    transport: TokenTransport,
    // Held while a token is fetched: the others then find it here.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    authenticator: Option<Authenticator<TokenTransport>>,
    token: Option<AccessToken>,
    failure: Option<(Instant, GoogleError)>,
}

/// A token as the header that carries it. The header is marked as secret: it is not shown by Debug.
#[derive(Clone)]
pub(super) struct AccessToken {
    authorization: HeaderValue,
    fresh_until: Instant,
}

impl AccessToken {
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }
}

impl TokenSource {
    pub(super) fn new(
        context: &GoogleContext,
        key: ServiceAccountKey,
        subject: &str,
        access: Access,
    ) -> Self {
        let transport = TokenTransport::new(context.http().clone(), context.endpoints().token().clone());
        let state = Mutex::new(State::default());
        let context = context.clone();
        Self {
            inner: Arc::new(Inner {
                context,
                key,
                subject: subject.to_owned(),
                access,
                transport,
                state,
            }),
        }
    }

    pub(super) fn key(&self) -> &ServiceAccountKey {
        &self.inner.key
    }

    pub(super) fn subject(&self) -> &str {
        &self.inner.subject
    }

    /// A token that is good for some minutes at least.
    pub(super) async fn token(&self) -> Result<AccessToken, GoogleError> {
        self.token_unlike(None).await
    }

    /// A token other than this one, which Google has just refused.
    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<AccessToken, GoogleError> {
        self.token_unlike(Some(refused)).await
    }

    async fn token_unlike(&self, refused: Option<&AccessToken>) -> Result<AccessToken, GoogleError> {
        let asked = Instant::now();
        let mut state = self.inner.state.lock().await;
        if let Some(token) = &state.token
            && token.fresh_until > Instant::now()
            && refused.is_none_or(|refused| refused.authorization != token.authorization)
        {
            return Ok(token.clone());
        }
        // Whoever waited while another task failed shares its failure instead of repeating it.
        if let Some((when, error)) = &state.failure
            && *when >= asked
        {
            return Err(error.clone());
        }
        // Rare and large: boxed, so that the future of every call does not carry its room.
        let scopes = required_scopes(self.inner.access);
        let fetched = Box::pin(self.inner.fetch_patiently(&mut state, &scopes)).await;
        match &fetched {
            Ok(token) => {
                state.token = Some(token.clone());
                state.failure = None;
            }
            Err(error) => {
                state.token = None;
                state.failure = Some((Instant::now(), error.clone()));
            }
        }
        fetched
    }

    /// Asks for each scope alone, because Google grants a set of scopes whole or not at all and does not say
    /// which one it refuses.
    ///
    /// Returns the refused ones; any failure that is not about delegation ends it.
    pub(super) async fn refused_scopes(&self) -> Result<Vec<&'static str>, GoogleError> {
        let mut state = self.inner.state.lock().await;
        let mut refused = Vec::new();
        for scope in required_scopes(self.inner.access) {
            match self.inner.fetch_patiently(&mut state, &[scope]).await {
                Ok(_) => {}
                Err(GoogleError {
                    reason: Reason::DelegationMissing { .. },
                    ..
                }) => refused.push(scope),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }
}

impl Inner {
    async fn fetch_patiently(&self, state: &mut State, scopes: &[&str]) -> Result<AccessToken, GoogleError> {
        let mut budget = RetryBudget::new(self.context.retry());
        loop {
            let error = match self.fetch(state, scopes).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            let Some(delay) = budget.next_delay(&error) else {
                return Err(error);
            };
            tracing::debug!(
                method = TOKEN_METHOD,
                reason = error.reason.name(),
                ?delay,
                "trying again"
            );
            tokio::time::sleep(delay).await;
        }
    }

    async fn fetch(&self, state: &mut State, scopes: &[&str]) -> Result<AccessToken, GoogleError> {
        let authenticator = match &mut state.authenticator {
            Some(authenticator) => authenticator,
            empty @ None => empty.insert(self.authenticator().await?),
        };
        let started = Instant::now();
        drop(self.transport.take_outcome());
        let granted = authenticator.force_refreshed_token(scopes).await;
        let outcome = self.transport.take_outcome();
        let bytes = outcome
            .as_ref()
            .and_then(|outcome| outcome.as_ref().ok())
            .map_or(0, |a| a.body.len());
        let token = match (outcome, granted) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(answer)), _) if !answer.status.is_success() => Err(token_refusal::judge(&answer)),
            (Some(Ok(answer)), Ok(token)) => usable(&token, answer.status.as_u16()),
            (Some(Ok(answer)), Err(_)) => Err(unreadable(answer.status.as_u16())),
            (None, _) => Err(GoogleError::local(
                TOKEN_METHOD,
                Reason::KeyInvalid,
                "the key could not sign",
            )),
        };
        let name = token
            .as_ref()
            .map_or_else(|error| error.reason.name(), |_| "Success");
        self.context
            .observer()
            .call(TOKEN_METHOD, name, started.elapsed(), bytes);
        token
    }

    async fn authenticator(&self) -> Result<Authenticator<TokenTransport>, GoogleError> {
        let key = yup_oauth2::ServiceAccountKey {
            key_type: Some("service_account".to_owned()),
            project_id: None,
            private_key_id: None,
            private_key: self.key.private_key().to_owned(),
            client_email: self.key.email().to_owned(),
            client_id: Some(self.key.client_id().to_owned()),
            auth_uri: None,
            // Also the audience that the request is signed for.
            token_uri: self.context.endpoints().token().to_string(),
            auth_provider_x509_cert_url: None,
            client_x509_cert_url: None,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build::<_, String>(self.transport.clone());
        ServiceAccountAuthenticator::with_client(key, CustomHyperClientBuilder::from(client))
            .subject(&self.subject)
            .build()
            .await
            // The library's text may quote what it could not read.
            .map_err(|_| {
                GoogleError::local(TOKEN_METHOD, Reason::KeyInvalid, "the private key cannot be used")
            })
    }
}

fn unreadable(status: u16) -> GoogleError {
    let message = "the answer is no access token";
    let error = GoogleError::local(TOKEN_METHOD, Reason::UnexpectedAnswer, message);
    GoogleError {
        http_status: Some(status),
        ..error
    }
}

fn usable(token: &yup_oauth2::AccessToken, status: u16) -> Result<AccessToken, GoogleError> {
    let text = token
        .token()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| unreadable(status))?;
    let mut authorization =
        HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| unreadable(status))?;
    authorization.set_sensitive(true);
    let life = token.expiration_time().map_or(MARGIN * 2, |end| {
        let seconds = end.unix_timestamp() - jiff::Timestamp::now().as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default().min(24 * 60 * 60))
    });
    // A token that lives shortly is used for most of its life rather than never.
    let fresh = life.saturating_sub(MARGIN.min(life / 5));
    Ok(AccessToken {
        authorization,
        fresh_until: Instant::now() + fresh,
    })
}
