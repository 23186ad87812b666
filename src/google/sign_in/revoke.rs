//! Ending a consent.

use std::time::Instant;

use super::exchange::encoded;
use crate::google::authorized_user::AuthorizedUser;
use crate::google::context::GoogleContext;
use crate::google::errors::GoogleError;
use crate::google::retry::{RetrySettings, patiently};
use crate::google::token_refusal;

/// The name under which it is reported.
const REVOKE_METHOD: &str = "oauth2.revoke";

/// How often it is tried again: nobody should wait long for it.
const RETRIES: usize = 2;

/// What became of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Google has ended it.
    Now,
    /// Google did not know it any more.
    Before,
}

/// Ends the consent behind a refresh token, with every access token made from it.
///
/// # Errors
/// A [`GoogleError`]; it may be ended all the same, if the answer was lost.
pub async fn revoke_consent(context: &GoogleContext, user: &AuthorizedUser) -> Result<Revoked, GoogleError> {
    let settings = RetrySettings {
        max_retries: RETRIES,
        ..context.retry()
    };
    patiently(settings, REVOKE_METHOD, || attempt(context, user)).await
}

async fn attempt(context: &GoogleContext, user: &AuthorizedUser) -> Result<Revoked, GoogleError> {
    let started = Instant::now();
    let form = encoded(&[("token", user.refresh_token())]);
    let url = context.endpoints().revoke();
    let answer = context.http().post_form(REVOKE_METHOD, url, form.into()).await;
    let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
    let revoked = answer.and_then(|answer| {
        if answer.status.is_success() {
            Ok(Revoked::Now)
        } else if token_refusal::says(&answer, "invalid_token") {
            Ok(Revoked::Before)
        } else {
            Err(token_refusal::judge(REVOKE_METHOD, &answer))
        }
    });
    context.report(REVOKE_METHOD, started, &revoked, bytes);
    revoked
}
