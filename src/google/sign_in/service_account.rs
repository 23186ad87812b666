//! Signing in with the key of a service account. yup-oauth2 signs the request and reads the answer; this file says what
//! a refusal means.

use std::time::{Duration, Instant};

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Mutex;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::{CustomHyperClientBuilder, ServiceAccountAuthenticator};

use crate::google::access_token::AccessToken;
use crate::google::context::GoogleContext;
use crate::google::errors::{GoogleError, Reason};
use crate::google::page::unexpected;
use crate::google::service_account_key::ServiceAccountKey;
use crate::google::token::TOKEN_METHOD;
use crate::google::token_refusal;
use crate::google::token_transport::TokenTransport;

// yup-oauth2 writes signed requests and tokens to the `log` crate at the debug level. Cargo.toml compiles
// that level out; this line does not compile without it.
const _: () = assert!(matches!(
    log::STATIC_MAX_LEVEL,
    log::LevelFilter::Off | log::LevelFilter::Error | log::LevelFilter::Warn | log::LevelFilter::Info
));

/// A service account with its key, and the admin that it acts as.
pub(in crate::google) struct ServiceAccount {
    context: GoogleContext,
    key: ServiceAccountKey,
    subject: String,
    transport: TokenTransport,
    // Held during an exchange: the transport remembers the last one only.
    authenticator: Mutex<Option<Authenticator<TokenTransport>>>,
}

impl ServiceAccount {
    pub(super) fn new(context: &GoogleContext, key: ServiceAccountKey, subject: &str) -> Self {
        Self {
            transport: TokenTransport::new(context.http().clone(), context.endpoints().token().clone()),
            context: context.clone(),
            key,
            subject: subject.to_owned(),
            authenticator: Mutex::default(),
        }
    }

    /// A token for these scopes.
    pub(super) async fn fetch(&self, scopes: &[&'static str]) -> Result<AccessToken, GoogleError> {
        let mut authenticator = self.authenticator.lock().await;
        let authenticator = match &mut *authenticator {
            Some(authenticator) => authenticator,
            empty @ None => empty.insert(self.make_authenticator().await?),
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
            (Some(Ok(answer)), _) if !answer.status.is_success() => {
                Err(token_refusal::judge(TOKEN_METHOD, &answer))
            }
            (Some(Ok(answer)), Ok(token)) => usable(&token)
                .ok_or_else(|| unexpected(TOKEN_METHOD, answer.status, "the answer is no access token")),
            (Some(Ok(answer)), Err(_)) => Err(unexpected(
                TOKEN_METHOD,
                answer.status,
                "the answer is no access token",
            )),
            (None, _) => Err(GoogleError::local(
                TOKEN_METHOD,
                Reason::KeyInvalid,
                "the key could not sign",
            )),
        };
        self.context.report(TOKEN_METHOD, started, &token, bytes);
        token
    }

    async fn make_authenticator(&self) -> Result<Authenticator<TokenTransport>, GoogleError> {
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

fn usable(token: &yup_oauth2::AccessToken) -> Option<AccessToken> {
    let life = token.expiration_time().map(|end| {
        let seconds = end.unix_timestamp() - jiff::Timestamp::now().as_second();
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    });
    AccessToken::new(token.token()?, life)
}
