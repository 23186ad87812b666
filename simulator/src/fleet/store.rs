//! The store of one customer's devices, indexed for the order in which they are listed.
//!
//! A listing visits the organisational units of its scope one after the other, and in each the devices in the
//! order in which they came. Nothing promises an order; this one makes the store as treacherous as Google's:
//! a device that moves between units during a walk is seen twice or not at all.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use crate::agenda::Agenda;
use crate::command::CommandBook;
use crate::device::render::Surroundings;
use crate::device::{Device, DeviceId, Presence};
use crate::fleet::catalogue::OsVersion;
use crate::fleet::org_units::{OrgUnits, UnitKey};
use crate::random::Draw;
use crate::status_change::Licences;
use crate::witness::Witness;

/// The place of a device in the store; never used again for another device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Position of a listing: the last device that was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) unit: UnitKey,
    pub(crate) slot: Slot,
}

/// All devices and organisational units of a customer, and what is done with them.
#[derive(Debug)]
pub(crate) struct Fleet {
    source: Draw,
    domain: String,
    newest_os: OsVersion,
    pub(crate) units: OrgUnits,
    pub(super) devices: Vec<Device>,
    by_id: FxHashMap<DeviceId, Slot>,
    /// The devices of each unit as lists see them.
    pub(super) members: Vec<BTreeSet<Slot>>,
    /// Older versions of records which lists still look at, oldest first; never an empty one.
    pub(super) lagging: FxHashMap<Slot, VecDeque<Device>>,
    pub(crate) agenda: Agenda,
    pub(crate) commands: CommandBook,
    pub(crate) witness: Witness,
    pub(crate) licences: Licences,
}

impl Fleet {
    pub(crate) fn new(
        source: Draw,
        domain: &str,
        units: OrgUnits,
        devices: Vec<Device>,
        newest_os: OsVersion,
    ) -> Self {
        let mut fleet = Self {
            source,
            domain: domain.to_owned(),
            newest_os,
            members: vec![BTreeSet::new(); units.len()],
            units,
            by_id: FxHashMap::with_capacity_and_hasher(devices.len(), rustc_hash::FxBuildHasher),
            devices: Vec::with_capacity(devices.len()),
            lagging: FxHashMap::default(),
            agenda: Agenda::default(),
            commands: CommandBook::default(),
            witness: Witness::default(),
            licences: Licences::default(),
        };
        for device in devices {
            fleet.add(device);
        }
        fleet
    }

    /// Adds a record.
    pub(crate) fn add(&mut self, device: Device) -> Slot {
        let slot = Slot(u32::try_from(self.devices.len()).unwrap_or(u32::MAX));
        self.by_id.insert(device.id, slot);
        if device.presence == Presence::Listed
            && let Some(members) = self.members.get_mut(device.org_unit.index())
        {
            members.insert(slot);
        }
        self.devices.push(device);
        slot
    }

    /// A source of draws for new records of this customer.
    pub(crate) fn source(&self) -> Draw {
        self.source
    }

    pub(crate) fn newest_os(&self) -> OsVersion {
        self.newest_os
    }

    /// What a device needs to know to be written. `now` is seconds since 1970.
    pub(crate) fn surroundings(&self, now: i64) -> Surroundings<'_> {
        Surroundings {
            now,
            domain: &self.domain,
            units: &self.units,
            newest_os: self.newest_os,
        }
    }

    /// The listed device with this id in any case.
    pub(crate) fn find(&self, id: &str) -> Option<(Slot, &Device)> {
        let slot = self.find_any(id)?;
        self.device(slot)
            .filter(|device| device.presence == Presence::Listed)
            .map(|device| (slot, device))
    }

    /// The device with this id, vanished ones too.
    pub(crate) fn find_any(&self, id: &str) -> Option<Slot> {
        self.by_id.get(&id.parse().ok()?).copied()
    }

    pub(crate) fn device(&self, slot: Slot) -> Option<&Device> {
        self.devices.get(slot.index())
    }

    /// Every record, vanished ones too.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..u32::try_from(self.devices.len()).unwrap_or(u32::MAX)).map(Slot)
    }

    /// Every listed record.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (Slot, &Device)> {
        (0_u32..)
            .map(Slot)
            .zip(&self.devices)
            .filter(|(_, device)| device.presence == Presence::Listed)
    }

    pub(crate) fn listed_count(&self) -> usize {
        self.members.iter().map(BTreeSet::len).sum()
    }

    /// The devices of these units behind a position, in the order of the listing.
    pub(crate) fn walk<'a>(
        &'a self,
        scope: &'a [UnitKey],
        after: Option<Position>,
    ) -> impl Iterator<Item = (Position, &'a Device)> + 'a {
        let start = after.map_or(0, |after| scope.partition_point(|unit| *unit < after.unit));
        scope.get(start..).unwrap_or(&[]).iter().flat_map(move |unit| {
            let first = match after {
                Some(after) if after.unit == *unit => after.slot.0.saturating_add(1),
                Some(_) | None => 0,
            };
            self.members_of(*unit)
                .range(Slot(first)..)
                .filter_map(move |slot| {
                    Some((
                        Position {
                            unit: *unit,
                            slot: *slot,
                        },
                        self.as_listed(*slot)?,
                    ))
                })
        })
    }

    /// The devices of these units up to a position, the last one first.
    pub(crate) fn walk_back<'a>(
        &'a self,
        scope: &'a [UnitKey],
        upto: Position,
    ) -> impl Iterator<Item = Slot> + 'a {
        scope
            .iter()
            .rev()
            .filter(move |unit| **unit <= upto.unit)
            .flat_map(move |unit| {
                let last = if *unit == upto.unit {
                    upto.slot
                } else {
                    Slot(u32::MAX)
                };
                self.members_of(*unit).range(..=last).rev().copied()
            })
    }

    fn members_of(&self, unit: UnitKey) -> &BTreeSet<Slot> {
        static NOBODY: BTreeSet<Slot> = BTreeSet::new();
        self.members.get(unit.index()).unwrap_or(&NOBODY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::generate;

    fn fleet() -> Fleet {
        generate::fleet(7, "school.example", 700, 1_795_000_000)
    }

    #[test]
    fn a_walk_from_any_position_is_the_rest_of_the_whole_walk() {
        let fleet = fleet();
        let scope = fleet.units.scope(UnitKey::ROOT, true);
        let whole: Vec<Position> = fleet.walk(&scope, None).map(|(position, _)| position).collect();
        assert_eq!(whole.len(), 700);
        assert!(whole.is_sorted());
        for index in [0, 1, 99, 350, 698, 699] {
            let rest: Vec<Position> = fleet
                .walk(&scope, Some(whole[index]))
                .map(|(position, _)| position)
                .collect();
            assert_eq!(rest, whole[index + 1..]);
            let back: Vec<Slot> = fleet.walk_back(&scope, whole[index]).collect();
            let expected: Vec<Slot> = whole[..=index]
                .iter()
                .rev()
                .map(|position| position.slot)
                .collect();
            assert_eq!(back, expected);
        }
    }
}
