//! What is asked of a device, and how it is said to people.

use chrome_enterprise_operator::api::action::{
    ActionType, DeprovisionParameters, DeprovisionReason, RestartParameters, WipeMode, WipeParameters,
};
use jiff::SignedDuration;

/// What is asked of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Restart it.
    Restart(RestartParameters),
    /// Remove its users, or everything.
    Wipe(WipeMode),
    /// Release it from management.
    Deprovision(DeprovisionReason),
    /// Lock it.
    EnableLostMode,
    /// Unlock it.
    DisableLostMode,
}

impl Order {
    /// Its type in the action.
    pub(crate) const fn type_(&self) -> ActionType {
        match self {
            Self::Restart(_) => ActionType::Restart,
            Self::Wipe(_) => ActionType::Wipe,
            Self::Deprovision(_) => ActionType::Deprovision,
            Self::EnableLostMode => ActionType::EnableLostMode,
            Self::DisableLostMode => ActionType::DisableLostMode,
        }
    }

    /// Details of a restart.
    pub(crate) fn restart(&self) -> Option<RestartParameters> {
        match self {
            Self::Restart(parameters) => Some(parameters.clone()),
            Self::Wipe(_) | Self::Deprovision(_) | Self::EnableLostMode | Self::DisableLostMode => None,
        }
    }

    /// What a wipe removes.
    pub(crate) const fn wipe(&self) -> Option<WipeParameters> {
        match self {
            Self::Wipe(mode) => Some(WipeParameters { mode: *mode }),
            Self::Restart(_) | Self::Deprovision(_) | Self::EnableLostMode | Self::DisableLostMode => None,
        }
    }

    /// Why the device leaves management.
    pub(crate) const fn deprovision(&self) -> Option<DeprovisionParameters> {
        match self {
            Self::Deprovision(reason) => Some(DeprovisionParameters { reason: *reason }),
            Self::Restart(_) | Self::Wipe(_) | Self::EnableLostMode | Self::DisableLostMode => None,
        }
    }

    /// The beginning of the action's name.
    pub(crate) const fn slug(&self) -> &'static str {
        match self {
            Self::Restart(_) => "restart",
            Self::Wipe(_) => "wipe",
            Self::Deprovision(_) => "deprovision",
            Self::EnableLostMode => "lost-mode-on",
            Self::DisableLostMode => "lost-mode-off",
        }
    }

    /// What is done to a device, with the device at its end: `restart 5CD1234XYZ`.
    pub(crate) fn words(&self, device: &str) -> String {
        match self {
            Self::Restart(_) => format!("restart {device}"),
            Self::Wipe(WipeMode::Users) => format!("remove all users of {device}"),
            Self::Wipe(WipeMode::Powerwash) => format!("set {device} back to factory state"),
            Self::Deprovision(_) => format!("release {device} from management"),
            Self::EnableLostMode => format!("switch on lost mode of {device}"),
            Self::DisableLostMode => format!("switch off lost mode of {device}"),
        }
    }

    /// What a person is told before something that cannot be undone.
    pub(crate) const fn consequence(&self) -> Option<&'static str> {
        match self {
            Self::Wipe(WipeMode::Users) => Some(
                "All user profiles and the files in them are removed from the device. This cannot be undone.",
            ),
            Self::Wipe(WipeMode::Powerwash) => Some(
                "Everything on the device is removed, and it must be connected to a network and enrolled again. \
                 This cannot be undone.",
            ),
            Self::Deprovision(_) => Some(
                "The device leaves management. To come back it must be wiped by hand, enrolled again, and may need \
                 another licence.",
            ),
            Self::Restart(_) | Self::EnableLostMode | Self::DisableLostMode => None,
        }
    }

    /// How long the action may wait to be sent, unless the person says otherwise. Whoever asked is still there within
    /// an hour; a lost device is worth a longer try, and lost mode can be switched off again.
    pub(crate) const fn patience(&self) -> SignedDuration {
        match self {
            Self::EnableLostMode => SignedDuration::from_hours(24),
            Self::Restart(_) | Self::Wipe(_) | Self::Deprovision(_) | Self::DisableLostMode => {
                SignedDuration::from_hours(1)
            }
        }
    }

    /// The role that lets somebody ask for it.
    pub(crate) const fn role(&self) -> &'static str {
        match self {
            Self::Restart(_) | Self::EnableLostMode | Self::DisableLostMode => {
                "chromeenterprise-help-desk or chromeenterprise-device-administrator"
            }
            Self::Wipe(_) | Self::Deprovision(_) => "chromeenterprise-device-administrator",
        }
    }
}
