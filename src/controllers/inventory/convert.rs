//! Turns Google's record of a device into the status that is stored.
//!
//! Long lists are left out and times are cut to seconds, so that one device stays at about 1.5 kB and what is stored
//! compares equal to what is converted next time. The client has cut text to the bounds of the resource type already.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::api::device::{
    ActivityStatus, ChromeOSDeviceStatus, EnrollmentStatus, HardwareStatus, SoftwareStatus, serial_key,
};
use crate::google::ChromeOsDevice;

/// The status of this device, without `recordedTime`.
#[must_use]
pub(super) fn status(device: &ChromeOsDevice) -> ChromeOSDeviceStatus {
    ChromeOSDeviceStatus {
        serial_number: device.serial_number.clone(),
        serial_key: device.serial_number.as_deref().map(serial_key),
        state: device.status.clone(),
        model: device.model.clone(),
        org_unit_path: device.org_unit_path.clone(),
        org_unit_id: device.org_unit_id.clone(),
        annotated_asset_id: device.annotated_asset_id.clone(),
        annotated_user: device.annotated_user.clone(),
        annotated_location: device.annotated_location.clone(),
        notes: device.notes.clone(),
        enrollment: enrollment(device),
        software: software(device),
        hardware: hardware(device),
        activity: activity(device),
        recorded_time: None,
    }
}

fn enrollment(device: &ChromeOsDevice) -> EnrollmentStatus {
    EnrollmentStatus {
        first_enrollment_time: seconds(device.first_enrollment_time),
        last_enrollment_time: seconds(device.last_enrollment_time),
        last_deprovision_time: seconds(device.last_deprovision_timestamp),
        deprovision_reason: device.deprovision_reason.clone(),
        license_type: device.device_license_type.clone(),
        will_auto_renew: device.will_auto_renew,
        extended_support_enabled: device.extended_support_enabled,
    }
}

fn software(device: &ChromeOsDevice) -> SoftwareStatus {
    let update = device.os_update_status.as_ref();
    SoftwareStatus {
        os_version: device.os_version.clone(),
        platform_version: device.platform_version.clone(),
        firmware_version: device.firmware_version.clone(),
        boot_mode: device.boot_mode.clone(),
        os_version_compliance: device.os_version_compliance.clone(),
        update_state: update.and_then(|update| update.state.clone()),
        update_target_os_version: update.and_then(|update| update.target_os_version.clone()),
        // The newer field wins; the older one is deprecated at Google.
        auto_update_end_time: seconds(device.auto_update_through.or(device.auto_update_expiration)),
    }
}

fn hardware(device: &ChromeOsDevice) -> HardwareStatus {
    HardwareStatus {
        mac_address: device.mac_address.clone(),
        ethernet_mac_address: device.ethernet_mac_address.clone(),
        meid: device.meid.clone(),
        chrome_os_type: device.chrome_os_type.clone(),
        cpu_model: device.cpu_info.as_ref().and_then(|cpu| cpu.model.clone()),
        memory_total_bytes: device.system_ram_total,
        disk_capacity_bytes: device
            .disk_space_usage
            .as_ref()
            .and_then(|disk| disk.capacity_bytes),
        tpm_firmware_version: device
            .tpm_version_info
            .as_ref()
            .and_then(|tpm| tpm.firmware_version.clone()),
        manufacture_date: device.manufacture_date.clone(),
        order_number: device.order_number.clone(),
    }
}

fn activity(device: &ChromeOsDevice) -> ActivityStatus {
    ActivityStatus {
        last_sync_time: seconds(device.last_sync),
        last_reboot_time: seconds(
            device
                .os_update_status
                .as_ref()
                .and_then(|update| update.reboot_time),
        ),
        last_active_date: device
            .active_time_ranges
            .as_ref()
            .and_then(|day| day.date.clone()),
        disk_used_bytes: device.disk_space_usage.as_ref().and_then(|disk| disk.used_bytes),
        lan_ip_address: device
            .last_known_network
            .as_ref()
            .and_then(|network| network.ip_address.clone()),
        recent_user: device.recent_users.as_ref().and_then(|user| user.email.clone()),
    }
}

/// Stored times have whole seconds: what is read back must equal what is converted next time.
fn seconds(time: Option<Timestamp>) -> Option<Time> {
    time.map(|time| Time(Timestamp::from_second(time.as_second()).unwrap_or(time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::inventory::fingerprint::Fingerprint;
    use serde_json::json;

    fn device(body: serde_json::Value) -> ChromeOsDevice {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_record_as_google_writes_it() {
        let status = status(&device(json!({
            "kind": "admin#directory#chromeosdevice", "etag": "\"x\"", "deviceId": "0d2f3a4b-1111-2222-3333-444455556666",
            "serialNumber": "5cd 1234abc", "status": "ACTIVE", "model": "HP Chromebook 11 G9 EE", "orgUnitPath": "/North/Oak School",
            "orgUnitId": "03ph8a2z1", "annotatedUser": "cart 4", "lastEnrollmentTime": "2025-08-20T07:01:02.345Z",
            "osVersion": "140.0.7339.242", "systemRamTotal": "4294967296", "lastSync": "2026-08-31T07:00:00.999Z",
            "autoUpdateExpiration": "1900000000000",
            "diskSpaceUsage": { "capacityBytes": "32000000000", "usedBytes": "9000000000" },
            "osUpdateStatus": { "state": "updateStateNeedReboot", "targetOsVersion": "0.0.0.0", "rebootTime": "2026-08-30T06:00:00Z" },
        })));
        assert_eq!(status.serial_number.as_deref(), Some("5cd 1234abc"));
        assert_eq!(status.serial_key.as_deref(), Some("5CD1234ABC"));
        assert_eq!(status.hardware.memory_total_bytes, Some(4_294_967_296));
        assert_eq!(status.activity.disk_used_bytes, Some(9_000_000_000));
        assert_eq!(
            status.enrollment.last_enrollment_time,
            Some(Time("2025-08-20T07:01:02Z".parse().unwrap()))
        );
        assert_eq!(
            status.software.auto_update_end_time,
            Some(Time("2030-03-17T17:46:40Z".parse().unwrap()))
        );
        assert!(status.recorded_time.is_none());
        let stored = serde_json::to_string(&status).unwrap();
        assert!(stored.len() < 1500, "{} bytes", stored.len());
        let read: ChromeOSDeviceStatus = serde_json::from_str(&stored).unwrap();
        assert_eq!(Fingerprint::of(&read), Fingerprint::of(&status));
    }

    #[test]
    fn a_record_with_nothing_but_its_id() {
        assert_eq!(
            status(&device(json!({ "deviceId": "a" }))),
            ChromeOSDeviceStatus::default()
        );
    }
}
