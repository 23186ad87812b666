//! Changes of many devices at once: which ones is drawn from a seed, so that a test can be repeated.

use serde::{Deserialize, Serialize};

use crate::control::error::ControlError;
use crate::device::ageing::Contact;
use crate::device::{Device, DeviceId, DeviceStatus, Presence, Text};
use crate::fleet::org_units::UnitKey;
use crate::fleet::{Fleet, Slot};
use crate::random::Draw;
use crate::state::SimulatorState;
use crate::tenant::Tenant;
use crate::witness::{Cause, WitnessKind};

/// A change of some devices of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkChange {
    /// What changes.
    pub change: ChangeKind,
    /// This share of the devices, 0 to 100 …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// … or so many …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// … or these. Exactly one of the three must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_ids: Option<Vec<String>>,
    /// Which devices are drawn, and the values that are invented.
    #[serde(default)]
    pub seed: u64,
    /// The new value: a text, the path of an organisational unit, or a state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What a bulk change does to each of its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// Writes `notes` (`to`, or an invented text).
    Notes,
    /// Writes `annotatedUser`.
    AnnotatedUser,
    /// Writes `annotatedLocation`.
    AnnotatedLocation,
    /// Writes `annotatedAssetId`.
    AnnotatedAssetId,
    /// Moves to the organisational unit `to`, or each device to another one.
    OrgUnit,
    /// Updates the operating system by one milestone.
    OsVersion,
    /// Sets the state `to`, for example `DISABLED`.
    Status,
    /// Contacts Google now, out of turn.
    Sync,
    /// Is switched off: no more contacts.
    Silence,
    /// Is switched on again.
    Wake,
    /// The same machine enrols again: a new record, the old one is released.
    ReEnrol,
    /// The record is gone from every answer.
    Vanish,
    /// A vanished record is back.
    Restore,
}

/// What a bulk change did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReport {
    /// How many devices were changed.
    pub changed: usize,
    /// Which ones.
    pub device_ids: Vec<String>,
    /// The records that were made by `reEnrol`, in the same order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_device_ids: Vec<String>,
}

impl BulkChange {
    /// A change of a share of the devices.
    #[must_use]
    pub fn percent(change: ChangeKind, percent: f64, seed: u64) -> Self {
        Self {
            percent: Some(percent),
            ..Self::new(change, seed)
        }
    }

    /// A change of so many devices.
    #[must_use]
    pub fn count(change: ChangeKind, count: u32, seed: u64) -> Self {
        Self {
            count: Some(count),
            ..Self::new(change, seed)
        }
    }

    /// A change of these devices.
    #[must_use]
    pub fn of(change: ChangeKind, device_ids: Vec<String>) -> Self {
        Self {
            device_ids: Some(device_ids),
            ..Self::new(change, 0)
        }
    }

    /// The same change with this value.
    #[must_use]
    pub fn to(mut self, value: impl Into<String>) -> Self {
        self.to = Some(value.into());
        self
    }

    fn new(change: ChangeKind, seed: u64) -> Self {
        Self {
            change,
            percent: None,
            count: None,
            device_ids: None,
            seed,
            to: None,
        }
    }

    /// Checks what can be checked without a customer.
    ///
    /// # Errors
    /// [`ControlError`] that names the field.
    pub fn check(&self) -> Result<(), ControlError> {
        let selections = [
            self.percent.is_some(),
            self.count.is_some(),
            self.device_ids.is_some(),
        ];
        if selections.iter().filter(|given| **given).count() != 1 {
            return Err(ControlError::invalid(
                "exactly one of percent, count and deviceIds must be given",
            ));
        }
        if self
            .percent
            .is_some_and(|percent| !(0.0..=100.0).contains(&percent))
        {
            return Err(ControlError::invalid("percent: 0 to 100"));
        }
        match self.change {
            ChangeKind::Status => self.status().map(|_| ()),
            ChangeKind::Notes
            | ChangeKind::AnnotatedUser
            | ChangeKind::AnnotatedLocation
            | ChangeKind::AnnotatedAssetId
            | ChangeKind::OrgUnit => Ok(()),
            ChangeKind::OsVersion
            | ChangeKind::Sync
            | ChangeKind::Silence
            | ChangeKind::Wake
            | ChangeKind::ReEnrol
            | ChangeKind::Vanish
            | ChangeKind::Restore => match self.to {
                None => Ok(()),
                Some(_) => Err(ControlError::invalid("to: only for texts, orgUnit and status")),
            },
        }
    }

