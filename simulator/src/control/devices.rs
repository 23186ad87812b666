//! Looking at single devices and changing them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::mask::DeviceMask;
use crate::control::changes::no_org_unit;
use crate::control::error::ControlError;
use crate::device::render::{DeviceView, Surroundings};
use crate::device::{Device, DeviceStatus, Mode, Presence, Text};
use crate::fleet::{Fleet, Slot};
use crate::state::SimulatorState;
use crate::witness::Cause;

/// Most rows of one answer of the device list.
const MAXIMUM_ROWS: usize = 10_000;

/// What is true of one device: enough for a checker to know what any client should have found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthRow {
    /// Id at Google.
    pub device_id: String,
    /// Serial number.
    pub serial_number: String,
    /// State.
    pub status: DeviceStatus,
    /// Path of the organisational unit.
    pub org_unit_path: String,
    /// Its id, without prefix.
    pub org_unit_id: String,
    /// As set or invented; none if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotated_user: Option<String>,
    /// As set or invented; none if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotated_location: Option<String>,
    /// As set or invented; none if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotated_asset_id: Option<String>,
    /// As set or invented; none if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Name of the model.
    pub model: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Last contact, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_seconds: Option<i64>,
    /// Last enrolment, in seconds since 1970; 0 if it never was.
    pub last_enrolled_seconds: i64,
    /// Counts the changes of this record.
    pub revision: u32,
    /// False for a vanished record.
    pub listed: bool,
    /// Whether Google can reach it now.
    pub online: bool,
    /// What it is used for.
    pub mode: DeviceMode,
}

/// What a device is used for; decides which remote commands it can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceMode {
    /// People sign in with their accounts.
    UserSession,
    /// Runs one application on its own.
    Kiosk,
    /// Managed guest sessions.
    ManagedGuest,
}

/// One device with everything that the API would answer, and what it does not tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceReport {
    /// The facts.
    pub truth: TruthRow,
    /// The `FULL` projection.
    pub full: Value,
}

/// A change of one device; what is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DevicePatch {
    /// An empty text clears it.
    pub annotated_user: Option<String>,
    /// An empty text clears it.
    pub annotated_location: Option<String>,
    /// An empty text clears it.
    pub annotated_asset_id: Option<String>,
    /// An empty text clears it.
    pub notes: Option<String>,
    /// Another serial number, for odd or double ones.
    pub serial_number: Option<String>,
    /// Path or id of the organisational unit.
    pub org_unit_path: Option<String>,
    /// State.
    pub status: Option<DeviceStatus>,
    /// What it is used for.
    pub mode: Option<DeviceMode>,
    /// Switched off (true) or on (false).
    pub silent: Option<bool>,
    /// Contacts Google now.
    pub sync: Option<bool>,
    /// Gone from every answer (true) or back (false).
    pub vanished: Option<bool>,
    /// Fields of the answer set literally, whatever they hold; `null` leaves a field out. An empty object takes
    /// all literal fields back.
    pub raw: Option<Map<String, Value>>,
}

impl SimulatorState {
    /// Every record of a customer, vanished ones too, from `offset` on.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer.
    pub fn truth(
        &self,
        customer_id: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<TruthRow>, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        Ok(tenant.with_fleet(|fleet, now| {
            let surroundings = fleet.surroundings(now.as_second());
            let slots = fleet.slots().skip(offset).take(limit.min(MAXIMUM_ROWS));
            slots
                .filter_map(|slot| fleet.device(slot))
                .map(|device| truth_row(device, surroundings))
                .collect()
        }))
    }

    /// One device.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn device(&self, customer_id: &str, device_id: &str) -> Result<DeviceReport, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.with_fleet(|fleet, now| {
            let device = require_slot(fleet, device_id)
                .and_then(|slot| fleet.device(slot).ok_or_else(|| no_device(device_id)))?;
            let surroundings = fleet.surroundings(now.as_second());
            let full = serde_json::to_value(DeviceView {
                device,
                surroundings,
                mask: &DeviceMask::full(),
            });
            Ok(DeviceReport {
                truth: truth_row(device, surroundings),
                full: full.map_err(|error| ControlError::internal(&error))?,
            })
        })
    }

    /// Changes one device.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer, device or organisational unit.
    pub fn patch_device(
        &self,
        customer_id: &str,
        device_id: &str,
        patch: &DevicePatch,
    ) -> Result<(), ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, now| {
            let slot = require_slot(fleet, device_id)?;
            let unit = match patch.org_unit_path.as_deref() {
                None => None,
                Some(wanted) => Some(fleet.units.find(wanted).ok_or_else(|| no_org_unit(wanted))?.key),
            };
            let cause = Cause::control(now);
            fleet.change(slot, &cause, |device| {
                device.org_unit = unit.unwrap_or(device.org_unit);
                patch.apply(device, cause.second());
            });
            if patch.sync == Some(true) {
                fleet.called(slot, now);
            }
            Ok(())
        })
    }
}

