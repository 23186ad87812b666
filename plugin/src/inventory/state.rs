//! What Google's states of a device mean. Others than these pass through as Google writes them.

use chrome_enterprise_operator::api::ChromeOSDevice;

use crate::output::Tone;

/// Google's states of a device, and any that it may add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Enrolled and managed.
    Active,
    /// Disabled by an admin: lost mode.
    Disabled,
    /// Released from management.
    Deprovisioned,
    /// Registered, and not enrolled yet.
    PreProvisioned,
    /// Enrolled, without a licence that is paid for.
    Delinquent,
    /// Not used.
    Inactive,
    /// Another word, or none.
    Other,
}

impl State {
    /// The state that a word of Google means.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "ACTIVE" => Self::Active,
            "DISABLED" => Self::Disabled,
            "DEPROVISIONED" => Self::Deprovisioned,
            "PRE_PROVISIONED" => Self::PreProvisioned,
            "DELINQUENT" => Self::Delinquent,
            "INACTIVE" => Self::Inactive,
            _ => Self::Other,
        }
    }

    /// The state of a device.
    #[must_use]
    pub fn of_device(device: &ChromeOSDevice) -> Self {
        let word = device.status.as_ref().and_then(|status| status.state.as_deref());
        word.map_or(Self::Other, Self::of)
    }

    /// Whether the device is expected to report now and then.
    #[must_use]
    pub const fn is_in_use(self) -> bool {
        match self {
            Self::Active | Self::Disabled | Self::Delinquent | Self::Inactive | Self::Other => true,
            Self::Deprovisioned | Self::PreProvisioned => false,
        }
    }
}

/// What a state means for the person who reads it.
#[must_use]
pub fn tone(word: &str) -> Tone {
    match State::of(word) {
        State::Active => Tone::Good,
        State::Disabled | State::Delinquent => Tone::Bad,
        State::PreProvisioned | State::Inactive | State::Other => Tone::Notice,
        State::Deprovisioned => Tone::Faint,
    }
}

/// The state in words that need no knowledge of Google's.
#[must_use]
pub fn meaning(word: &str) -> Option<&'static str> {
    match State::of(word) {
        State::Active => Some("enrolled and in use"),
        State::Disabled => Some("locked by an admin, in lost mode"),
        State::Deprovisioned => Some("released from management"),
        State::PreProvisioned => Some("registered, not enrolled yet"),
        State::Delinquent => Some("its licence is missing or not paid for"),
        State::Inactive => Some("not in use"),
        State::Other => None,
    }
}
