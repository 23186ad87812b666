//! What an action asks for, in the forms in which it is compared, recorded and sent.

use kube::ResourceExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

use super::facts::Tenant;
use super::preflight::Target;
use super::record::whole;
use crate::api::REQUESTED_BY_ANNOTATION;
use crate::api::action::{ActionType, DeprovisionReason as Reason, DeviceAction, DeviceActionSpec, WipeMode};
use crate::api::receipt::ReceiptRequest;
use crate::google::{DeprovisionReason, RemoteCommand, StateChange};
use crate::runtime::clock;

/// Names what the spec asks for. Two specs with equal digests ask for the same thing; how long the object is kept
/// afterwards does not count.
pub(super) fn digest(spec: &DeviceActionSpec) -> String {
    let DeviceActionSpec {
        device_id,
        serial_number,
        type_,
        restart,
        wipe,
        deprovision,
        not_after,
        ttl_seconds_after_finished: _,
    } = spec;
    // A restart without details is one with the default details.
    let delay = match type_ {
        ActionType::Restart => restart.clone().unwrap_or_default().user_session_delay_seconds,
        ActionType::Wipe
        | ActionType::Deprovision
        | ActionType::EnableLostMode
        | ActionType::DisableLostMode => 0,
    };
    let canonical: Value = json!([
        "v1",
        device_id,
        serial_number,
        type_,
        delay,
        wipe,
        deprovision,
        not_after.0.to_string()
    ]);
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(canonical.to_string().as_bytes()) {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What is sent to Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Changes what Google keeps of the device: done once Google says so.
    State(StateChange),
    /// Is passed on to the device, and followed.
    Command(RemoteCommand),
}

impl Order {
    /// The order behind a request. The resource type's rules see to it that each type has its details; were they
    /// missing, there is nothing to send.
    pub(super) fn of(request: &ReceiptRequest) -> Option<Self> {
        Some(match request.type_ {
            ActionType::Restart => {
                let delay = request
                    .restart
                    .clone()
                    .unwrap_or_default()
                    .user_session_delay_seconds;
                Self::Command(RemoteCommand::Reboot {
                    user_session_delay_seconds: u16::try_from(delay).ok()?,
                })
            }
            ActionType::Wipe => Self::Command(match request.wipe.as_ref()?.mode {
                WipeMode::Users => RemoteCommand::WipeUsers,
                WipeMode::Powerwash => RemoteCommand::RemotePowerwash,
            }),
            ActionType::Deprovision => Self::State(StateChange::Deprovision(
                match request.deprovision.as_ref()?.reason {
                    Reason::SameModelReplacement => DeprovisionReason::SameModelReplacement,
                    Reason::DifferentModelReplacement => DeprovisionReason::DifferentModelReplacement,
                    Reason::RetiringDevice => DeprovisionReason::RetiringDevice,
                    Reason::UpgradeTransfer => DeprovisionReason::UpgradeTransfer,
                },
            )),
            ActionType::EnableLostMode => Self::State(StateChange::Disable),
            ActionType::DisableLostMode => Self::State(StateChange::Reenable),
        })
    }
}

/// The state that Google shows of a device after this type was done; commands leave it as it is.
pub(super) const fn wanted_state(type_: ActionType) -> Option<&'static str> {
    match type_ {
        ActionType::Restart | ActionType::Wipe => None,
        ActionType::Deprovision => Some("DEPROVISIONED"),
        ActionType::EnableLostMode => Some("DISABLED"),
        ActionType::DisableLostMode => Some("ACTIVE"),
    }
}

/// Longest name of a requester that is kept, in characters.
const LONGEST_REQUESTER: usize = 1024;

/// What the receipt of this action says about it; `target` is the device, once it is known.
pub(super) fn request_of(
    action: &DeviceAction,
    tenant: Option<&Tenant>,
    target: Option<&Target>,
) -> ReceiptRequest {
    let spec = &action.spec;
    ReceiptRequest {
        digest: digest(spec),
        action_name: action.name_any(),
        action_uid: action.uid().unwrap_or_default(),
        type_: spec.type_,
        restart: spec.restart.clone(),
        wipe: spec.wipe.clone(),
        deprovision: spec.deprovision.clone(),
        device_id: target
            .map(|target| target.device_id.clone())
            .or_else(|| spec.device_id.clone()),
        serial_number: target
            .and_then(|target| target.serial_number.clone())
            .or_else(|| spec.serial_number.clone()),
        connection_name: tenant.map(|tenant| tenant.name.clone()),
        connection_uid: tenant.map(|tenant| tenant.uid.clone()),
        customer_id: tenant.map(|tenant| tenant.customer_id.clone()),
        requester: requester(action),
        not_after: spec.not_after.clone(),
        created_time: whole(clock::now()),
    }
}

/// Who asked for the action. Without the admission policies nobody vouches for the annotation; without the annotation
/// all that is known is which program wrote the object first.
fn requester(action: &DeviceAction) -> Option<String> {
    let stamped = action.annotations().get(REQUESTED_BY_ANNOTATION).cloned();
    let guessed = || {
        let fields = action.metadata.managed_fields.as_ref()?;
        let first = fields.iter().min_by_key(|entry| entry.time.clone())?;
        Some(format!("unknown (written by {})", first.manager.as_deref()?))
    };
    let requester = stamped.filter(|name| !name.is_empty()).or_else(guessed)?;
    Some(requester.chars().take(LONGEST_REQUESTER).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(change: Value) -> DeviceActionSpec {
        let mut spec =
            json!({ "serialNumber": "5CD1", "type": "Restart", "notAfter": "2026-12-01T16:00:00Z" });
        let Value::Object(change) = change else {
            panic!("an object")
        };
        for (key, value) in change {
            spec[key] = value;
        }
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn the_digest_says_what_is_asked_for_and_nothing_else() {
        let plain = digest(&spec(json!({})));
        assert!(plain.starts_with("sha256:") && plain.len() == 71);
        for same in [
            json!({ "restart": {} }),
            json!({ "restart": { "userSessionDelaySeconds": 0 } }),
            json!({ "ttlSecondsAfterFinished": 60 }),
            json!({ "notAfter": "2026-12-01T17:00:00+01:00" }),
        ] {
            assert_eq!(digest(&spec(same.clone())), plain, "{same}");
        }
        for other in [
            json!({ "restart": { "userSessionDelaySeconds": 1 } }),
            json!({ "serialNumber": "5CD2" }),
            json!({ "serialNumber": null, "deviceId": "5CD1" }),
            json!({ "notAfter": "2026-12-01T16:00:01Z" }),
            json!({ "type": "EnableLostMode" }),
            json!({ "type": "Wipe", "wipe": { "mode": "Users" } }),
        ] {
            assert_ne!(digest(&spec(other.clone())), plain, "{other}");
        }
        let wipe = |mode: &str| digest(&spec(json!({ "type": "Wipe", "wipe": { "mode": mode } })));
        assert_ne!(wipe("Users"), wipe("Powerwash"));
    }
}
