//! Asking the token endpoint with a form, and reading its answer.

use std::time::{Duration, Instant};

use serde::Deserialize;
use url::form_urlencoded;

use crate::google::access_token::AccessToken;
use crate::google::context::GoogleContext;
use crate::google::errors::GoogleError;
use crate::google::http::Answer;
use crate::google::lenient;
use crate::google::page::{read_json, unexpected};
use crate::google::token::TOKEN_METHOD;
use crate::google::token_refusal;

/// What Google granted.
pub(super) struct Granted {
    pub(super) token: AccessToken,
    /// The scopes, separated by blanks, if Google told them.
    pub(super) scopes: Option<String>,
}

/// What is looked at in the answer.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    expires_in: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
}

/// Sends the form to the operator's token endpoint, whatever the credential says.
pub(super) async fn token(context: &GoogleContext, form: &[(&str, &str)]) -> Result<Granted, GoogleError> {
    let started = Instant::now();
    let url = context.endpoints().token();
    let answer = context
        .http()
        .post_form(TOKEN_METHOD, url, encoded(form).into())
        .await;
    let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
    let granted = answer.and_then(|answer| {
        if answer.status.is_success() {
            read(TOKEN_METHOD, &answer)
        } else {
            Err(token_refusal::judge(TOKEN_METHOD, &answer))
        }
    });
    context.report(TOKEN_METHOD, started, &granted, bytes);
    granted
}

pub(super) fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

/// Reads the answer of whoever gives tokens (RFC 6749, section 5.1).
pub(super) fn read(method: &'static str, answer: &Answer) -> Result<Granted, GoogleError> {
    let read: TokenAnswer = read_json(method, answer)?;
    let life = read
        .expires_in
        .map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()));
    let token = read.access_token.and_then(|text| AccessToken::new(&text, life));
    let token = token.ok_or_else(|| unexpected(method, answer.status, "the answer is no access token"))?;
    Ok(Granted {
        token,
        scopes: read.scope,
    })
}
