//! The ways to an access token, behind one port: [`SignIn`].
//!
//! | file | way |
//! |---|---|
//! | `service_account` | a key signs the request |
//! | `consent` | a refresh token that an admin granted |
//! | `keyless` | Google signs the request, asked by the identity that the operator runs as |
//! | `ambient` | that identity's own token |
//! | `exchange` | the form that a token is asked for with, and its answer |
//! | `revoke` | the end of a consent |

mod ambient;
mod consent;
mod exchange;
mod keyless;
mod revoke;
mod service_account;

pub use revoke::{Revoked, revoke_consent};

use super::access_token::AccessToken;
use super::context::GoogleContext;
use super::credential::Credential;
use super::errors::GoogleError;
use consent::Consent;
use keyless::KeylessSignIn;
use service_account::ServiceAccount;

/// One way of signing in. Nothing is kept or repeated here: that is the same for all of them, and done above.
pub(super) enum SignIn {
    ServiceAccount(ServiceAccount),
    Consent(Consent),
    Keyless(KeylessSignIn),
}

impl SignIn {
    /// Signs in as `subject`.
    pub(super) fn new(context: &GoogleContext, credential: &Credential, subject: &str) -> Self {
        match credential {
            Credential::ServiceAccountKey(key) => {
                Self::ServiceAccount(ServiceAccount::new(context, key.clone(), subject))
            }
            Credential::AuthorizedUser(user) => Self::Consent(Consent::new(context, user.clone(), subject)),
            Credential::Keyless(keyless) => {
                Self::Keyless(KeylessSignIn::new(context, keyless.clone(), subject))
            }
        }
    }

    /// Fetches a token for these scopes.
    pub(super) async fn fetch(&self, scopes: &[&'static str]) -> Result<AccessToken, GoogleError> {
        match self {
            Self::ServiceAccount(way) => way.fetch(scopes).await,
            Self::Consent(way) => way.fetch(scopes).await,
            Self::Keyless(way) => way.fetch(scopes).await,
        }
    }

    /// Finds out whether the token is of the account that it should be of, as far as the way of signing in leaves
    /// that open. Asked before the token is used for anything else.
    pub(super) async fn admit(&self, token: &AccessToken) -> Result<(), GoogleError> {
        match self {
            // Google made the token for the subject that the request names.
            Self::ServiceAccount(_) => Ok(()),
            Self::Consent(way) => way.admit(token).await,
            Self::Keyless(way) => way.admit(token).await,
        }
    }
}
