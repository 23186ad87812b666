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
use crate::request_log::{CallNote, HeldBack, LogEntry, RequestNumber, without_secrets};
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
    mut request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with(CONTROL_PREFIX) {
        return next.run(request).await;
    }
    let number = state.requests.next_number();
    let mut observation = Observation::of(state, number, &request);
    request.extensions_mut().insert(number);
    request.extensions_mut().insert(observation.held_back.clone());
    let mut response = next.run(request).await;
    observation.answered(&response);
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("ESF"));
    for name in ["Origin", "X-Origin", "Referer"] {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
    response
}

/// A request that is going on. It enters the log when this is dropped: also if the client has gone away before there
/// was an answer.
struct Observation {
    state: Arc<SimulatorState>,
    begun: Instant,
    held_back: HeldBack,
    entry: Option<LogEntry>,
}

impl Observation {
    fn of(state: Arc<SimulatorState>, number: RequestNumber, request: &Request) -> Self {
        let entry = LogEntry {
            number: number.0,
            time: state.clock.now(),
            verb: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: without_secrets(request.uri().query().unwrap_or("")),
            call: CallNote::default(),
            status: None,
            fault: None,
            milliseconds: 0,
            user_agent: header_text(request.headers(), &header::USER_AGENT),
        };
        Self {
            state,
            begun: Instant::now(),
            held_back: HeldBack::default(),
            entry: Some(entry),
        }
    }

    fn answered(&mut self, response: &Response) {
        let Some(entry) = &mut self.entry else { return };
        let struck = response.extensions().get::<Struck>();
        let lost = struck.is_some_and(|struck| struck.lost);
        entry.status = (!lost).then(|| response.status().as_u16());
        entry.fault = struck.map(|struck| struck.rule);
        if let Some(call) = response.extensions().get::<CallNote>() {
            entry.call = call.clone();
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let Some(mut entry) = self.entry.take() else {
            return;
        };
        if let Some((struck, call)) = self.held_back.told() {
            (entry.fault, entry.call) = (Some(struck.rule), call);
        }
        entry.time = self.state.clock.now();
        entry.milliseconds = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.state.requests.record(entry);
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned()
}
