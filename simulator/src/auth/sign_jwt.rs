//! `signJwt` of the IAM Service Account Credentials API: Google signs claims in the name of a service account, so
//! that nobody needs its key as a file.
//!
//! Source: "Method: projects.serviceAccounts.signJwt".

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::host;
use super::keys::{Claims, SigningKey};
use super::registry::KeyOrigin;
use super::scopes;
use crate::api_error::ApiError;
use crate::state::SimulatorState;

/// How far ahead `exp` may lie.
const LONGEST_SECONDS: f64 = 12.0 * 3600.0;
const PERMISSION: &str = "iam.serviceAccounts.signJwt";

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    Router::new().route(
        "/v1/projects/{project}/serviceAccounts/{account_and_verb}",
        post(sign_jwt),
    )
}

#[derive(Debug, Deserialize)]
struct SignRequest {
    payload: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignResponse {
    key_id: String,
    signed_jwt: String,
}

async fn sign_jwt(
    State(state): State<Arc<SimulatorState>>,
    Path((_project, account_and_verb)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<SignResponse>, ApiError> {
    let Some((account, "signJwt")) = account_and_verb.rsplit_once(':') else {
        return Err(
            ApiError::new(StatusCode::NOT_FOUND, "notFound", "Method not found.")
                .with_rpc_status("NOT_FOUND", Vec::new()),
        );
    };
    let caller = state.identify(&headers, host(&headers))?;
    caller.require_any_scope(&[scopes::IAM, scopes::CLOUD_PLATFORM])?;
    let request: SignRequest = serde_json::from_slice(&body).map_err(|_| {
        ApiError::invalid_argument("The request body must be a JSON object with a text \"payload\".")
    })?;
    let claims = checked_claims(&state, &request.payload)?;
    let key = google_key_of(&state, account, &caller.account)?;
    let signed_jwt = key.sign(&claims).map_err(|_| ApiError::internal())?;
    Ok(Json(SignResponse {
        key_id: key.id().to_owned(),
        signed_jwt,
    }))
}

/// The key that Google keeps for the account; made when it is first needed.
fn google_key_of(state: &SimulatorState, account: &str, caller: &str) -> Result<Arc<SigningKey>, ApiError> {
    let mut registry = state.auth.registry_mut();
    let found = registry
        .service_account_mut(account)
        .filter(|found| !found.deleted)
        .filter(|found| {
            found
                .token_creators
                .iter()
                .any(|creator| creator.eq_ignore_ascii_case(caller))
        })
        .ok_or_else(|| denied(account))?;
    match found.usable_key(KeyOrigin::Google) {
        Some(key) => Ok(key),
        None => found.add_key(KeyOrigin::Google).map_err(|_| ApiError::internal()),
    }
}

fn checked_claims(state: &SimulatorState, payload: &str) -> Result<Claims, ApiError> {
    let claims: Claims = serde_json::from_str(payload)
        .map_err(|_| ApiError::invalid_argument("The payload is not a JSON object."))?;
    let now = state.auth.google_time(&state.clock).as_duration().as_secs_f64();
    match claims.get("exp").map(Value::as_f64) {
        None => Ok(claims),
        Some(Some(expires)) if expires > now && expires <= now + LONGEST_SECONDS => Ok(claims),
        Some(_) => Err(ApiError::invalid_argument(
            "The claim \"exp\" must lie in the future and at most 12 hours ahead.",
        )),
    }
}

/// An account that is not there and one that the caller may not use look the same.
fn denied(account: &str) -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        format!("Permission '{PERMISSION}' denied on resource (or it may not exist)."),
    )
    .with_rpc_status(
        "PERMISSION_DENIED",
        vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "IAM_PERMISSION_DENIED",
            "domain": "iam.googleapis.com",
            "metadata": {"permission": PERMISSION, "resource": format!("projects/-/serviceAccounts/{account}")},
        })],
    )
}
