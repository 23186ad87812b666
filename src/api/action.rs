//! `DeviceAction`: one request to do one thing to one device, at most once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do, to which device, and until when it may begin. The spec never changes: another wish is another
/// DeviceAction with another name.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "chromeenterprise.dev",
    version = "v1alpha1",
    kind = "DeviceAction",
    plural = "deviceactions",
    shortname = "cda",
    category = "chromeos",
    namespaced,
    status = "DeviceActionStatus",
    derive = "PartialEq",
    doc = "Asks for one action on one ChromeOS device: restart, wipe, deprovision, or lost mode on and off. It is carried out at most once for its name, whatever is restarted, deleted or applied again; the DeviceActionReceipt of the same name keeps what was done.",
    selectable = ".spec.type",
    selectable = ".spec.deviceId",
    selectable = ".spec.serialNumber",
    selectable = ".status.state",
    selectable = ".status.deviceId",
    printcolumn(
        name = "DEVICE",
        type_ = "string",
        json_path = ".status.serialNumber",
        description = "Serial number of the device"
    ),
    printcolumn(
        name = "TYPE",
        type_ = "string",
        json_path = ".spec.type",
        description = "Restart, Wipe, Deprovision, EnableLostMode or DisableLostMode"
    ),
    printcolumn(
        name = "STATE",
        type_ = "string",
        json_path = ".status.state",
        description = "Pending, Dispatching, Sent, Acknowledged, Succeeded, Failed, Expired, Rejected or OutcomeUnknown"
    ),
    printcolumn(
        name = "REQUESTED BY",
        type_ = "string",
        json_path = r".metadata.annotations.chromeenterprise\.dev/requested-by",
        description = "Who created the action, where the cluster records it"
    ),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "DEVICE ID",
        type_ = "string",
        json_path = ".status.deviceId",
        priority = 1,
        description = "Google's ID of the device"
    ),
    printcolumn(
        name = "NOT AFTER",
        type_ = "string",
        json_path = ".spec.notAfter",
        priority = 1,
        description = "The last moment at which the action may begin"
    ),
    printcolumn(
        name = "REASON",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Succeeded')].reason",
        priority = 1,
        description = "Why the action is in this state"
    ),
    printcolumn(
        name = "MESSAGE",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Succeeded')].message",
        priority = 1,
        description = "What happened and what to do next"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self == oldSelf")
        .message("the spec of a DeviceAction never changes; create another DeviceAction with another name"),
    validation = Rule::new("has(self.deviceId) != has(self.serialNumber)")
        .message("give exactly one of deviceId and serialNumber"),
    validation = Rule::new("!has(self.restart) || self.type == 'Restart'")
        .message("restart is allowed only with type Restart"),
    validation = Rule::new("has(self.wipe) == (self.type == 'Wipe')")
        .message("wipe is required with type Wipe and allowed only with it"),
    validation = Rule::new("has(self.deprovision) == (self.type == 'Deprovision')")
        .message("deprovision is required with type Deprovision and allowed only with it")
)]
pub struct DeviceActionSpec {
    /// Google's ID of the device: the name of its ChromeOSDevice. Give this or `serialNumber`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), pattern(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub device_id: Option<String>,

    /// Serial number of the device, compared without regard to case and blanks. Give this or `deviceId`. Of
    /// several devices with this serial number, deprovisioned ones do not count; if more than one remains the
    /// action is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), pattern(r"^[!-~]([ -~]*[!-~])?$"))]
    pub serial_number: Option<String>,

    /// What to do.
    #[serde(rename = "type")]
    pub type_: ActionType,

    /// Details of a restart; optional, and only with type Restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartParameters>,

    /// What a wipe removes; required with type Wipe, and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wipe: Option<WipeParameters>,

    /// Why the device leaves management; required with type Deprovision, and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprovision: Option<DeprovisionParameters>,

    /// The last moment at which the action may be sent to Google, such as `2026-12-01T16:00:00Z`; where the
    /// operator's admission policies are installed, at most 7 days after the creation of this object. An action
    /// that could not be sent by then ends as Expired.
    #[schemars(
        length(max = 40),
        pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$")
    )]
    #[x_kube(validation = Rule::new("self > timestamp('2020-01-01T00:00:00Z') && self < timestamp('2200-01-01T00:00:00Z')")
        .message("notAfter must be a time between the years 2020 and 2200"))]
    pub not_after: Time,

    /// Seconds after its end at which this object is deleted. Without it the object stays until somebody
    /// deletes it. The receipt stays in either case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<i32>,
}

/// What an action does.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionType {
    /// Restarts the device.
    Restart,
    /// Removes user profiles, or everything: see `wipe.mode`. Cannot be undone.
    Wipe,
    /// Releases the device from management; it must be wiped and enrolled by hand to come back.
    Deprovision,
    /// Disables the device: it only shows the message for lost devices.
    EnableLostMode,
    /// Lets a disabled device be used again.
    DisableLostMode,
}

