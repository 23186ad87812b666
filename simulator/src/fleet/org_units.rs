//! The tree of organisational units: districts, their schools, and the groups of each school.
//!
//! Paths are compared without regard to case, ids with or without their `id:` prefix, as the Directory API
//! does ("Directory API: Organizational units").

use rustc_hash::FxHashMap;

use crate::fleet::names;
use crate::random::Draw;

/// A unit's place in the tree of its customer. The root is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UnitKey(pub(crate) u32);

impl UnitKey {
    pub(crate) const ROOT: Self = Self(0);

    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One organisational unit.
#[derive(Debug, Clone)]
pub(crate) struct OrgUnit {
    pub(crate) key: UnitKey,
    /// Without the prefix `id:`, as devices carry it.
    pub(crate) bare_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Starts with `/`; the root is `/` alone.
    pub(crate) path: String,
    pub(crate) parent: Option<UnitKey>,
    /// What its devices are for, which decides their users and modes.
    pub(crate) purpose: Purpose,
}

/// What the devices of a unit are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A node of the tree which holds few devices itself.
    Container,
    /// Pupils' laptops.
    Students,
    /// Teachers' laptops.
    Staff,
    /// Screens and check-in desks.
    Kiosks,
}

/// All units of a customer, in the order of their paths' depth-first walk.
#[derive(Debug)]
pub(crate) struct OrgUnits {
    units: Vec<OrgUnit>,
    by_path: FxHashMap<String, UnitKey>,
    by_id: FxHashMap<String, UnitKey>,
}

impl OrgUnits {
    /// A tree for this many devices: about one school for 600 devices and one district for eight schools.
    pub(crate) fn generate(source: Draw, devices: u32) -> Self {
        let mut tree = Self {
            units: Vec::new(),
            by_path: FxHashMap::default(),
            by_id: FxHashMap::default(),
        };
        let source = source.of("org units");
        tree.add(source, None, "", Purpose::Container);
        let schools = usize::try_from(devices.div_ceil(600)).unwrap_or(1).max(2);
        let districts = schools.div_ceil(8).max(2);
        let mut number = usize::try_from(source.of("first school").below(144)).unwrap_or(0);
        for district in 0..districts {
            let name = match (
                district / names::DISTRICTS.len(),
                names::DISTRICTS[district % names::DISTRICTS.len()],
            ) {
                (0, name) => name.to_owned(),
                (round, name) => format!("{name} {}", round + 1),
            };
            let district_key = tree.add(source, Some(UnitKey::ROOT), &name, Purpose::Container);
            let share = schools / districts + usize::from(district < schools % districts);
            for _ in 0..share {
                tree.add_school(source, district_key, &names::school(number));
                number += 1;
            }
        }
        tree
    }

    fn add_school(&mut self, source: Draw, district: UnitKey, name: &str) {
        let school = self.add(source, Some(district), name, Purpose::Container);
        let students = self.add(source, Some(school), "Students", Purpose::Students);
        for grade in ["Grade 7", "Grade 8", "Grade 9"] {
            self.add(source, Some(students), grade, Purpose::Students);
        }
        self.add(source, Some(school), "Staff", Purpose::Staff);
        self.add(source, Some(school), "Kiosks", Purpose::Kiosks);
    }

