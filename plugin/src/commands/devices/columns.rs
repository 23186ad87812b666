//! What a list of devices shows.

use chrome_enterprise_operator::api::device::ChromeOSDeviceStatus;
use chrome_enterprise_operator::api::{CONNECTION_LABEL, ChromeOSDevice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use crate::inventory::tone;
use crate::output::{Cell, Column, Shown};

/// A column of a device's status: its head, where it is shown, and how its value is made.
macro_rules! column {
    ($title:literal, $shown:ident, $make:expr) => {
        Column {
            title: $title,
            shown: Shown::$shown,
            value: |device| device.status.as_ref().map_or(Cell::Missing, $make),
        }
    };
}

/// The first seven fit a terminal of 80 columns.
pub(super) const COLUMNS: &[Column<ChromeOSDevice>] = &[
    Column {
        title: "NAMESPACE",
        shown: Shown::AllNamespaces,
        value: |device| Cell::text(device.metadata.namespace.as_deref()),
    },
    column!("SERIAL", Always, |status| Cell::text(
        status.serial_number.as_deref()
    )),
    column!("STATUS", Always, state),
    column!("MODEL", Always, |status| Cell::text(status.model.as_deref())),
    column!("ORG UNIT", Always, |status| Cell::text(
        status.org_unit_path.as_deref()
    )),
    column!("USER", Always, |status| Cell::text(
        status.annotated_user.as_deref()
    )),
    column!("LAST SYNC", Always, |status| time(
        status.activity.last_sync_time.as_ref()
    )),
    column!("OS VERSION", Wide, |status| Cell::text(
        status.software.os_version.as_deref()
    )),
    column!("UPDATES UNTIL", Wide, |status| day(status
        .software
        .auto_update_end_time
        .as_ref())),
    column!("ASSET ID", Wide, |status| Cell::text(
        status.annotated_asset_id.as_deref()
    )),
    column!("LOCATION", Wide, |status| Cell::text(
        status.annotated_location.as_deref()
    )),
    column!("RECENT USER", Wide, |status| Cell::text(
        status.activity.recent_user.as_deref()
    )),
    column!("NOTES", Wide, |status| Cell::text(status.notes.as_deref())),
    Column {
        title: "DEVICE ID",
        shown: Shown::Wide,
        value: |device| Cell::Text(device.name_any().into()),
    },
    Column {
        title: "CONNECTION",
        shown: Shown::CsvOnly,
        value: |device| Cell::text(device.labels().get(CONNECTION_LABEL).map(String::as_str)),
    },
    column!("ORG UNIT ID", CsvOnly, |status| Cell::text(
        status.org_unit_id.as_deref()
    )),
    column!("FIRST ENROLLMENT", CsvOnly, |status| time(
        status.enrollment.first_enrollment_time.as_ref()
    )),
    column!("LAST ENROLLMENT", CsvOnly, |status| time(
        status.enrollment.last_enrollment_time.as_ref()
    )),
    column!("LAST DEPROVISION", CsvOnly, |status| time(
        status.enrollment.last_deprovision_time.as_ref()
    )),
    column!("DEPROVISION REASON", CsvOnly, |status| Cell::text(
        status.enrollment.deprovision_reason.as_deref()
    )),
    column!("LICENSE TYPE", CsvOnly, |status| Cell::text(
        status.enrollment.license_type.as_deref()
    )),
    column!("PLATFORM VERSION", CsvOnly, |status| Cell::text(
        status.software.platform_version.as_deref()
    )),
    column!("FIRMWARE VERSION", CsvOnly, |status| Cell::text(
        status.software.firmware_version.as_deref()
    )),
    column!("BOOT MODE", CsvOnly, |status| Cell::text(
        status.software.boot_mode.as_deref()
    )),
    column!("OS VERSION COMPLIANCE", CsvOnly, |status| Cell::text(
        status.software.os_version_compliance.as_deref()
    )),
    column!("UPDATE STATE", CsvOnly, |status| Cell::text(
        status.software.update_state.as_deref()
    )),
    column!("UPDATE TARGET OS VERSION", CsvOnly, |status| Cell::text(
        status.software.update_target_os_version.as_deref()
    )),
    column!("MAC ADDRESS", CsvOnly, |status| Cell::text(
        status.hardware.mac_address.as_deref()
    )),
    column!("ETHERNET MAC ADDRESS", CsvOnly, |status| Cell::text(
        status.hardware.ethernet_mac_address.as_deref()
    )),
    column!("MEID", CsvOnly, |status| Cell::text(
        status.hardware.meid.as_deref()
    )),
    column!("CHROME OS TYPE", CsvOnly, |status| Cell::text(
        status.hardware.chrome_os_type.as_deref()
    )),
    column!("CPU MODEL", CsvOnly, |status| Cell::text(
        status.hardware.cpu_model.as_deref()
    )),
    column!("MEMORY TOTAL BYTES", CsvOnly, |status| Cell::number(
        status.hardware.memory_total_bytes
    )),
    column!("DISK CAPACITY BYTES", CsvOnly, |status| Cell::number(
        status.hardware.disk_capacity_bytes
    )),
    column!("DISK USED BYTES", CsvOnly, |status| Cell::number(
        status.activity.disk_used_bytes
    )),
    column!("TPM FIRMWARE VERSION", CsvOnly, |status| Cell::text(
        status.hardware.tpm_firmware_version.as_deref()
    )),
    column!("MANUFACTURE DATE", CsvOnly, |status| Cell::text(
        status.hardware.manufacture_date.as_deref()
    )),
    column!("ORDER NUMBER", CsvOnly, |status| Cell::text(
        status.hardware.order_number.as_deref()
    )),
    column!("LAST REBOOT", CsvOnly, |status| time(
        status.activity.last_reboot_time.as_ref()
    )),
    column!("LAST ACTIVE DATE", CsvOnly, |status| Cell::text(
        status.activity.last_active_date.as_deref()
    )),
    column!("LAN IP ADDRESS", CsvOnly, |status| Cell::text(
        status.activity.lan_ip_address.as_deref()
    )),
    column!("RECORDED", CsvOnly, |status| time(status.recorded_time.as_ref())),
];

fn state(status: &ChromeOSDeviceStatus) -> Cell<'_> {
    match &status.state {
        Some(state) => Cell::Word(state.into(), tone(state)),
        None => Cell::Missing,
    }
}

fn time(time: Option<&Time>) -> Cell<'_> {
    Cell::time(time.map(|time| time.0))
}

/// A day, for people and programs: nobody counts hours until updates end.
fn day(time: Option<&Time>) -> Cell<'_> {
    match time {
        Some(time) => Cell::Text(time.0.strftime("%Y-%m-%d").to_string().into()),
        None => Cell::Missing,
    }
}
