//! Makes a fleet from a seed: the same seed, size, domain and time give the same fleet.

use crate::device::ageing::Contact;
use crate::device::{DeprovisionReason, Device, DeviceId, DeviceStatus, Mode};
use crate::fleet::Fleet;
use crate::fleet::catalogue::{MODELS, OsVersion};
use crate::fleet::org_units::{OrgUnits, Purpose, UnitKey};
use crate::random::Draw;

const DAY: i64 = 86_400;

/// A fleet of this many devices as it stands at `now` (seconds since 1970).
pub(crate) fn fleet(seed: u64, domain: &str, count: u32, now: i64) -> Fleet {
    let source = Draw::new(seed).of(domain);
    let units = OrgUnits::generate(source, count);
    let places = Places::of(&units);
    let newest = OsVersion::current_at(now);
    let mut devices: Vec<Device> = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for number in 0..count {
        let mut device = device(source, number, now, newest);
        (device.org_unit, device.mode) = places.choose(source.of("place").at(u64::from(number)));
        if let Some(later) = devices.last().filter(|later| device.succeeded_by(later)) {
            device.become_the_past_of(later);
        }
        devices.push(device);
    }
    Fleet::new(source, domain, units, devices, newest)
}

fn device(source: Draw, number: u32, now: i64, newest: OsVersion) -> Device {
    let draw = source.of("device").at(u64::from(number));
    let id = DeviceId::draw(draw.of("id"));
    let mut device = Device::new(
        id,
        number,
        draw.of("hardware").bits(),
        draw.of("enrolment").bits(),
    );
    device.model = model(device.hardware_draw("model"));
    device.status = status(draw.of("status"));
    device.last_enrolled = now - draw.of("enrolled").between(10 * DAY, 4 * 365 * DAY);
    device.first_enrolled = device.last_enrolled;
    if draw.of("again").chance(200) {
        device.first_enrolled -= draw.of("first").between(30 * DAY, 700 * DAY);
    }
    device.contact = contact(&device, draw.of("contact"), now);
    device.os = os_version(&device, draw.of("os"), newest, now);
    match device.status {
        DeviceStatus::Deprovisioned => {
            device.deprovisioned = Some(device.contact.silent_after);
            device.deprovision_reason = Some(*draw.of("reason").pick(&DeprovisionReason::ALL[..4]));
        }
        DeviceStatus::PreProvisioned | DeviceStatus::Shipped => {
            device.first_enrolled = 0;
            device.last_enrolled = 0;
        }
        DeviceStatus::Active
        | DeviceStatus::Disabled
        | DeviceStatus::Delinquent
        | DeviceStatus::Inactive
        | DeviceStatus::ReturnRequested
        | DeviceStatus::ReturnArrived
        | DeviceStatus::Unknown => {}
    }
    device
}

fn model(draw: Draw) -> u8 {
    let mut rest = draw.below(1000);
    for (index, model) in (0_u8..).zip(&MODELS) {
        match rest.checked_sub(u64::from(model.share)) {
            Some(remaining) => rest = remaining,
            None => return index,
        }
    }
    0
}

fn status(draw: Draw) -> DeviceStatus {
    match draw.below(1000) {
        0..=14 => DeviceStatus::Disabled,
        15..=74 => DeviceStatus::Deprovisioned,
        75..=84 => DeviceStatus::PreProvisioned,
        85..=89 => DeviceStatus::Delinquent,
        90..=93 => DeviceStatus::Inactive,
        94..=95 => DeviceStatus::ReturnRequested,
        96 => DeviceStatus::ReturnArrived,
        97 => DeviceStatus::Unknown,
        _ => DeviceStatus::Active,
    }
}

/// One device in eight has been silent for days or months; whatever is not in use is silent too.
fn contact(device: &Device, draw: Draw, now: i64) -> Contact {
    let silent = !device.status.talks() || draw.chance(125);
    if !silent {
        return Contact::default();
    }
    let longest = (now - device.last_enrolled - DAY).clamp(DAY, 400 * DAY);
    Contact {
        silent_after: now - draw.of("since").between(DAY, longest),
        ..Contact::default()
    }
}

fn os_version(device: &Device, draw: Draw, newest: OsVersion, now: i64) -> OsVersion {
    let silent_milestones = match device.contact.silent_after {
        i64::MAX => 0,
        since => u16::try_from((now - since) / (28 * DAY)).unwrap_or(0),
    };
    let behind = match draw.below(100) {
        0..=64 => 0,
        65..=84 => 1,
        85..=94 => 2,
        _ => 6,
    };
    OsVersion {
        milestone: newest.milestone.saturating_sub(behind + silent_milestones),
        update: if behind == 0 && silent_milestones == 0 {
            newest.update
        } else {
            u8::try_from(draw.of("update").below(4)).unwrap_or(0)
        },
    }
}