impl ActionType {
    /// Every type, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Restart,
        Self::Wipe,
        Self::Deprovision,
        Self::EnableLostMode,
        Self::DisableLostMode,
    ];

    /// The value as it is written in a manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "Restart",
            Self::Wipe => "Wipe",
            Self::Deprovision => "Deprovision",
            Self::EnableLostMode => "EnableLostMode",
            Self::DisableLostMode => "DisableLostMode",
        }
    }

    /// The RBAC verb on `deviceactions` that permits this type.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Wipe => "wipe",
            Self::Deprovision => "deprovision",
            Self::EnableLostMode => "enablelostmode",
            Self::DisableLostMode => "disablelostmode",
        }
    }

    /// Whether Google carries it out as a remote command with an ID that can be followed. The others change the
    /// device's state at Google and are done once Google has answered.
    #[must_use]
    pub const fn is_command(self) -> bool {
        match self {
            Self::Restart | Self::Wipe => true,
            Self::Deprovision | Self::EnableLostMode | Self::DisableLostMode => false,
        }
    }
}

/// Details of a restart.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestartParameters {
    /// Seconds that a signed-in user gets before the restart. Kiosks and devices at the sign-in screen restart
    /// at once.
    #[serde(default)]
    #[schemars(range(min = 0, max = 300))]
    pub user_session_delay_seconds: i32,
}

/// What a wipe removes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct WipeParameters {
    /// How much is removed.
    pub mode: WipeMode,
}

/// How much a wipe removes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WipeMode {
    /// All user profiles with their local data. The device stays enrolled and keeps its policies.
    Users,
    /// Everything: a factory reset. The device must be connected to a network and enrolled again.
    Powerwash,
}

/// Why a device leaves management.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DeprovisionParameters {
    /// The reason, which Google records and which decides what becomes of a perpetual licence.
    pub reason: DeprovisionReason,
}

/// The reason for deprovisioning, as in the Admin console.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeprovisionReason {
    /// A device of the same model takes its place.
    SameModelReplacement,
    /// A device of another model takes its place.
    DifferentModelReplacement,
    /// The device is given up, sold or donated.
    RetiringDevice,
    /// The upgrade moves to a device that was converted to ChromeOS Flex.
    UpgradeTransfer,
}

/// How the action goes. It repeats what the receipt says; the receipt decides.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DeviceActionStatus {
    /// One word for the whole action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ActionState>,

    /// The metadata.generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// Name of the DeviceActionReceipt that keeps what was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub receipt_name: Option<String>,

    /// Google's ID of the device that the action is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub device_id: Option<String>,

    /// Serial number of the device that the action is for, as Google writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub serial_number: Option<String>,

    /// Google's ID of the remote command; only Restart and Wipe have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub command_id: Option<String>,

    /// Google's state of the remote command, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub command_state: Option<String>,

    /// Until when Google keeps trying to deliver the remote command to the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_expire_time: Option<Time>,

    /// What Google or the device last said about the action, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub google_message: Option<String>,

    /// When the action was claimed for sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_time: Option<Time>,

    /// When Google accepted the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_time: Option<Time>,

    /// When the action reached its final state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_time: Option<Time>,

    /// What is true of this action now. Succeeded says how it ended; it is Unknown while it runs, and when nobody can
    /// know. Ready is for tools that know only that word: True when it succeeded, False when it ended otherwise.
    /// Stalled is there only when the action ended without success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "super::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// One word for the whole action.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionState {
    /// Not claimed yet: waiting for the connection, for an earlier action on the same device, or for Google.
    Pending,
    /// Claimed by one operator process, which is sending it to Google now or may have sent it.
    Dispatching,
    /// Accepted by Google; the device has not answered yet.
    Sent,
    /// The device has received the command.
    Acknowledged,
    /// Done, or the device already was as asked for. Final.
    Succeeded,
    /// Google or the device refused it or could not do it. Final.
    Failed,
    /// Never sent before `notAfter`, or Google gave up delivering it. Final.
    Expired,
    /// Refused before anything was sent to Google. Final.
    Rejected,
    /// It may have been done and it may not: look at the device. It is never sent again. Final.
    OutcomeUnknown,
}

impl ActionState {
    /// Every state, in the order in which an action can pass them.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Dispatching,
        Self::Sent,
        Self::Acknowledged,
        Self::Succeeded,
        Self::Failed,
        Self::Expired,
        Self::Rejected,
        Self::OutcomeUnknown,
    ];

    /// Whether nothing can change this state any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Dispatching | Self::Sent | Self::Acknowledged => false,
            Self::Succeeded | Self::Failed | Self::Expired | Self::Rejected | Self::OutcomeUnknown => true,
        }
    }

    /// The value as it is written in a status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Dispatching => "Dispatching",
            Self::Sent => "Sent",
            Self::Acknowledged => "Acknowledged",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Expired => "Expired",
            Self::Rejected => "Rejected",
            Self::OutcomeUnknown => "OutcomeUnknown",
        }
    }
}
