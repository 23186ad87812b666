//! `DeviceActionReceipt`: what was done for a `DeviceAction`, kept apart from it.
//!
//! Creating the receipt is the claim to send: the API server lets one creation of a name win. The rules below are
//! the part of "at most once" that the API server itself enforces, against every writer, the operator included.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{
    ActionState, ActionType, DeprovisionParameters, DeviceAction, RestartParameters, WipeParameters,
};

/// The fields of a receipt. On the wire they lie at the root of the object, beside `metadata`: a record is
/// neither a wish (`spec`) nor an observation (`status`), and it is always written whole.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "chromeenterprise.dev",
    version = "v1alpha1",
    kind = "DeviceActionReceipt",
    plural = "deviceactionreceipts",
    shortname = "cdr",
    category = "chromeos",
    namespaced,
    no_spec,
    derive = "PartialEq",
    doc = "Keeps what was done for the DeviceAction of the same name, also after that action is deleted, so that nothing is done twice. Written only by the operator; a name that has a receipt is used up.",
    selectable = ".open",
    selectable = ".state",
    selectable = ".request.type",
    selectable = ".request.deviceId",
    selectable = ".request.serialNumber",
    selectable = ".request.requester",
    printcolumn(name = "DEVICE", type_ = "string", json_path = ".request.serialNumber", description = "Serial number of the device"),
    printcolumn(name = "TYPE", type_ = "string", json_path = ".request.type", description = "Restart, Wipe, Deprovision, EnableLostMode or DisableLostMode"),
    printcolumn(name = "STATE", type_ = "string", json_path = ".state", description = "How far it came, or how it ended"),
    printcolumn(name = "REASON", type_ = "string", json_path = ".reason", description = "Why it is in this state"),
    printcolumn(name = "REQUESTED BY", type_ = "string", json_path = ".request.requester", description = "Who created the action, where the cluster records it"),
    printcolumn(name = "OPEN", type_ = "boolean", json_path = ".open", description = "Whether the operator still follows it"),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "DEVICE ID", type_ = "string", json_path = ".request.deviceId", priority = 1, description = "Google's ID of the device"),
    printcolumn(name = "COMMAND", type_ = "string", json_path = ".commandId", priority = 1, description = "Google's ID of the remote command"),
    printcolumn(name = "MESSAGE", type_ = "string", json_path = ".message", priority = 1, description = "What happened and what to do next"),
    validation = Rule::new("self.metadata.name == self.request.actionName")
        .message("the receipt of an action has the name of the action"),
    validation = Rule::new("self.attempts.all(attempt, attempt.deadline <= self.request.notAfter)")
        .message("no attempt may have a deadline later than the notAfter of the request"),
    validation = Rule::new("self.state != 'Pending'")
        .message("a receipt is a claim, so its state cannot be Pending"),
    validation = Rule::new(format!("!{} || (has(self.reason) && has(self.finishedTime))", ended("self")))
        .message("a final state needs a reason and a finishedTime"),
    validation = Rule::new(format!("{} || (self.open && self.attempts.size() > 0)", ended("self")))
        .message("a receipt without a final state is open and has an attempt"),
    validation = Rule::new(format!("!{} || (self.state == oldSelf.state && has(self.reason) && self.reason == oldSelf.reason && has(self.finishedTime) && self.finishedTime == oldSelf.finishedTime)", ended("oldSelf")))
        .message("a final state never changes"),
    validation = Rule::new(format!("!{} || self.attempts.size() == oldSelf.attempts.size()", ended("oldSelf")))
        .message("no attempt follows a final state"),
    validation = Rule::new("oldSelf.open || !self.open")
        .message("a closed receipt stays closed"),
    validation = Rule::new("!has(oldSelf.commandId) || (has(self.commandId) && self.commandId == oldSelf.commandId)")
        .message("a recorded commandId never changes")
)]
#[serde(rename_all = "camelCase")]
pub struct DeviceActionReceiptSpec {
    /// What was asked for, as it was when the action was claimed. It never changes.
    #[x_kube(validation = Rule::new("self == oldSelf").message("the request of a receipt never changes"))]
    pub request: ReceiptRequest,

