//! `POST /batch`: many calls in one request.
//!
//! Every call of a batch runs through the same router as a call of its own, with its own `Authorization` header
//! or, without one, that of the batch. Every answer has its own status; the batch itself is 200.
//!
//! Source: "Directory API: Send batch requests".

mod parse;

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

use crate::api_error::ApiError;
use crate::control::error::ControlError;
use crate::faults::Orders;
use crate::quota::FreeOfQuota;
use crate::server;
use crate::state::SimulatorState;
use parse::{ParseError, Part};

const PATHS: [&str; 2] = ["/batch", "/batch/admin/directory_v1"];
/// How many calls of one batch run at the same time.
const CONCURRENCY: usize = 16;
const MAXIMUM_BODY_BYTES: usize = 64 * 1024 * 1024;

/// How batches behave: `GET` and `PATCH /sim/v1/batch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct BatchSwitches {
    /// The answers come back in another order than the calls.
    shuffle: bool,
    /// A batch costs one unit of quota instead of one for every call. An edition of Google's guide said so; the
    /// general rule is one for every call.
    costs_one_unit: bool,
}

/// What the routes of this file share.
#[derive(Debug, Default)]
struct BatchEndpoint {
    /// A second router of the same state, made with the first batch: the calls pass the same layers as calls of
    /// their own, and no router has to contain itself.
    inner: OnceLock<Router>,
    switches: RwLock<BatchSwitches>,
}

/// The batch endpoint and its control.
pub(crate) fn router() -> Router<Arc<SimulatorState>> {
    let endpoint = Arc::new(BatchEndpoint::default());
    PATHS
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, post(batch)))
        .layer(DefaultBodyLimit::max(MAXIMUM_BODY_BYTES))
        .route("/sim/v1/batch", get(show_switches).patch(change_switches))
        .layer(Extension(endpoint))
}

impl BatchEndpoint {
    fn switches(&self) -> BatchSwitches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn show_switches(Extension(endpoint): Extension<Arc<BatchEndpoint>>) -> Json<BatchSwitches> {
    Json(endpoint.switches())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SwitchesPatch {
    shuffle: Option<bool>,
    costs_one_unit: Option<bool>,
}

async fn change_switches(
    Extension(endpoint): Extension<Arc<BatchEndpoint>>,
    body: Bytes,
) -> Result<Json<BatchSwitches>, ControlError> {
    let patch: SwitchesPatch = serde_json::from_slice(&body)
        .map_err(|error| ControlError::invalid(format!("the body is wrong: {error}")))?;
    let mut switches = endpoint.switches.write().unwrap_or_else(PoisonError::into_inner);
    switches.shuffle = patch.shuffle.unwrap_or(switches.shuffle);
    switches.costs_one_unit = patch.costs_one_unit.unwrap_or(switches.costs_one_unit);
    Ok(Json(*switches))
}

async fn batch(
    State(state): State<Arc<SimulatorState>>,
    Extension(endpoint): Extension<Arc<BatchEndpoint>>,
    orders: Option<Extension<Orders>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let switches = endpoint.switches();
    let inner = endpoint.inner.get_or_init(|| server::assemble(&state));
    let parts = match read(&headers, &body) {
        Ok(parts) => parts,
        Err(error) => {
            return ApiError::new(
                StatusCode::BAD_REQUEST,
                "badRequest",
                format!("Failed to parse batch request, error: {error}"),
            )
            .into_response();
        }
    };
    let orders = orders.map(|Extension(orders)| orders).unwrap_or_default();
    let mut answers: Vec<Vec<u8>> = stream::iter(parts.into_iter().enumerate())
        .map(|(position, mut part)| {
            let content_id = part.content_id.take();
            let mut request = request(&headers, part);
            if switches.costs_one_unit && position > 0 {
                request.extensions_mut().insert(FreeOfQuota);
            }
            // What a fault rule orders for the batch holds for each of its calls.
            request.extensions_mut().insert(orders.clone());
            answer(inner, content_id, request)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await;
    if switches.shuffle {
        answers.shuffle(&mut rand::rng());
    }
    multipart(&answers)
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Part>, ParseError> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let parts = parse::parts(body, &parse::boundary(content_type)?)?;
    match parts.iter().position(|part| PATHS.contains(&part.uri.path())) {
        Some(position) => Err(ParseError::BadPart(
            position + 1,
            "a batch cannot contain a batch",
        )),
        None => Ok(parts),
    }
}

/// Runs one call and writes its part of the answer.
async fn answer(inner: &Router, content_id: Option<String>, request: Request<Body>) -> Vec<u8> {
    let content_id = content_id.as_deref().map(response_id);
    let response = match inner.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let mut text = String::from("Content-Type: application/http\r\n");
    if let Some(content_id) = content_id {
        let _ = write!(text, "Content-ID: {content_id}\r\n");
    }
    let body = axum::body::to_bytes(body, MAXIMUM_BODY_BYTES).await;
    let (status, body) = match body {
        Ok(body) => (head.status, body),
        // The connection of the call broke (a fault that was asked for): the gateway of the batch says so.
        Err(_) => (StatusCode::BAD_GATEWAY, Bytes::from_static(b"Bad Gateway")),
    };
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let _ = write!(text, "\r\nHTTP/1.1 {} {reason}\r\n", status.as_u16());
    for (name, value) in &head.headers {
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            let _ = write!(text, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    let _ = write!(text, "content-length: {}\r\n\r\n", body.len());
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

fn request(outer: &HeaderMap, part: Part) -> Request<Body> {
    let mut request = Request::new(Body::from(part.body));
    *request.method_mut() = part.method;
    *request.uri_mut() = part.uri;
    *request.headers_mut() = part.headers;
    let headers = request.headers_mut();
    // The parts of the answer are text; the whole answer may be compressed.
    headers.remove(header::ACCEPT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    for name in [header::HOST, header::AUTHORIZATION] {
        if (name == header::HOST || !headers.contains_key(&name))
            && let Some(value) = outer.get(&name)
        {
            headers.insert(name, value.clone());
        }
    }
    request
}

/// `<id>` is answered as `<response-id>`.
fn response_id(content_id: &str) -> String {
    match content_id.strip_prefix('<') {
        Some(rest) => format!("<response-{rest}"),
        None => format!("response-{content_id}"),
    }
}

fn multipart(answers: &[Vec<u8>]) -> Response {
    let boundary = format!("batch_{:032x}", rand::random::<u128>());
    let mut body = Vec::with_capacity(answers.iter().map(|answer| answer.len() + 64).sum());
    for answer in answers {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend_from_slice(answer);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}"))
        .unwrap_or_else(|_| HeaderValue::from_static("multipart/mixed"));
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_id_comes_back_marked() {
        assert_eq!(response_id("<a + 1>"), "<response-a + 1>");
        assert_eq!(response_id("item1"), "response-item1");
    }
}
