//! Control of customers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::json;

use super::error::ControlError;
use super::extract::{ControlBody, ControlReply};
use crate::config::TenantConfig;
use crate::state::{SetupError, SimulatorState};
use crate::tenant::Tenant;

/// A customer, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantReport {
    /// `C0…`.
    pub customer_id: String,
    /// Primary domain.
    pub domain: String,
    /// The account to sign in with.
    pub admin_email: String,
    /// Listed devices.
    pub devices: usize,
    /// Listed devices per state.
    pub devices_by_status: BTreeMap<&'static str, usize>,
    /// Organisational units, the root included.
    pub org_units: usize,
}

impl Tenant {
    /// What there is of this customer.
    #[must_use]
    pub fn report(&self) -> TenantReport {
        self.with_fleet(|fleet, _| {
            let mut devices_by_status = BTreeMap::new();
            for (_, device) in fleet.listed() {
                *devices_by_status.entry(device.status.as_str()).or_default() += 1;
            }
            TenantReport {
                customer_id: self.customer_id().to_owned(),
                domain: self.domain().to_owned(),
                admin_email: self.admin_email(),
                devices: fleet.listed_count(),
                devices_by_status,
                org_units: fleet.units.len(),
            }
        })
    }
}

pub(super) async fn list(State(state): State<Arc<SimulatorState>>) -> ControlReply {
    let tenants: Vec<TenantReport> = state.tenants().iter().map(|tenant| tenant.report()).collect();
    ControlReply::ok(&json!({ "tenants": tenants }))
}

pub(super) async fn add(
    State(state): State<Arc<SimulatorState>>,
    ControlBody(config): ControlBody<TenantConfig>,
) -> Result<ControlReply, ControlError> {
    match state.add_tenant(&config) {
        Ok(tenant) => Ok(ControlReply::created(&tenant.report())),
        Err(SetupError::Invalid(error)) => Err(error),
        Err(error @ (SetupError::Clock(_) | SetupError::Key(_))) => Err(ControlError::internal(&error)),
    }
}

pub(super) async fn show(
    State(state): State<Arc<SimulatorState>>,
    Path(customer): Path<String>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.require_tenant(&customer)?.report()))
}
