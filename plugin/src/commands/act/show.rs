//! The device, so that a person recognises it.

use chrome_enterprise_operator::api::device::ChromeOSDevice;
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::Sheet;
use crate::output::age;

/// Its serial number, if Google knows one.
pub(super) fn serial(device: &ChromeOSDevice) -> Option<&str> {
    let serial = device.status.as_ref()?.serial_number.as_deref()?.trim();
    (!serial.is_empty()).then_some(serial)
}

/// What is known of it that tells it from others.
pub(super) fn device(device: &ChromeOSDevice, now: Timestamp) -> String {
    let id = device.name_any();
    let mut sheet = Sheet::new();
    sheet.add("Device", serial(device).unwrap_or("without a serial number"));
    if let Some(status) = &device.status {
        let last_seen = status.activity.last_sync_time.as_ref();
        let last_seen = last_seen.map(|time| format!("{} ago ({})", age(time.0, now), time.0));
        sheet
            .add("Model", status.model.as_deref())
            .add("State", status.state.as_deref())
            .add("Org unit", status.org_unit_path.as_deref())
            .add("User", status.annotated_user.as_deref())
            .add("Recent user", status.activity.recent_user.as_deref())
            .add("Location", status.annotated_location.as_deref())
            .add("Asset ID", status.annotated_asset_id.as_deref())
            .add("Last seen", last_seen.as_deref().unwrap_or("never"));
    }
    sheet.add("Google's ID", id.as_str());
    sheet.text(usize::MAX)
}
