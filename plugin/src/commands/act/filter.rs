//! Filters that the lists of actions and receipts have in common.

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use chrome_enterprise_operator::api::device::serial_key;

use crate::output::Tone;

/// Reads a type of actions, without regard to case.
pub(crate) fn type_(text: &str) -> Result<ActionType, String> {
    let found = ActionType::ALL
        .into_iter()
        .find(|one| one.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| one_of(ActionType::ALL.map(ActionType::as_str)))
}

/// Reads a state of actions, without regard to case.
pub(crate) fn state(text: &str) -> Result<ActionState, String> {
    let found = ActionState::ALL
        .into_iter()
        .find(|one| one.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| one_of(ActionState::ALL.map(ActionState::as_str)))
}

fn one_of<const COUNT: usize>(words: [&str; COUNT]) -> String {
    format!("write one of {}", words.join(", "))
}

/// What a state means for whoever reads it.
pub(crate) const fn tone(state: ActionState) -> Tone {
    match state {
        ActionState::Succeeded => Tone::Good,
        ActionState::Pending | ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged => {
            Tone::Notice
        }
        ActionState::Failed | ActionState::Expired | ActionState::Rejected | ActionState::OutcomeUnknown => {
            Tone::Bad
        }
    }
}

/// Whether it ended without success.
pub(crate) fn is_failed(state: ActionState) -> bool {
    state.is_final() && state != ActionState::Succeeded
}

/// A device, as a person names it: by serial number or Google's ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    key: String,
    id: String,
}

impl Device {
    /// Reads it.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            key: serial_key(text),
            id: text.trim().to_lowercase(),
        }
    }

    /// Whether this serial number is meant.
    pub(crate) fn has_serial(&self, serial_number: Option<&str>) -> bool {
        serial_number.is_some_and(|serial| serial_key(serial) == self.key)
    }

    /// Whether this serial number or this ID is meant.
    pub(crate) fn is(&self, serial_number: Option<&str>, device_id: Option<&str>) -> bool {
        self.has_serial(serial_number) || device_id.is_some_and(|id| id.eq_ignore_ascii_case(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_regard_to_case() {
        assert_eq!(type_("enablelostmode"), Ok(ActionType::EnableLostMode));
        assert_eq!(state("OUTCOMEUNKNOWN"), Ok(ActionState::OutcomeUnknown));
        assert_eq!(
            type_("reboot").unwrap_err(),
            "write one of Restart, Wipe, Deprovision, EnableLostMode, DisableLostMode"
        );
    }

    #[test]
    fn a_device_is_known_by_serial_number_or_id() {
        let device = Device::new(" 5cd 12");
        assert!(device.is(Some("5CD12"), None));
        assert!(!device.is(Some("5CD1"), None));
        let device = Device::new("0D2F-3a");
        assert!(device.is(None, Some("0d2f-3a")));
        assert!(!device.is(None, None));
    }
}