    fn add(&mut self, source: Draw, parent: Option<UnitKey>, name: &str, purpose: Purpose) -> UnitKey {
        let key = UnitKey(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        let path = match parent.and_then(|parent| self.get(parent)) {
            None => "/".to_owned(),
            Some(parent) if parent.path == "/" => format!("/{name}"),
            Some(parent) => format!("{}/{name}", parent.path),
        };
        let bare_id = new_id(source.of("id").at(u64::from(key.0)), key);
        self.by_path.insert(path.to_lowercase(), key);
        self.by_id.insert(bare_id.clone(), key);
        self.units.push(OrgUnit {
            key,
            bare_id,
            name: name.to_owned(),
            description: String::new(),
            path,
            parent,
            purpose,
        });
        key
    }

    /// The unit with this key.
    pub(crate) fn get(&self, key: UnitKey) -> Option<&OrgUnit> {
        self.units.get(key.index())
    }

    /// All units, parents before children; the root first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &OrgUnit> {
        self.units.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    /// The unit named by a path (with or without the leading slash, any case), `id:03ph…` or a bare id.
    pub(crate) fn find(&self, reference: &str) -> Option<&OrgUnit> {
        if let Some(id) = reference.strip_prefix("id:") {
            return self.by_id.get(id).and_then(|key| self.get(*key));
        }
        if reference.is_empty() || reference == "/" {
            return self.get(UnitKey::ROOT);
        }
        let path = if reference.starts_with('/') {
            reference.to_lowercase()
        } else {
            format!("/{}", reference.to_lowercase())
        };
        let key = self
            .by_path
            .get(path.as_str())
            .or_else(|| self.by_id.get(reference))?;
        self.get(*key)
    }

    /// Whether `unit` is `ancestor` or lies below it.
    pub(crate) fn is_within(&self, unit: UnitKey, ancestor: UnitKey) -> bool {
        let mut current = Some(unit);
        while let Some(key) = current {
            if key == ancestor {
                return true;
            }
            current = self.get(key).and_then(|unit| unit.parent);
        }
        false
    }

    /// The units of a listing in the order in which it visits them.
    pub(crate) fn scope(&self, root: UnitKey, with_children: bool) -> Vec<UnitKey> {
        if !with_children {
            return vec![root];
        }
        // A unit is always made after its parent, so one pass finds the whole subtree.
        let mut inside = vec![false; self.units.len()];
        let mut scope = Vec::new();
        for unit in &self.units {
            let below = unit
                .parent
                .is_some_and(|parent| inside.get(parent.index()).copied().unwrap_or(false));
            if unit.key == root || below {
                if let Some(flag) = inside.get_mut(unit.key.index()) {
                    *flag = true;
                }
                scope.push(unit.key);
            }
        }
        scope
    }
}

/// An id as Google makes them: `03ph8a2z` and seven letters or digits.
fn new_id(draw: Draw, key: UnitKey) -> String {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = draw.bits() & 0x3fff | u64::from(key.0) << 14;
    let mut id = String::from("03ph8a2z");
    for _ in 0..7 {
        id.push(char::from(LETTERS[usize::try_from(rest % 36).unwrap_or(0)]));
        rest /= 36;
    }
    id
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tree() -> OrgUnits {
        OrgUnits::generate(Draw::new(7), 10_000)
    }

    #[test]
    fn paths_and_ids_are_unique_and_found_in_every_form() {
        let tree = tree();
        let paths: BTreeSet<&str> = tree.iter().map(|unit| unit.path.as_str()).collect();
        assert_eq!(paths.len(), tree.len());
        for unit in tree.iter() {
            let forms = [
                unit.path.clone(),
                unit.path.to_uppercase(),
                format!("id:{}", unit.bare_id),
                unit.bare_id.clone(),
            ];
            for form in &forms {
                assert_eq!(tree.find(form).map(|found| found.key), Some(unit.key), "{form}");
            }
            let bare = unit.path.trim_start_matches('/');
            assert_eq!(tree.find(bare).map(|found| found.key), Some(unit.key), "{bare}");
        }
        assert!(tree.find("/nowhere").is_none() && tree.find("id:nowhere").is_none());
    }

    #[test]
    fn a_scope_is_the_unit_and_everything_below_it() {
        let tree = tree();
        assert_eq!(tree.scope(UnitKey::ROOT, true).len(), tree.len());
        assert_eq!(tree.scope(UnitKey::ROOT, false), [UnitKey::ROOT]);
        let district = tree
            .iter()
            .find(|unit| unit.parent == Some(UnitKey::ROOT))
            .unwrap();
        let scope = tree.scope(district.key, true);
        for unit in tree.iter() {
            assert_eq!(
                scope.contains(&unit.key),
                tree.is_within(unit.key, district.key),
                "{}",
                unit.path
            );
        }
    }
}
