//! The Directory API: from a request to its answer.

pub(crate) mod call;
mod commands_get;
mod devices_get;
mod devices_list;
pub(crate) mod listing;
pub(crate) mod mask;
pub mod methods;
mod org_units;
pub(crate) mod page_token;
pub(crate) mod parameters;
mod people;
pub(crate) mod query;
pub(crate) mod route;
mod writes;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::api_error::ApiError;
use crate::auth::Caller;
use crate::html;
use crate::request_log::CallNote;
use crate::state::SimulatorState;
use call::{Call, Reply};
use methods::ApiMethod;
use parameters::Parameters;
use route::NoRoute;
use writes::WriteRequest;

/// The routes of the API.
pub(crate) fn router() -> Router<Arc<SimulatorState>> {
    Router::new().route("/admin/directory/v1/{*path}", any(serve))
}

async fn serve(State(state): State<Arc<SimulatorState>>, request: Request) -> Response {
    let route = match route::resolve(request.method(), request.uri().path()) {
        Ok(route) => route,
        Err(NoRoute::UnknownPath) => return html::not_found(request.uri().path()),
        Err(NoRoute::WrongVerb) => return html::method_not_allowed(request.method()),
    };
    let mut note = CallNote {
        api: Some(route.method),
        ..CallNote::default()
    };
    let pretty = Parameters::parse(request.uri().query().unwrap_or("")).pretty();
    let outcome = match Call::read(route, request).await {
        Ok(call) => answer(&state, &call, &mut note).await,
        Err(error) => Err(error),
    };
    let mut response = match outcome {
        Ok(reply) => reply.into_response(),
        Err(error) => {
            note.reason = Some(error.reason().to_owned());
            error.response(pretty)
        }
    };
    response.extensions_mut().insert(note);
    response
}

/// Checks who calls, what it costs and whether it is allowed, in the order in which Google's front end does.
async fn answer(state: &SimulatorState, call: &Call, note: &mut CallNote) -> Result<Reply, ApiError> {
    let method = call.route.method;
    let caller = state.authenticate(&call.headers, &call.host)?;
    note.account = Some(caller.account.clone());
    note.customer.clone_from(&caller.customer_id);
    note.project = Some(caller.project.clone());
    note.scopes = caller.scopes.iter().cloned().collect();
    let _running = state
        .quota
        .enter(&caller.account, caller.customer_id.as_deref())?;
    if !call.free_of_quota {
        let now = state.clock.now().as_second();
        state
            .quota
            .charge(&caller.project, &caller.account, method.is_device_write(), now)?;
        note.quota_units = 1;
    }
    caller
        .require_any_scope(method.scopes())
        .map_err(|error| error.of_method(method.id()))?;
    let privileges = state.privileges_of(&caller)?;
    let without_apis = |customer: &String| state.switches().domain_without_apis.contains(customer);
    if caller.customer_id.as_ref().is_some_and(without_apis) {
        return Err(ApiError::domain_cannot_use_apis());
    }
    if !method.is_allowed_by(privileges) {
        return Err(ApiError::forbidden());
    }
    dispatch(state, call, &caller, note).await
}

async fn dispatch(
    state: &SimulatorState,
    call: &Call,
    caller: &Caller,
    note: &mut CallNote,
) -> Result<Reply, ApiError> {
    let method = call.route.method;
    let customer = caller.customer_id.as_deref();
    if method == ApiMethod::UsersGet {
        return people::user(state, call, customer);
    }
    let tenant = call.tenant(state, customer)?;
    let request = WriteRequest {
        state,
        tenant: &tenant,
        call,
        account: &caller.account,
    };
    match method {
        ApiMethod::DevicesList => devices_list::list(state, &tenant, call, note).await,
        ApiMethod::DevicesGet => devices_get::get(state, &tenant, call),
        ApiMethod::CountDevices => devices_list::count(state, &tenant, call),
        ApiMethod::OrgUnitsList => org_units::list(&tenant, call),
        ApiMethod::OrgUnitsGet => org_units::get(&tenant, call),
        ApiMethod::CustomersGet => people::customer(&tenant, call),
        ApiMethod::UsersGet => people::user(state, call, customer),
        ApiMethod::DevicesPatch | ApiMethod::DevicesUpdate => writes::patch(&request),
        ApiMethod::DevicesMove => writes::move_devices(&request),
        ApiMethod::DevicesAction => writes::action(&request),
        ApiMethod::BatchChangeStatus => writes::batch_change_status(&request),
        ApiMethod::IssueCommand => writes::issue_command(&request),
        ApiMethod::CommandsGet => commands_get::get(&tenant, call),
        ApiMethod::OrgUnitsInsert
        | ApiMethod::OrgUnitsUpdate
        | ApiMethod::OrgUnitsPatch
        | ApiMethod::OrgUnitsDelete => Err(ApiError::not_simulated(method.id())),
    }
}