    fn status(&self) -> Result<DeviceStatus, ControlError> {
        let wanted = self.to.as_deref().unwrap_or("");
        DeviceStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == wanted)
            .ok_or_else(|| {
                let allowed: Vec<&str> = DeviceStatus::ALL.iter().map(|status| status.as_str()).collect();
                ControlError::invalid(format!("to: one of {}", allowed.join(", ")))
            })
    }
}

impl SimulatorState {
    /// Changes devices of a customer.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer, device or organisational unit, and for a change that
    /// contradicts itself.
    pub fn change_devices(
        &self,
        customer_id: &str,
        change: &BulkChange,
    ) -> Result<ChangeReport, ControlError> {
        self.require_tenant(customer_id)?.apply(change, 0)
    }
}

impl Tenant {
    /// Changes devices; `round` makes repeated changes differ.
    pub(crate) fn apply(&self, change: &BulkChange, round: u64) -> Result<ChangeReport, ControlError> {
        change.check()?;
        let draw = Draw::new(change.seed).of("change").at(round);
        self.change_fleet(|fleet, now| {
            let slots = select(fleet, change, draw)?;
            let cause = Cause::control(now);
            let edit = Edit::prepare(fleet, change, draw, &cause)?;
            let mut report = ChangeReport::default();
            for slot in slots {
                let Some(id) = fleet.device(slot).map(|device| device.id) else {
                    continue;
                };
                report.device_ids.push(id.to_string());
                report.changed += 1;
                if edit.kind == ChangeKind::ReEnrol {
                    report
                        .new_device_ids
                        .extend(fleet.re_enrol(slot, &cause).map(|id| id.to_string()));
                } else {
                    edit.apply(fleet, slot);
                }
            }
            Ok(report)
        })
    }
}

fn select(fleet: &Fleet, change: &BulkChange, draw: Draw) -> Result<Vec<Slot>, ControlError> {
    let wanted = if change.change == ChangeKind::Restore {
        Presence::Vanished
    } else {
        Presence::Listed
    };
    let is_wanted = |slot: &Slot| {
        fleet
            .device(*slot)
            .is_some_and(|device| device.presence == wanted)
    };
    if let Some(ids) = &change.device_ids {
        return ids
            .iter()
            .map(|id| {
                let slot = fleet.find_any(id).filter(is_wanted);
                slot.ok_or_else(|| ControlError::not_found(format!("no device {id} to change")))
            })
            .collect();
    }
    let mut ranked: Vec<(u64, Slot)> = fleet
        .slots()
        .filter(is_wanted)
        .map(|slot| (draw.of("rank").at(u64::from(slot.0)).bits(), slot))
        .collect();
    ranked.sort_unstable();
    let count = match (change.count, change.percent) {
        (Some(count), _) => usize::try_from(count).unwrap_or(usize::MAX),
        (None, percent) => share(ranked.len(), percent.unwrap_or(0.0)),
    };
    ranked.truncate(count);
    Ok(ranked.into_iter().map(|(_, slot)| slot).collect())
}

/// Percent of a number of devices, to the nearest.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fleets are far below 2^53, and percent is between 0 and 100"
)]
fn share(total: usize, percent: f64) -> usize {
    (total as f64 * percent / 100.0).round() as usize
}

/// A change whose value was checked.
struct Edit<'a> {
    kind: ChangeKind,
    text: Option<&'a str>,
    unit: Option<UnitKey>,
    units: Vec<UnitKey>,
    status: DeviceStatus,
    draw: Draw,
    cause: &'a Cause,
}

