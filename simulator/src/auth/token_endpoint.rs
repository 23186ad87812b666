//! `POST /token`: finds the grant, plays faults, and writes the log.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::address::host;
use super::form::Form;
use super::random::NoRandomness;
use super::request_log::TokenRequest;
use super::token_error::{TokenError, TokenErrorKind, answer};
use super::tokens::Holder;
use super::{KeyError, code_grant, faults, jwt_bearer, refresh_grant};
use crate::state::SimulatorState;

/// The paths under which Google has served this endpoint (hosts `oauth2.googleapis.com`, `www.googleapis.com`
/// and `accounts.google.com`).
pub(super) const PATHS: [&str; 3] = ["/token", "/oauth2/v4/token", "/o/oauth2/token"];

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    PATHS
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, post(token)))
}

async fn token(State(state): State<Arc<SimulatorState>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = match Form::of_body(&headers, &body) {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let traits = traits_of(&form);
    let fault = state.auth.faults().strike(&traits);
    let result = match fault {
        Some(error) => Err(error),
        None => grant(&state, &headers, &form),
    };
    let response = match result {
        Ok(body) => answer(StatusCode::OK, &body),
        Err(error) => error.into_response(),
    };
    state.auth.requests().record(TokenRequest {
        number: 0,
        time: state.clock.wall_now(),
        grant_type: traits.grant_type,
        scopes: requested_scopes(&form),
        accounts: traits.accounts,
        status: response.status().as_u16(),
    });
    response
}

fn grant(state: &SimulatorState, headers: &HeaderMap, form: &Form) -> Result<Value, TokenError> {
    match form.get("grant_type") {
        None => Err(TokenError::invalid_request(
            "Required parameter is missing: grant_type",
        )),
        Some(jwt_bearer::GRANT_TYPE) => jwt_bearer::grant(state, form, host(headers)),
        Some("refresh_token") => refresh_grant::grant(state, headers, form),
        Some("authorization_code") => code_grant::grant(state, headers, form),
        Some(other) => Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            format!("Invalid grant_type: {other}"),
        )),
    }
}

fn traits_of(form: &Form) -> faults::RequestTraits {
    let mut accounts: Vec<String> = form.get("client_id").map(str::to_owned).into_iter().collect();
    if let Some(assertion) = form.get("assertion") {
        accounts.extend(jwt_bearer::names_in(assertion));
    }
    faults::RequestTraits {
        grant_type: form.get("grant_type").unwrap_or_default().to_owned(),
        accounts,
    }
}

fn requested_scopes(form: &Form) -> String {
    form.get("assertion")
        .and_then(jwt_bearer::scopes_in)
        .or_else(|| form.get("scope").map(str::to_owned))
        .unwrap_or_default()
}

/// Issues an access token and writes the answer that every grant has in common.
pub(super) fn issue(
    state: &SimulatorState,
    holder: Holder,
    refresh_token: Option<&str>,
) -> Result<Value, TokenError> {
    let seconds = state.auth.switches().access_token_lifetime_seconds;
    let now = state.auth.expiry_time(&state.clock);
    let lifetime = SignedDuration::from_secs(i64::from(seconds));
    let access_token = state
        .auth
        .tokens()
        .issue_access(holder, refresh_token, now, lifetime)?;
    Ok(json!({ "access_token": access_token, "expires_in": seconds, "token_type": "Bearer" }))
}

impl From<NoRandomness> for TokenError {
    fn from(_: NoRandomness) -> Self {
        TokenErrorKind::InternalFailure.into()
    }
}

impl From<KeyError> for TokenError {
    fn from(_: KeyError) -> Self {
        TokenErrorKind::InternalFailure.into()
    }
}
