//! `/sim/v1/auth`: overview, switches, faults of the token endpoint, and issued tokens.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::administration::missing;
use super::control_accounts::file;
use super::faults::Fault;
use super::request_log::TokenRequest;
use super::tokens::{Consent, TokenCounts};
use super::{AuthSwitches, TokenErrorKind};
use crate::control::error::ControlError;
use crate::state::SimulatorState;

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/", get(overview))
        .route("/switches", get(show_switches).patch(change_switches))
        .route(
            "/token-faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .route("/token-faults/kinds", get(list_kinds))
        .route("/token-faults/{id}", delete(remove_fault))
        .route("/token-requests", get(list_requests))
        .route("/tokens", get(count_tokens).post(mint))
        .route("/tokens/revoke", post(revoke))
        .route("/consents", get(list_consents).post(consent))
}

/// Reads the body of a control call; an empty one is an empty object.
///
/// # Errors
/// 400 with the reason and the place.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ControlError::invalid(format!("the body is wrong: {error}")))
}

async fn overview(State(state): State<Arc<SimulatorState>>) -> Json<Value> {
    let registry = state.auth.registry();
    let accounts: Vec<Value> = registry
        .service_accounts
        .iter()
        .map(|account| {
            let keys: Vec<Value> = account
                .keys
                .iter()
                .map(|key| json!({"id": key.key.id(), "origin": key.origin, "enabled": key.enabled}))
                .collect();
            json!({
                "email": account.email,
                "clientId": account.client_id,
                "projectNumber": account.project_number,
                "customerId": account.customer_id,
                "deleted": account.deleted,
                "keys": keys,
                "adminRole": account.admin_role,
                "tokenCreators": account.token_creators,
            })
        })
        .collect();
    let clients: Vec<Value> = registry
        .clients
        .iter()
        .map(|client| {
            json!({
                "clientId": client.client_id,
                "projectNumber": client.project_number,
                "state": client.state,
                "redirectUris": client.redirect_uris,
            })
        })
        .collect();
    let delegations: Vec<Value> = registry
        .delegations
        .iter()
        .map(|((client_id, customer_id), scopes)| {
            json!({"clientId": client_id, "customerId": customer_id, "scopes": scopes})
        })
        .collect();
    Json(json!({
        "projects": registry.projects,
        "serviceAccounts": accounts,
        "clients": clients,
        "delegations": delegations,
        "switches": state.auth.switches(),
        "tokenFaults": state.auth.faults().list(),
        "tokenRequests": state.auth.requests().count(),
    }))
}

async fn show_switches(State(state): State<Arc<SimulatorState>>) -> Json<AuthSwitches> {
    Json(state.auth.switches())
}

/// Changes the switches that the body names; `null` sets one back to none.
async fn change_switches(
    State(state): State<Arc<SimulatorState>>,
    body: Bytes,
) -> Result<Json<AuthSwitches>, ControlError> {
    let patch: Value = read(&body)?;
    if !patch.is_object() {
        return Err(ControlError::invalid(
            "the body must be a JSON object with the switches to change",
        ));
    }
    let mut merged =
        serde_json::to_value(state.auth.switches()).map_err(|error| ControlError::internal(&error))?;
    merge(&mut merged, patch);
    let switches: AuthSwitches = serde_json::from_value(merged)
        .map_err(|error| ControlError::invalid(format!("the switches are wrong: {error}")))?;
    state.auth.set_switches(switches.clone());
    Ok(Json(switches))
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

async fn list_faults(State(state): State<Arc<SimulatorState>>) -> Json<Vec<Fault>> {
    Json(state.auth.faults().list().to_vec())
}

async fn add_fault(
    State(state): State<Arc<SimulatorState>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Fault>), ControlError> {
    let fault = state.auth.add_token_fault(read(&body)?)?;
    Ok((StatusCode::CREATED, Json(fault)))
}

async fn clear_faults(State(state): State<Arc<SimulatorState>>) -> StatusCode {
    state.auth.clear_token_faults();
    StatusCode::NO_CONTENT
}

async fn remove_fault(
    State(state): State<Arc<SimulatorState>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    if state.auth.faults().remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(missing("token fault", &id.to_string()))
    }
}

async fn list_kinds() -> Json<Vec<Value>> {
    let row = |kind: &TokenErrorKind| {
        let (status, error, description) = kind.parts();
        json!({"kind": kind, "status": status.as_u16(), "error": error, "description": description})
    };
    Json(TokenErrorKind::ALL.iter().map(row).collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct After {
    after: u64,
}

async fn list_requests(
    State(state): State<Arc<SimulatorState>>,
    Query(query): Query<After>,
) -> Json<Vec<TokenRequest>> {
    Json(state.auth.requests().after(query.after))
}

async fn count_tokens(State(state): State<Arc<SimulatorState>>) -> Json<TokenCounts> {
    let now = state.auth.expiry_time(&state.clock);
    Json(state.auth.tokens().counts(now))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Mint {
    /// A user or a service account.
    account: String,
    /// Nothing is checked: this is how a test gets any token.
    scopes: BTreeSet<String>,
    #[serde(default)]
    lifetime_seconds: Option<u32>,
}

/// Makes an access token without any sign-in.
async fn mint(State(state): State<Arc<SimulatorState>>, body: Bytes) -> Result<Json<Value>, ControlError> {
    let wanted: Mint = read(&body)?;
    let token = state.mint_access_token(&wanted.account, &wanted.scopes, wanted.lifetime_seconds)?;
    let seconds = wanted
        .lifetime_seconds
        .unwrap_or(state.auth.switches().access_token_lifetime_seconds);
    Ok(Json(
        json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}),
    ))
}

async fn list_consents(State(state): State<Arc<SimulatorState>>) -> Json<Vec<Consent>> {
    Json(state.auth.consents())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewConsent {
    account: String,
    scopes: BTreeSet<String>,
}

/// Consents without the page, and gives the authorized-user file.
async fn consent(State(state): State<Arc<SimulatorState>>, body: Bytes) -> Result<Response, ControlError> {
    let wanted: NewConsent = read(&body)?;
    state.consent(&wanted.account, &wanted.scopes).map(file)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Revocation {
    /// Whose tokens; none is everybody's.
    #[serde(default)]
    account: Option<String>,
}

/// Ends the tokens of one account or of all.
async fn revoke(State(state): State<Arc<SimulatorState>>, body: Bytes) -> Result<Json<Value>, ControlError> {
    let wanted: Revocation = read(&body)?;
    let revoked = state.auth.revoke_tokens(wanted.account.as_deref());
    Ok(Json(json!({ "revoked": revoked })))
}
