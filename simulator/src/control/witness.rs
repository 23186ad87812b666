//! Asking the witness.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde_json::json;

use super::devices::require_slot;
use super::error::ControlError;
use super::extract::{ControlQuery, ControlReply};
use crate::fleet::{Fleet, Slot};
use crate::state::SimulatorState;
use crate::tenant::Tenant;
use crate::witness::{Record, WitnessFilter, WitnessRow};

impl SimulatorState {
    /// What happened to the devices that meet the filter; those to which nothing happened have no row.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn witness(&self, filter: &WitnessFilter) -> Result<Vec<WitnessRow>, ControlError> {
        let mut rows = Vec::new();
        self.for_each_meant(filter, |tenant, device| {
            tenant.with_fleet(|fleet, _| {
                let slots = match device {
                    Some(device) => vec![require_slot(fleet, device)?],
                    None => fleet.witness.slots().collect(),
                };
                rows.extend(slots.into_iter().filter_map(|slot| {
                    let record = fleet.witness.of(slot)?;
                    row(tenant, fleet, slot, record.clone())
                }));
                Ok(())
            })
        })?;
        Ok(rows)
    }

    /// What happened to one device, also if that is nothing.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn witness_of(&self, customer_id: &str, device_id: &str) -> Result<WitnessRow, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.with_fleet(|fleet, _| {
            let slot = require_slot(fleet, device_id)?;
            let record = fleet.witness.of(slot).cloned().unwrap_or_default();
            row(&tenant, fleet, slot, record)
                .ok_or_else(|| ControlError::not_found(format!("no device {device_id}")))
        })
    }

    /// Forgets what happened to the devices that meet the filter.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn clear_witness(&self, filter: &WitnessFilter) -> Result<(), ControlError> {
        self.for_each_meant(filter, |tenant, device| {
            tenant.change_fleet(|fleet, _| {
                let slot = device.map(|device| require_slot(fleet, device)).transpose()?;
                fleet.witness.clear(slot);
                Ok(())
            })
        })
    }

    /// Visits the customers that a filter means. A device has to be in the customer that is named, or in one of
    /// all.
    fn for_each_meant(
        &self,
        filter: &WitnessFilter,
        mut visit: impl FnMut(&Tenant, Option<&str>) -> Result<(), ControlError>,
    ) -> Result<(), ControlError> {
        let device = filter.device.as_deref();
        match (&filter.customer, device) {
            (Some(customer), device) => visit(&*self.require_tenant(customer)?, device),
            (None, None) => self.tenants().iter().try_for_each(|tenant| visit(tenant, None)),
            (None, Some(id)) => {
                let has = |tenant: &&Arc<Tenant>| tenant.with_fleet(|fleet, _| fleet.find_any(id).is_some());
                let tenants = self.tenants();
                let tenant = tenants.iter().find(has);
                let tenant = tenant
                    .ok_or_else(|| ControlError::not_found(format!("no device {id} in any customer")))?;
                visit(tenant, device)
            }
        }
    }
}

fn row(tenant: &Tenant, fleet: &Fleet, slot: Slot, record: Record) -> Option<WitnessRow> {
    let device = fleet.device(slot)?;
    Some(WitnessRow {
        customer_id: tenant.customer_id().to_owned(),
        device_id: device.id.to_string(),
        serial_number: device.serial_number().into_owned(),
        api: record.api,
        control: record.control,
        accepted_commands: record.accepted,
        events: record.events.into(),
        dropped_events: record.dropped,
    })
}

pub(super) async fn show(
    State(state): State<Arc<SimulatorState>>,
    ControlQuery(filter): ControlQuery<WitnessFilter>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&json!({ "devices": state.witness(&filter)? })))
}

pub(super) async fn clear(
    State(state): State<Arc<SimulatorState>>,
    ControlQuery(filter): ControlQuery<WitnessFilter>,
) -> Result<StatusCode, ControlError> {
    state.clear_witness(&filter).map(|()| StatusCode::NO_CONTENT)
}
