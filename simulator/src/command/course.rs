//! How a command will go. It is settled when the command is issued, so that a switch which is thrown later does
//! not change the past.

use serde::{Deserialize, Serialize};

use crate::command::CommandOutcome;
use crate::control::error::ControlError;
use crate::random::Draw;

/// The longest delay that makes sense: the life of the longest command, in seconds.
const LONGEST_DELAY: u32 = 5 * 365 * 86_400;

/// How commands go if nothing else was said of the device or the command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandSwitches {
    /// Simulated seconds until a device that is online has fetched a command.
    pub sent_after_seconds: u32,
    /// Simulated seconds from there until it has acknowledged the command.
    pub acknowledged_after_seconds: u32,
    /// Simulated seconds from there until it has reported the result.
    pub executed_after_seconds: u32,
    /// The share of commands that end in `FAILURE`, 0 to 1.
    pub failure_rate: f64,
    /// The share of commands that end in `IGNORED`, 0 to 1.
    pub ignored_rate: f64,
    /// Google's record stays at this state, whatever the device does, until the command expires.
    pub stuck_at: StuckAt,
    /// Google forgets each command at once: `commands.get` answers 404. The device gets it all the same.
    pub forgotten: bool,
    /// What a device does after a powerwash.
    pub after_powerwash: AfterPowerwash,
    /// Simulated seconds until it has enrolled again, if it does.
    pub powerwash_seconds: u32,
}

impl Default for CommandSwitches {
    fn default() -> Self {
        Self {
            sent_after_seconds: 1,
            acknowledged_after_seconds: 1,
            executed_after_seconds: 2,
            failure_rate: 0.0,
            ignored_rate: 0.0,
            stuck_at: StuckAt::default(),
            forgotten: false,
            after_powerwash: AfterPowerwash::default(),
            powerwash_seconds: 600,
        }
    }
}

impl CommandSwitches {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        let share = |rate: f64| (0.0..=1.0).contains(&rate);
        if !share(self.failure_rate)
            || !share(self.ignored_rate)
            || self.failure_rate + self.ignored_rate > 1.0
        {
            return Err(ControlError::invalid(
                "commands: failureRate and ignoredRate are 0 to 1, together at most 1",
            ));
        }
        check_delays([
            Some(self.sent_after_seconds),
            Some(self.acknowledged_after_seconds),
            Some(self.executed_after_seconds),
            Some(self.powerwash_seconds),
        ])
    }

    fn outcome(&self, draw: Draw) -> CommandOutcome {
        let drawn = draw.of("outcome").share();
        if drawn < self.failure_rate {
            CommandOutcome::Failure
        } else if drawn < self.failure_rate + self.ignored_rate {
            CommandOutcome::Ignored
        } else {
            CommandOutcome::Success
        }
    }
}

/// At which state Google's record of a command stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StuckAt {
    /// It follows the device, as it should.
    #[default]
    Nowhere,
    /// `PENDING`.
    Pending,
    /// `SENT_TO_CLIENT`.
    SentToClient,
    /// `ACKED_BY_CLIENT`: the last that is seen of many a powerwash.
    AckedByClient,
}

/// What a device does after a powerwash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AfterPowerwash {
    /// It is offline for a while and then enrols again: the same record with a new `lastEnrollmentTime`.
    #[default]
    EnrolsAgain,
    /// It is never heard of again.
    StaysSilent,
}

/// How the commands of one device, or one command, go; what is left out is as the switches say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandBehaviour {
    /// See [`CommandSwitches::sent_after_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_after_seconds: Option<u32>,
    /// See [`CommandSwitches::acknowledged_after_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_after_seconds: Option<u32>,
    /// See [`CommandSwitches::executed_after_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executed_after_seconds: Option<u32>,
    /// How the command ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CommandOutcome>,
    /// `errorMessage` of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// See [`CommandSwitches::stuck_at`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck_at: Option<StuckAt>,
    /// See [`CommandSwitches::forgotten`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<bool>,
    /// See [`CommandSwitches::after_powerwash`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_powerwash: Option<AfterPowerwash>,
    /// See [`CommandSwitches::powerwash_seconds`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub powerwash_seconds: Option<u32>,
}

