//! A school with an operator that carries out actions, and a witness.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, ActionType, DeviceAction};
use chrome_enterprise_operator::api::conditions;
use chrome_enterprise_operator::api::device::ChromeOSDevice;
use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::quota::QuotaLimits;
use google_admin_simulator::witness::WitnessRow;
use google_admin_simulator::{Simulator, SimulatorBuilder};
use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::orders::Order;
use crate::world::{Cluster, PATIENCE, World};

/// Flags under which what waits for deadlines takes seconds.
pub(crate) const QUICK: [&str; 4] = [
    "--action-attempt-seconds=2",
    "--google-request-timeout-seconds=2",
    "--action-margin-seconds=1",
    "--action-settle-seconds=3",
];

/// Flags under which nothing waits for the quota.
pub(crate) const PLENTY: [&str; 2] = [
    "--google-device-changes-per-minute=1000000",
    "--google-queries-per-minute=1000000",
];

/// One school: its world, and what actions need.
pub(crate) struct School {
    pub(crate) world: World,
}

impl School {
    /// A connected school with so many devices.
    pub(crate) async fn start(cluster: &Cluster, devices: u32) -> Self {
        Self::with(cluster, Simulator::builder().devices(devices).seed(7)).await
    }

    /// The same with a Google of special settings.
    pub(crate) async fn with(cluster: &Cluster, google: SimulatorBuilder) -> Self {
        let google = Arc::new(google.start().await.unwrap());
        Self::beside(cluster, &google, &[]).await
    }

    /// The same with a Google that is there already, and further flags.
    pub(crate) async fn beside(cluster: &Cluster, google: &Arc<Simulator>, flags: &[&str]) -> Self {
        let plenty = QuotaLimits {
            queries_per_minute: 1_000_000,
            device_writes_per_minute: 1_000_000,
            ..QuotaLimits::default()
        };
        google.state().set_quota_limits(plenty);
        let flags: Vec<&str> = PLENTY.iter().chain(flags).copied().collect();
        Self::with_the_quota_of(cluster, google, &flags).await
    }

    /// The same with the quota that this Google has.
    pub(crate) async fn with_the_quota_of(
        cluster: &Cluster,
        google: &Arc<Simulator>,
        flags: &[&str],
    ) -> Self {
        let flags: Vec<&str> = QUICK.iter().chain(flags).copied().collect();
        let world = World::beside(cluster, google, &flags).await;
        world.connect(json!({})).await;
        world.until_active().await;
        Self { world }
    }

