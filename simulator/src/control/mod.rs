//! The control API `/sim/v1`: what a test or a person does to the fake from behind.
//!
//! Every call is also a method of [`crate::state::SimulatorState`].

pub mod changes;
mod commands;
pub mod devices;
pub mod error;
mod extract;
mod fleet_routes;
mod licences;
mod people;
mod run_routes;
mod tenants;
mod witness;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get, post};

use crate::state::SimulatorState;
use crate::tenant::Tenant;
use error::ControlError;

pub use commands::{CommandFilter, CommandReport, CommandResult};
pub use people::UserPatch;
pub use run_routes::ClockChange;
pub use tenants::TenantReport;

impl SimulatorState {
    /// The customer, or a refusal that names those there are.
    pub(crate) fn require_tenant(&self, customer_id: &str) -> Result<Arc<Tenant>, ControlError> {
        self.find_tenant(customer_id).ok_or_else(|| {
            let tenants = self.tenants();
            let known: Vec<&str> = tenants.iter().map(|tenant| tenant.customer_id()).collect();
            ControlError::not_found(format!(
                "no customer {customer_id}; there are: {}",
                known.join(", ")
            ))
        })
    }
}

/// The routes, without those of `/sim/v1/auth`.
pub(crate) fn router() -> Router<Arc<SimulatorState>> {
    let routes = run().merge(customers()).merge(devices()).merge(commands());
    Router::new().nest("/sim/v1", routes.route("/{*rest}", any(unknown)))
}

/// What is about the whole simulator.
fn run() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/health", get(run_routes::health))
        .route("/clock", get(run_routes::clock).post(run_routes::change_clock))
        .route(
            "/switches",
            get(run_routes::switches)
                .patch(run_routes::change_switches)
                .delete(run_routes::reset_switches),
        )
        .route(
            "/faults",
            get(run_routes::faults)
                .post(run_routes::add_fault)
                .delete(run_routes::clear_faults),
        )
        .route("/faults/{id}", axum::routing::delete(run_routes::remove_fault))
        .route(
            "/quota",
            get(run_routes::quota)
                .patch(run_routes::change_quota)
                .delete(run_routes::reset_quota),
        )
        .route(
            "/requests",
            get(run_routes::requests).delete(run_routes::clear_requests),
        )
        .route("/witness", get(witness::show).delete(witness::clear))
}

/// What is about customers and their accounts.
fn customers() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/tenants", get(tenants::list).post(tenants::add))
        .route("/tenants/{customer}", get(tenants::show))
        .route("/tenants/{customer}/users", get(people::list))
        .route(
            "/tenants/{customer}/users/{user}",
            axum::routing::patch(people::change).delete(people::remove),
        )
        .route(
            "/tenants/{customer}/licences",
            get(licences::show).patch(licences::change),
        )
}

/// What is about devices.
fn devices() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route("/tenants/{customer}/devices", get(fleet_routes::list))
        .route(
            "/tenants/{customer}/devices/{device}",
            get(fleet_routes::show)
                .patch(fleet_routes::change)
                .delete(fleet_routes::remove),
        )
        .route(
            "/tenants/{customer}/devices/{device}/connectivity",
            axum::routing::put(fleet_routes::connectivity),
        )
        .route("/tenants/{customer}/changes", post(fleet_routes::bulk_change))
        .route("/tenants/{customer}/vanish", post(fleet_routes::vanish))
        .route("/tenants/{customer}/restore", post(fleet_routes::restore))
        .route("/tenants/{customer}/truth", get(fleet_routes::truth))
}

/// What is about remote commands.
fn commands() -> Router<Arc<SimulatorState>> {
    Router::new()
        .route(
            "/tenants/{customer}/devices/{device}/command-behaviour",
            get(commands::behaviour)
                .patch(commands::change_behaviour)
                .delete(commands::reset_behaviour),
        )
        .route("/tenants/{customer}/commands", get(commands::list))
        .route(
            "/tenants/{customer}/commands/{command}",
            get(commands::show).patch(commands::change),
        )
        .route(
            "/tenants/{customer}/commands/{command}/cancel",
            post(commands::cancel),
        )
}

async fn unknown(request: Request) -> ControlError {
    ControlError::not_found(format!(
        "no control call {} {}; there are /sim/v1/health, clock, switches, faults, quota, requests, witness, auth, \
         and tenants/{{customer}} with users, devices, commands, licences, changes, vanish, restore and truth (see \
         docs/simulator.md)",
        request.method(),
        request.uri().path()
    ))
}
