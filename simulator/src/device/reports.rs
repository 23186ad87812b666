//! What a device reports about itself: hardware, lists of measurements, users and networks.
//!
//! Any field may be missing on any device: some never report one group, because a policy or a privacy setting
//! forbids it.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::device::ageing::LastContact;
use crate::device::{Device, Mode};
use crate::fleet::names;
use crate::random::Draw;

const DAY: i64 = 86_400;

/// `2026-11-23T10:00:00.000Z` from seconds since 1970.
pub(super) fn time_text(seconds: i64) -> String {
    format!(
        "{:.3}",
        Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    )
}

/// `2026-11-23` from seconds since 1970.
pub(super) fn date_text(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(time).date().to_string()
}

/// An entry of `recentUsers`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentUser {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl RecentUser {
    pub(crate) fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActiveTime {
    date: String,
    active_time: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wan_ip_address: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CpuStatus {
    report_time: String,
    cpu_utilization_percentage_info: [i64; 1],
    cpu_temperature_info: Vec<Temperature>,
}

#[derive(Debug, Serialize)]
struct Temperature {
    label: String,
    temperature: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RamFree {
    report_time: String,
    system_ram_free_info: [String; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskVolumes {
    volume_info: Vec<Volume>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    #[serde(rename = "volumeId")]
    path: &'static str,
    storage_total: String,
    storage_free: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiskSpace {
    capacity_bytes: String,
    used_bytes: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Backlight {
    path: &'static str,
    max_brightness: i64,
    brightness: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bluetooth {
    address: String,
    num_connected_devices: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fan {
    speed_rpm: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tpm {
    family: &'static str,
    spec_level: &'static str,
    manufacturer: &'static str,
    #[serde(rename = "tpmModel")]
    model: &'static str,
    firmware_version: &'static str,
    vendor_specific: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cpu {
    model: &'static str,
    architecture: &'static str,
    max_clock_speed_khz: i32,
    logical_cpus: Vec<LogicalCpu>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalCpu {
    max_scaling_frequency_khz: i32,
    current_scaling_frequency_khz: i64,
    idle_duration: String,
    c_states: Vec<CState>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CState {
    display_name: &'static str,
    session_duration: String,
}

/// Groups of fields that a device reports or not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Group {
    Users,
    Network,
    ActiveTimes,
    Measurements,
}

impl Device {
    /// Whether this machine reports the group at all: about 1 in 25 does not.
    pub(super) fn reports(&self, group: Group) -> bool {
        let label = match group {
            Group::Users => "hides users",
            Group::Network => "hides network",
            Group::ActiveTimes => "hides active times",
            Group::Measurements => "hides measurements",
        };
        !self.hardware_draw(label).chance(40)
    }

    /// The one or two people who mostly use it.
    pub(super) fn usual_user(&self, domain: &str) -> String {
        names::account(self.enrolment_draw("usual user"), domain)
    }

    /// Newest first.
    pub(crate) fn recent_users(&self, contact: LastContact, domain: &str) -> Option<Vec<RecentUser>> {
        if self.mode != Mode::UserSession || !self.reports(Group::Users) {
            return None;
        }
        let people = self.enrolment_draw("people");
        let shared = people.chance(500);
        let day = contact.at.div_euclid(DAY);
        let count = if shared { 10 } else { 2 };
        // After a wipe the list begins anew, with the next day.
        let wiped = self.users_wiped().map_or(i64::MIN, |at| at.div_euclid(DAY));
        let users: Vec<RecentUser> = (0..count)
            .filter(|step| day - step > wiped)
            .map(|step| {
                let draw = people.at((day - step).cast_unsigned());
                if draw.of("guest").chance(60) {
                    return RecentUser {
                        kind: "USER_TYPE_UNMANAGED",
                        email: None,
                    };
                }
                let email = if shared {
                    names::account(people.of("class").at(draw.of("seat").below(30)), domain)
                } else {
                    self.usual_user(domain)
                };
                RecentUser {
                    kind: "USER_TYPE_MANAGED",
                    email: Some(email),
                }
            })
            .collect();
        (!users.is_empty()).then_some(users)
    }

    /// Oldest first: the school days of the last four weeks before the contact.
    pub(super) fn active_times(&self, contact: LastContact) -> Option<Vec<ActiveTime>> {
        if !self.reports(Group::ActiveTimes) {
            return None;
        }
        let draws = self.hardware_draw("active");
        let times = (0..28)
            .rev()
            .filter_map(|back| {
                let at = contact.at - back * DAY;
                let date = TimeZone::UTC.to_datetime(Timestamp::from_second(at).ok()?).date();
                let draw = draws.at(at.div_euclid(DAY).cast_unsigned());
                let at_school = !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
                let active_time = draw.of("milliseconds").between(240_000, 21_600_000);
                (at_school && !draw.chance(80)).then(|| ActiveTime {
                    date: date.to_string(),
                    active_time,
                })
            })
            .collect();
        Some(times)
    }

    /// `bootMode`.
    pub(crate) fn boot_mode(&self) -> &'static str {
        if self.hardware_draw("developer").chance(5) {
            "Dev"
        } else {
            "Verified"
        }
    }

    pub(super) fn last_known_network(&self, contact: LastContact) -> Option<[Network; 1]> {
        if !self.reports(Group::Network) {
            return None;
        }
        let draw = self.report_draw("network", contact);
        let (third, fourth) = (draw.of("third").below(16), draw.of("fourth").between(2, 254));
        let site = self.enrolment_draw("site").between(1, 254);
        Some([Network {
            ip_address: Some(format!("10.{site}.{third}.{fourth}")),
            // Some never tell the address under which the world sees them.
            wan_ip_address: (!self.hardware_draw("no wan").chance(100)).then(|| format!("203.0.113.{site}")),
        }])
    }

    /// Oldest first: the last five contacts.
    pub(super) fn cpu_status(&self, last: LastContact) -> Option<Vec<CpuStatus>> {
        self.each_report(last, |contact| {
            let draw = self.report_draw("cpu status", contact);
            let label = |core: u8| {
                if self.model().arm {
                    format!("cpu-thermal{core}\n")
                } else {
                    format!("Core {core}\n")
                }
            };
            CpuStatus {
                report_time: time_text(contact.at),
                cpu_utilization_percentage_info: [draw.of("load").between(1, 97)],
                cpu_temperature_info: (0..2)
                    .map(|core| Temperature {
                        label: label(core),
                        temperature: draw.at(u64::from(core)).between(31, 74),
                    })
                    .collect(),
            }
        })
    }

    /// Oldest first: the last five contacts.
    pub(super) fn ram_free(&self, last: LastContact) -> Option<Vec<RamFree>> {
        let total = self.ram_bytes();
        self.each_report(last, |contact| RamFree {
            report_time: time_text(contact.at),
            system_ram_free_info: [self
                .report_draw("ram free", contact)
                .between(total / 10, total / 2)
                .to_string()],
        })
    }

    fn each_report<T>(&self, last: LastContact, report: impl Fn(LastContact) -> T) -> Option<Vec<T>> {
        if !self.reports(Group::Measurements) {
            return None;
        }
        let contacts = (0..5).rev().map(|step| self.earlier_contact(last, step));
        let reports: Vec<T> = contacts
            .filter(|contact| contact.at >= self.last_enrolled)
            .map(report)
            .collect();
        (!reports.is_empty()).then_some(reports)
    }

    pub(super) fn ram_bytes(&self) -> i64 {
        // A part of the memory belongs to the graphics and the firmware.
        i64::from(self.model().ram_gib) * 1_073_741_824 - 187_654_144
    }

    fn disk(&self, contact: LastContact) -> (i64, i64) {
        let capacity = i64::from(self.model().storage_gb) * 1_000_000_000;
        let used = self
            .report_draw("disk", contact)
            .between(capacity / 4, capacity / 4 * 3);
        (capacity, used)
    }

    pub(super) fn disk_volumes(&self, contact: LastContact) -> Option<[DiskVolumes; 1]> {
        let (capacity, used) = self.disk(contact);
        let stateful = capacity - 9_000_000_000;
        let volumes = vec![
            Volume {
                path: "/media/archive",
                storage_total: "0".to_owned(),
                storage_free: "0".to_owned(),
            },
            Volume {
                path: "/home/chronos/user/MyFiles/Downloads",
                storage_total: stateful.to_string(),
                storage_free: (capacity - used).min(stateful).to_string(),
            },
        ];
        self.reports(Group::Measurements)
            .then_some([DiskVolumes { volume_info: volumes }])
    }

    pub(super) fn disk_space(&self, contact: LastContact) -> Option<DiskSpace> {
        let (capacity, used) = self.disk(contact);
        self.reports(Group::Measurements).then(|| DiskSpace {
            capacity_bytes: capacity.to_string(),
            used_bytes: used.to_string(),
        })
    }

    pub(super) fn backlight(&self, contact: LastContact) -> Option<[Backlight; 1]> {
        (!self.model().desktop && self.reports(Group::Measurements)).then(|| {
            let brightness = self.report_draw("backlight", contact).between(0, 4095);
            [Backlight {
                path: "/sys/class/backlight/intel_backlight",
                max_brightness: 4095,
                brightness,
            }]
        })
    }

    pub(super) fn bluetooth(&self, contact: LastContact) -> [Bluetooth; 1] {
        let digits = self.hardware_draw("bluetooth").hex(6).to_uppercase();
        [Bluetooth {
            address: format!("A4:C3:F1:{}:{}:{}", &digits[..2], &digits[2..4], &digits[4..]),
            num_connected_devices: self.report_draw("bluetooth", contact).below(3),
        }]
    }

    pub(super) fn fans(&self, contact: LastContact) -> Option<[Fan; 1]> {
        let speed = self.report_draw("fan", contact).between(1200, 4200);
        self.model().desktop.then_some([Fan { speed_rpm: speed }])
    }

    pub(super) fn tpm(&self) -> Tpm {
        let infineon = self.hardware_draw("tpm").chance(400);
        Tpm {
            family: "322e3000",
            spec_level: "74",
            manufacturer: if infineon { "49465800" } else { "43524f53" },
            model: "1",
            firmware_version: "b51171a1dd4c3b8e",
            vendor_specific: "784347206654504d",
        }
    }

    pub(super) fn cpu(&self, contact: LastContact) -> [Cpu; 1] {
        let model = self.model();
        let draw = self.report_draw("cpu", contact);
        // Reports name two of many cores, which keeps a record at the size that real ones have.
        let logical_cpus =
            (0..model.logical_cpus.min(2)).map(|core| logical_cpu(model.cpu_khz, draw.at(u64::from(core))));
        [Cpu {
            model: model.cpu,
            architecture: if model.arm { "arm64" } else { "x64" },
            max_clock_speed_khz: model.cpu_khz,
            logical_cpus: logical_cpus.collect(),
        }]
    }
}

fn logical_cpu(max_khz: i32, draw: Draw) -> LogicalCpu {
    let seconds = |label: &str, most: u64| {
        format!(
            "{}.{:06}s",
            draw.of(label).below(most),
            draw.of(label).of("fraction").below(1_000_000)
        )
    };
    LogicalCpu {
        max_scaling_frequency_khz: max_khz,
        current_scaling_frequency_khz: draw.of("frequency").between(800_000, i64::from(max_khz)),
        idle_duration: seconds("idle", 200_000),
        c_states: vec![
            CState {
                display_name: "C1_ACPI",
                session_duration: seconds("c1", 90_000),
            },
            CState {
                display_name: "C2_ACPI",
                session_duration: seconds("c2", 90_000),
            },
            CState {
                display_name: "C3_ACPI",
                session_duration: seconds("c3", 90_000),
            },
        ],
    }
}