    pub(crate) fn actions(&self) -> Api<DeviceAction> {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    pub(crate) fn receipts(&self) -> Api<DeviceActionReceipt> {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    /// Devices that Google calls this, in the order of their IDs.
    pub(crate) fn devices_in_state(&self, state: &str) -> Vec<String> {
        let truth = self.world.truth();
        truth
            .into_values()
            .filter(|row| json!(row.status) == state)
            .map(|row| row.device_id)
            .collect()
    }

    /// A device that is enrolled, in use and online: the nth of them.
    pub(crate) fn device(&self, number: usize) -> String {
        let device = self.devices_in_state("ACTIVE")[number].clone();
        self.online(&device, true);
        device
    }

    /// Devices that were enrolled at some time and take every command, in the order of their IDs.
    fn devices_in_hands(&self) -> impl Iterator<Item = String> {
        let truth = self.world.truth().into_values();
        truth
            .filter(|row| row.last_enrolled_seconds != 0 && row.mode == DeviceMode::UserSession)
            .map(|row| row.device_id)
    }

    /// The nth device in somebody's hands, online and in the state that this order needs.
    pub(crate) fn prepared(&self, number: usize, order: Order) -> String {
        let device = self.devices_in_hands().nth(number).unwrap();
        self.set_state(&device, order.state_before());
        self.online(&device, true);
        device
    }

    /// A person changes the state of a device in the Admin console.
    pub(crate) fn set_state(&self, device: &str, state: &str) {
        let google = &self.world.google;
        let change = BulkChange::of(ChangeKind::Status, vec![device.to_owned()]).to(state);
        google
            .state()
            .change_devices(&google.customer_id(), &change)
            .unwrap();
    }

    pub(crate) fn online(&self, device: &str, online: bool) {
        let google = &self.world.google;
        google
            .state()
            .set_connectivity(&google.customer_id(), device, online)
            .unwrap();
    }

    pub(crate) fn serial(&self, device: &str) -> String {
        self.world.truth()[device].serial_number.clone()
    }

    /// What really happened to a device.
    pub(crate) fn witness(&self, device: &str) -> WitnessRow {
        let google = &self.world.google;
        google.state().witness_of(&google.customer_id(), device).unwrap()
    }

    /// How often this type was done to the device through the API: for commands, how often Google took one.
    pub(crate) fn done(&self, device: &str, type_: ActionType, mode: &str) -> u64 {
        done(&self.witness(device), type_, mode)
    }

    /// Applies an action as `kubectl apply --server-side` does.
    pub(crate) async fn apply(&self, name: &str, spec: Value) -> DeviceAction {
        let params = PatchParams::apply("tests").force();
        let action = manifest(name, spec);
        let applied = self.actions().patch(name, &params, &Patch::Apply(&action)).await;
        applied.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Creates an action as a program does.
    pub(crate) async fn create(&self, name: &str, spec: Value) -> DeviceAction {
        let action = serde_json::from_value(manifest(name, spec)).unwrap();
        let created = self.actions().create(&PostParams::default(), &action).await;
        created.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Creates an action on a device that is offline, and waits until Google has it.
    pub(crate) async fn send_offline(
        &self,
        name: &str,
        device: &str,
        type_: ActionType,
        mode: &str,
    ) -> DeviceAction {
        self.online(device, false);
        self.create(name, spec(device, type_, mode)).await;
        self.until_state(name, ActionState::Sent).await
    }

    pub(crate) async fn action(&self, name: &str) -> DeviceAction {
        self.actions().get(name).await.unwrap()
    }

    pub(crate) async fn receipt(&self, name: &str) -> DeviceActionReceipt {
        self.receipts().get(name).await.unwrap()
    }

    /// The object of a device.
    pub(crate) async fn object(&self, device: &str) -> ChromeOSDevice {
        self.world.devices().get(device).await.unwrap()
    }

    /// Waits until the action is as wanted; fails with what it was last.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&DeviceAction) -> bool,
    ) -> DeviceAction {
        let began = Instant::now();
        loop {
            let action = self.actions().get_opt(name).await.unwrap_or_default();
            if let Some(action) = action.as_ref().filter(|action| wanted(action)) {
                return action.clone();
            }
            if began.elapsed() >= PATIENCE {
                let receipt = self.receipts().get_opt(name).await;
                panic!(
                    "{name} is not {what} in {PATIENCE:?}: {}\nreceipt: {}\nthe operator said:\n{}",
                    serde_json::to_string_pretty(&action).unwrap(),
                    serde_json::to_string_pretty(&receipt.ok()).unwrap(),
                    self.world.operator.log_tail()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the action has ended.
    pub(crate) async fn until_done(&self, name: &str) -> DeviceAction {
        self.until(name, "done", |action| {
            state(action).is_some_and(ActionState::is_final)
        })
        .await
    }

    /// Waits until the action has this state.
    pub(crate) async fn until_state(&self, name: &str, wanted: ActionState) -> DeviceAction {
        self.until(name, wanted.as_str(), |action| state(action) == Some(wanted))
            .await
    }

    /// Waits until the action is pending for this reason.
    pub(crate) async fn until_reason(&self, name: &str, wanted: &str) -> DeviceAction {
        self.until(name, wanted, |action| reason(action) == wanted).await
    }

    /// Waits until the action is claimed.
    pub(crate) async fn until_receipt(&self, name: &str) -> DeviceActionReceipt {
        let began = Instant::now();
        loop {
            if let Ok(Some(receipt)) = self.receipts().get_opt(name).await {
                return receipt;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{name} is not claimed:\n{}",
                self.world.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the object of the action is gone.
    pub(crate) async fn until_action_is_gone(&self, name: &str) {
        let began = Instant::now();
        while self.actions().get_opt(name).await.unwrap().is_some() {
            assert!(
                began.elapsed() < PATIENCE,
                "{name} is still there: {:?}\n{}",
                self.actions().get_opt(name).await,
                self.world.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.actions()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }
}

fn manifest(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
        "metadata": { "name": name }, "spec": spec,
    })
}

/// How often this type was done to the device through the API: for commands, how often Google took one.
pub(crate) fn done(row: &WitnessRow, type_: ActionType, mode: &str) -> u64 {
    use google_admin_simulator::command::CommandType;
    match (type_, mode) {
        (ActionType::Restart, _) => row.accepted(CommandType::Reboot),
        (ActionType::Wipe, "Powerwash") => row.accepted(CommandType::RemotePowerwash),
        (ActionType::Wipe, _) => row.accepted(CommandType::WipeUsers),
        (ActionType::Deprovision, _) => row.api.deprovisions,
        (ActionType::EnableLostMode, _) => row.api.disables,
        (ActionType::DisableLostMode, _) => row.api.reenables,
    }
}

/// The spec of an action on this device that may be sent for an hour; `mode` is that of a wipe.
pub(crate) fn spec(device: &str, type_: ActionType, mode: &str) -> Value {
    let mut spec = json!({ "deviceId": device, "type": type_, "notAfter": from_now(3600) });
    match type_ {
        ActionType::Wipe => spec["wipe"] = json!({ "mode": mode }),
        ActionType::Deprovision => spec["deprovision"] = json!({ "reason": "RetiringDevice" }),
        ActionType::Restart | ActionType::EnableLostMode | ActionType::DisableLostMode => {}
    }
    spec
}

/// A moment so many seconds from now, as a manifest writes it.
pub(crate) fn from_now(seconds: i64) -> String {
    let moment = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(moment.as_second()).unwrap().to_string()
}

pub(crate) fn state(action: &DeviceAction) -> Option<ActionState> {
    action.status.as_ref()?.state
}

/// Reason of the condition `Succeeded`; empty before there is one.
pub(crate) fn reason(action: &DeviceAction) -> &str {
    let status = action.status.as_ref();
    let told = status.and_then(|status| conditions::find(&status.conditions, "Succeeded"));
    told.map_or("", |told| told.reason.as_str())
}

/// Sentence of the condition `Succeeded`; empty before there is one.
pub(crate) fn message(action: &DeviceAction) -> &str {
    let status = action.status.as_ref();
    let told = status.and_then(|status| conditions::find(&status.conditions, "Succeeded"));
    told.map_or("", |told| told.message.as_str())
}

/// State and reason in one.
pub(crate) fn told(action: &DeviceAction) -> String {
    let state = state(action).map_or("none", ActionState::as_str);
    format!("{state}/{}", reason(action))
}
