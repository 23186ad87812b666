//! The router and the layers around it.

mod connection;
mod observe;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use http::Uri;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

pub(crate) use connection::{Break, ConnectionControl, RunningServer};

use crate::state::SimulatorState;
use crate::{api, auth, batch, control, discovery, faults, html};

/// Paths of the control API; faults, logs and quotas do not touch them.
pub(crate) const CONTROL_PREFIX: &str = "/sim/v1";

/// Every route of the simulator as a tower service. The batch endpoint dispatches its inner requests through
/// it.
pub fn assemble(state: &Arc<SimulatorState>) -> Router {
    Router::new()
        .merge(api::router())
        .merge(auth::router())
        .merge(batch::router())
        .merge(discovery::router())
        .merge(control::router())
        .nest("/sim/v1/auth", auth::control_router())
        .fallback(unknown)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(Arc::clone(state), faults::layer))
        .layer(from_fn_with_state(Arc::clone(state), observe::layer))
        .layer(from_fn(observe::override_verb))
        .with_state(Arc::clone(state))
}

async fn unknown(uri: Uri) -> Response {
    html::not_found(uri.path())
}
