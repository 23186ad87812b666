//! Access tokens, and keeping one: when a new one is needed, and that only one task fetches it.

use std::time::{Duration, Instant};

use http::HeaderValue;
use tokio::sync::Mutex;

use super::errors::GoogleError;

/// How long before its end a token is replaced, so that none dies on its way to Google.
const MARGIN: Duration = Duration::from_mins(5);

/// Longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// A token as the header that carries it. The header is marked as secret: it is not shown by Debug.
#[derive(Clone)]
pub(super) struct AccessToken {
    authorization: HeaderValue,
    fresh_until: Instant,
}

impl AccessToken {
    /// A token that lives so long; `None` if the text is no token.
    pub(super) fn new(text: &str, life: Option<Duration>) -> Option<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        authorization.set_sensitive(true);
        let life = life.unwrap_or(MARGIN * 2).min(LONGEST_LIFE);
        // A token that lives shortly is used for most of its life rather than never.
        let fresh = life.saturating_sub(MARGIN.min(life / 5));
        (!text.is_empty()).then_some(Self {
            authorization,
            fresh_until: Instant::now() + fresh,
        })
    }

    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }
}

/// Keeps one token, and the failure to get one for those who wait.
#[derive(Default)]
pub(super) struct TokenCache {
    // Held while a token is fetched: the others then find it here.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<AccessToken>,
    failure: Option<(Instant, GoogleError)>,
}

impl TokenCache {
    /// A token that is good for some minutes at least, and is not the one that was just refused. Fetched if need be.
    pub(super) async fn token(
        &self,
        refused: Option<&AccessToken>,
        fetch: impl Future<Output = Result<AccessToken, GoogleError>>,
    ) -> Result<AccessToken, GoogleError> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
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
        let fetched = Box::pin(fetch).await;
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
}
