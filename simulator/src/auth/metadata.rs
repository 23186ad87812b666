//! The metadata server of a virtual machine or pod in Google's cloud: the workload identity which may have
//! service accounts sign. Clients find it with `GCE_METADATA_HOST=<this address>`.
//!
//! Source: "About VM metadata: Authenticate applications".

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use serde_json::json;

use super::form::Form;
use super::scopes;
use super::tokens::Holder;
use crate::state::SimulatorState;

/// The identity of whatever runs beside the simulator. It may sign for every customer's service account.
pub(super) const WORKLOAD_ACCOUNT: &str = "workload@chromeos-platform.iam.gserviceaccount.com";
const WORKLOAD_PROJECT_ID: &str = "chromeos-platform";
const WORKLOAD_PROJECT_NUMBER: &str = "428190000001";
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");

pub(super) fn router() -> Router<Arc<SimulatorState>> {
    const BASE: &str = "/computeMetadata/v1";
    let account = format!("{BASE}/instance/service-accounts/{{account}}");
    Router::new()
        .route(
            &format!("{BASE}/"),
            get(async |headers: HeaderMap| plain(&headers, "instance/\nproject/\n")),
        )
        .route(
            &format!("{BASE}/project/project-id"),
            get(async |headers: HeaderMap| plain(&headers, WORKLOAD_PROJECT_ID)),
        )
        .route(
            &format!("{BASE}/project/numeric-project-id"),
            get(async |headers: HeaderMap| plain(&headers, WORKLOAD_PROJECT_NUMBER)),
        )
        .route(
            &format!("{BASE}/universe/universe-domain"),
            get(async |headers: HeaderMap| plain(&headers, "googleapis.com")),
        )
        .route(&format!("{account}/"), get(account_data))
        .route(
            &format!("{account}/email"),
            get(async |headers: HeaderMap| plain(&headers, WORKLOAD_ACCOUNT)),
        )
        .route(&format!("{account}/token"), get(token))
}

async fn account_data(headers: HeaderMap) -> Response {
    let data = json!({
        "aliases": ["default"],
        "email": WORKLOAD_ACCOUNT,
        "scopes": [scopes::CLOUD_PLATFORM],
    });
    json_answer(&headers, &data)
}

async fn token(
    State(state): State<Arc<SimulatorState>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let wanted = Form::of_query(query.as_deref()).ok().and_then(|form| {
        form.get("scopes")
            .map(|listed| scopes::parse(&listed.replace(',', " ")))
    });
    let holder = Holder {
        account: WORKLOAD_ACCOUNT.to_owned(),
        project_number: WORKLOAD_PROJECT_NUMBER.to_owned(),
        client_id: WORKLOAD_PROJECT_NUMBER.to_owned(),
        scopes: wanted.unwrap_or_else(|| [scopes::CLOUD_PLATFORM.to_owned()].into()),
        is_service_account_itself: true,
    };
    let seconds = state.auth.switches().access_token_lifetime_seconds;
    let now = state.auth.expiry_time(&state.clock);
    let lifetime = SignedDuration::from_secs(i64::from(seconds));
    let issued = state.auth.tokens().issue_access(holder, None, now, lifetime);
    match issued {
        Ok(token) => json_answer(
            &headers,
            &json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}),
        ),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn json_answer(headers: &HeaderMap, body: &serde_json::Value) -> Response {
    let mut response = plain(headers, &body.to_string());
    if response.status().is_success() {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// The header proves that the caller means the metadata server and was not tricked into calling it.
fn plain(headers: &HeaderMap, text: &str) -> Response {
    if headers.get(FLAVOR) != Some(&GOOGLE) {
        return (
            StatusCode::FORBIDDEN,
            "Missing required header \"Metadata-Flavor\": \"Google\"",
        )
            .into_response();
    }
    let headers = [
        (FLAVOR, GOOGLE),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/text")),
    ];
    (headers, text.to_owned()).into_response()
}
