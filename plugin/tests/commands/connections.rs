//! Connections with a status that is written by hand, and the plugin on a terminal.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::world::World;

/// A time that was so long ago, as a status holds it.
pub(crate) fn ago(duration: SignedDuration) -> String {
    let time = Timestamp::now() - duration;
    Timestamp::from_second(time.as_second()).unwrap().to_string()
}

/// A condition that has been so for more than two days, so that its age does not move while the test runs.
pub(crate) fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
        "lastTransitionTime": ago(SignedDuration::from_mins(50 * 60 + 10)),
    })
}

/// The status of a connection that works.
pub(crate) fn active() -> Value {
    json!({
        "state": "Active", "observedGeneration": 1,
        "connectedAccount": "admin@school.example", "customerId": "C0cfy9k32",
        "lastCheckInTime": ago(SignedDuration::from_mins(30)),
        "devices": { "synced": 1200, "active": 1100, "disabled": 40, "deprovisioned": 60, "other": 0 },
        "sync": {
            "phase": "Idle", "lastCompleteTime": ago(SignedDuration::from_mins(45)), "lastDurationSeconds": 12,
            "nextTime": ago(-SignedDuration::from_mins(60 * 10 + 30)),
        },
        "conditions": [condition("Ready", "True", "Synced", "The inventory is complete and kept in step with Google.")],
    })
}

/// The status of a connection that somebody has to repair.
pub(crate) fn stalled(state: &str, reason: &str, message: &str) -> Value {
    json!({
        "state": state, "observedGeneration": 1,
        "oauth": {
            "clientId": "112233445566778899001",
            "scopes": ["https://www.googleapis.com/auth/admin.directory.device.chromeos",
                "https://www.googleapis.com/auth/admin.directory.user.readonly"],
        },
        "sync": { "phase": "Idle" },
        "conditions": [condition("Ready", "False", reason, message), condition("Stalled", "True", reason, message)],
    })
}

impl World {
    /// Creates or replaces a connection that signs in with Secret `google`, with this status.
    pub(crate) async fn connection(&self, name: &str, metadata: Value, status: Value) {
        let mut object = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": metadata,
            "spec": {
                "adminEmail": "admin@school.example",
                "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } },
            },
        });
        object["metadata"]["name"] = name.into();
        let parameters = PatchParams::apply("tests").force();
        self.connections()
            .patch(name, &parameters, &Patch::Apply(&object))
            .await
            .unwrap();
        self.connection_status(name, status).await;
    }

    /// Writes the status of a connection.
    pub(crate) async fn connection_status(&self, name: &str, status: Value) {
        let patch = Patch::Merge(json!({ "status": status }));
        self.connections()
            .patch_status(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// Changes a connection.
    pub(crate) async fn change_connection(&self, name: &str, patch: Value) {
        self.connections()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Whether there is such a Secret.
    pub(crate) async fn has_secret(&self, name: &str) -> bool {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.get_opt(name).await.unwrap().is_some()
    }

    /// The text with the name of this namespace, which differs from run to run, as `school-N`.
    pub(crate) fn settled(&self, text: &str) -> String {
        text.replace(&self.namespace, "school-N")
    }
}