    /// Every attempt to send the action to Google, oldest first. A receipt without attempts records an action
    /// that ended before anything was sent.
    #[serde(default)]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["number"])
    )]
    #[x_kube(
        validation = Rule::new("self.all(attempt, attempt.number <= self.size())")
            .message("attempts are numbered 1, 2, 3 and so on"),
        validation = Rule::new("self.size() >= oldSelf.size()")
            .message("attempts are never removed"),
        validation = Rule::new("self.all(attempt, attempt.number == self.size() || (has(attempt.outcome) && attempt.outcome == 'NotSent'))")
            .message("another attempt is allowed only after every earlier one ended as NotSent")
    )]
    pub attempts: Vec<Attempt>,

    /// How far the action came, or how it ended. A final state never changes.
    pub state: ActionState,

    /// One word for programs: why the receipt is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), pattern(r"^[A-Za-z][A-Za-z0-9]*$"))]
    pub reason: Option<String>,

    /// A sentence for people: what happened and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub message: Option<String>,

    /// True while the operator still follows the action at Google. This can outlast a final state: a command
    /// that outlived the operator's patience is still followed until Google closes it.
    pub open: bool,

    /// Google's ID of the remote command; only Restart and Wipe have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub command_id: Option<String>,

    /// Google's state of the remote command, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub command_state: Option<String>,

    /// How the device carried out the remote command, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub command_result: Option<String>,

    /// Until when Google keeps trying to deliver the remote command to the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_expire_time: Option<Time>,

    /// What Google or the device last said about the action, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub google_message: Option<String>,

    /// When Google accepted the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_time: Option<Time>,

    /// When the action reached its final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_time: Option<Time>,
}

/// The CEL test whether the state of `receipt` (`self` or `oldSelf`) is final.
fn ended(receipt: &str) -> String {
    let states: Vec<_> = ActionState::ALL
        .iter()
        .filter(|state| state.is_final())
        .map(|state| format!("'{}'", state.as_str()))
        .collect();
    format!("({receipt}.state in [{}])", states.join(", "))
}

/// What was asked for, by whom, and for which device of which customer.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRequest {
    /// SHA-256 of the action's spec in its canonical form. Another action of the same name is told apart by it.
    #[schemars(length(max = 71), pattern(r"^sha256:[0-9a-f]{64}$"))]
    pub digest: String,

    /// Name of the DeviceAction.
    #[schemars(length(min = 1, max = 253))]
    pub action_name: String,

    /// UID of the DeviceAction that was claimed. A DeviceAction of this name with another UID was made later.
    #[schemars(length(min = 1, max = 64))]
    pub action_uid: String,

    /// What was to be done.
    #[serde(rename = "type")]
    pub type_: ActionType,

    /// Details of a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartParameters>,

    /// What a wipe removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wipe: Option<WipeParameters>,

    /// Why the device leaves management.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprovision: Option<DeprovisionParameters>,

    /// Google's ID of the device; absent if the action ended before a device was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub device_id: Option<String>,

    /// Serial number of the device as Google writes it, or as it was asked for if no device was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub serial_number: Option<String>,

    /// Name of the ChromeEnterpriseConnection that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub connection_name: Option<String>,

    /// UID of that connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub connection_uid: Option<String>,

    /// Google's ID of the customer that the device belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub customer_id: Option<String>,

    /// Who created the action, from its annotation `chromeenterprise.dev/requested-by`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub requester: Option<String>,

    /// The last moment at which the action could be sent.
    pub not_after: Time,

    /// When the operator claimed the action, by the operator's clock.
    pub created_time: Time,
}

/// One attempt to send the action to Google.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.id == oldSelf.id && self.startedTime == oldSelf.startedTime && self.deadline == oldSelf.deadline && self.process == oldSelf.process")
        .message("id, process, startedTime and deadline of an attempt never change"),
    validation = Rule::new("!has(oldSelf.outcome) || (has(self.outcome) && self.outcome == oldSelf.outcome)")
        .message("the outcome of an attempt never changes")
)]
pub struct Attempt {
    /// 1 for the first attempt, 2 for the second, and so on.
    #[schemars(range(min = 1, max = 256))]
    pub number: i32,

    /// Random value that only the process which makes this attempt knows. Only that process may send.
    #[schemars(length(min = 16, max = 64))]
    pub id: String,

    /// The operator process that makes this attempt.
    #[schemars(length(min = 1, max = 253))]
    pub process: String,

    /// When the attempt was recorded.
    pub started_time: MicroTime,

    /// The last moment at which this attempt may be sent; never later than `request.notAfter`.
    pub deadline: MicroTime,

    /// How it ended. Absent while it is under way, and when its process died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,

    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_time: Option<MicroTime>,

    /// HTTP status of Google's answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub http_status: Option<i32>,

    /// Google's answer or the failure of the network, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// How an attempt ended.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// Google surely did nothing: no byte went out, or Google turned it away for now (sign-in or quota). Only
    /// this outcome allows another attempt.
    NotSent,
    /// Google accepted it.
    Accepted,
    /// Google refused it for good.
    Refused,
    /// It may have been done and it may not. It is never sent again.
    Unknown,
}

impl DeviceActionReceipt {
    /// The name of the receipt of the action with this name, in the same namespace. It depends on nothing else,
    /// so that an action which is created again finds the receipt of the first one.
    #[must_use]
    pub fn name_for(action_name: &str) -> &str {
        action_name
    }

    /// Whether this receipt was made for exactly this object, not for another one of the same name.
    #[must_use]
    pub fn belongs_to(&self, action: &DeviceAction) -> bool {
        action.metadata.uid.as_deref() == Some(self.spec.request.action_uid.as_str())
    }
}
