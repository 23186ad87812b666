//! Answers that stand in for the real one, and the real one spoilt.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use super::book::Strike;
use super::kinds::{Fault, ForbiddenReason};
use super::orders::means;
use crate::api::methods::ApiMethod;
use crate::api_error::{ApiError, QuotaMetric};
use crate::html;
use crate::state::SimulatorState;

/// Answers are kept in memory to be cut; a page of devices is a few megabytes.
const MAXIMUM_ANSWER: usize = 64 * 1024 * 1024;

/// The answer that stands in for the real one.
pub(super) fn replacement(
    fault: &Fault,
    strike: &Strike,
    state: &SimulatorState,
    token: Option<&str>,
) -> Response {
    let retry = |error: ApiError, seconds: Option<u32>| match seconds {
        None => error,
        Some(seconds) => error.with_header(header::RETRY_AFTER, &seconds.to_string()),
    };
    let project = state.config.project_number.to_string();
    let project = project.as_str();
    let error = match fault {
        Fault::Unauthorized {} => ApiError::invalid_credentials(),
        Fault::Forbidden { reason } => forbidden(*reason, project),
        Fault::NotFound {} => ApiError::customer_not_found(),
        Fault::ConditionNotMet { message } => {
            ApiError::condition_not_met(message.as_deref().unwrap_or("Illegal device state transition."))
        }
        Fault::TooManyRequests { retry_after_seconds } => retry(
            ApiError::rate_limited(StatusCode::TOO_MANY_REQUESTS, QuotaMetric::Queries, project),
            *retry_after_seconds,
        ),
        Fault::BadGateway {} => return html::bad_gateway(),
        Fault::Unavailable { retry_after_seconds } => retry(ApiError::unavailable(), *retry_after_seconds),
        Fault::GatewayTimeout {} => ApiError::deadline_exceeded(),
        Fault::PageTokenRejected {} => ApiError::invalid_input(token.unwrap_or("")),
        Fault::PageTokenExpired {} => ApiError::unavailable(),
        Fault::InvalidJson {} => {
            let json = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
            return (
                json,
                "{\"kind\": \"admin#directory#chromeosdevices\", \"chromeosdevices\": [{\"deviceId\": ",
            )
                .into_response();
        }
        Fault::Answer {
            status,
            content_type,
            body,
        } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (
                status,
                [(header::CONTENT_TYPE, content_type.clone())],
                body.clone(),
            )
                .into_response();
        }
        // Those behind the first were handled before this.
        Fault::Internal {}
        | Fault::ConnectionReset {}
        | Fault::ConnectionClosed {}
        | Fault::Hang {}
        | Fault::IncompleteAnswer {}
        | Fault::RowError { .. }
        | Fault::TruncatedBody { .. }
        | Fault::SlowBody { .. }
        | Fault::Delay { .. } => ApiError::internal(),
    };
    error.with_shape(strike.shape).into_response()
}

fn forbidden(reason: ForbiddenReason, project: &str) -> ApiError {
    match reason {
        ForbiddenReason::Forbidden => ApiError::forbidden(),
        ForbiddenReason::InsufficientPermissions => {
            ApiError::insufficient_scopes(ApiMethod::DevicesList.scopes())
        }
        ForbiddenReason::AccessNotConfigured => ApiError::access_not_configured(project),
        ForbiddenReason::DomainCannotUseApis => ApiError::domain_cannot_use_apis(),
        ForbiddenReason::UserRateLimitExceeded => ApiError::user_rate_limited(QuotaMetric::Queries, project),
        ForbiddenReason::RateLimitExceeded => {
            ApiError::rate_limited(StatusCode::FORBIDDEN, QuotaMetric::Queries, project)
        }
        ForbiddenReason::QuotaExceeded => ApiError::quota_exceeded(),
        ForbiddenReason::DailyLimitExceeded => ApiError::daily_limit_exceeded(),
    }
}

/// Promises the whole body and sends a part of it.
pub(super) async fn truncated(answer: Response, keep_percent: u8) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = to_bytes(body, MAXIMUM_ANSWER).await.unwrap_or_default();
    let promised = bytes.len().max(1);
    let kept = bytes.slice(..bytes.len() * usize::from(keep_percent) / 100);
    let first = futures::stream::iter((!kept.is_empty()).then_some(Ok::<Bytes, std::io::Error>(kept)));
    let broken = futures::stream::once(async {
        // Lets the part before it leave the machine first.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut off by a fault rule"))
    });
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    Response::from_parts(parts, Body::from_stream(first.chain(broken)))
}

/// Sends the body in small steps.
pub(super) fn slow(answer: Response, chunk_bytes: u32, delay_milliseconds: u64) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let chunk = usize::try_from(chunk_bytes).unwrap_or(1);
    let stream =
        futures::stream::once(async move { to_bytes(body, MAXIMUM_ANSWER).await.unwrap_or_default() })
            .flat_map(move |bytes| {
                let steps = bytes.len().div_ceil(chunk);
                futures::stream::iter(
                    (0..steps)
                        .map(move |step| bytes.slice(step * chunk..bytes.len().min((step + 1) * chunk))),
                )
            })
            .then(move |piece| async move {
                tokio::time::sleep(Duration::from_millis(delay_milliseconds)).await;
                Ok::<Bytes, std::io::Error>(piece)
            });
    Response::from_parts(parts, Body::from_stream(stream))
}

/// Takes out what was asked for: the id of a command, the rows of these devices. Refusals stay as they are.
pub(super) async fn incomplete(answer: Response, devices: &[String]) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let bytes = to_bytes(body, MAXIMUM_ANSWER).await.unwrap_or_default();
    let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.remove("commandId");
        if let Some(Value::Array(rows)) = fields.get_mut("changeChromeOsDeviceStatusResults") {
            rows.retain(|row| !row["deviceId"].as_str().is_some_and(|id| means(devices, id)));
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(format!("{value:#}\n")))
}
