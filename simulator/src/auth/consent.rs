//! The consent page `/o/oauth2/v2/auth`: checks the request, decides by the switches or asks a person, and sends
//! the browser back with a code.
//!
//! Source: "OAuth 2.0 for iOS & Desktop Apps: Send a request to Google's OAuth 2.0 server".

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use url::Url;

use super::client_auth::usable;
use super::consent_page;
use super::form::Form;
use super::registry::OAuthClient;
use super::settings::ConsentMode;
use super::token_error::TokenError;
use super::tokens::{Challenge, CodeGrant, Holder};
use super::{TokenErrorKind, scopes};
use crate::people::User;
use crate::state::SimulatorState;

const CODE_MAXIMUM_VERIFIER: usize = 128;

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    ["/o/oauth2/v2/auth", "/o/oauth2/auth"]
        .into_iter()
        .fold(Router::new(), |router, path| {
            router.route(path, get(open).post(decide))
        })
}

/// A checked request of an application.
#[derive(Debug, Clone)]
pub(super) struct ConsentRequest {
    pub(super) client: OAuthClient,
    pub(super) redirect: Url,
    pub(super) redirect_text: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) state: Option<String>,
    pub(super) login_hint: Option<String>,
    challenge: Option<Challenge>,
    offline: bool,
    nonce: Option<String>,
}

/// The page is opened by the application.
async fn open(State(state): State<Arc<SimulatorState>>, RawQuery(query): RawQuery) -> Response {
    let request = match Form::of_query(query.as_deref()).and_then(|form| read(&state, &form)) {
        Ok(request) => request,
        Err(error) => return consent_page::refusal(&error),
    };
    let switches = state.auth.switches().consent;
    let account = request
        .login_hint
        .clone()
        .or(switches.account)
        .or_else(|| first_administrator(&state));
    match switches.mode {
        ConsentMode::Deny => denied(&request),
        ConsentMode::Ask => {
            consent_page::question(&request, account.as_deref(), query.as_deref().unwrap_or_default())
        }
        ConsentMode::Approve => {
            let granted = request
                .scopes
                .difference(&switches.withheld_scopes)
                .cloned()
                .collect();
            approve(&state, &request, account.as_deref(), granted)
        }
    }
}

/// The form of the page is sent: the application's request stands in the address, the answer in the form.
async fn decide(
    State(state): State<Arc<SimulatorState>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = match Form::of_query(query.as_deref()).and_then(|form| read(&state, &form)) {
        Ok(request) => request,
        Err(error) => return consent_page::refusal(&error),
    };
    let answer = match Form::of_body(&headers, &body) {
        Ok(answer) => answer,
        Err(error) => return consent_page::refusal(&error),
    };
    if answer.get("decision") != Some("allow") {
        return denied(&request);
    }
    let ticked: BTreeSet<String> = answer.granted_scopes().map(str::to_owned).collect();
    let granted = request.scopes.intersection(&ticked).cloned().collect();
    approve(&state, &request, answer.get("account"), granted)
}

fn approve(
    state: &SimulatorState,
    request: &ConsentRequest,
    account: Option<&str>,
    granted: BTreeSet<String>,
) -> Response {
    let user = account
        .and_then(|account| state.find_user(account))
        .filter(|user| !user.suspended);
    let (Some(user), false) = (user, granted.is_empty()) else {
        return denied(request);
    };
    let scopes = scopes::join(&granted);
    match issue_code(state, request, &user, granted) {
        Ok(code) => {
            let domain = user
                .primary_email
                .split_once('@')
                .map_or("", |(_, domain)| domain);
            back(
                request,
                &[
                    ("code", &code),
                    ("scope", &scopes),
                    ("authuser", "0"),
                    ("hd", domain),
                    ("prompt", "consent"),
                ],
            )
        }
        Err(error) => consent_page::refusal(&error),
    }
}