impl CommandBehaviour {
    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        if self.error_message.as_deref().is_some_and(str::is_empty) {
            return Err(ControlError::invalid("errorMessage: not empty"));
        }
        check_delays([
            self.sent_after_seconds,
            self.acknowledged_after_seconds,
            self.executed_after_seconds,
            self.powerwash_seconds,
        ])
    }

    /// These settings, and those of `base` where there are none.
    pub(crate) fn or(self, base: Self) -> Self {
        Self {
            sent_after_seconds: self.sent_after_seconds.or(base.sent_after_seconds),
            acknowledged_after_seconds: self
                .acknowledged_after_seconds
                .or(base.acknowledged_after_seconds),
            executed_after_seconds: self.executed_after_seconds.or(base.executed_after_seconds),
            outcome: self.outcome.or(base.outcome),
            error_message: self.error_message.or(base.error_message),
            stuck_at: self.stuck_at.or(base.stuck_at),
            forgotten: self.forgotten.or(base.forgotten),
            after_powerwash: self.after_powerwash.or(base.after_powerwash),
            powerwash_seconds: self.powerwash_seconds.or(base.powerwash_seconds),
        }
    }
}

fn check_delays(delays: [Option<u32>; 4]) -> Result<(), ControlError> {
    if delays.into_iter().flatten().any(|delay| delay > LONGEST_DELAY) {
        return Err(ControlError::invalid(format!(
            "delays of commands are at most {LONGEST_DELAY} seconds (five years)"
        )));
    }
    Ok(())
}

/// How one command goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) sent_after: u32,
    pub(crate) acknowledged_after: u32,
    pub(crate) executed_after: u32,
    pub(crate) outcome: CommandOutcome,
    pub(crate) error_message: Option<String>,
    pub(crate) stuck_at: StuckAt,
    pub(crate) forgotten: bool,
    pub(crate) after_powerwash: AfterPowerwash,
    pub(crate) powerwash_seconds: u32,
}

impl Course {
    /// As the switches say.
    pub(crate) fn new(switches: &CommandSwitches, draw: Draw) -> Self {
        Self {
            sent_after: switches.sent_after_seconds,
            acknowledged_after: switches.acknowledged_after_seconds,
            executed_after: switches.executed_after_seconds,
            outcome: switches.outcome(draw),
            error_message: None,
            stuck_at: switches.stuck_at,
            forgotten: switches.forgotten,
            after_powerwash: switches.after_powerwash,
            powerwash_seconds: switches.powerwash_seconds,
        }
    }

    /// Changes what the behaviour names.
    pub(crate) fn amend(&mut self, behaviour: &CommandBehaviour) {
        self.sent_after = behaviour.sent_after_seconds.unwrap_or(self.sent_after);
        self.acknowledged_after = behaviour
            .acknowledged_after_seconds
            .unwrap_or(self.acknowledged_after);
        self.executed_after = behaviour.executed_after_seconds.unwrap_or(self.executed_after);
        self.outcome = behaviour.outcome.unwrap_or(self.outcome);
        if behaviour.error_message.is_some() {
            self.error_message.clone_from(&behaviour.error_message);
        }
        self.stuck_at = behaviour.stuck_at.unwrap_or(self.stuck_at);
        self.forgotten = behaviour.forgotten.unwrap_or(self.forgotten);
        self.after_powerwash = behaviour.after_powerwash.unwrap_or(self.after_powerwash);
        self.powerwash_seconds = behaviour.powerwash_seconds.unwrap_or(self.powerwash_seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_shares_of_all_commands() {
        let switches = CommandSwitches {
            failure_rate: 0.2,
            ignored_rate: 0.1,
            ..CommandSwitches::default()
        };
        let count = |wanted: CommandOutcome| {
            (0..10_000)
                .filter(|index| switches.outcome(Draw::new(3).at(*index)) == wanted)
                .count()
        };
        assert!((1800..2200).contains(&count(CommandOutcome::Failure)));
        assert!((850..1150).contains(&count(CommandOutcome::Ignored)));
    }

    #[test]
    fn a_device_overrides_the_switches_only_where_it_says_something() {
        let mut course = Course::new(&CommandSwitches::default(), Draw::new(1));
        let before = course.clone();
        course.amend(&CommandBehaviour::default());
        assert_eq!(course, before);
        let device = CommandBehaviour {
            outcome: Some(CommandOutcome::Failure),
            sent_after_seconds: Some(9),
            ..CommandBehaviour::default()
        };
        let command = CommandBehaviour {
            sent_after_seconds: Some(7),
            ..CommandBehaviour::default()
        };
        course.amend(&command.or(device));
        assert_eq!((course.sent_after, course.outcome), (7, CommandOutcome::Failure));
        assert_eq!(course.executed_after, before.executed_after);
    }

    #[test]
    fn ranges_are_checked() {
        for switches in [
            CommandSwitches {
                failure_rate: 1.1,
                ..CommandSwitches::default()
            },
            CommandSwitches {
                failure_rate: 0.6,
                ignored_rate: 0.6,
                ..CommandSwitches::default()
            },
            CommandSwitches {
                sent_after_seconds: u32::MAX,
                ..CommandSwitches::default()
            },
        ] {
            assert!(switches.check().is_err(), "{switches:?}");
        }
        assert!(CommandSwitches::default().check().is_ok());
    }
}