impl Device {
    /// Whether this released record is an earlier life of the machine that `later` describes: one in five.
    fn succeeded_by(&self, later: &Self) -> bool {
        self.status == DeviceStatus::Deprovisioned
            && later.status == DeviceStatus::Active
            && self.enrolment_draw("has a successor").chance(200)
    }

    fn become_the_past_of(&mut self, later: &Self) {
        self.machine = later.machine;
        self.hardware = later.hardware;
        self.model = later.model;
        let released = later.first_enrolled - self.enrolment_draw("gap").between(1, 30) * DAY;
        self.last_enrolled = released - self.enrolment_draw("service").between(100, 900) * DAY;
        self.first_enrolled = self.last_enrolled;
        self.contact.silent_after = released;
        self.deprovisioned = Some(released);
    }
}

/// Where devices are put.
struct Places {
    students: Vec<UnitKey>,
    staff: Vec<UnitKey>,
    kiosks: Vec<UnitKey>,
    containers: Vec<UnitKey>,
}

impl Places {
    fn of(units: &OrgUnits) -> Self {
        let with = |purpose: Purpose| {
            units
                .iter()
                .filter(|unit| unit.purpose == purpose)
                .map(|unit| unit.key)
                .collect()
        };
        Self {
            students: with(Purpose::Students),
            staff: with(Purpose::Staff),
            kiosks: with(Purpose::Kiosks),
            containers: with(Purpose::Container),
        }
    }

    fn choose(&self, draw: Draw) -> (UnitKey, Mode) {
        let unit = draw.of("unit");
        match draw.below(100) {
            0..=4 => (*unit.pick(&self.containers), Mode::UserSession),
            5..=19 => (*unit.pick(&self.staff), Mode::UserSession),
            20..=23 => (*unit.pick(&self.kiosks), Mode::Kiosk),
            24..=25 => (*unit.pick(&self.containers), Mode::ManagedGuest),
            _ => (*unit.pick(&self.students), Mode::UserSession),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const NOW: i64 = 1_795_000_000;

    fn ids(fleet: &Fleet) -> Vec<String> {
        fleet
            .slots()
            .map(|slot| format!("{:?}", fleet.device(slot)))
            .collect()
    }

    #[test]
    fn a_fleet_is_a_function_of_its_seed() {
        let first = fleet(7, "school.example", 500, NOW);
        assert_eq!(ids(&first), ids(&fleet(7, "school.example", 500, NOW)));
        assert_ne!(ids(&first), ids(&fleet(8, "school.example", 500, NOW)));
        assert_ne!(ids(&first), ids(&fleet(7, "second.example", 500, NOW)));
    }

    #[test]
    fn states_and_models_are_mixed_and_most_devices_are_active() {
        let fleet = fleet(7, "school.example", 20_000, NOW);
        let mut states: BTreeMap<DeviceStatus, u32> = BTreeMap::new();
        let mut models: BTreeMap<u8, u32> = BTreeMap::new();
        for device in fleet.slots().filter_map(|slot| fleet.device(slot)) {
            *states.entry(device.status).or_default() += 1;
            *models.entry(device.model).or_default() += 1;
        }
        assert!(states[&DeviceStatus::Active] > 17_000, "{states:?}");
        assert!(
            states[&DeviceStatus::Deprovisioned] > 1_000 && states[&DeviceStatus::Disabled] > 200,
            "{states:?}"
        );
        assert!(states.len() >= 8 && models.len() == MODELS.len());
    }

    #[test]
    fn only_records_of_one_machine_share_a_serial_number() {
        let fleet = fleet(7, "school.example", 20_000, NOW);
        let mut by_serial: BTreeMap<String, Vec<&Device>> = BTreeMap::new();
        for device in fleet.slots().filter_map(|slot| fleet.device(slot)) {
            by_serial
                .entry(device.serial_number().into_owned())
                .or_default()
                .push(device);
        }
        let shared: Vec<_> = by_serial.values().filter(|records| records.len() > 1).collect();
        assert!(shared.len() > 100, "{}", shared.len());
        for records in shared {
            assert!(records.iter().all(|device| device.machine == records[0].machine));
            assert_eq!(
                records
                    .iter()
                    .filter(|device| device.status != DeviceStatus::Deprovisioned)
                    .count(),
                1
            );
        }
    }

    #[test]
    fn nothing_has_happened_in_the_future() {
        let fleet = fleet(3, "school.example", 5_000, NOW);
        for device in fleet.slots().filter_map(|slot| fleet.device(slot)) {
            assert!(
                device.first_enrolled <= device.last_enrolled && device.last_enrolled < NOW,
                "{device:?}"
            );
            assert!(
                device
                    .deprovisioned
                    .is_none_or(|at| at < NOW && at >= device.last_enrolled),
                "{device:?}"
            );
        }
    }

    #[test]
    fn an_empty_fleet_is_a_fleet() {
        assert_eq!(fleet(1, "school.example", 0, NOW).slots().count(), 0);
    }
}
