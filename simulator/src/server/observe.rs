//! What happens to every request on its way in and out: the method override, the request log, and the headers
//! that Google's front end adds.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::CONTROL_PREFIX;
use crate::api_error::ApiError;
use crate::faults::Struck;
use crate::request_log::{CallNote, LogEntry, without_secrets};
use crate::state::SimulatorState;

const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// A query which a client moved into a form is not much longer than a URL.
const MAXIMUM_FORM: usize = 256 * 1024;

/// Clients send a `GET` with a long query as `POST` with the query as a form and this header.
pub(super) async fn override_verb(request: Request, next: Next) -> Response {
    let Some(verb) = request
        .headers()
        .get(OVERRIDE)
        .filter(|_| request.method() == Method::POST)
    else {
        return next.run(request).await;
    };
    let Ok(verb) = Method::from_bytes(verb.as_bytes()) else {
        return ApiError::invalid_argument("X-HTTP-Method-Override is not a method.").into_response();
    };
    let (mut parts, body) = request.into_parts();
    parts.method = verb;
    if parts.method != Method::GET || !is_form(&parts.headers) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let Ok(form) = to_bytes(body, MAXIMUM_FORM).await else {
        return ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "uploadTooLarge",
            "The form is too long.",
        )
        .into_response();
    };
    match with_query(&parts.uri, &form) {
        Some(uri) => parts.uri = uri,
        None => return ApiError::invalid_argument("The form is not a query.").into_response(),
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    next.run(Request::from_parts(parts, Body::empty())).await
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

fn with_query(uri: &Uri, form: &[u8]) -> Option<Uri> {
    let form = std::str::from_utf8(form).ok()?;
    let query = match uri.query() {
        Some(query) if !query.is_empty() && !form.is_empty() => format!("{query}&{form}"),
        Some(query) if !query.is_empty() => query.to_owned(),
        Some(_) | None => form.to_owned(),
    };
    let path_and_query = format!("{}?{query}", uri.path());
    Uri::builder().path_and_query(path_and_query).build().ok()
}

/// Writes the request log and adds the usual headers.
pub(super) async fn layer(
    State(state): State<Arc<SimulatorState>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with(CONTROL_PREFIX) {
        return next.run(request).await;
    }
    let begun = Instant::now();
    let verb = request.method().to_string();
    let query = without_secrets(request.uri().query().unwrap_or(""));
    let user_agent = header_text(request.headers(), &header::USER_AGENT);
    let mut response = next.run(request).await;
    let struck = response.extensions().get::<Struck>().copied();
    let call = response
        .extensions()
        .get::<CallNote>()
        .cloned()
        .unwrap_or_default();
    let lost = struck.is_some_and(|struck| struck.lost);
    state.requests.record(LogEntry {
        number: 0,
        time: state.clock.now(),
        verb,
        path,
        query,
        call,
        status: (!lost).then(|| response.status().as_u16()),
        fault: struck.map(|struck| struck.rule),
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        user_agent,
    });
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("ESF"));
    for name in ["Origin", "X-Origin", "Referer"] {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
    response
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned()
}
