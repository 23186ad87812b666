//! Remote commands: what may be sent to which device, how a command goes on, and what it does.
//!
//! | module | what |
//! |---|---|
//! | `rules` | which device takes which command |
//! | `course` | how a command will go: delays, outcome, trouble |
//! | `life` | the states of a command |
//! | `book` | the commands of one customer |
//! | `run` | moves commands on with the clock |
//! | `effects` | what a command does to its device |

mod book;
mod course;
mod effects;
#[cfg(test)]
mod histories;
mod life;
pub(crate) mod rules;
mod run;

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub(crate) use book::{CommandBook, CommandKey};
pub(crate) use course::Course;
pub use course::{AfterPowerwash, CommandBehaviour, CommandSwitches, StuckAt};
pub(crate) use life::Command;
pub use life::CommandStage;
pub(crate) use run::NewCommand;

/// `commandType` of `issueCommand`, `type` of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CommandType {
    /// Restart.
    Reboot,
    /// Picture of the screen of a kiosk.
    TakeAScreenshot,
    /// Volume of a kiosk or guest session.
    SetVolume,
    /// Remove all user profiles.
    WipeUsers,
    /// Set back to the factory state.
    RemotePowerwash,
    /// Start a Chrome Remote Desktop session.
    DeviceStartCrdSession,
    /// Collect the logs of a kiosk.
    CaptureLogs,
    /// Ask whether a Chrome Remote Desktop session is possible.
    FetchCrdAvailabilityInfo,
    /// Collect what support asks for.
    FetchSupportPacket,
}

impl CommandType {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::Reboot,
        Self::TakeAScreenshot,
        Self::SetVolume,
        Self::WipeUsers,
        Self::RemotePowerwash,
        Self::DeviceStartCrdSession,
        Self::CaptureLogs,
        Self::FetchCrdAvailabilityInfo,
        Self::FetchSupportPacket,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reboot => "REBOOT",
            Self::TakeAScreenshot => "TAKE_A_SCREENSHOT",
            Self::SetVolume => "SET_VOLUME",
            Self::WipeUsers => "WIPE_USERS",
            Self::RemotePowerwash => "REMOTE_POWERWASH",
            Self::DeviceStartCrdSession => "DEVICE_START_CRD_SESSION",
            Self::CaptureLogs => "CAPTURE_LOGS",
            Self::FetchCrdAvailabilityInfo => "FETCH_CRD_AVAILABILITY_INFO",
            Self::FetchSupportPacket => "FETCH_SUPPORT_PACKET",
        }
    }

    /// How long after its issue a command expires. These are the times that Chromium knows.
    #[must_use]
    pub const fn lifetime(self) -> SignedDuration {
        match self {
            Self::WipeUsers => SignedDuration::from_hours(180 * 24),
            Self::RemotePowerwash => SignedDuration::from_hours(5 * 365 * 24),
            Self::Reboot
            | Self::TakeAScreenshot
            | Self::SetVolume
            | Self::DeviceStartCrdSession
            | Self::CaptureLogs
            | Self::FetchCrdAvailabilityInfo
            | Self::FetchSupportPacket => SignedDuration::from_mins(10),
        }
    }
}

/// `state` of a command, in the order in which a command goes through them; the last three are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CommandState {
    /// Waits for the device.
    Pending,
    /// The device has fetched it.
    SentToClient,
    /// The device has said that it has it.
    AckedByClient,
    /// The device has reported a result, which need not be success.
    ExecutedByClient,
    /// Its time ran out.
    Expired,
    /// It was cancelled in the Admin console.
    Cancelled,
}

impl CommandState {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::ExecutedByClient | Self::Expired | Self::Cancelled)
    }
}

/// `commandResult.result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CommandOutcome {
    /// Done.
    #[default]
    Success,
    /// Tried, and not done.
    Failure,
    /// Not tried.
    Ignored,
}

/// The id of a command: 64 bits, a decimal text on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CommandId(i64);

impl CommandId {
    /// An id from even bits; always positive.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self((bits >> 1 | 1).cast_signed())
    }

    /// Reads an id; `None` if the text is no 64-bit number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_json_and_of_the_code_agree() {
        for command in CommandType::ALL {
            assert_eq!(serde_json::to_value(command).unwrap(), command.as_str());
        }
        assert_eq!(
            serde_json::to_value(CommandState::AckedByClient).unwrap(),
            "ACKED_BY_CLIENT"
        );
        assert_eq!(serde_json::to_value(CommandOutcome::Ignored).unwrap(), "IGNORED");
    }

    #[test]
    fn ids_are_positive_numbers_of_64_bits() {
        for bits in [0, 1, u64::MAX, 1 << 63] {
            let id = CommandId::from_bits(bits);
            assert!(id.0 > 0, "{id}");
            assert_eq!(CommandId::parse(&id.to_string()), Some(id));
        }
        assert_eq!(CommandId::parse("99999999999999999999"), None);
        assert_eq!(CommandId::parse("abc"), None);
    }
}
