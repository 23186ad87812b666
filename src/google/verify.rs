//! Finds out whether one may sign in, and as whom.

use super::credential::CredentialKind;
use super::directory::{DirectoryClient, GET_USER};
use super::errors::{GoogleError, Reason};
use super::lenient::is_identifier;
use super::token::TOKEN_METHOD;

/// An admin account that was found fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Google's ID of the customer that the account belongs to.
    pub customer_id: String,
    /// Primary e-mail address of the account.
    pub primary_email: String,
    /// Whether it is a super administrator, who lacks no privilege.
    pub is_super_admin: bool,
}

impl DirectoryClient {
    /// Finds out whether the credential works and the admin account is fit: it exists, is not suspended and
    /// is an administrator. Whether its role may read devices shows with the first listing.
    ///
    /// # Errors
    /// `DelegationMissing` and `ConsentIncomplete` name the scopes that are missing; `AccountMismatch`,
    /// `AccountNotFound`, `AccountSuspended`, `AccountNotAdmin` and everything that a read can fail with.
    pub async fn verify(&self) -> Result<Verified, GoogleError> {
        let user = match self.get_user(self.tokens.subject()).await {
            Ok(user) => user,
            Err(GoogleError {
                reason: Reason::DelegationMissing { .. },
                http_status,
                google_message,
                ..
            }) => {
                let missing_scopes = self.tokens.refused_scopes().await?;
                let reason = Reason::DelegationMissing { missing_scopes };
                let error = GoogleError::local(TOKEN_METHOD, reason, &google_message);
                return Err(GoogleError { http_status, ..error });
            }
            Err(error) => return Err(error),
        };
        let unfit = |reason, message| Err(GoogleError::local(GET_USER, reason, message));
        if user.suspended == Some(true) || user.archived == Some(true) {
            return unfit(Reason::AccountSuspended, "the account is suspended or archived");
        }
        let is_super_admin = user.is_admin == Some(true);
        if !is_super_admin && user.is_delegated_admin != Some(true) {
            return unfit(Reason::AccountNotAdmin, "the account has no admin role");
        }
        match (
            user.customer_id.filter(|id| is_identifier(id)),
            user.primary_email,
        ) {
            (Some(customer_id), Some(primary_email)) => Ok(Verified {
                customer_id,
                primary_email,
                is_super_admin,
            }),
            (None, _) | (_, None) => unfit(
                Reason::UnexpectedAnswer,
                "the account has no customer ID or no primary e-mail address",
            ),
        }
    }

    /// The scopes that are needed and not granted. A service account is asked about with each scope alone, because Google
    /// does not say which one of several it refuses; a consent tells what it covers.
    ///
    /// # Errors
    /// Everything that signing in can fail with for another cause.
    pub async fn missing_scopes(&self) -> Result<Vec<&'static str>, GoogleError> {
        match self.tokens.credential().kind() {
            CredentialKind::ServiceAccountKey | CredentialKind::Keyless => self.tokens.refused_scopes().await,
            CredentialKind::AuthorizedUser => match self.tokens.token().await {
                Ok(_) => Ok(Vec::new()),
                Err(GoogleError {
                    reason: Reason::ConsentIncomplete { missing_scopes },
                    ..
                }) => Ok(missing_scopes),
                Err(error) => Err(error),
            },
        }
    }
}
