//! Makes a request go wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderValue, StatusCode, header};

use super::book::{RequestFacts, Strike};
use super::rule::{Fault, ForbiddenReason};
use crate::api::methods::ApiMethod;
use crate::api::page_token::PageToken;
use crate::api::parameters::Parameters;
use crate::api::route;
use crate::api_error::{ApiError, QuotaMetric};
use crate::html;
use crate::server::{CONTROL_PREFIX, ConnectionControl};
use crate::state::SimulatorState;

/// Answers are kept in memory to be cut; a page of devices is a few megabytes.
const MAXIMUM_ANSWER: usize = 64 * 1024 * 1024;

/// Tells the request log what struck.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Struck {
    pub(crate) rule: u64,
    /// No answer reached the caller.
    pub(crate) lost: bool,
}

/// The layer around every route.
pub(crate) async fn layer(
    State(state): State<Arc<SimulatorState>>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with(CONTROL_PREFIX) {
        return next.run(request).await;
    }
    let strike = strike(&state, &request);
    match strike {
        None => next.run(request).await,
        Some(strike) => act(&state, strike, request, next).await,
    }
}

fn strike(state: &SimulatorState, request: &Request) -> Option<Strike> {
    let path = request.uri().path();
    let route = route::resolve(request.method(), path).ok();
    let api = route.as_ref().map(|route| route.method);
    let facts = RequestFacts {
        verb: request.method().as_str(),
        path,
        api,
        page: (api == Some(ApiMethod::DevicesList))
            .then(|| page(state, request))
            .flatten(),
        now: state.clock.now().as_second(),
    };
    let tenant = || {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("");
        let caller = state.authenticate(request.headers(), host).ok();
        let named = route
            .as_ref()
            .map(|route| route.owner.clone())
            .filter(|owner| owner != "my_customer");
        caller.and_then(|caller| caller.customer_id).or(named)
    };
    state.faults.strike(&facts, tenant)
}

fn page(state: &SimulatorState, request: &Request) -> Option<u32> {
    let parameters = Parameters::parse(request.uri().query().unwrap_or(""));
    match parameters.get("pageToken") {
        None => Some(1),
        Some(token) => PageToken::decode(token, state.config.seed)
            .ok()
            .map(|token| token.page),
    }
}

async fn act(state: &SimulatorState, strike: Strike, request: Request, next: Next) -> Response {
    let control = request.extensions().get::<ConnectionControl>().cloned();
    let token = Parameters::parse(request.uri().query().unwrap_or(""))
        .get("pageToken")
        .map(str::to_owned);
    let needs_answer = matches!(
        strike.fault,
        Fault::TruncatedBody { .. } | Fault::SlowBody { .. } | Fault::Delay { .. }
    );
    if let Fault::Delay { milliseconds } = strike.fault {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let answer = if needs_answer || strike.takes_effect {
        Some(next.run(request).await)
    } else {
        None
    };
    let note = answer
        .as_ref()
        .and_then(|answer| answer.extensions().get::<crate::request_log::CallNote>().cloned());
    let mut lost = false;
    let mut response = match (&strike.fault, answer) {
        (Fault::Delay { .. }, Some(answer)) => answer,
        (Fault::TruncatedBody { keep_percent }, Some(answer)) => truncated(answer, *keep_percent).await,
        (
            Fault::SlowBody {
                chunk_bytes,
                delay_milliseconds,
            },
            Some(answer),
        ) => slow(answer, *chunk_bytes, *delay_milliseconds),
        (Fault::ConnectionReset {}, _) => {
            lost = true;
            reset(control)
        }
        (fault, _) => replacement(fault, &strike, state, token.as_deref()),
    };
    if let Some(note) = note {
        response.extensions_mut().insert(note);
    }
    response.extensions_mut().insert(Struck {
        rule: strike.id,
        lost,
    });
    response
}

/// The answer that stands in for the real one.
fn replacement(fault: &Fault, strike: &Strike, state: &SimulatorState, token: Option<&str>) -> Response {
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

/// Resets the connection. Inner calls of a batch have no connection of their own; they get a 500.
fn reset(control: Option<ConnectionControl>) -> Response {
    match control {
        Some(control) => {
            control.reset();
            Response::new(Body::empty())
        }
        None => ApiError::internal().into_response(),
    }
}

/// Promises the whole body and sends a part of it.
async fn truncated(answer: Response, keep_percent: u8) -> Response {
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
fn slow(answer: Response, chunk_bytes: u32, delay_milliseconds: u64) -> Response {
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
