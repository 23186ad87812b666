//! Changes of records, and what follows from them: the index, the witness, the commands on their way.
//!
//! A write of the API may show in lists later than in `get`. Until then the store keeps the older versions of the
//! record, and lists look at the oldest one.

use std::collections::VecDeque;

use crate::agenda::Due;
use crate::clock::later;
use crate::device::{Device, DeviceStatus, Presence};
use crate::fleet::org_units::UnitKey;
use crate::fleet::{Fleet, Slot};
use crate::witness::Cause;

/// What has to be compared with the time after a change.
struct Before {
    status: DeviceStatus,
    online: bool,
    listed: Option<(Presence, UnitKey)>,
}

impl Fleet {
    /// Changes a record. Every reader sees it at once, whatever older versions lists still look at.
    pub(crate) fn change(&mut self, slot: Slot, cause: &Cause, change: impl Fn(&mut Device)) {
        let Some(before) = self.look(slot, cause) else {
            return;
        };
        let older = self.lagging.get_mut(&slot).into_iter().flatten();
        for device in older.chain(self.devices.get_mut(slot.index())) {
            change(device);
            device.revision = device.revision.wrapping_add(1);
        }
        self.follow_up(slot, cause, &before);
    }

    /// Changes a record as the API does: `get` sees it at once, lists and counts so many seconds later.
    pub(crate) fn write(
        &mut self,
        slot: Slot,
        cause: &Cause,
        lag_seconds: u32,
        change: impl FnOnce(&mut Device),
    ) {
        let Some(before) = self.look(slot, cause) else {
            return;
        };
        let Some(device) = self.devices.get_mut(slot.index()) else {
            return;
        };
        if lag_seconds > 0 {
            self.lagging.entry(slot).or_default().push_back(device.clone());
            let seen = later(cause.at, lag_seconds);
            self.agenda.add(seen, Due::ListCatchesUp(slot));
        }
        change(device);
        device.revision = device.revision.wrapping_add(1);
        self.follow_up(slot, cause, &before);
    }

    /// Lists see the next version of a record.
    pub(super) fn catch_up(&mut self, slot: Slot) {
        let before = self.place_in_lists(slot);
        if let Some(older) = self.lagging.get_mut(&slot) {
            older.pop_front();
            if older.is_empty() {
                self.lagging.remove(&slot);
            }
        }
        self.re_index(slot, before);
    }

    /// The version of a record that lists and counts look at.
    pub(crate) fn as_listed(&self, slot: Slot) -> Option<&Device> {
        if self.lagging.is_empty() {
            return self.device(slot);
        }
        let older = self.lagging.get(&slot).and_then(VecDeque::front);
        older.or_else(|| self.device(slot))
    }

    fn look(&self, slot: Slot, cause: &Cause) -> Option<Before> {
        let device = self.device(slot)?;
        Some(Before {
            status: device.status,
            online: device.is_online(cause.second()),
            listed: self.place_in_lists(slot),
        })
    }

    fn follow_up(&mut self, slot: Slot, cause: &Cause, before: &Before) {
        self.re_index(slot, before.listed);
        let Some(device) = self.device(slot) else { return };
        let (status, online) = (device.status, device.is_online(cause.second()));
        self.witness.record_status(slot, before.status, status, cause);
        if online != before.online {
            self.connectivity_changed(slot, online, cause.at);
        }
    }

    fn place_in_lists(&self, slot: Slot) -> Option<(Presence, UnitKey)> {
        self.as_listed(slot)
            .map(|device| (device.presence, device.org_unit))
    }

    /// Keeps the index of the lists right.
    fn re_index(&mut self, slot: Slot, before: Option<(Presence, UnitKey)>) {
        let after = self.place_in_lists(slot);
        if before == after {
            return;
        }
        if let Some((Presence::Listed, unit)) = before
            && let Some(members) = self.members.get_mut(unit.index())
        {
            members.remove(&slot);
        }
        if let Some((Presence::Listed, unit)) = after
            && let Some(members) = self.members.get_mut(unit.index())
        {
            members.insert(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::fleet::generate;

    const NOW: i64 = 1_795_000_000;

    fn at(second: i64) -> Cause {
        Cause::control(Timestamp::from_second(NOW + second).unwrap())
    }

    fn listed_in(fleet: &Fleet, unit: UnitKey, slot: Slot) -> bool {
        fleet
            .walk(&[unit], None)
            .any(|(position, _)| position.slot == slot)
    }

    #[test]
    fn the_index_follows_moves_and_disappearances() {
        let mut fleet = generate::fleet(7, "school.example", 700, NOW);
        let (slot, _) = fleet.listed().next().unwrap();
        let target = fleet.units.iter().last().unwrap().key;
        fleet.change(slot, &at(0), |device| device.org_unit = target);
        assert!(listed_in(&fleet, target, slot));
        fleet.change(slot, &at(0), |device| device.presence = Presence::Vanished);
        assert_eq!(fleet.listed_count(), 699);
        let id = fleet.device(slot).unwrap().id.to_string();
        assert!(fleet.find(&id).is_none() && fleet.find_any(&id) == Some(slot));
        fleet.change(slot, &at(0), |device| device.presence = Presence::Listed);
        assert_eq!(fleet.listed_count(), 700);
    }

    #[test]
    fn lists_see_each_write_after_its_lag() {
        let mut fleet = generate::fleet(7, "school.example", 100, NOW);
        let (slot, device) = fleet.listed().next().unwrap();
        let home = device.org_unit;
        let units: Vec<UnitKey> = fleet
            .units
            .iter()
            .map(|unit| unit.key)
            .filter(|unit| *unit != home)
            .take(2)
            .collect();
        fleet.write(slot, &at(0), 30, |device| device.org_unit = units[0]);
        fleet.write(slot, &at(20), 30, |device| device.org_unit = units[1]);
        assert_eq!(
            fleet.device(slot).unwrap().org_unit,
            units[1],
            "get is never late"
        );
        for (second, expected) in [(29, home), (30, units[0]), (49, units[0]), (50, units[1])] {
            fleet.settle(at(second).at);
            for unit in [home, units[0], units[1]] {
                assert_eq!(listed_in(&fleet, unit, slot), unit == expected, "{second} s");
            }
            assert_eq!(fleet.as_listed(slot).unwrap().org_unit, expected);
        }
        assert!(fleet.lagging.is_empty());
    }

    #[test]
    fn what_a_device_does_itself_shows_at_once_and_takes_no_late_write_with_it() {
        let mut fleet = generate::fleet(7, "school.example", 100, NOW);
        let (slot, _) = fleet
            .listed()
            .find(|(_, device)| device.status == DeviceStatus::Active)
            .unwrap();
        fleet.write(slot, &at(0), 30, |device| {
            device.set_status(DeviceStatus::Disabled, NOW);
        });
        fleet.change(slot, &at(1), |device| device.reboot(NOW + 1));
        let listed = fleet.as_listed(slot).unwrap();
        assert_eq!(listed.status, DeviceStatus::Active);
        assert_ne!(listed.etag(None), fleet.device(slot).unwrap().etag(None));
        assert_eq!(listed.revision, 2);
    }
}
