//! The life of a command: what the device has done with it, and what Google says of it.
//!
//! The two can differ. Google may forget a command, or never learn what became of it; the device goes on all
//! the same. Source of the states: "REST Resource: customer.devices.chromeos.commands".

use jiff::Timestamp;
use serde::Serialize;

use crate::agenda::Appointment;
use crate::clock::later;
use crate::command::{CommandId, CommandOutcome, CommandState, CommandType, Course, StuckAt};
use crate::fleet::Slot;
use crate::witness::Cause;

/// How far a command has really come on its way to the device and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CommandStage {
    /// At Google, waiting for the device.
    Waiting,
    /// The device has fetched it.
    Sent,
    /// The device has acknowledged it.
    Acknowledged,
    /// The device has reported the result.
    Executed,
    /// Its time ran out before that.
    Expired,
    /// It was cancelled before the device fetched it.
    Withdrawn,
}

/// What a device reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) at: Timestamp,
    pub(crate) outcome: CommandOutcome,
    pub(crate) error_message: Option<String>,
    /// `commandResultPayload`.
    pub(crate) payload: Option<String>,
}

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) id: CommandId,
    pub(crate) slot: Slot,
    pub(crate) kind: CommandType,
    pub(crate) payload: Option<String>,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// The request that issued it.
    pub(crate) cause: Cause,
    pub(crate) course: Course,
    pub(crate) stage: CommandStage,
    /// When its stage began, or when its device came back since: the next delay runs from here.
    pub(crate) since: Timestamp,
    /// The device has called in between and works it off although it counts as offline.
    pub(crate) fetched_in_passing: bool,
    pub(crate) cancelled: bool,
    pub(crate) done: Option<Done>,
    pub(crate) appointment: Option<Appointment>,
}

/// What became of a command at its appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It reached the next stage, or expired.
    Moved,
    /// The device carries it out now.
    Execute,
}

