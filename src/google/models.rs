//! What Google reports, as far as the inventory needs it.
//!
//! Source: Directory API reference, `ChromeOsDevice`, `OrgUnit` and `User`. The limits on texts are those of
//! the resource that mirrors a device; a longer text is cut there.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{self, Telling};

/// One device. Every field but the ID may be missing: devices report what their policies allow. Words of
/// Google, such as those of `status`, are kept as they are, new ones too.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChromeOsDevice {
    /// Google's ID of this enrolment.
    #[serde(deserialize_with = "lenient::identifier")]
    pub device_id: String,
    /// Serial number as Google writes it. Several devices may share one.
    #[serde(default, deserialize_with = "lenient::decisive_text::<_, 64>")]
    pub serial_number: Option<String>,
    /// `ACTIVE`, `DISABLED`, `DEPROVISIONED` and others.
    #[serde(default, deserialize_with = "lenient::decisive_text::<_, 64>")]
    pub status: Option<String>,
    /// Path of the org unit, with a leading slash.
    #[serde(default, deserialize_with = "lenient::decisive_text::<_, 1024>")]
    pub org_unit_path: Option<String>,
    /// ID of the org unit, without `id:`.
    #[serde(default, deserialize_with = "lenient::org_unit_id")]
    pub org_unit_id: Option<String>,
    /// Asset identifier that an admin noted.
    #[serde(default, deserialize_with = "lenient::text::<_, 200>")]
    pub annotated_asset_id: Option<String>,
    /// User that an admin noted.
    #[serde(default, deserialize_with = "lenient::text::<_, 100>")]
    pub annotated_user: Option<String>,
    /// Location that an admin noted.
    #[serde(default, deserialize_with = "lenient::text::<_, 200>")]
    pub annotated_location: Option<String>,
    /// Notes that an admin wrote.
    #[serde(default, deserialize_with = "lenient::text::<_, 500>")]
    pub notes: Option<String>,
    /// Model.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub model: Option<String>,
    /// MAC address of the Wi-Fi adapter.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub mac_address: Option<String>,
    /// MAC address of the Ethernet adapter.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub ethernet_mac_address: Option<String>,
    /// Mobile equipment identifier.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub meid: Option<String>,
    /// Number of the order at Google.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub order_number: Option<String>,
    /// Day of manufacture, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub manufacture_date: Option<String>,
    /// `chromeOs` or `chromeOsFlex`.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub chrome_os_type: Option<String>,

    /// Why the device was deprovisioned.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub deprovision_reason: Option<String>,
    /// When the device was deprovisioned last.
    #[serde(default, deserialize_with = "lenient::time")]
    pub last_deprovision_timestamp: Option<Timestamp>,
    /// When the device was enrolled for the first time.
    #[serde(default, deserialize_with = "lenient::time")]
    pub first_enrollment_time: Option<Timestamp>,
    /// When the device was enrolled last.
    #[serde(default, deserialize_with = "lenient::time")]
    pub last_enrollment_time: Option<Timestamp>,
    /// Licence that the device uses.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub device_license_type: Option<String>,
    /// Whether the licence renews itself.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub will_auto_renew: Option<bool>,
    /// Whether extended support can be switched on.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub extended_support_eligible: Option<bool>,
    /// Whether extended support is switched on.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub extended_support_enabled: Option<bool>,
    /// From when extended support is needed.
    #[serde(default, deserialize_with = "lenient::time")]
    pub extended_support_start: Option<Timestamp>,

    /// ChromeOS version.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub os_version: Option<String>,
    /// Platform version with channel and board.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub platform_version: Option<String>,
    /// Firmware version.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub firmware_version: Option<String>,
    /// Whether the version is the one that policy asks for.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub os_version_compliance: Option<String>,
    /// How far an update has come.
    #[serde(default, deserialize_with = "lenient::object")]
    pub os_update_status: Option<OsUpdateStatus>,
    /// `Verified` or `Dev`.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub boot_mode: Option<String>,
    /// Until when the device gets automatic updates.
    #[serde(default, deserialize_with = "lenient::time")]
    pub auto_update_through: Option<Timestamp>,
    /// The same in the older field, which Google writes as milliseconds since 1970.
    #[serde(default, deserialize_with = "lenient::time")]
    pub auto_update_expiration: Option<Timestamp>,
    /// Until when Google supports the device.
    #[serde(default, deserialize_with = "lenient::time")]
    pub support_end_date: Option<Timestamp>,

    /// Main memory in bytes.
    #[serde(default, deserialize_with = "lenient::byte_count")]
    pub system_ram_total: Option<i64>,
    /// The first processor.
    #[serde(default, deserialize_with = "lenient::first")]
    pub cpu_info: Option<CpuInfo>,
    /// The security chip.
    #[serde(default, deserialize_with = "lenient::object")]
    pub tpm_version_info: Option<TpmVersionInfo>,
    /// The disk.
    #[serde(default, deserialize_with = "lenient::object")]
    pub disk_space_usage: Option<DiskSpaceUsage>,

    /// When the device last fetched its policy.
    #[serde(default, deserialize_with = "lenient::time")]
    pub last_sync: Option<Timestamp>,
    /// The first network that the device was seen in.
    #[serde(default, deserialize_with = "lenient::first")]
    pub last_known_network: Option<KnownNetwork>,
    /// The latest user whose address Google tells. Only present when it was asked for.
    #[serde(default, deserialize_with = "lenient::first")]
    pub recent_users: Option<RecentUser>,
    /// The latest day on which somebody used the device.
    #[serde(default, deserialize_with = "lenient::last")]
    pub active_time_ranges: Option<ActiveDay>,
}

