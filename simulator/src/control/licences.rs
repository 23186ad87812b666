//! The licences of a customer that are left.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::error::ControlError;
use super::extract::{ControlBody, ControlReply};
use crate::state::SimulatorState;

impl SimulatorState {
    /// How many licences of a customer are left; `None` if they never run out.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer.
    pub fn licences(&self, customer_id: &str) -> Result<Option<u32>, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        Ok(tenant.with_fleet(|fleet, _| fleet.licences.available))
    }

    /// Sets how many licences of a customer are left; `None` for any number.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer.
    pub fn set_licences(&self, customer_id: &str, available: Option<u32>) -> Result<(), ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, _| fleet.licences.available = available);
        Ok(())
    }
}

/// `null` for any number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LicencesBody {
    #[serde(deserialize_with = "Option::deserialize")]
    available: Option<u32>,
}

pub(super) async fn show(
    State(state): State<Arc<SimulatorState>>,
    Path(customer): Path<String>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&LicencesBody {
        available: state.licences(&customer)?,
    }))
}

pub(super) async fn change(
    State(state): State<Arc<SimulatorState>>,
    Path(customer): Path<String>,
    ControlBody(body): ControlBody<LicencesBody>,
) -> Result<ControlReply, ControlError> {
    state.set_licences(&customer, body.available)?;
    Ok(ControlReply::ok(&body))
}
