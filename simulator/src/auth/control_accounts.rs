//! `/sim/v1/auth`: projects, delegation, service accounts with their keys, and OAuth clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::base_url;
use super::administration::missing;
use super::control::read;
use super::files;
use super::registry::{AdminRole, ClientState};
use crate::control::error::ControlError;
use crate::state::SimulatorState;

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/projects/{project}", patch(change_project))
        .route("/delegations/{client_id}", put(delegate).delete(end_delegation))
        .route("/customers/{customer_id}", post(register))
        .route(
            "/customers/{customer_id}/service-account-file",
            get(service_account_file),
        )
        .route(
            "/customers/{customer_id}/client-secret-file",
            get(client_secret_file),
        )
        .route("/service-accounts/{account}", patch(change_account))
        .route(
            "/service-accounts/{account}/admin-role",
            put(assign_role).delete(take_role_away),
        )
        .route("/service-accounts/{account}/keys", post(new_key))
        .route(
            "/service-accounts/{account}/keys/{key_id}",
            patch(change_key).delete(delete_key),
        )
        .route("/clients/{client_id}", patch(change_client))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProjectPatch {
    api_enabled: bool,
}

/// Switches the Admin SDK API of a project on or off.
async fn change_project(
    State(state): State<Arc<SimulatorState>>,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let wanted: ProjectPatch = read(&body)?;
    state
        .auth
        .set_api_enabled(&key, wanted.api_enabled)
        .map(|()| StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Delegation {
    scopes: BTreeSet<String>,
    /// The customer that delegates; none is the one the account was made for.
    #[serde(default)]
    customer_id: Option<String>,
}

/// What an administrator enters on the delegation page: replaces the scopes of one client.
async fn delegate(
    State(state): State<Arc<SimulatorState>>,
    Path(client_id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let wanted: Delegation = read(&body)?;
    let customer_id = delegating_customer(&state, &client_id, wanted.customer_id)?;
    state
        .auth
        .delegate(&client_id, &customer_id, wanted.scopes.clone());
    Ok(Json(
        json!({"clientId": client_id, "customerId": customer_id, "scopes": wanted.scopes}),
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct DelegationKey {
    customer_id: Option<String>,
}

async fn end_delegation(
    State(state): State<Arc<SimulatorState>>,
    Path(client_id): Path<String>,
    Query(query): Query<DelegationKey>,
) -> Result<StatusCode, ControlError> {
    let customer_id = delegating_customer(&state, &client_id, query.customer_id)?;
    state.auth.delegate(&client_id, &customer_id, BTreeSet::new());
    Ok(StatusCode::NO_CONTENT)
}

/// The delegation page takes any client id; a customer id must be one of the simulator's.
fn delegating_customer(
    state: &SimulatorState,
    client_id: &str,
    named: Option<String>,
) -> Result<String, ControlError> {
    match named {
        Some(customer_id) => state
            .find_tenant(&customer_id)
            .map(|tenant| tenant.customer_id().to_owned())
            .ok_or_else(|| missing("customer", &customer_id)),
        None => state
            .auth
            .registry()
            .service_account(client_id)
            .map(|account| account.customer_id.clone())
            .ok_or_else(|| missing("service account with client id", client_id)),
    }
}

/// Makes project, service account and OAuth client of a customer, and names them.
async fn register(
    State(state): State<Arc<SimulatorState>>,
    Path(customer_id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let customer_id = existing_customer(&state, &customer_id)?;
    let identity = state
        .auth
        .register_customer(&customer_id)
        .map_err(|error| ControlError::internal(&error))?;
    Ok(Json(json!({
        "customerId": customer_id,
        "serviceAccount": identity.service_account,
        "serviceAccountClientId": identity.service_account_client_id,
        "oauthClientId": identity.oauth_client_id,
        "projectNumber": identity.project_number,
    })))
}

fn existing_customer(state: &SimulatorState, customer_id: &str) -> Result<String, ControlError> {
    state
        .find_tenant(customer_id)
        .map(|tenant| tenant.customer_id().to_owned())
        .ok_or_else(|| missing("customer", customer_id))
}

pub(super) fn file(content: String) -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        content,
    )
        .into_response()
}

async fn service_account_file(
    State(state): State<Arc<SimulatorState>>,
    Path(customer_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    let customer_id = existing_customer(&state, &customer_id)?;
    files::service_account_json(&state, &base_url(&headers), &customer_id)
        .map(file)
        .map_err(|error| ControlError::internal(&error))
}

async fn client_secret_file(
    State(state): State<Arc<SimulatorState>>,
    Path(customer_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    let customer_id = existing_customer(&state, &customer_id)?;
    files::client_secret_json(&state, &base_url(&headers), &customer_id)
        .map(file)
        .map_err(|error| ControlError::internal(&error))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountPatch {
    #[serde(default)]
    deleted: Option<bool>,
    #[serde(default)]
    token_creators: Option<BTreeSet<String>>,
}

async fn change_account(
    State(state): State<Arc<SimulatorState>>,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let wanted: AccountPatch = read(&body)?;
    if let Some(deleted) = wanted.deleted {
        state.auth.set_account_deleted(&key, deleted)?;
    }
    if let Some(creators) = wanted.token_creators {
        state.auth.set_token_creators(&key, creators)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Assigns an admin role to the service account itself.
async fn assign_role(
    State(state): State<Arc<SimulatorState>>,
    Path(key): Path<String>,
    body: Bytes,
) -> Result<Json<AdminRole>, ControlError> {
    let mut role: AdminRole = read(&body)?;
    role.customer_id = existing_customer(&state, &role.customer_id)?;
    state.auth.set_admin_role(&key, Some(role.clone()))?;
    Ok(Json(role))
}

async fn take_role_away(
    State(state): State<Arc<SimulatorState>>,
    Path(key): Path<String>,
) -> Result<StatusCode, ControlError> {
    state
        .auth
        .set_admin_role(&key, None)
        .map(|()| StatusCode::NO_CONTENT)
}

/// Makes a further key and answers with its file, as the console's download does.
async fn new_key(
    State(state): State<Arc<SimulatorState>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    state.auth.change_account(&key, |_| Ok(()))?;
    files::key_file_of(&state, &base_url(&headers), &key, |_| None)
        .map(|content| (StatusCode::CREATED, file(content)).into_response())
        .map_err(|error| ControlError::internal(&error))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyPatch {
    enabled: bool,
}

async fn change_key(
    State(state): State<Arc<SimulatorState>>,
    Path((account, key_id)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let wanted: KeyPatch = read(&body)?;
    state
        .auth
        .set_key_enabled(&account, &key_id, wanted.enabled)
        .map(|()| StatusCode::NO_CONTENT)
}

async fn delete_key(
    State(state): State<Arc<SimulatorState>>,
    Path((account, key_id)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    state
        .auth
        .delete_key(&account, &key_id)
        .map(|()| StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientPatch {
    #[serde(default)]
    state: Option<ClientState>,
    #[serde(default)]
    redirect_uris: Option<BTreeSet<String>>,
}

async fn change_client(
    State(state): State<Arc<SimulatorState>>,
    Path(client_id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let wanted: ClientPatch = read(&body)?;
    if let Some(client_state) = wanted.state {
        state.auth.set_client_state(&client_id, client_state)?;
    }
    if let Some(addresses) = wanted.redirect_uris {
        state.auth.set_redirect_uris(&client_id, addresses)?;
    }
    Ok(StatusCode::NO_CONTENT)
}
