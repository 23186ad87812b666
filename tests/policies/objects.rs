//! Actions and receipts to send, and where they live.

use std::sync::LazyLock;
use std::time::Duration;

use chrome_enterprise_operator::api::action::ActionType;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// Annotation under test.
pub(crate) const REQUESTED_BY: &str = chrome_enterprise_operator::api::REQUESTED_BY_ANNOTATION;

const GROUP: &str = "/apis/chromeenterprise.dev/v1alpha1/namespaces";

/// The same in all manifests of a run: the spec of an action never changes.
static IN_AN_HOUR: LazyLock<String> = LazyLock::new(|| in_future(Duration::from_hours(1)));

pub(crate) fn actions(namespace: &str) -> String {
    format!("{GROUP}/{namespace}/deviceactions")
}

pub(crate) fn action_at(namespace: &str, name: &str) -> String {
    format!("{}/{name}", actions(namespace))
}

pub(crate) fn receipts(namespace: &str) -> String {
    format!("{GROUP}/{namespace}/deviceactionreceipts")
}

pub(crate) fn receipt_at(namespace: &str, name: &str) -> String {
    format!("{}/{name}", receipts(namespace))
}

/// A time this far from now, as it stands in a manifest.
pub(crate) fn in_future(distance: Duration) -> String {
    let time = Timestamp::now().checked_add(distance).unwrap();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A valid action that may wait for an hour.
pub(crate) fn action(name: &str, type_: ActionType) -> Value {
    let mut action = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": "DeviceAction",
        "metadata": {"name": name},
        "spec": {"serialNumber": "5CD1234XYZ", "type": type_.as_str(), "notAfter": *IN_AN_HOUR}
    });
    match type_ {
        ActionType::Wipe => action["spec"]["wipe"] = json!({"mode": "Users"}),
        ActionType::Deprovision => action["spec"]["deprovision"] = json!({"reason": "RetiringDevice"}),
        ActionType::Restart | ActionType::EnableLostMode | ActionType::DisableLostMode => {}
    }
    action
}

/// A restart that says who asked for it.
pub(crate) fn action_by(name: &str, requester: &str) -> Value {
    let mut action = action(name, ActionType::Restart);
    action["metadata"]["annotations"] = json!({REQUESTED_BY: requester});
    action
}

/// Who asked for a stored action, as it is recorded.
pub(crate) fn requester(action: &Value) -> Option<&str> {
    action["metadata"]["annotations"][REQUESTED_BY].as_str()
}

/// A valid receipt of an action that has ended.
pub(crate) fn receipt(name: &str) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": "DeviceActionReceipt",
        "metadata": {"name": name},
        "request": {
            "digest": format!("sha256:{}", "0a".repeat(32)),
            "actionName": name,
            "actionUid": "7d8c2bb0-8a3d-4c6f-9a0f-2f4a54f4e1f0",
            "type": "Restart",
            "serialNumber": "5CD1234XYZ",
            "requester": "anna@school.example",
            "notAfter": "2026-11-30T16:00:00Z",
            "createdTime": "2026-11-24T08:00:00Z"
        },
        "attempts": [],
        "state": "Rejected",
        "reason": "DeviceNotFound",
        "finishedTime": "2026-11-24T08:01:00Z",
        "open": false
    })
}
