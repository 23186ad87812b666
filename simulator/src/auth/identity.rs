//! Who signed in: ID tokens, user info, certificates, and the end of it: `/revoke`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::address::host;
use super::form::Form;
use super::token_error::TokenError;
use super::{random, scopes};
use crate::api_error::ApiError;
use crate::people::User;
use crate::state::SimulatorState;

const ISSUER: &str = "https://accounts.google.com";
const ID_TOKEN_SECONDS: i64 = 3600;

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/revoke", post(revoke).get(revoke))
        .route("/o/oauth2/revoke", post(revoke).get(revoke))
        .route("/oauth2/v1/certs", get(certificates))
        .route("/oauth2/v3/certs", get(key_set))
        .route("/robot/v1/metadata/x509/{account}", get(account_certificates))
        .route("/v1/userinfo", get(user_info).post(user_info))
        .route("/oauth2/v3/userinfo", get(user_info).post(user_info))
}

/// Adds `id_token` to an answer of the token endpoint if the scopes ask for an identity.
///
/// # Errors
/// `internal_failure` if it cannot be signed.
pub(super) fn add_id_token(
    state: &SimulatorState,
    body: &mut Value,
    client_id: &str,
    user: &User,
    granted: &BTreeSet<String>,
    nonce: Option<&str>,
) -> Result<(), TokenError> {
    if !scopes::ask_for_identity(granted) {
        return Ok(());
    }
    let issued = state.auth.google_time(&state.clock).as_second();
    let mut claims = person(user, granted);
    claims.insert("iss".to_owned(), json!(ISSUER));
    claims.insert("azp".to_owned(), json!(client_id));
    claims.insert("aud".to_owned(), json!(client_id));
    claims.insert("iat".to_owned(), json!(issued));
    claims.insert("exp".to_owned(), json!(issued.saturating_add(ID_TOKEN_SECONDS)));
    if let Some(access_token) = body["access_token"].as_str() {
        claims.insert("at_hash".to_owned(), json!(random::half_hash(access_token)));
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    body["id_token"] = json!(state.auth.google_key.sign(&claims)?);
    Ok(())
}

/// What the granted scopes tell about a person.
fn person(user: &User, granted: &BTreeSet<String>) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(user.id));
    if let Some((_, domain)) = user.primary_email.split_once('@') {
        claims.insert("hd".to_owned(), json!(domain));
    }
    if granted.contains(scopes::USERINFO_EMAIL) {
        claims.insert("email".to_owned(), json!(user.primary_email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    if granted.contains(scopes::USERINFO_PROFILE) {
        claims.insert("name".to_owned(), json!(user.full_name()));
        claims.insert("given_name".to_owned(), json!(user.given_name));
        claims.insert("family_name".to_owned(), json!(user.family_name));
    }
    claims
}

async fn user_info(State(state): State<Arc<SimulatorState>>, headers: HeaderMap) -> Response {
    let refusal = || {
        let mut response =
            TokenError::new(StatusCode::UNAUTHORIZED, "invalid_request", "Invalid Credentials")
                .into_response();
        let challenge = http::HeaderValue::from_static(
            r#"Bearer realm="https://accounts.google.com/", error="invalid_request""#,
        );
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    };
    let Ok(caller) = state.identify(&headers, host(&headers)) else {
        return refusal();
    };
    if !scopes::ask_for_identity(&caller.scopes) {
        return refusal();
    }
    match state.find_user(&caller.account) {
        Some(user) => Json(Value::Object(person(&user, &caller.scopes))).into_response(),
        None => Json(json!({"sub": caller.account, "email": caller.account, "email_verified": true}))
            .into_response(),
    }
}

async fn revoke(
    State(state): State<Arc<SimulatorState>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match revoked(&state, query.as_deref(), &headers, &body) {
        Ok(()) => super::token_error::answer(StatusCode::OK, &json!({})),
        Err(error) => error.into_response(),
    }
}

/// The token may stand in the form or in the address ("Revoking a token").
fn revoked(
    state: &SimulatorState,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), TokenError> {
    let (form, query) = (Form::of_body(headers, body)?, Form::of_query(query)?);
    let token = match form.get("token") {
        Some(token) => token,
        None => query.require("token")?,
    };
    let now = state.auth.expiry_time(&state.clock);
    if state.auth.tokens().revoke(token, now) {
        Ok(())
    } else {
        Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "invalid_token",
            "Token expired or revoked",
        ))
    }
}

/// Key id to certificate in PEM.
async fn certificates(State(state): State<Arc<SimulatorState>>) -> Response {
    let key = &state.auth.google_key;
    cacheable(&json!({ key.id(): key.certificate_pem() }))
}

/// The same as a JSON Web Key Set.
async fn key_set(State(state): State<Arc<SimulatorState>>) -> Response {
    cacheable(&json!({ "keys": [state.auth.google_key.jwk()] }))
}

/// The certificates of a service account, as its key file names them.
async fn account_certificates(
    State(state): State<Arc<SimulatorState>>,
    Path(account): Path<String>,
) -> Result<Response, ApiError> {
    let registry = state.auth.registry();
    let account = registry
        .service_account(&account)
        .filter(|account| !account.deleted)
        .ok_or_else(|| ApiError::not_found(&account))?;
    let certificates: Map<String, Value> = account
        .keys
        .iter()
        .filter(|key| key.enabled)
        .map(|key| (key.key.id().to_owned(), json!(key.key.certificate_pem())))
        .collect();
    Ok(cacheable(&Value::Object(certificates)))
}

fn cacheable(body: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        (
            header::CACHE_CONTROL,
            "public, max-age=19800, must-revalidate, no-transform",
        ),
    ];
    (headers, body.to_string()).into_response()
}