impl fmt::Debug for ChromeOsDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data, often of pupils, and would end in logs.
        f.debug_struct("ChromeOsDevice")
            .field("device_id", &self.device_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How far an update has come.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OsUpdateStatus {
    /// `updateStateNotStarted`, `updateStateNeedReboot` and others.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub state: Option<String>,
    /// Version that the update leads to; Google writes `0.0.0.0` while a restart is pending.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub target_os_version: Option<String>,
    /// When the device last restarted.
    #[serde(default, deserialize_with = "lenient::time")]
    pub reboot_time: Option<Timestamp>,
    /// When the device last updated itself.
    #[serde(default, deserialize_with = "lenient::time")]
    pub update_time: Option<Timestamp>,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuInfo {
    /// Model.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub model: Option<String>,
    /// Architecture.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub architecture: Option<String>,
}

impl Telling for CpuInfo {
    fn tells(&self) -> bool {
        self.model.is_some() || self.architecture.is_some()
    }
}

/// The security chip.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TpmVersionInfo {
    /// Family, in Google's hexadecimal writing.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub family: Option<String>,
    /// Firmware version.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub firmware_version: Option<String>,
}

/// The disk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskSpaceUsage {
    /// Size in bytes.
    #[serde(default, deserialize_with = "lenient::byte_count")]
    pub capacity_bytes: Option<i64>,
    /// Used bytes.
    #[serde(default, deserialize_with = "lenient::byte_count")]
    pub used_bytes: Option<i64>,
}

/// A network that the device was seen in. Personal data, so Debug shows none of it.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownNetwork {
    /// Address of the device in it.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub ip_address: Option<String>,
    /// Address under which the device appeared on the internet.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub wan_ip_address: Option<String>,
}

impl fmt::Debug for KnownNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownNetwork").finish_non_exhaustive()
    }
}

impl Telling for KnownNetwork {
    fn tells(&self) -> bool {
        self.ip_address.is_some() || self.wan_ip_address.is_some()
    }
}

/// Somebody who used the device. Personal data, so Debug shows none of it.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentUser {
    /// E-mail address; Google tells it of managed users only.
    #[serde(default, deserialize_with = "lenient::text::<_, 254>")]
    pub email: Option<String>,
}

impl fmt::Debug for RecentUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentUser").finish_non_exhaustive()
    }
}

impl Telling for RecentUser {
    fn tells(&self) -> bool {
        self.email.is_some()
    }
}

/// A day on which somebody used the device.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveDay {
    /// The day, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "lenient::text::<_, 32>")]
    pub date: Option<String>,
}

impl Telling for ActiveDay {
    fn tells(&self) -> bool {
        self.date.is_some()
    }
}

/// An org unit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgUnit {
    /// Path, with a leading slash. It changes when the org unit is renamed or moved, and case does not matter.
    #[serde(default, deserialize_with = "lenient::text::<_, 4096>")]
    pub org_unit_path: Option<String>,
    /// ID, without `id:`, as devices write it. It never changes.
    #[serde(default, deserialize_with = "lenient::org_unit_id")]
    pub org_unit_id: Option<String>,
    /// Name.
    #[serde(default, deserialize_with = "lenient::text::<_, 256>")]
    pub name: Option<String>,
    /// Path of the org unit above.
    #[serde(default, deserialize_with = "lenient::text::<_, 4096>")]
    pub parent_org_unit_path: Option<String>,
    /// ID of the org unit above, without `id:`.
    #[serde(default, deserialize_with = "lenient::org_unit_id")]
    pub parent_org_unit_id: Option<String>,
}

/// An account, as far as it says whether it may administer devices.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Google's ID of the account.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub id: Option<String>,
    /// Primary e-mail address.
    #[serde(default, deserialize_with = "lenient::text::<_, 254>")]
    pub primary_email: Option<String>,
    /// The customer that the account belongs to.
    #[serde(default, deserialize_with = "lenient::text::<_, 128>")]
    pub customer_id: Option<String>,
    /// Whether it is a super administrator.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_admin: Option<bool>,
    /// Whether it has an admin role.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_delegated_admin: Option<bool>,
    /// Whether it is suspended.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub suspended: Option<bool>,
    /// Whether it is archived.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub archived: Option<bool>,
}
