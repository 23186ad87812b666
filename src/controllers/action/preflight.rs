//! Decides whether an action may be sent, from what Google says of the device at this moment. Pure.
//!
//! Sources: Admin console help and the Directory API guide on device states; where they say nothing, Google decides
//! and its words reach the user.

use super::reason::Reason;
use super::request::wanted_state;
use super::verdict::Verdict;
use crate::api::action::{ActionState, ActionType};
use crate::api::device::serial_key;
use crate::controllers::inventory::Scope;
use crate::google::ChromeOsDevice;

/// The device that an action is for, as the inventory has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Google's ID.
    pub(super) device_id: String,
    /// Serial number as Google wrote it, if it did.
    pub(super) serial_number: Option<String>,
}

/// A device that Google has just shown, and to which the action may be sent. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cleared {
    target: Target,
}

impl Cleared {
    /// The device.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }
}

/// Judges a fresh answer of Google about the device (`None`: Google knows no such device).
///
/// # Errors
/// The verdict that ends the action without anything being sent.
pub(super) fn check(
    type_: ActionType,
    target: &Target,
    scope: &Scope,
    answer: Option<&ChromeOsDevice>,
) -> Result<Cleared, Verdict> {
    let rejected = |reason, detail: &str| Err(Verdict::new(ActionState::Rejected, reason).with(detail));
    let Some(device) = answer else {
        return rejected(
            Reason::DeviceNotFound,
            "Google does not know it any more; the inventory follows with the next sync.",
        );
    };
    let key = |serial: Option<&String>| serial.map(|serial| serial_key(serial));
    if device.device_id != target.device_id
        || key(device.serial_number.as_ref()) != key(target.serial_number.as_ref())
    {
        return rejected(
            Reason::DeviceChanged,
            "Wait for the next sync, look at the device again, and create another action.",
        );
    }
    if !scope.contains(device.org_unit_path.as_deref()) {
        return rejected(
            Reason::DeviceOutsideConnection,
            "Use the namespace whose connection covers its org unit.",
        );
    }
    let state = device.status.as_deref().unwrap_or("UNKNOWN");
    if wanted_state(type_) == Some(state) {
        return Err(Verdict::new(ActionState::Succeeded, Reason::AlreadyInState));
    }
    match forbidden(type_, state) {
        Some(detail) => rejected(Reason::StateForbids, detail),
        None => Ok(Cleared {
            target: Target {
                device_id: device.device_id.clone(),
                serial_number: device.serial_number.clone(),
            },
        }),
    }
}

/// Why this state rules this type out, with what would work; nothing where only Google knows.
fn forbidden(type_: ActionType, state: &str) -> Option<&'static str> {
    match (type_, state) {
        (ActionType::Restart | ActionType::Wipe, "DEPROVISIONED") => Some(
            "It is deprovisioned and takes no commands. Wipe it by hand, and enrol it again if it is to come back.",
        ),
        (_, "PRE_PROVISIONED") => {
            Some("It is registered for zero-touch enrolment and not enrolled yet. Enrol it first.")
        }
        (ActionType::EnableLostMode, "DEPROVISIONED") => Some(
            "It is deprovisioned. Lost mode needs an enrolled device: wipe it by hand and enrol it again.",
        ),
        (ActionType::DisableLostMode, "DEPROVISIONED") => Some(
            "It is deprovisioned, not in lost mode. Wipe it by hand, and enrol it again if it is to come back.",
        ),
        (ActionType::EnableLostMode, "INACTIVE" | "DELINQUENT") => {
            Some("It is not provisioned. Lost mode needs a device with a licence that is in use.")
        }
        (ActionType::DisableLostMode, "INACTIVE" | "DELINQUENT") => Some("It is not in lost mode."),
        // Everything else, words that Google has yet to invent included, is Google's to decide.
        (
            ActionType::Restart
            | ActionType::Wipe
            | ActionType::Deprovision
            | ActionType::EnableLostMode
            | ActionType::DisableLostMode,
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "0d2f3a4b-1111-2222-3333-444455556666";

    fn target() -> Target {
        Target {
            device_id: ID.into(),
            serial_number: Some("5CD 1".into()),
        }
    }

    fn scope(path: &str) -> Scope {
        Scope {
            customer_id: "C1".into(),
            org_unit_path: path.into(),
            query: None,
        }
    }

    fn device(change: &serde_json::Value) -> ChromeOsDevice {
        let mut device = json!({ "deviceId": ID, "serialNumber": "5cd1", "status": "ACTIVE", "orgUnitPath": "/North/Oak" });
        for (key, value) in change.as_object().unwrap() {
            device[key] = value.clone();
        }
        serde_json::from_value(device).unwrap()
    }

    fn ends(checked: Result<Cleared, Verdict>) -> String {
        match checked {
            Ok(_) => "sent".into(),
            Err(verdict) => format!("{}/{}", verdict.state.as_str(), verdict.reason.name()),
        }
    }

    #[test]
    fn every_state_and_type() {
        const STATES: [&str; 9] = [
            "ACTIVE",
            "DISABLED",
            "DEPROVISIONED",
            "DELINQUENT",
            "PRE_PROVISIONED",
            "INACTIVE",
            "UNKNOWN",
            "RETURN_REQUESTED",
            "A_NEW_WORD",
        ];
        let (sent, done, no) = ("sent", "Succeeded/AlreadyInState", "Rejected/StateForbids");
        let table = [
            (
                ActionType::Restart,
                [sent, sent, no, sent, no, sent, sent, sent, sent],
            ),
            (
                ActionType::Wipe,
                [sent, sent, no, sent, no, sent, sent, sent, sent],
            ),
            (
                ActionType::Deprovision,
                [sent, sent, done, sent, no, sent, sent, sent, sent],
            ),
            (
                ActionType::EnableLostMode,
                [sent, done, no, no, no, no, sent, sent, sent],
            ),
            (
                ActionType::DisableLostMode,
                [done, sent, no, no, no, no, sent, sent, sent],
            ),
        ];
        for (type_, row) in table {
            for (state, expected) in STATES.into_iter().zip(row) {
                let device = device(&json!({ "status": state }));
                let checked = check(type_, &target(), &scope("/"), Some(&device));
                assert_eq!(ends(checked), expected, "{type_:?} of {state}");
            }
        }
    }

    #[test]
    fn the_device_must_be_the_one_that_was_asked_for() {
        let check = |device: Option<ChromeOsDevice>, path: &str| {
            ends(check(ActionType::Wipe, &target(), &scope(path), device.as_ref()))
        };
        assert_eq!(check(Some(device(&json!({}))), "/North"), "sent");
        assert_eq!(check(None, "/"), "Rejected/DeviceNotFound");
        for change in [
            json!({ "serialNumber": "5CD2" }),
            json!({ "serialNumber": null }),
            json!({ "serialNumber": "5CD12" }),
            json!({ "deviceId": "0d2f3a4b-1111-2222-3333-444455556667" }),
        ] {
            assert_eq!(
                check(Some(device(&change)), "/"),
                "Rejected/DeviceChanged",
                "{change}"
            );
        }
        assert_eq!(
            check(Some(device(&json!({}))), "/South"),
            "Rejected/DeviceOutsideConnection"
        );
    }
}
