//! Facts and records for the table tests.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::facts::{Clocks, Facts, Lookup, Memory, Tenant};
use super::preflight::Target;
use super::reason::Reason;
use super::record::{self, AttemptEnd, Why, whole};
use super::request;
use super::verdict::Verdict;
use crate::api::action::{ActionState, ActionType, DeviceAction};
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec};
use crate::controllers::inventory::Scope;
use crate::controllers::settings::ActionSettings;

/// The moment at which the tests decide.
pub(super) fn now() -> Timestamp {
    "2026-09-01T08:00:00Z".parse().unwrap()
}

/// So many seconds later.
pub(super) fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub(super) fn settings() -> ActionSettings {
    ActionSettings::default()
}

pub(super) fn target() -> Target {
    Target {
        device_id: "device-1".into(),
        serial_number: Some("5CD1".into()),
    }
}

/// An action of this type, created ten seconds ago, that may be sent for an hour.
pub(super) fn action(type_: ActionType) -> DeviceAction {
    let details = match type_ {
        ActionType::Restart => json!({ "restart": { "userSessionDelaySeconds": 5 } }),
        ActionType::Wipe => json!({ "wipe": { "mode": "Powerwash" } }),
        ActionType::Deprovision => json!({ "deprovision": { "reason": "RetiringDevice" } }),
        ActionType::EnableLostMode | ActionType::DisableLostMode => json!({}),
    };
    let mut spec = json!({ "serialNumber": "5CD1", "type": type_, "notAfter": at(3600).to_string() });
    for (key, value) in details.as_object().unwrap() {
        spec[key] = value.clone();
    }
    serde_json::from_value(json!({
        "metadata": {
            "name": "mine", "namespace": "school", "uid": "uid-1", "generation": 1, "resourceVersion": "1",
            "creationTimestamp": at(-10).to_string(),
        },
        "spec": spec,
    }))
    .unwrap()
}

pub(super) fn tenant() -> Tenant {
    Tenant {
        name: "school".into(),
        uid: "connection-uid".into(),
        customer_id: "C01".into(),
        scope: Scope {
            customer_id: "C01".into(),
            org_unit_path: "/".into(),
            query: None,
        },
        deleting: false,
        suspended: false,
        read_only: false,
        inventory_complete: true,
        unusable: None,
    }
}

/// An action that nothing speaks against.
pub(super) fn facts(type_: ActionType) -> Facts {
    Facts {
        action: Some(action(type_)),
        receipt: None,
        tenant: Some(tenant()),
        lookup: Lookup::Found(target()),
        rival: None,
        memory: Memory::default(),
        clocks: Clocks {
            own: now(),
            google: Some(now()),
        },
    }
}

/// The record of a claim that was made just now.
pub(super) fn claimed(type_: ActionType) -> DeviceActionReceiptSpec {
    let mut request = request::request_of(&action(type_), Some(&tenant()), Some(&target()));
    request.created_time = whole(now());
    record::claimed(
        request,
        record::attempt(0, "attempt-1", "process-1", now(), at(10)),
    )
}

/// The record after the attempt has ended like this, a second after the claim.
pub(super) fn after(type_: ActionType, end: &AttemptEnd) -> DeviceActionReceiptSpec {
    record::with_end(claimed(type_), "attempt-1", end, at(1))
}

/// The record of a restart that Google has accepted.
pub(super) fn accepted() -> DeviceActionReceiptSpec {
    after(ActionType::Restart, &AttemptEnd::Accepted(Some("77".into())))
}

/// The record of a restart that was refused before anything was sent.
pub(super) fn rejected() -> DeviceActionReceiptSpec {
    let request = request::request_of(&action(ActionType::Restart), Some(&tenant()), None);
    let verdict = Verdict::new(ActionState::Rejected, Reason::DeviceNotFound);
    record::tombstone(request, &verdict, now())
}

pub(super) fn why() -> Why {
    Why {
        explanation: "Because.".into(),
        google_message: Some("in Google's words".into()),
        http_status: Some(503),
    }
}

pub(super) fn receipt(record: DeviceActionReceiptSpec) -> DeviceActionReceipt {
    DeviceActionReceipt::new("mine", record)
}

impl Facts {
    /// With this receipt, and nothing looked up.
    pub(super) fn with_receipt(mut self, record: DeviceActionReceiptSpec) -> Self {
        self.receipt = Some(receipt(record));
        self.lookup = Lookup::NotNeeded;
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The same facts so many seconds later, by both clocks.
    pub(super) fn later(mut self, seconds: i64) -> Self {
        self.clocks = Clocks {
            own: at(seconds),
            google: Some(at(seconds)),
        };
        self
    }
}