fn issue_code(
    state: &SimulatorState,
    request: &ConsentRequest,
    user: &User,
    granted: BTreeSet<String>,
) -> Result<String, TokenError> {
    let grant = CodeGrant {
        holder: Holder {
            account: user.primary_email.clone(),
            project_number: request.client.project_number.clone(),
            client_id: request.client.client_id.clone(),
            scopes: granted,
            is_service_account_itself: false,
        },
        redirect_uri: request.redirect_text.clone(),
        challenge: request.challenge.clone(),
        offline: request.offline,
        nonce: request.nonce.clone(),
    };
    let now = state.auth.expiry_time(&state.clock);
    Ok(state.auth.tokens().issue_code(grant, now)?)
}

fn denied(request: &ConsentRequest) -> Response {
    back(request, &[("error", "access_denied")])
}

/// Sends the browser back to the application.
fn back(request: &ConsentRequest, parameters: &[(&str, &str)]) -> Response {
    let mut address = request.redirect.clone();
    {
        let mut query = address.query_pairs_mut();
        if let Some(state) = &request.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", "https://accounts.google.com");
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
    }
    (StatusCode::FOUND, [(header::LOCATION, address.to_string())]).into_response()
}

fn read(state: &SimulatorState, form: &Form) -> Result<ConsentRequest, TokenError> {
    let client = {
        let registry = state.auth.registry();
        registry
            .client(form.require("client_id")?)
            .cloned()
            .ok_or(TokenErrorKind::ClientNotFound)?
    };
    usable(&client)?;
    let redirect_text = form.require("redirect_uri")?;
    let redirect = allowed_redirect(&client, redirect_text).ok_or(TokenErrorKind::RedirectMismatch)?;
    match form.get("response_type") {
        Some("code") => {}
        None => {
            return Err(TokenError::invalid_request(
                "Required parameter is missing: response_type",
            ));
        }
        Some(other) => {
            let text = format!("Invalid response_type: {other}");
            return Err(TokenError::new(
                StatusCode::BAD_REQUEST,
                "unsupported_response_type",
                text,
            ));
        }
    }
    let scopes = scopes::parse(form.require("scope")?);
    if scopes.is_empty() || !scopes.iter().all(|scope| scopes::is_known(scope)) {
        let text = "Some requested scopes were invalid.";
        return Err(TokenError::new(StatusCode::BAD_REQUEST, "invalid_scope", text));
    }
    Ok(ConsentRequest {
        redirect_text: redirect_text.to_owned(),
        challenge: challenge(form)?,
        offline: form.get("access_type") == Some("offline"),
        nonce: form.get("nonce").map(str::to_owned),
        state: form.get("state").map(str::to_owned),
        login_hint: form.get("login_hint").map(str::to_owned),
        client,
        redirect,
        scopes,
    })
}

fn challenge(form: &Form) -> Result<Option<Challenge>, TokenError> {
    let Some(text) = form.get("code_challenge") else {
        return Ok(None);
    };
    if text.len() > CODE_MAXIMUM_VERIFIER {
        return Err(TokenError::invalid_request(
            "Invalid parameter value for code_challenge: too long",
        ));
    }
    match form.get("code_challenge_method") {
        Some("S256") => Ok(Some(Challenge::Sha256(text.to_owned()))),
        None | Some("plain") => Ok(Some(Challenge::Plain(text.to_owned()))),
        Some(other) => Err(TokenError::invalid_request(format!(
            "Invalid parameter value for code_challenge_method: {other}"
        ))),
    }
}

/// A registered address, or a loopback address on any port and path: that is the rule for installed applications.
fn allowed_redirect(client: &OAuthClient, address: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    let loopback =
        url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let has_fragment = url.fragment().is_some();
    ((loopback || client.redirect_uris.contains(address)) && !has_fragment).then_some(url)
}

/// Whoever signs in when nobody is named.
fn first_administrator(state: &SimulatorState) -> Option<String> {
    state.tenants().first().map(|tenant| tenant.admin_email())
}
