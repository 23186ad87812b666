//! Makes a request go wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;

use super::answer::{incomplete, replacement, slow, truncated};
use super::book::{RequestFacts, Strike};
use super::kinds::Fault;
use crate::api::call::MAXIMUM_BODY;
use crate::api::methods::ApiMethod;
use crate::api::page_token::PageToken;
use crate::api::parameters::Parameters;
use crate::api::route::{self, Route};
use crate::api_error::ApiError;
use crate::request_log::{CallNote, HeldBack};
use crate::server::{Break, CONTROL_PREFIX, ConnectionControl};
use crate::state::SimulatorState;

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
    let (strike, request) = strike(&state, request).await;
    match strike {
        None => next.run(request).await,
        Some(strike) => act(&state, strike, request, next).await,
    }
}

async fn strike(state: &SimulatorState, request: Request) -> (Option<Strike>, Request) {
    let route = route::resolve(request.method(), request.uri().path()).ok();
    let (devices, request) = match &route {
        Some(route) if state.faults.asks_for_devices() => devices(route, request).await,
        Some(_) | None => (Vec::new(), request),
    };
    let api = route.as_ref().map(|route| route.method);
    let facts = RequestFacts {
        verb: request.method().as_str(),
        path: request.uri().path(),
        api,
        page: (api == Some(ApiMethod::DevicesList))
            .then(|| page(state, &request))
            .flatten(),
        devices: &devices,
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
    (state.faults.strike(&facts, tenant), request)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NamedDevices {
    device_ids: Vec<String>,
}

/// The devices that a request is about. Some methods name them in the body, which has to be read for that.
async fn devices(route: &Route, request: Request) -> (Vec<String>, Request) {
    match route.method {
        ApiMethod::DevicesMove | ApiMethod::BatchChangeStatus => {
            let (parts, body) = request.into_parts();
            // A body that is too long or broken names nobody; the method will refuse it.
            let bytes = to_bytes(body, MAXIMUM_BODY).await.unwrap_or_default();
            let named: NamedDevices = serde_json::from_slice(&bytes).unwrap_or_default();
            (named.device_ids, Request::from_parts(parts, Body::from(bytes)))
        }
        ApiMethod::DevicesGet
        | ApiMethod::DevicesPatch
        | ApiMethod::DevicesUpdate
        | ApiMethod::DevicesAction
        | ApiMethod::IssueCommand
        | ApiMethod::CommandsGet => (vec![route.resource.clone()], request),
        ApiMethod::DevicesList
        | ApiMethod::CountDevices
        | ApiMethod::OrgUnitsList
        | ApiMethod::OrgUnitsGet
        | ApiMethod::OrgUnitsInsert
        | ApiMethod::OrgUnitsUpdate
        | ApiMethod::OrgUnitsPatch
        | ApiMethod::OrgUnitsDelete
        | ApiMethod::UsersGet
        | ApiMethod::CustomersGet => (Vec::new(), request),
    }
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
    let held_back = request.extensions().get::<HeldBack>().cloned();
    let token = Parameters::parse(request.uri().query().unwrap_or(""))
        .get("pageToken")
        .map(str::to_owned);
    let answer = make_the_call(&strike, request, next).await;
    let note = answer
        .as_ref()
        .and_then(|answer| answer.extensions().get::<CallNote>().cloned());
    let struck = |lost| Struck {
        rule: strike.id,
        lost,
    };
    let (mut response, lost) = match (&strike.fault, answer) {
        (Fault::Delay { .. } | Fault::RowError { .. }, Some(answer)) => (answer, false),
        (Fault::TruncatedBody { keep_percent }, Some(answer)) => {
            (truncated(answer, *keep_percent).await, false)
        }
        (
            Fault::SlowBody {
                chunk_bytes,
                delay_milliseconds,
            },
            Some(answer),
        ) => (slow(answer, *chunk_bytes, *delay_milliseconds), false),
        (Fault::IncompleteAnswer {}, Some(answer)) => (incomplete(answer, &strike.devices).await, false),
        (Fault::ConnectionReset {}, _) => (without_answer(control, Break::Reset), true),
        (Fault::ConnectionClosed {}, _) => (without_answer(control, Break::Close), true),
        (Fault::Hang {}, _) => {
            if let Some(held_back) = held_back {
                held_back.tell(struck(true), note.clone().unwrap_or_default());
            }
            std::future::pending().await
        }
        (fault, _) => (replacement(fault, &strike, state, token.as_deref()), false),
    };
    if let Some(note) = note {
        response.extensions_mut().insert(note);
    }
    response.extensions_mut().insert(struck(lost));
    response
}

/// Lets the method answer, if the fault wants that, with the orders of the rule.
async fn make_the_call(strike: &Strike, mut request: Request, next: Next) -> Option<Response> {
    if let Fault::Delay { milliseconds } = strike.fault {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if strike.makes_the_call() {
        request.extensions_mut().insert(strike.orders());
        if strike.fault == (Fault::IncompleteAnswer {}) {
            request.headers_mut().remove(header::ACCEPT_ENCODING);
        }
        return Some(next.run(request).await);
    }
    if strike.fault == (Fault::Hang {}) {
        // Only who has read the whole request notices that the client gives up.
        let _ = to_bytes(request.into_body(), usize::MAX).await;
    }
    None
}

/// Breaks the connection. Inner calls of a batch have no connection of their own; they get a 500.
fn without_answer(control: Option<ConnectionControl>, how: Break) -> Response {
    match control {
        Some(control) => {
            control.order(how);
            Response::new(Body::empty())
        }
        None => ApiError::internal().into_response(),
    }
}