impl Command {
    /// Whether the device may still get further with it.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(
            self.stage,
            CommandStage::Waiting | CommandStage::Sent | CommandStage::Acknowledged
        )
    }

    /// When something happens to it next, if nothing else happens before.
    pub(crate) fn next_time(&self, online: bool) -> Option<Timestamp> {
        let delay = match self.stage {
            CommandStage::Waiting => self.course.sent_after,
            CommandStage::Sent => self.course.acknowledged_after,
            CommandStage::Acknowledged => self.course.executed_after,
            CommandStage::Executed | CommandStage::Expired | CommandStage::Withdrawn => return None,
        };
        if !online && !self.fetched_in_passing {
            return Some(self.expires);
        }
        Some(later(self.since, delay).min(self.expires))
    }

    /// Goes one step further at its appointment.
    pub(crate) fn advance(&mut self, at: Timestamp) -> Step {
        self.since = at;
        if at >= self.expires {
            self.stage = CommandStage::Expired;
            return Step::Moved;
        }
        match self.stage {
            CommandStage::Waiting => self.stage = CommandStage::Sent,
            CommandStage::Sent => self.stage = CommandStage::Acknowledged,
            CommandStage::Acknowledged => {
                self.stage = CommandStage::Executed;
                return Step::Execute;
            }
            CommandStage::Executed | CommandStage::Expired | CommandStage::Withdrawn => {}
        }
        Step::Moved
    }

    /// Cancels it as the Admin console does, which works as long as Google says `PENDING`. False if it is too
    /// late. A device that has fetched it already carries it out all the same.
    pub(crate) fn cancel(&mut self, now: Timestamp) -> bool {
        if self.record(now) != CommandState::Pending {
            return false;
        }
        self.cancelled = true;
        if self.stage == CommandStage::Waiting {
            self.stage = CommandStage::Withdrawn;
        }
        true
    }

    /// What Google's record says at this time, whether or not Google still finds it.
    pub(crate) fn record(&self, now: Timestamp) -> CommandState {
        if self.cancelled {
            return CommandState::Cancelled;
        }
        let reached = match self.stage {
            CommandStage::Waiting => CommandState::Pending,
            CommandStage::Sent => CommandState::SentToClient,
            CommandStage::Acknowledged => CommandState::AckedByClient,
            CommandStage::Executed => CommandState::ExecutedByClient,
            CommandStage::Expired => return CommandState::Expired,
            // Only a cancelled command is withdrawn.
            CommandStage::Withdrawn => return CommandState::Cancelled,
        };
        let stuck_at = self.course.stuck_at;
        if stuck_at != StuckAt::Nowhere && now >= self.expires {
            return CommandState::Expired;
        }
        reached.min(match stuck_at {
            StuckAt::Pending => CommandState::Pending,
            StuckAt::SentToClient => CommandState::SentToClient,
            StuckAt::AckedByClient => CommandState::AckedByClient,
            StuckAt::Nowhere => CommandState::ExecutedByClient,
        })
    }

    /// The result, if Google's record has one at this time.
    pub(crate) fn recorded_result(&self, now: Timestamp) -> Option<&Done> {
        self.done
            .as_ref()
            .filter(|_| self.record(now) == CommandState::ExecutedByClient)
    }

    /// Whether Google refuses another command of this type for this one.
    pub(crate) fn stands_in_the_way(&self, now: Timestamp) -> bool {
        !self.course.forgotten && !self.record(now).is_final()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::CommandSwitches;
    use crate::random::Draw;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn command(stuck_at: StuckAt) -> Command {
        let switches = CommandSwitches {
            sent_after_seconds: 5,
            acknowledged_after_seconds: 6,
            executed_after_seconds: 7,
            stuck_at,
            ..CommandSwitches::default()
        };
        Command {
            id: CommandId::from_bits(7),
            slot: Slot(0),
            kind: CommandType::Reboot,
            payload: None,
            issued: at(1000),
            expires: at(1600),
            cause: Cause::control(at(1000)),
            course: Course::new(&switches, Draw::new(1)),
            stage: CommandStage::Waiting,
            since: at(1000),
            fetched_in_passing: false,
            cancelled: false,
            done: None,
            appointment: None,
        }
    }

    #[test]
    fn each_step_has_its_delay() {
        let mut command = command(StuckAt::Nowhere);
        let mut seen = Vec::new();
        while let Some(time) = command.next_time(true) {
            let step = command.advance(time);
            seen.push((time.as_second(), command.record(time), step));
        }
        assert_eq!(
            seen,
            [
                (1005, CommandState::SentToClient, Step::Moved),
                (1011, CommandState::AckedByClient, Step::Moved),
                (1018, CommandState::ExecutedByClient, Step::Execute),
            ]
        );
    }

    #[test]
    fn an_offline_device_lets_it_expire_at_every_stage() {
        for steps in 0..3 {
            let mut command = command(StuckAt::Nowhere);
            for _ in 0..steps {
                let time = command.next_time(true).unwrap();
                command.advance(time);
            }
            assert_eq!(command.next_time(false), Some(at(1600)));
            assert_eq!(command.advance(at(1600)), Step::Moved);
            assert_eq!(command.record(at(1600)), CommandState::Expired);
            assert_eq!(command.next_time(true), None);
        }
    }

    #[test]
    fn a_stuck_record_stays_until_it_expires() {
        use CommandState as S;
        // What the record says at each stage.
        for (stuck_at, expected) in [
            (StuckAt::Pending, [S::Pending, S::Pending, S::Pending, S::Pending]),
            (
                StuckAt::SentToClient,
                [S::Pending, S::SentToClient, S::SentToClient, S::SentToClient],
            ),
            (
                StuckAt::AckedByClient,
                [S::Pending, S::SentToClient, S::AckedByClient, S::AckedByClient],
            ),
        ] {
            let mut command = command(stuck_at);
            let mut seen = vec![command.record(at(1000))];
            while let Some(time) = command.next_time(true) {
                command.advance(time);
                seen.push(command.record(time));
            }
            assert_eq!(seen, expected, "{stuck_at:?}");
            assert_eq!(command.stage, CommandStage::Executed);
            assert_eq!(command.record(at(1599)), expected[3]);
            assert_eq!(command.record(at(1600)), S::Expired);
        }
    }

    #[test]
    fn only_what_is_pending_can_be_cancelled() {
        let mut fresh = command(StuckAt::Nowhere);
        assert!(fresh.cancel(at(1001)) && !fresh.cancel(at(1002)));
        assert_eq!(
            (fresh.record(at(1002)), fresh.next_time(true)),
            (CommandState::Cancelled, None)
        );
        let mut sent = command(StuckAt::Nowhere);
        sent.advance(at(1005));
        assert!(!sent.cancel(at(1006)));
        // The record is stuck, so the console thinks that there is time; the device has it already.
        let mut stuck = command(StuckAt::Pending);
        stuck.advance(at(1005));
        assert!(stuck.cancel(at(1006)));
        assert_eq!(stuck.record(at(1006)), CommandState::Cancelled);
        assert_eq!(stuck.next_time(true), Some(at(1011)), "the device goes on");
    }

    #[test]
    fn a_forgotten_or_finished_command_makes_room_for_the_next() {
        let mut command = command(StuckAt::Nowhere);
        assert!(command.stands_in_the_way(at(1000)));
        command.course.forgotten = true;
        assert!(!command.stands_in_the_way(at(1000)));
        command.course.forgotten = false;
        command.cancel(at(1000));
        assert!(!command.stands_in_the_way(at(1000)));
    }
}
