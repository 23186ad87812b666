//! What is known of a device, in groups, in the words of the page.

use chrome_enterprise_operator::api::ChromeOSDevice;
use chrome_enterprise_operator::api::device::{
    ActivityStatus, ChromeOSDeviceStatus, EnrollmentStatus, HardwareStatus, SoftwareStatus,
};
use indicatif::{BinaryBytes, DecimalBytes};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use crate::inventory::{meaning, tone};
use crate::output::{Tone, age, clean};

/// One thing that is known.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) tone: Option<Tone>,
}

/// Things that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) facts: Vec<Fact>,
}

impl Group {
    const fn new(title: &'static str) -> Self {
        Self {
            title,
            facts: Vec::new(),
        }
    }

    /// Adds what is known; what is not known is left out.
    fn add(mut self, name: &'static str, value: Option<String>) -> Self {
        self.facts.extend(value.map(|value| Fact {
            name,
            value,
            tone: None,
        }));
        self
    }

    fn text(self, name: &'static str, value: Option<&String>) -> Self {
        let value = value.map(|value| clean(value).into_owned());
        self.add(name, value.filter(|value| !value.trim().is_empty()))
    }

    fn time(self, name: &'static str, value: Option<&Time>, now: Timestamp) -> Self {
        self.add(name, value.map(|time| moment(time.0, now)))
    }

    fn flag(self, name: &'static str, value: Option<bool>) -> Self {
        self.add(name, value.map(|yes| if yes { "yes" } else { "no" }.to_owned()))
    }
}

/// All groups that have something in them.
pub(super) fn groups(device: &ChromeOSDevice, status: &ChromeOSDeviceStatus, now: Timestamp) -> Vec<Group> {
    let groups = [
        identity(device, status),
        people(status),
        enrollment(&status.enrollment, now),
        software(&status.software, now),
        hardware(&status.hardware),
        activity(&status.activity, &status.hardware, now),
    ];
    groups
        .into_iter()
        .filter(|group| !group.facts.is_empty())
        .collect()
}

fn identity(device: &ChromeOSDevice, status: &ChromeOSDeviceStatus) -> Group {
    let mut group = Group::new("Identity").text("Serial number", status.serial_number.as_ref());
    if let Some(state) = &status.state {
        let shown = clean(state);
        group.facts.push(Fact {
            name: "State",
            value: meaning(state).map_or_else(|| shown.to_string(), |words| format!("{shown}: {words}")),
            tone: Some(tone(state)),
        });
    }
    group
        .text("Model", status.model.as_ref())
        .add("Device ID", Some(device.name_any()))
        .add("Namespace", device.namespace())
}

fn people(status: &ChromeOSDeviceStatus) -> Group {
    Group::new("Place and people")
        .text("Org unit", status.org_unit_path.as_ref())
        .text("User (noted)", status.annotated_user.as_ref())
        .text("Last user", status.activity.recent_user.as_ref())
        .text("Asset ID", status.annotated_asset_id.as_ref())
        .text("Location", status.annotated_location.as_ref())
        .text("Notes", status.notes.as_ref())
}

fn enrollment(enrollment: &EnrollmentStatus, now: Timestamp) -> Group {
    Group::new("Enrolment and licence")
        .time("First enrolled", enrollment.first_enrollment_time.as_ref(), now)
        .time("Last enrolled", enrollment.last_enrollment_time.as_ref(), now)
        .time("Deprovisioned", enrollment.last_deprovision_time.as_ref(), now)
        .text("Reason", enrollment.deprovision_reason.as_ref())
        .text("Licence", enrollment.license_type.as_ref())
        .flag("Renews itself", enrollment.will_auto_renew)
        .flag("Extended support", enrollment.extended_support_enabled)
}

fn software(software: &SoftwareStatus, now: Timestamp) -> Group {
    let mut group = Group::new("Software")
        .text("ChromeOS", software.os_version.as_ref())
        .text("As policy asks", software.os_version_compliance.as_ref())
        .text("Update", software.update_state.as_ref())
        .text("Update leads to", software.update_target_os_version.as_ref());
    if let Some(end) = &software.auto_update_end_time {
        let is_over = end.0 <= now;
        let day = end.0.strftime("%Y-%m-%d");
        group.facts.push(Fact {
            name: "Updates until",
            value: if is_over {
                format!("{day}: no updates any more")
            } else {
                day.to_string()
            },
            tone: is_over.then_some(Tone::Bad),
        });
    }
    group
        .text("Platform", software.platform_version.as_ref())
        .text("Firmware", software.firmware_version.as_ref())
        .text("Boot mode", software.boot_mode.as_ref())
}

fn hardware(hardware: &HardwareStatus) -> Group {
    Group::new("Hardware")
        .text("Type", hardware.chrome_os_type.as_ref())
        .text("Processor", hardware.cpu_model.as_ref())
        .add("Memory", hardware.memory_total_bytes.and_then(memory))
        .text("Wi-Fi address", hardware.mac_address.as_ref())
        .text("Ethernet address", hardware.ethernet_mac_address.as_ref())
        .text("MEID", hardware.meid.as_ref())
        .text("Security chip", hardware.tpm_firmware_version.as_ref())
        .text("Made on", hardware.manufacture_date.as_ref())
        .text("Order number", hardware.order_number.as_ref())
}

fn activity(activity: &ActivityStatus, hardware: &HardwareStatus, now: Timestamp) -> Group {
    let capacity = hardware.disk_capacity_bytes.and_then(disk);
    let used = activity.disk_used_bytes.and_then(disk);
    let disk = match (used, capacity) {
        (Some(used), Some(capacity)) => Some(format!("{used} of {capacity} used")),
        (Some(used), None) => Some(format!("{used} used")),
        (None, capacity) => capacity,
    };
    Group::new("Activity")
        .time("Last sync", activity.last_sync_time.as_ref(), now)
        .time("Last restart", activity.last_reboot_time.as_ref(), now)
        .text("Last used on", activity.last_active_date.as_ref())
        .text("Local address", activity.lan_ip_address.as_ref())
        .add("Disk", disk)
}

/// Memory is counted in powers of two, disks are sold in powers of ten.
fn memory(bytes: i64) -> Option<String> {
    Some(BinaryBytes(u64::try_from(bytes).ok()?).to_string())
}

fn disk(bytes: i64) -> Option<String> {
    Some(DecimalBytes(u64::try_from(bytes).ok()?).to_string())
}

/// A moment where the person is, and how long ago it was.
pub(super) fn moment(time: Timestamp, now: Timestamp) -> String {
    let local = time.to_zoned(TimeZone::system());
    let when = local.strftime("%Y-%m-%d %H:%M %Z");
    match age(time, now) {
        future if future.starts_with("in ") => format!("{when} ({future})"),
        past => format!("{when} ({past} ago)"),
    }
}
