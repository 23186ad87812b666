//! `ChromeOSDevice`: what Google last reported of one device.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an administrator wants changed at Google. Fields that are absent are left as they are there.
/// Writing back to Google comes with a later release; until then these fields are only kept.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "inventory.chromeenterprise.dev",
    version = "v1alpha1",
    kind = "ChromeOSDevice",
    plural = "chromeosdevices",
    shortname = "cros",
    category = "chromeos",
    namespaced,
    status = "ChromeOSDeviceStatus",
    derive = "PartialEq",
    doc = "One enrolled ChromeOS device as Google last reported it. Objects are made, kept in step and removed by the operator; the name is Google's device ID.",
    selectable = ".status.serialKey",
    selectable = ".status.serialNumber",
    selectable = ".status.state",
    selectable = ".status.orgUnitPath",
    selectable = ".status.model",
    printcolumn(
        name = "SERIAL",
        type_ = "string",
        json_path = ".status.serialNumber",
        description = "Serial number"
    ),
    printcolumn(
        name = "STATUS",
        type_ = "string",
        json_path = ".status.state",
        description = "Google's status of the device"
    ),
    printcolumn(
        name = "MODEL",
        type_ = "string",
        json_path = ".status.model",
        description = "Model"
    ),
    printcolumn(
        name = "ORG UNIT",
        type_ = "string",
        json_path = ".status.orgUnitPath",
        description = "Org unit that the device is in"
    ),
    printcolumn(
        name = "USER",
        type_ = "string",
        json_path = ".status.annotatedUser",
        description = "User that an admin noted for the device"
    ),
    printcolumn(
        name = "OS VERSION",
        type_ = "string",
        json_path = ".status.software.osVersion",
        description = "ChromeOS version"
    ),
    printcolumn(
        name = "LAST SYNC",
        type_ = "date",
        json_path = ".status.activity.lastSyncTime",
        description = "Since when the device last fetched its policy, as far as recorded here"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ChromeOSDeviceSpec {
    /// Asset identifier to set at Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub annotated_asset_id: Option<String>,

    /// User to note at Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub annotated_user: Option<String>,

    /// Location to note at Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub annotated_location: Option<String>,

    /// Notes to set at Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub notes: Option<String>,

    /// Org unit to move the device to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), pattern(r"^(/|(/[^/\s]([^/\t\r\n]*[^/\s])?)+)$"))]
    pub org_unit_path: Option<String>,
}

/// What Google last reported. Any field may be missing: devices report what their policies allow.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ChromeOSDeviceStatus {
    /// Serial number, as Google writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub serial_number: Option<String>,

    /// Serial number in upper case without blanks, for lookups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub serial_key: Option<String>,

    /// Google's status of the device: ACTIVE, DISABLED, DEPROVISIONED, DELINQUENT, PRE_PROVISIONED, INACTIVE,
    /// and others that Google may add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,

    /// Model of the device, as Google names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub model: Option<String>,

    /// Full path of the org unit that the device is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub org_unit_path: Option<String>,

    /// Google's ID of that org unit; unlike the path it survives a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub org_unit_id: Option<String>,

    /// Asset identifier that an admin noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub annotated_asset_id: Option<String>,

    /// User that an admin noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub annotated_user: Option<String>,

    /// Location that an admin noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub annotated_location: Option<String>,

    /// Notes that an admin wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub notes: Option<String>,

    /// Enrolment and licence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enrollment: EnrollmentStatus,

    /// Versions and updates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub software: SoftwareStatus,

    /// What the device is made of.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hardware: HardwareStatus,

    /// What moves all the time. Recorded at least daily, not with every look: see `recordedTime`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activity: ActivityStatus,

    /// When the operator wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_time: Option<Time>,
}

/// Enrolment and licence.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentStatus {
    /// When the device was enrolled for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_enrollment_time: Option<Time>,

    /// When the device was enrolled last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_enrollment_time: Option<Time>,

    /// When the device was deprovisioned last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deprovision_time: Option<Time>,

    /// Why the device was deprovisioned, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub deprovision_reason: Option<String>,

    /// Licence that the device uses, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub license_type: Option<String>,

    /// Whether the licence renews itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub will_auto_renew: Option<bool>,

    /// Whether extended support is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_support_enabled: Option<bool>,
}

/// Versions and updates.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SoftwareStatus {
    /// ChromeOS version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub os_version: Option<String>,

    /// Platform version with channel and board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub platform_version: Option<String>,

    /// Firmware version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub firmware_version: Option<String>,

    /// Verified or Dev.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub boot_mode: Option<String>,

    /// Whether the version is the one that policy asks for, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub os_version_compliance: Option<String>,

    /// How far an update has come, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub update_state: Option<String>,

    /// Version that the update leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub update_target_os_version: Option<String>,

    /// Until when the device gets automatic updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_update_end_time: Option<Time>,
}

/// What the device is made of.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HardwareStatus {
    /// MAC address of the Wi-Fi adapter, twelve hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub mac_address: Option<String>,

    /// MAC address of the Ethernet adapter, twelve hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub ethernet_mac_address: Option<String>,

    /// Mobile equipment identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub meid: Option<String>,

    /// ChromeOS or ChromeOS Flex, in Google's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub chrome_os_type: Option<String>,

    /// Model of the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub cpu_model: Option<String>,

    /// Main memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub memory_total_bytes: Option<i64>,

    /// Size of the disk in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub disk_capacity_bytes: Option<i64>,

    /// Firmware version of the security chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub tpm_firmware_version: Option<String>,

    /// Day of manufacture, as YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub manufacture_date: Option<String>,

    /// Number of the order at Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub order_number: Option<String>,
}

/// What moves all the time.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ActivityStatus {
    /// When the device last fetched its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,

    /// When the device last restarted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reboot_time: Option<Time>,

    /// Last day on which somebody used the device, as YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub last_active_date: Option<String>,

    /// Used space on the disk in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub disk_used_bytes: Option<i64>,

    /// Address of the device in its local network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub lan_ip_address: Option<String>,

    /// E-mail address of the most recent managed user; only with `spec.sync.includeRecentUsers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254))]
    pub recent_user: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The form of a serial number that lookups use: upper case, without blanks.
#[must_use]
pub fn serial_key(serial_number: &str) -> String {
    serial_number
        .chars()
        .filter(|character| !character.is_whitespace())
        .flat_map(char::to_uppercase)
        .collect()
}
