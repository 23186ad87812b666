//! Which devices stand on one page of a list, and where the next page begins.

use crate::api::query::Query;
use crate::device::Device;
use crate::device::render::Surroundings;
use crate::fleet::org_units::UnitKey;
use crate::fleet::{Fleet, Position, Slot};
use crate::random::Draw;
use crate::switches::PageChaos;

/// `orderBy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderBy {
    AnnotatedLocation,
    AnnotatedUser,
    LastSync,
    Notes,
    SerialNumber,
    Status,
}

/// Order of a sorted walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sorting {
    pub(crate) by: OrderBy,
    pub(crate) descending: bool,
}

/// Where a page begins: behind the last device of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) position: Position,
    pub(crate) sort_key: String,
}

/// What selects the devices of a walk.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) scope: &'a [UnitKey],
    pub(crate) query: &'a Query,
    pub(crate) sorting: Option<Sorting>,
    pub(crate) surroundings: Surroundings<'a>,
}

/// The devices of one page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) slots: Vec<Slot>,
    /// The end of this page, if there is another one.
    pub(crate) next: Option<Cursor>,
}

impl<'a> Selection<'a> {
    /// Everything that the walk would visit behind the cursor.
    fn rest(&self, after: Option<Position>) -> impl Iterator<Item = (Position, &'a Device)> + '_ {
        self.fleet
            .walk(self.scope, after)
            .filter(|(_, device)| self.query.matches(device, self.surroundings))
    }

    /// How many devices are selected.
    pub(crate) fn count(&self) -> usize {
        self.rest(None).count()
    }

    /// The page behind the cursor with at most this many devices.
    pub(crate) fn page(&self, after: Option<&Cursor>, size: usize) -> Page {
        match self.sorting {
            None => self.unsorted_page(after, size),
            Some(sorting) => self.sorted_page(sorting, after, size),
        }
    }

    fn unsorted_page(&self, after: Option<&Cursor>, size: usize) -> Page {
        let mut slots = Vec::with_capacity(size);
        let mut end = None;
        for (position, _) in self.rest(after.map(|cursor| cursor.position)) {
            if slots.len() == size {
                let next = end.map(|position| Cursor {
                    position,
                    sort_key: String::new(),
                });
                return Page { slots, next };
            }
            slots.push(position.slot);
            end = Some(position);
        }
        Page { slots, next: None }
    }

    /// Finds the smallest keys behind the cursor among all devices: no index could stay right while every sync
    /// moves a device, and a walk with a sort order is rare.
    fn sorted_page(&self, sorting: Sorting, after: Option<&Cursor>, size: usize) -> Page {
        let order = |left: &(String, Position), right: &(String, Position)| {
            let ascending = left.cmp(right);
            if sorting.descending {
                ascending.reverse()
            } else {
                ascending
            }
        };
        let start = after.map(|cursor| (cursor.sort_key.clone(), cursor.position));
        let mut rows: Vec<(String, Position)> = self
            .rest(None)
            .map(|(position, device)| (self.sort_key(sorting.by, device), position))
            .filter(|row| start.as_ref().is_none_or(|start| order(row, start).is_gt()))
            .collect();
        let more = rows.len() > size;
        if more {
            rows.select_nth_unstable_by(size, order);
            rows.truncate(size);
        }
        rows.sort_unstable_by(order);
        let next = rows.last().filter(|_| more);
        Page {
            next: next.map(|(sort_key, position)| Cursor {
                position: *position,
                sort_key: sort_key.clone(),
            }),
            slots: rows.into_iter().map(|(_, position)| position.slot).collect(),
        }
    }

    fn sort_key(&self, by: OrderBy, device: &Device) -> String {
        match by {
            OrderBy::AnnotatedLocation => device.annotated_location().unwrap_or_default(),
            OrderBy::AnnotatedUser => device
                .annotated_user(self.surroundings.domain)
                .unwrap_or_default(),
            OrderBy::LastSync => {
                let contact = device.last_contact(self.surroundings.now);
                format!("{:020}", contact.map_or(0, |contact| contact.at))
            }
            OrderBy::Notes => device.notes().unwrap_or_default(),
            OrderBy::SerialNumber => device.serial_number().into_owned(),
            OrderBy::Status => device.status.as_str().to_owned(),
        }
    }

    /// Leaves devices out of a page and repeats devices of earlier pages, if the switches say so.
    pub(crate) fn disturb(&self, page: &mut Page, chaos: PageChaos, number: u32, after: Option<&Cursor>) {
        if chaos.sorted_walks_only && self.sorting.is_none() {
            return;
        }
        let draw = Draw::new(chaos.seed).of("page chaos").at(u64::from(number));
        for step in 0..chaos.omissions_per_page {
            if page.slots.is_empty() {
                break;
            }
            let victim = draw
                .of("omission")
                .at(u64::from(step))
                .below(page.slots.len() as u64);
            page.slots.remove(usize::try_from(victim).unwrap_or(0));
        }
        let Some(after) = after else { return };
        let repeated = self
            .fleet
            .walk_back(self.scope, after.position)
            .filter(|slot| !page.slots.contains(slot))
            .filter(|slot| {
                self.fleet
                    .as_listed(*slot)
                    .is_some_and(|device| self.query.matches(device, self.surroundings))
            })
            .take(usize::try_from(chaos.duplicates_per_page).unwrap_or(0));
        let repeated: Vec<Slot> = repeated.collect();
        page.slots.extend(repeated);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::fleet::generate;

    const NOW: i64 = 1_795_000_000;

    fn walk(selection: &Selection<'_>, size: usize) -> Vec<Slot> {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = selection.page(cursor.as_ref(), size);
            assert!(page.slots.len() <= size);
            seen.extend(page.slots);
            cursor = page.next;
            if cursor.is_none() {
                return seen;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn every_device_comes_exactly_once_when_nothing_changes(
            devices in 0_u32..400,
            seed: u64,
            size in 1_usize..120,
            order in 0_usize..7,
            descending: bool,
        ) {
            let fleet = generate::fleet(seed, "school.example", devices, NOW);
            let scope = fleet.units.scope(UnitKey::ROOT, true);
            let orders = [
                OrderBy::AnnotatedLocation, OrderBy::AnnotatedUser, OrderBy::LastSync, OrderBy::Notes,
                OrderBy::SerialNumber, OrderBy::Status,
            ];
            let sorting = orders.get(order).map(|by| Sorting { by: *by, descending });
            let selection = Selection {
                fleet: &fleet,
                scope: &scope,
                query: &Query::Terms(Vec::new()),
                sorting,
                surroundings: fleet.surroundings(NOW),
            };
            let seen = walk(&selection, size);
            let different: BTreeSet<Slot> = seen.iter().copied().collect();
            prop_assert_eq!(seen.len(), usize::try_from(devices).unwrap());
            prop_assert_eq!(different.len(), seen.len());
            prop_assert_eq!(selection.count(), seen.len());
        }
    }

    #[test]
    fn sorted_walks_are_sorted() {
        let fleet = generate::fleet(7, "school.example", 500, NOW);
        let scope = fleet.units.scope(UnitKey::ROOT, true);
        for descending in [false, true] {
            let selection = Selection {
                fleet: &fleet,
                scope: &scope,
                query: &Query::Terms(Vec::new()),
                sorting: Some(Sorting {
                    by: OrderBy::SerialNumber,
                    descending,
                }),
                surroundings: fleet.surroundings(NOW),
            };
            let mut serials: Vec<String> = walk(&selection, 37)
                .into_iter()
                .map(|slot| fleet.device(slot).unwrap().serial_number().into_owned())
                .collect();
            if descending {
                serials.reverse();
            }
            assert!(serials.is_sorted());
        }
    }

    #[test]
    fn chaos_repeats_and_omits_as_told() {
        let fleet = generate::fleet(7, "school.example", 300, NOW);
        let scope = fleet.units.scope(UnitKey::ROOT, true);
        let selection = Selection {
            fleet: &fleet,
            scope: &scope,
            query: &Query::Terms(Vec::new()),
            sorting: None,
            surroundings: fleet.surroundings(NOW),
        };
        let first = selection.page(None, 100);
        let cursor = first.next.unwrap();
        let mut second = selection.page(Some(&cursor), 100);
        let chaos = PageChaos {
            duplicates_per_page: 3,
            omissions_per_page: 2,
            ..PageChaos::default()
        };
        selection.disturb(&mut second, chaos, 2, Some(&cursor));
        assert_eq!(second.slots.len(), 101);
        assert_eq!(
            second
                .slots
                .iter()
                .filter(|slot| first.slots.contains(slot))
                .count(),
            3
        );
    }
}
