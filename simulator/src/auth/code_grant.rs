//! The grant of authorisation codes, with PKCE.
//!
//! Source: "OAuth 2.0 for iOS & Desktop Apps".

use http::HeaderMap;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::form::Form;
use super::random;
use super::token_error::{TokenError, TokenErrorKind};
use super::tokens::{Challenge, CodeGrant, CodeLookup};
use super::{client_auth, identity, scopes, token_endpoint};
use crate::state::SimulatorState;

pub(super) fn grant(state: &SimulatorState, headers: &HeaderMap, form: &Form) -> Result<Value, TokenError> {
    let client = client_auth::authenticate(state, headers, form)?;
    let code = form.require("code")?;
    let now = state.auth.expiry_time(&state.clock);
    let lookup = state.auth.tokens().code(code, now);
    let grant = match lookup {
        CodeLookup::Unknown => return Err(TokenErrorKind::MalformedCode.into()),
        CodeLookup::SpentOrExpired => return Err(TokenErrorKind::BadRequest.into()),
        CodeLookup::Live(grant) if grant.holder.client_id != client.client_id => {
            return Err(TokenErrorKind::BadRequest.into());
        }
        CodeLookup::Live(grant) => grant,
    };
    if form.require("redirect_uri")? != grant.redirect_uri {
        return Err(TokenErrorKind::RedirectMismatch.into());
    }
    check_verifier(grant.challenge.as_ref(), form.get("code_verifier"))?;
    let user = state
        .find_user(&grant.holder.account)
        .ok_or(TokenErrorKind::AccountDeleted)?;
    if !state.auth.tokens().spend_code(code) {
        return Err(TokenErrorKind::BadRequest.into());
    }
    let CodeGrant {
        holder,
        offline,
        nonce,
        ..
    } = *grant;
    let granted = holder.scopes.clone();
    let lifetime = state.auth.switches().refresh_token_lifetime_seconds;
    let refresh_token = if offline {
        let life = lifetime.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
        Some(state.auth.tokens().issue_refresh(holder.clone(), now, life)?)
    } else {
        None
    };
    let mut body = token_endpoint::issue(state, holder, refresh_token.as_deref())?;
    body["scope"] = json!(scopes::join(&granted));
    if let Some(refresh_token) = refresh_token {
        body["refresh_token"] = json!(refresh_token);
        if let Some(seconds) = lifetime {
            body["refresh_token_expires_in"] = json!(seconds);
        }
    }
    identity::add_id_token(
        state,
        &mut body,
        &client.client_id,
        &user,
        &granted,
        nonce.as_deref(),
    )?;
    Ok(body)
}

fn check_verifier(challenge: Option<&Challenge>, verifier: Option<&str>) -> Result<(), TokenError> {
    let fits = match (challenge, verifier) {
        (None, _) => true,
        (Some(_), None) => return Err(TokenErrorKind::MissingCodeVerifier.into()),
        (Some(Challenge::Plain(expected)), Some(verifier)) => verifier == expected,
        (Some(Challenge::Sha256(expected)), Some(verifier)) => {
            // RFC 7636, 4.1: 43 to 128 letters.
            (43..=128).contains(&verifier.len()) && random::sha256_base64url(verifier) == *expected
        }
    };
    if fits {
        Ok(())
    } else {
        Err(TokenErrorKind::WrongCodeVerifier.into())
    }
}