impl SimulatorState {
    /// Switches a device on or off, and returns whether Google can reach it now: one that is released or vanished
    /// stays unreachable.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn set_connectivity(
        &self,
        customer_id: &str,
        device_id: &str,
        online: bool,
    ) -> Result<bool, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, now| {
            let slot = require_slot(fleet, device_id)?;
            let cause = Cause::control(now);
            fleet.change(slot, &cause, |device| {
                device.contact.switch(online, cause.second());
            });
            Ok(fleet
                .device(slot)
                .is_some_and(|device| device.is_online(cause.second())))
        })
    }
}

impl DevicePatch {
    fn apply(&self, device: &mut Device, now: i64) {
        let annotations = [
            (Text::AnnotatedUser, &self.annotated_user),
            (Text::AnnotatedLocation, &self.annotated_location),
            (Text::AnnotatedAssetId, &self.annotated_asset_id),
            (Text::Notes, &self.notes),
            (Text::SerialNumber, &self.serial_number),
        ];
        for (text, value) in annotations {
            if let Some(new) = value {
                device.edit(text, new);
            }
        }
        if let Some(status) = self.status {
            device.set_status(status, now);
        }
        if let Some(mode) = self.mode {
            device.mode = mode.into();
        }
        if let Some(silent) = self.silent {
            device.contact.switch(!silent, now);
        }
        if self.sync == Some(true) {
            device.contact.extra = now;
        }
        match self.vanished {
            Some(true) => device.presence = Presence::Vanished,
            Some(false) => device.presence = Presence::Listed,
            None => {}
        }
        match &self.raw {
            Some(raw) if raw.is_empty() => device.clear_raw(),
            Some(raw) => device.set_raw(raw.clone()),
            None => {}
        }
    }
}

pub(super) fn require_slot(fleet: &Fleet, device_id: &str) -> Result<Slot, ControlError> {
    fleet.find_any(device_id).ok_or_else(|| no_device(device_id))
}

fn no_device(device_id: &str) -> ControlError {
    ControlError::not_found(format!("no device {device_id}"))
}

/// The facts of one device.
pub(crate) fn truth_row(device: &Device, surroundings: Surroundings<'_>) -> TruthRow {
    let unit = surroundings.units.get(device.org_unit);
    TruthRow {
        device_id: device.id.to_string(),
        serial_number: device.serial_number().into_owned(),
        status: device.status,
        org_unit_path: unit.map(|unit| unit.path.clone()).unwrap_or_default(),
        org_unit_id: unit.map(|unit| unit.bare_id.clone()).unwrap_or_default(),
        annotated_user: device.annotated_user(surroundings.domain),
        annotated_location: device.annotated_location(),
        annotated_asset_id: device.annotated_asset_id(),
        notes: device.notes(),
        model: device.model().name.to_owned(),
        os_version: device.os.text(),
        last_sync_seconds: device.last_contact(surroundings.now).map(|contact| contact.at),
        last_enrolled_seconds: device.last_enrolled,
        revision: device.revision,
        listed: device.presence == Presence::Listed,
        online: device.is_online(surroundings.now),
        mode: device.mode.into(),
    }
}

impl From<Mode> for DeviceMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::UserSession => Self::UserSession,
            Mode::Kiosk => Self::Kiosk,
            Mode::ManagedGuest => Self::ManagedGuest,
        }
    }
}

impl From<DeviceMode> for Mode {
    fn from(mode: DeviceMode) -> Self {
        match mode {
            DeviceMode::UserSession => Self::UserSession,
            DeviceMode::Kiosk => Self::Kiosk,
            DeviceMode::ManagedGuest => Self::ManagedGuest,
        }
    }
}