impl<'a> Edit<'a> {
    fn prepare(
        fleet: &Fleet,
        change: &'a BulkChange,
        draw: Draw,
        cause: &'a Cause,
    ) -> Result<Self, ControlError> {
        let mut edit = Self {
            kind: change.change,
            text: change.to.as_deref(),
            unit: None,
            units: Vec::new(),
            status: DeviceStatus::Active,
            draw,
            cause,
        };
        if change.change == ChangeKind::OrgUnit {
            edit.units = fleet.units.iter().map(|unit| unit.key).collect();
            if let Some(path) = edit.text {
                let unit = fleet.units.find(path);
                edit.unit = Some(unit.ok_or_else(|| no_org_unit(path))?.key);
            }
        }
        if change.change == ChangeKind::Status {
            edit.status = change.status()?;
        }
        Ok(edit)
    }

    fn apply(&self, fleet: &mut Fleet, slot: Slot) {
        let draw = self.draw.at(u64::from(slot.0));
        let text = |what: &str| {
            self.text
                .map_or_else(|| format!("{what} {}", draw.hex(8)), str::to_owned)
        };
        let now = self.cause.second();
        fleet.change(slot, self.cause, |device| match self.kind {
            ChangeKind::Notes => device.edit(Text::Notes, &text("Checked")),
            ChangeKind::AnnotatedUser => device.edit(Text::AnnotatedUser, &text("user")),
            ChangeKind::AnnotatedLocation => device.edit(Text::AnnotatedLocation, &text("Room")),
            ChangeKind::AnnotatedAssetId => device.edit(Text::AnnotatedAssetId, &text("AT")),
            ChangeKind::OrgUnit => {
                device.org_unit = self.unit.unwrap_or_else(|| self.other_unit(device, draw));
            }
            ChangeKind::OsVersion => device.os.milestone = device.os.milestone.saturating_add(1),
            ChangeKind::Status => device.set_status(self.status, now),
            ChangeKind::Sync => device.contact.extra = now,
            ChangeKind::Silence => device.contact.switch(false, now),
            ChangeKind::Wake => device.contact.switch(true, now),
            ChangeKind::Vanish => device.presence = Presence::Vanished,
            ChangeKind::Restore => device.presence = Presence::Listed,
            ChangeKind::ReEnrol => {}
        });
        if self.kind == ChangeKind::Sync {
            fleet.called(slot, self.cause.at);
        }
    }

    /// A unit that is not the one in which the device is.
    fn other_unit(&self, device: &Device, draw: Draw) -> UnitKey {
        let others: Vec<UnitKey> = self
            .units
            .iter()
            .copied()
            .filter(|unit| *unit != device.org_unit)
            .collect();
        if others.is_empty() {
            device.org_unit
        } else {
            *draw.of("unit").pick(&others)
        }
    }
}

/// The organisational unit that a control call names is not there.
pub(crate) fn no_org_unit(path: &str) -> ControlError {
    ControlError::not_found(format!(
        "no organisational unit {path}; see the truth of the customer for all paths"
    ))
}

impl Fleet {
    /// Enrols the machine of a record again: the old record is released, a new one is made.
    pub(crate) fn re_enrol(&mut self, slot: Slot, cause: &Cause) -> Option<DeviceId> {
        let old = self.device(slot)?.clone();
        let number = self.slots().count();
        let draw = self
            .source()
            .of("enrolled again")
            .at(u64::try_from(number).unwrap_or(0));
        let mut new = Device::new(
            DeviceId::draw(draw.of("id")),
            old.machine,
            old.hardware,
            draw.of("enrolment").bits(),
        );
        new.model = old.model;
        new.os = self.newest_os();
        new.mode = old.mode;
        new.org_unit = old.org_unit;
        new.first_enrolled = cause.second();
        new.last_enrolled = cause.second();
        new.contact = Contact::default();
        let id = new.id;
        let added = self.add(new);
        self.witness.record(added, WitnessKind::EnrolledAgain, cause);
        if old.status != DeviceStatus::Deprovisioned {
            self.change(slot, cause, |device| {
                device.set_status(DeviceStatus::Deprovisioned, cause.second());
            });
        }
        Some(id)
    }
}
