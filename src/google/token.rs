//! The access tokens of one connection.

use std::sync::Arc;

use super::access_token::{AccessToken, TokenCache};
use super::context::GoogleContext;
use super::credential::Credential;
use super::errors::{GoogleError, Reason};
use super::retry::{RetrySettings, patiently};
use super::scopes::Access;
use super::sign_in::SignIn;

/// The name under which token requests are reported.
pub(super) const TOKEN_METHOD: &str = "oauth2.token";

/// The token of one connection. Clones share it.
#[derive(Clone)]
pub(super) struct TokenSource {
    inner: Arc<Inner>,
}

struct Inner {
    credential: Credential,
    subject: String,
    scopes: Vec<&'static str>,
    retry: RetrySettings,
    sign_in: SignIn,
    cache: TokenCache,
}

impl TokenSource {
    pub(super) fn new(
        context: &GoogleContext,
        credential: Credential,
        subject: &str,
        access: Access,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                sign_in: SignIn::new(context, &credential, subject),
                scopes: credential.kind().scopes(access),
                credential,
                subject: subject.to_owned(),
                retry: context.retry(),
                cache: TokenCache::default(),
            }),
        }
    }

    pub(super) fn credential(&self) -> &Credential {
        &self.inner.credential
    }

    pub(super) fn subject(&self) -> &str {
        &self.inner.subject
    }

    /// A token that is good for some minutes at least.
    pub(super) async fn token(&self) -> Result<AccessToken, GoogleError> {
        self.inner.cache.token(None, self.inner.fetch()).await
    }

    /// A token other than this one, which Google has just refused.
    pub(super) async fn replace(&self, refused: &AccessToken) -> Result<AccessToken, GoogleError> {
        self.inner.cache.token(Some(refused), self.inner.fetch()).await
    }

    /// Asks for each scope alone, because Google grants a set of scopes whole or not at all and does not say
    /// which one it refuses.
    ///
    /// Returns the refused ones; any failure that is not about delegation ends it.
    pub(super) async fn refused_scopes(&self) -> Result<Vec<&'static str>, GoogleError> {
        let mut refused = Vec::new();
        for &scope in &self.inner.scopes {
            match self.inner.ask(&[scope]).await {
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
    /// A token that may be used: nobody gets one before its account was found to be the right one.
    async fn fetch(&self) -> Result<AccessToken, GoogleError> {
        let token = self.ask(&self.scopes).await?;
        patiently(self.retry, TOKEN_METHOD, || self.sign_in.admit(&token)).await?;
        Ok(token)
    }

    async fn ask(&self, scopes: &[&'static str]) -> Result<AccessToken, GoogleError> {
        patiently(self.retry, TOKEN_METHOD, || self.sign_in.fetch(scopes)).await
    }
}
