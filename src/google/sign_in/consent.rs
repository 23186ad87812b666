//! Signing in with the consent that an admin gave: a refresh token.
//!
//! Sources: Google, "Using OAuth 2.0 for iOS & Desktop Apps" (refresh, granular consent); `OpenID` Connect, "`UserInfo`".

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Deserialize;

use super::exchange::{self, Granted};
use crate::google::access_token::AccessToken;
use crate::google::authorized_user::AuthorizedUser;
use crate::google::context::GoogleContext;
use crate::google::errors::{GoogleError, Reason};
use crate::google::page::{read_json, unexpected};
use crate::google::scopes::not_granted;
use crate::google::token::TOKEN_METHOD;
use crate::google::token_refusal;

/// The name under which questions about the account are reported.
const USERINFO_METHOD: &str = "oauth2.userinfo";

/// A consent, and the account that it has to be of.
pub(in crate::google) struct Consent {
    context: GoogleContext,
    user: AuthorizedUser,
    subject: String,
    /// The account of a refresh token never changes, so it is asked for once.
    admitted: AtomicBool,
}

impl Consent {
    pub(super) fn new(context: &GoogleContext, user: AuthorizedUser, subject: &str) -> Self {
        Self {
            context: context.clone(),
            user,
            subject: subject.to_owned(),
            admitted: AtomicBool::new(false),
        }
    }

    /// A token for these scopes, or the error that names those which the admin did not grant.
    pub(super) async fn fetch(&self, scopes: &[&'static str]) -> Result<AccessToken, GoogleError> {
        let wanted = scopes.join(" ");
        let granted = match self.refresh(Some(&wanted)).await {
            // Google refuses a set with one scope that was not granted, and does not say which. What was granted
            // stands in the answer to a request that names none; it may be more than what was asked for.
            Err(refused) if refused.reason == Reason::ScopeMissing => {
                let granted = self.refresh(None).await?;
                if granted.scopes.is_none() {
                    return Err(refused);
                }
                granted
            }
            other => other?,
        };
        // Without a word about scopes they are what was asked for (RFC 6749, section 5.1).
        let missing_scopes = granted
            .scopes
            .map_or_else(Vec::new, |granted| not_granted(scopes, &granted));
        if missing_scopes.is_empty() {
            return Ok(granted.token);
        }
        let reason = Reason::ConsentIncomplete { missing_scopes };
        Err(GoogleError::local(
            TOKEN_METHOD,
            reason,
            "the consent does not cover every scope",
        ))
    }

    async fn refresh(&self, scopes: Option<&str>) -> Result<Granted, GoogleError> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.user.client_id()),
            ("client_secret", self.user.client_secret()),
            ("refresh_token", self.user.refresh_token()),
        ];
        form.extend(scopes.map(|scopes| ("scope", scopes)));
        exchange::token(&self.context, &form).await.map_err(|error| {
            // There is no delegation here: the client may not use refresh tokens, so this one is worth nothing.
            let reason = if matches!(error.reason, Reason::DelegationMissing { .. }) {
                Reason::CredentialRevoked
            } else {
                error.reason
            };
            GoogleError { reason, ..error }
        })
    }

    /// Asks whose token it is, and refuses another account's.
    pub(super) async fn admit(&self, token: &AccessToken) -> Result<(), GoogleError> {
        if self.admitted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let account = self.account(token).await?;
        let is_right = account
            .as_deref()
            .is_some_and(|account| account.eq_ignore_ascii_case(&self.subject));
        if is_right {
            self.admitted.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let reason = Reason::AccountMismatch {
            signed_in_as: account,
        };
        Err(GoogleError::local(
            USERINFO_METHOD,
            reason,
            "the consent is another account's",
        ))
    }

    /// The verified e-mail address of the account, if it has one.
    async fn account(&self, token: &AccessToken) -> Result<Option<String>, GoogleError> {
        #[derive(Deserialize)]
        struct UserInfo {
            #[serde(default)]
            email: Option<String>,
            #[serde(default)]
            email_verified: Option<bool>,
        }
        let started = Instant::now();
        let (http, url) = (self.context.http(), self.context.endpoints().userinfo());
        let answer = http.read(USERINFO_METHOD, url, token.authorization()).await;
        let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
        let account = answer.and_then(|answer| match answer.status.as_u16() {
            200..=299 => {
                let info: UserInfo = read_json(USERINFO_METHOD, &answer)?;
                Ok(info.email.filter(|_| info.email_verified != Some(false)))
            }
            // The token was made a moment ago.
            401 | 403 => Err(unexpected(
                USERINFO_METHOD,
                answer.status,
                "the new token was refused",
            )),
            _ => Err(token_refusal::judge(USERINFO_METHOD, &answer)),
        });
        self.context.report(USERINFO_METHOD, started, &account, bytes);
        account
    }
}
