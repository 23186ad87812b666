//! Moves commands on: from their issue, along the clock, and whenever their device comes or goes.

use jiff::Timestamp;

use crate::agenda::Due;
use crate::command::life::{CommandStage, Step};
use crate::command::rules::{self, Suitability};
use crate::command::{Command, CommandId, CommandKey, CommandOutcome, CommandSwitches, CommandType, Course};
use crate::device::{Device, Mode, Presence};
use crate::fleet::{Fleet, Slot};
use crate::witness::{Cause, WitnessKind};

/// A command that is checked and has its id, but is not issued yet.
#[derive(Debug, Clone)]
pub(crate) struct NewCommand {
    pub(crate) slot: Slot,
    pub(crate) id: CommandId,
    kind: CommandType,
    payload: Option<String>,
    course: Course,
}

impl Fleet {
    /// Whether Google takes a command for a device now. The error is the sentence for the caller.
    pub(crate) fn check_command(
        &self,
        slot: Slot,
        device: &Device,
        kind: CommandType,
        now: Timestamp,
    ) -> Result<(), String> {
        let suitability = Suitability {
            status: device.status,
            mode: device.mode,
            milestone: device.os.milestone,
        };
        rules::check(kind, suitability)?;
        let pending = self
            .commands
            .of_device(slot)
            .any(|(_, other)| other.kind == kind && other.stands_in_the_way(now));
        if pending {
            return Err(format!(
                "A {} command was already sent to the device and is still pending.",
                kind.as_str()
            ));
        }
        Ok(())
    }

    /// Checks a command and gives it an id and a course. The error is the sentence for the caller.
    pub(crate) fn draft_command(
        &mut self,
        slot: Slot,
        kind: CommandType,
        payload: &str,
        switches: &CommandSwitches,
        now: Timestamp,
    ) -> Result<NewCommand, String> {
        let facts = rules::read_payload(kind, payload)?;
        let device = self.device(slot).ok_or("The device is gone.")?;
        self.check_command(slot, device, kind, now)?;
        let mode = device.mode;
        let draw = self.source().of("command").at(self.commands.next_number());
        let mut course = Course::new(switches, draw);
        if let Some(behaviour) = self.commands.behaviour(slot) {
            course.amend(behaviour);
        }
        // At the sign-in screen and in a kiosk nobody is warned.
        if mode != Mode::Kiosk {
            course.executed_after = course.executed_after.saturating_add(facts.reboot_delay);
        }
        if facts.collects_nothing {
            course.outcome = CommandOutcome::Failure;
            course.error_message = Some("No data collectors were requested.".to_owned());
        }
        Ok(NewCommand {
            slot,
            id: CommandId::from_bits(draw.of("id").bits()),
            kind,
            payload: (!payload.is_empty()).then(|| payload.to_owned()),
            course,
        })
    }

    /// Issues a command, if the device still takes it.
    pub(crate) fn issue(&mut self, new: &NewCommand, cause: &Cause) {
        let Some(device) = self.device(new.slot) else {
            return;
        };
        let listed = device.presence == Presence::Listed;
        if !listed || self.check_command(new.slot, device, new.kind, cause.at).is_err() {
            return;
        }
        let online = device.is_online(cause.second());
        let cause = Cause {
            command: Some((new.id, new.kind)),
            ..cause.clone()
        };
        let key = self.commands.add(Command {
            id: new.id,
            slot: new.slot,
            kind: new.kind,
            payload: new.payload.clone(),
            issued: cause.at,
            expires: cause
                .at
                .saturating_add(new.kind.lifetime())
                .unwrap_or(Timestamp::MAX),
            course: new.course.clone(),
            stage: CommandStage::Waiting,
            since: cause.at,
            fetched_in_passing: false,
            cancelled: false,
            done: None,
            appointment: None,
            cause: cause.clone(),
        });
        self.witness
            .record(new.slot, WitnessKind::CommandAccepted, &cause);
        self.make_appointment(key, online);
    }

    /// A command's appointment has come.
    pub(crate) fn advance_command(&mut self, key: CommandKey, at: Timestamp) {
        let Some(command) = self.commands.get_mut(key) else {
            return;
        };
        command.appointment = None;
        if command.advance(at) == Step::Execute {
            self.execute(key, at);
        }
        self.re_appoint(key, at);
    }

    /// Looks again when something happens to a command next.
    pub(crate) fn re_appoint(&mut self, key: CommandKey, now: Timestamp) {
        let Some(command) = self.commands.get(key) else {
            return;
        };
        let device = self.device(command.slot);
        let online = device.is_some_and(|device| device.is_online(now.as_second()));
        self.make_appointment(key, online);
    }

    /// The device came online or went offline: its commands go on, or wait.
    pub(crate) fn connectivity_changed(&mut self, slot: Slot, online: bool, at: Timestamp) {
        for key in self.open_commands(slot) {
            if let Some(command) = self.commands.get_mut(key) {
                command.fetched_in_passing = false;
                if online {
                    command.since = at;
                }
            }
            self.make_appointment(key, online);
        }
    }

    /// A device has called out of turn. If it is offline otherwise, it takes its commands with it and works them
    /// off; one that is online gets them anyway.
    pub(crate) fn called(&mut self, slot: Slot, at: Timestamp) {
        if self
            .device(slot)
            .is_none_or(|device| device.is_online(at.as_second()))
        {
            return;
        }
        for key in self.open_commands(slot) {
            if let Some(command) = self.commands.get_mut(key) {
                command.since = at;
                command.fetched_in_passing = true;
            }
            self.make_appointment(key, false);
        }
    }

    /// Writes the next appointment of a command into the agenda, in place of the one before.
    fn make_appointment(&mut self, key: CommandKey, online: bool) {
        let Some(command) = self.commands.get_mut(key) else {
            return;
        };
        if let Some(before) = command.appointment.take() {
            self.agenda.cancel(before);
        }
        if let Some(time) = command.next_time(online) {
            command.appointment = Some(self.agenda.add(time, Due::Command(key)));
        }
    }

    fn open_commands(&self, slot: Slot) -> Vec<CommandKey> {
        let open = self
            .commands
            .of_device(slot)
            .filter(|(_, command)| command.is_open());
        open.map(|(key, _)| key).collect()
    }
}
