//! Changes that were asked for through the API: checked already, ready to happen now or later.

use jiff::Timestamp;

use crate::agenda::Due;
use crate::command::NewCommand;
use crate::device::{Device, Presence, Text};
use crate::fleet::org_units::UnitKey;
use crate::fleet::{Fleet, Slot};
use crate::status_change::{self, StatusChange};
use crate::witness::{Cause, WitnessKind};

/// A change and everything that it needs when it happens.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// Who asked for it. Its time is that of the request, not that of the effect.
    pub(crate) cause: Cause,
    /// Lists and counts see it so many seconds later than `get`.
    pub(crate) lag_seconds: u32,
    pub(crate) kind: WriteKind,
}

/// What changes.
#[derive(Debug, Clone)]
pub(crate) enum WriteKind {
    /// Texts and the organisational unit of one device.
    Edit(Slot, Edit),
    /// The organisational unit of several devices.
    Move { slots: Vec<Slot>, unit: UnitKey },
    /// The state of several devices, each if it is allowed when it happens.
    Status { slots: Vec<Slot>, change: StatusChange },
    /// A remote command, if the device still takes it when it happens.
    Command(NewCommand),
}

/// New values of the fields that an administrator may edit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    pub(crate) texts: Vec<(Text, String)>,
    pub(crate) unit: Option<UnitKey>,
}

impl Edit {
    /// Writes them into a record.
    pub(crate) fn apply(&self, device: &mut Device) {
        device.org_unit = self.unit.unwrap_or(device.org_unit);
        for (text, value) in &self.texts {
            device.edit(*text, value);
        }
    }
}

impl Fleet {
    /// Lets a change happen. Devices that are gone by then are passed over.
    pub(crate) fn perform(&mut self, at: Timestamp, write: &Write) {
        let cause = write.cause.at(at);
        let lag = write.lag_seconds;
        match &write.kind {
            WriteKind::Edit(slot, edit) => {
                if self.is_there(*slot) {
                    self.write(*slot, &cause, lag, |device| edit.apply(device));
                }
            }
            WriteKind::Move { slots, unit } => {
                for slot in slots {
                    if self.is_there(*slot) {
                        self.write(*slot, &cause, lag, |device| device.org_unit = *unit);
                    }
                }
            }
            WriteKind::Status { slots, change } => {
                for slot in slots {
                    self.change_status(*slot, *change, &cause, lag);
                }
            }
            WriteKind::Command(new) => self.issue(new, &cause),
        }
    }

    fn change_status(&mut self, slot: Slot, change: StatusChange, cause: &Cause, lag_seconds: u32) {
        let Some(device) = self.device(slot) else { return };
        let (status, mode) = (device.status, device.mode);
        if !self.is_there(slot) || status_change::judge(status, mode, change, &mut self.licences).is_err() {
            return;
        }
        self.write(slot, cause, lag_seconds, |device| {
            device.set_status(change.target(), cause.second());
            if let StatusChange::Deprovision(reason) = change {
                device.deprovision_reason = Some(reason);
            }
        });
        // Their state stays the same to the eye, so the change itself must be told.
        match change {
            StatusChange::DisablePreProvisioned => self.witness.record(slot, WitnessKind::Disabled, cause),
            StatusChange::ReenablePreProvisioned => self.witness.record(slot, WitnessKind::Reenabled, cause),
            StatusChange::Disable | StatusChange::Reenable | StatusChange::Deprovision(_) => {}
        }
    }

    fn is_there(&self, slot: Slot) -> bool {
        self.device(slot)
            .is_some_and(|device| device.presence == Presence::Listed)
    }

    /// Lets everything happen that is due by now, each thing at its own time.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.agenda.take_due(now) {
            match due {
                Due::Command(key) => self.advance_command(key, at),
                Due::ListCatchesUp(slot) => self.catch_up(slot),
                Due::Write(write) => self.perform(at, &write),
                Due::EnrolAgain(slot, cause) => self.enrol_again(slot, &cause.at(at)),
            }
        }
    }
}
