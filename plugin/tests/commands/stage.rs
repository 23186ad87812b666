//! Helpers for tests of actions: devices to act on, and an operator that the test plays itself.

use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::api::connection::ChromeEnterpriseConnection;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::{DeviceMode, TruthRow};
use google_admin_simulator::witness::WitnessRow;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::world::{Connected, PATIENCE, World};

/// Google's ID of the device that most tests act on.
pub(crate) const ID: &str = "0d2f3a4b-1111-2222-3333-444455556666";
/// Its serial number.
pub(crate) const SERIAL: &str = "5CD1234XYZ";

impl World {
    pub(crate) fn actions(&self) -> Api<DeviceAction> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Every action there is.
    pub(crate) async fn all_actions(&self) -> Vec<DeviceAction> {
        self.actions().list(&ListParams::default()).await.unwrap().items
    }

    /// The one action there is; waits for it.
    pub(crate) async fn only_action(&self) -> DeviceAction {
        let began = Instant::now();
        loop {
            let all = self.all_actions().await;
            assert!(all.len() < 2, "{} actions", all.len());
            if let [action] = all.as_slice() {
                return action.clone();
            }
            assert!(began.elapsed() < PATIENCE, "there is no action");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// A device that is in use, and a connection that says of itself that it is Active. No operator is there.
    pub(crate) async fn device_and_connection(&self) {
        self.device(ID, device_status(ID, SERIAL)).await;
        self.school_connection(json!({}), json!({ "state": "Active" }))
            .await;
    }

    /// A connection with these additions to its spec, and this status.
    pub(crate) async fn school_connection(&self, more: Value, status: Value) {
        let mut object = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "school" },
            "spec": {
                "adminEmail": "admin@school.example",
                "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } },
            },
        });
        for (key, value) in more.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        let api: Api<ChromeEnterpriseConnection> = Api::namespaced(self.client.clone(), &self.namespace);
        api.patch(
            "school",
            &PatchParams::apply("tests").force(),
            &Patch::Apply(&object),
        )
        .await
        .unwrap();
        api.patch_status(
            "school",
            &PatchParams::default(),
            &Patch::Merge(json!({ "status": status })),
        )
        .await
        .unwrap();
    }

    /// Says what an operator would say about an action.
    pub(crate) async fn say(&self, name: &str, state: &str, reason: &str, message: &str, more: Value) {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let mut status = json!({
            "state": state, "deviceId": ID, "serialNumber": SERIAL,
            "conditions": [{
                "type": "Succeeded", "status": if state == "Succeeded" { "True" } else { "Unknown" },
                "reason": reason, "message": message, "lastTransitionTime": now,
            }],
        });
        for (key, value) in more.as_object().unwrap() {
            status[key] = value.clone();
        }
        let patch = Patch::Merge(json!({ "status": status }));
        self.actions()
            .patch_status(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    /// Waits until this action has this state.
    pub(crate) async fn until_state(&self, name: &str, wanted: ActionState) -> DeviceAction {
        let began = Instant::now();
        loop {
            let action = self.actions().get(name).await.unwrap();
            if action.status.as_ref().and_then(|status| status.state) == Some(wanted) {
                return action;
            }
            assert!(began.elapsed() < PATIENCE, "{name} is {:?}", action.status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// What the inventory knows of a device.
pub(crate) fn device_status(id: &str, serial: &str) -> Value {
    json!({
        "serialNumber": serial, "serialKey": serial, "state": "ACTIVE", "model": "HP Chromebook 11 G9",
        "orgUnitPath": "/Students/Oak School", "annotatedUser": "lena@school.example",
        "annotatedLocation": "Room 5", "annotatedAssetId": format!("asset of {id}"),
    })
}

impl Connected {
    /// Devices that were enrolled and take every command, online and in this state at Google.
    pub(crate) fn devices(&self, count: usize, state: &str) -> Vec<TruthRow> {
        let (google, customer) = (self.google.state(), self.google.customer_id());
        let rows = google.truth(&customer, 0, usize::MAX).unwrap();
        let in_hands = rows.into_iter().filter(|row| {
            row.listed && row.last_enrolled_seconds != 0 && row.mode == DeviceMode::UserSession
        });
        let chosen: Vec<TruthRow> = in_hands.take(count).collect();
        assert_eq!(chosen.len(), count);
        let ids = chosen.iter().map(|row| row.device_id.clone()).collect();
        let change = BulkChange::of(ChangeKind::Status, ids).to(state);
        google.change_devices(&customer, &change).unwrap();
        for row in &chosen {
            google.set_connectivity(&customer, &row.device_id, true).unwrap();
        }
        chosen
    }

    /// What really happened to a device.
    pub(crate) fn witness(&self, device: &str) -> WitnessRow {
        self.google
            .state()
            .witness_of(&self.google.customer_id(), device)
            .unwrap()
    }
}
