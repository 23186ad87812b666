//! One ChromeOS device: what is stored of it and what is drawn from its seed whenever it is asked for.
//!
//! A stored device takes about 120 bytes, so that 200,000 of them fit into a few ten megabytes. Text that an
//! administrator wrote is stored only once it differs from what the generator invented.

pub(crate) mod ageing;
pub(crate) mod fields;
pub(crate) mod identity;
pub(crate) mod render;
mod reports;
mod status;
mod traces;

use serde_json::{Map, Value};

use crate::fleet::catalogue::{MODELS, Model, OsVersion};
use crate::fleet::org_units::UnitKey;
use crate::random::Draw;

pub(crate) use identity::DeviceId;
pub use status::{DeprovisionReason, DeviceStatus};
pub(crate) use traces::FileKind;

/// What a device is used for; decides which remote commands it can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// People sign in with their accounts.
    UserSession,
    /// Runs one application on its own.
    Kiosk,
    /// Managed guest sessions.
    ManagedGuest,
}

/// One record of a device at Google: one enrolment of one piece of hardware.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    /// Seed of everything that is soldered in. Two records with the same one are the same machine.
    pub(crate) hardware: u64,
    /// Which machine of the fleet this is; part of the serial number, so that it is unique.
    pub(crate) machine: u32,
    /// Seed of everything that belongs to this enrolment.
    pub(crate) enrolment: u64,
    pub(crate) model: u8,
    pub(crate) os: OsVersion,
    pub(crate) mode: Mode,
    pub(crate) status: DeviceStatus,
    pub(crate) deprovision_reason: Option<DeprovisionReason>,
    pub(crate) org_unit: UnitKey,
    /// Seconds since 1970.
    pub(crate) first_enrolled: i64,
    /// Seconds since 1970.
    pub(crate) last_enrolled: i64,
    /// Seconds since 1970.
    pub(crate) deprovisioned: Option<i64>,
    pub(crate) contact: ageing::Contact,
    /// Counts the changes that were made to this record; part of its etag.
    pub(crate) revision: u32,
    pub(crate) presence: Presence,
    edits: Option<Box<Edits>>,
}

/// Whether Google still knows the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Listed,
    /// Taken away by the control API; can be restored.
    Vanished,
}

/// What differs from the generated device.
#[derive(Debug, Clone, Default)]
struct Edits {
    annotated_user: Option<Box<str>>,
    annotated_location: Option<Box<str>>,
    annotated_asset_id: Option<Box<str>>,
    notes: Option<Box<str>>,
    serial_number: Option<Box<str>>,
    /// Fields of the answer set literally, `null` to leave one out.
    raw: Map<String, Value>,
    traces: traces::Traces,
}

/// A text of a device that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    AnnotatedUser,
    AnnotatedLocation,
    AnnotatedAssetId,
    Notes,
    SerialNumber,
}

impl Device {
    /// A device without any edits.
    pub(crate) fn new(id: DeviceId, machine: u32, hardware: u64, enrolment: u64) -> Self {
        Self {
            id,
            hardware,
            machine,
            enrolment,
            model: 0,
            os: OsVersion {
                milestone: 138,
                update: 0,
            },
            mode: Mode::UserSession,
            status: DeviceStatus::Active,
            deprovision_reason: None,
            org_unit: UnitKey::ROOT,
            first_enrolled: 0,
            last_enrolled: 0,
            deprovisioned: None,
            contact: ageing::Contact::default(),
            revision: 1,
            presence: Presence::Listed,
            edits: None,
        }
    }

    /// Draws that belong to the hardware.
    pub(crate) fn hardware_draw(&self, label: &str) -> Draw {
        Draw::new(self.hardware).of(label)
    }

    /// Draws that belong to this enrolment.
    pub(crate) fn enrolment_draw(&self, label: &str) -> Draw {
        Draw::new(self.enrolment).of(label)
    }

    pub(crate) fn model(&self) -> &'static Model {
        // The table is not empty and the index is drawn from it; another one shows the first model.
        MODELS.get(usize::from(self.model)).unwrap_or(&MODELS[0])
    }

    /// The edited text, if it was edited; an empty one means that it was cleared.
    pub(crate) fn edited(&self, text: Text) -> Option<&str> {
        let edits = self.edits.as_deref()?;
        match text {
            Text::AnnotatedUser => edits.annotated_user.as_deref(),
            Text::AnnotatedLocation => edits.annotated_location.as_deref(),
            Text::AnnotatedAssetId => edits.annotated_asset_id.as_deref(),
            Text::Notes => edits.notes.as_deref(),
            Text::SerialNumber => edits.serial_number.as_deref(),
        }
    }

    /// Replaces a text; the caller counts the revision.
    pub(crate) fn edit(&mut self, text: Text, value: &str) {
        let edits = self.edits.get_or_insert_default();
        let slot = match text {
            Text::AnnotatedUser => &mut edits.annotated_user,
            Text::AnnotatedLocation => &mut edits.annotated_location,
            Text::AnnotatedAssetId => &mut edits.annotated_asset_id,
            Text::Notes => &mut edits.notes,
            Text::SerialNumber => &mut edits.serial_number,
        };
        *slot = Some(value.into());
    }

    fn traces(&self) -> Option<&traces::Traces> {
        self.edits.as_deref().map(|edits| &edits.traces)
    }

    fn traces_mut(&mut self) -> &mut traces::Traces {
        &mut self.edits.get_or_insert_default().traces
    }

    /// Fields of the answer that are set literally.
    pub(crate) fn raw(&self) -> Option<&Map<String, Value>> {
        self.edits
            .as_deref()
            .map(|edits| &edits.raw)
            .filter(|raw| !raw.is_empty())
    }

    /// Sets fields of the answer literally; `null` leaves the field out.
    pub(crate) fn set_raw(&mut self, fields: Map<String, Value>) {
        self.edits.get_or_insert_default().raw.extend(fields);
    }

    /// Forgets literal fields.
    pub(crate) fn clear_raw(&mut self) {
        if let Some(edits) = self.edits.as_deref_mut() {
            edits.raw.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_device_stays_small() {
        assert!(size_of::<Device>() <= 144, "{}", size_of::<Device>());
    }
}
