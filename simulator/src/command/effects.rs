//! What a command does to its device.

use jiff::Timestamp;
use serde_json::json;

use crate::agenda::Due;
use crate::clock::later;
use crate::command::life::Done;
use crate::command::{AfterPowerwash, CommandKey, CommandOutcome, CommandType, Course};
use crate::device::render::update_state;
use crate::device::{Device, FileKind, Mode, Presence};
use crate::fleet::{Fleet, Slot};
use crate::witness::{Cause, WitnessKind};

impl Fleet {
    /// The device carries out a command, or does not, and reports.
    pub(super) fn execute(&mut self, key: CommandKey, at: Timestamp) {
        let Some(command) = self.commands.get(key) else {
            return;
        };
        let (slot, kind, course) = (command.slot, command.kind, command.course.clone());
        let cause = command.cause.at(at);
        let done = match course.outcome {
            CommandOutcome::Success => Done {
                at,
                outcome: CommandOutcome::Success,
                error_message: None,
                payload: self.carry_out(slot, kind, &course, &cause),
            },
            CommandOutcome::Failure => Done {
                at,
                outcome: CommandOutcome::Failure,
                error_message: Some(
                    course
                        .error_message
                        .unwrap_or_else(|| "The device could not carry out the command.".to_owned()),
                ),
                payload: None,
            },
            CommandOutcome::Ignored => Done {
                at,
                outcome: CommandOutcome::Ignored,
                error_message: course.error_message,
                payload: None,
            },
        };
        if let Some(command) = self.commands.get_mut(key) {
            command.done = Some(done);
        }
    }

    /// Does it, and returns what the device reports beyond success.
    fn carry_out(&mut self, slot: Slot, kind: CommandType, course: &Course, cause: &Cause) -> Option<String> {
        match kind {
            CommandType::Reboot => self.reboot(slot, cause),
            CommandType::WipeUsers => {
                self.report(slot, cause, WitnessKind::UsersWiped, |device| {
                    device.wipe_users(cause.second());
                });
            }
            CommandType::RemotePowerwash => self.powerwash(slot, course, cause),
            CommandType::TakeAScreenshot => self.add_file(slot, FileKind::Screenshot, cause),
            CommandType::CaptureLogs => self.add_file(slot, FileKind::Logs, cause),
            CommandType::FetchSupportPacket => self.add_file(slot, FileKind::SupportPacket, cause),
            CommandType::SetVolume => self.report(slot, cause, WitnessKind::CommandDone, |_| {}),
            CommandType::DeviceStartCrdSession => {
                self.report(slot, cause, WitnessKind::CommandDone, |_| {});
                let number = self
                    .source()
                    .of("remote session")
                    .at(cause.second().cast_unsigned());
                let url = format!(
                    "https://remotedesktop.google.com/support/session/{}",
                    number.hex(12)
                );
                return Some(json!({ "url": url }).to_string());
            }
            CommandType::FetchCrdAvailabilityInfo => {
                self.report(slot, cause, WitnessKind::CommandDone, |_| {});
                return self
                    .device(slot)
                    .map(|device| availability(device, cause.second()));
            }
        }
        None
    }

    fn reboot(&mut self, slot: Slot, cause: &Cause) {
        let newest = self.newest_os();
        self.report(slot, cause, WitnessKind::Rebooted, |device| {
            if update_state(device, newest) == "updateStateNeedReboot" {
                device.os = newest;
            }
            device.reboot(cause.second());
        });
    }

    fn add_file(&mut self, slot: Slot, kind: FileKind, cause: &Cause) {
        self.report(slot, cause, WitnessKind::CommandDone, |device| {
            device.add_file(kind, cause.second());
        });
    }

    /// The device forgets everything and is gone; it may enrol again.
    fn powerwash(&mut self, slot: Slot, course: &Course, cause: &Cause) {
        self.report(slot, cause, WitnessKind::Powerwashed, |device| {
            device.wipe_users(cause.second());
            device.contact.switch(false, cause.second());
        });
        // What it had fetched is gone too, also if it counted as offline all the time.
        self.connectivity_changed(slot, false, cause.at);
        match course.after_powerwash {
            AfterPowerwash::StaysSilent => {}
            AfterPowerwash::EnrolsAgain => {
                let back = later(cause.at, course.powerwash_seconds);
                let due = Due::EnrolAgain(slot, Box::new(cause.clone()));
                self.agenda.add(back, due);
            }
        }
    }

    /// A device that was set back has been set up again: the same record, enrolled anew. One that was released
    /// in the meantime stays away.
    pub(crate) fn enrol_again(&mut self, slot: Slot, cause: &Cause) {
        let comes_back = self
            .device(slot)
            .is_some_and(|device| device.status.talks() && device.presence == Presence::Listed);
        if !comes_back {
            return;
        }
        self.change(slot, cause, |device| {
            device.last_enrolled = cause.second();
            device.contact.switch(true, cause.second());
        });
        self.witness.record(slot, WitnessKind::EnrolledAgain, cause);
    }

    /// A change that the device made to itself; it tells Google at once.
    fn report(&mut self, slot: Slot, cause: &Cause, kind: WitnessKind, change: impl Fn(&mut Device)) {
        self.change(slot, cause, |device| {
            device.contact.extra = device.contact.extra.max(cause.second());
            change(device);
        });
        self.witness.record(slot, kind, cause);
    }
}

/// `commandResultPayload` of `FETCH_CRD_AVAILABILITY_INFO`.
fn availability(device: &Device, at: i64) -> String {
    let idle = device.hardware_draw("idle").at(at.cast_unsigned()).below(7200);
    let (session, private) = match device.mode {
        Mode::UserSession => ("AFFILIATED_USER_SESSION", "UNAVAILABLE_USER_SESSION_ACTIVE"),
        Mode::Kiosk => ("AUTO_LAUNCHED_KIOSK_SESSION", "AVAILABLE"),
        Mode::ManagedGuest => ("MANAGED_GUEST_SESSION", "UNAVAILABLE_USER_SESSION_ACTIVE"),
    };
    json!({
        "deviceIdleTimeInSeconds": idle,
        "userSessionType": session,
        "remoteSupportAvailability": "AVAILABLE",
        "remoteAccessAvailability": private,
    })
    .to_string()
}
