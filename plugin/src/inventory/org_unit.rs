//! Which org unit is below which, and how many devices each has.

use std::collections::BTreeMap;

/// The path of an org unit as Google writes it, however it was typed: `/` before it, none behind it.
#[must_use]
pub fn normalized(path: &str) -> String {
    let parts: Vec<&str> = parts(path).collect();
    format!("/{}", parts.join("/"))
}

/// Whether a device's org unit is this one or one below it. Google compares paths without regard to case.
#[must_use]
pub fn is_at_or_below(path: &str, unit: &str) -> bool {
    let mut path = parts(path);
    parts(unit).all(|wanted| {
        path.next()
            .is_some_and(|part| part.to_lowercase() == wanted.to_lowercase())
    })
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').map(str::trim).filter(|part| !part.is_empty())
}

/// Devices of an org unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub devices: u64,
    /// Those that have not reported for a while.
    pub not_seen: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.devices += other.devices;
        self.not_seen += other.not_seen;
    }
}

/// Counts devices while they are read: memory grows with the org units, not with the devices.
#[derive(Debug, Default)]
pub struct OrgUnits {
    /// By namespace, then by path; an empty path is an org unit that Google does not tell.
    counts: BTreeMap<String, BTreeMap<String, Count>>,
}

/// One org unit with its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgUnit {
    /// Namespace of the connection that it belongs to.
    pub namespace: String,
    /// Its path; nothing for devices of which Google tells none.
    pub path: Option<String>,
    /// The last part of the path; `/` for the top.
    pub name: String,
    /// For the unit itself and each unit above it, without the top: whether it is the last one below its parent.
    pub is_last: Vec<bool>,
    /// Devices directly in it.
    pub direct: Count,
    /// The same with those in every unit below.
    pub with_below: Count,
}

impl OrgUnit {
    /// How many steps it is below the top.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.is_last.len()
    }
}

impl OrgUnits {
    /// Counts one device.
    pub fn add(&mut self, namespace: &str, path: Option<&str>, not_seen: bool) {
        let count = Count {
            devices: 1,
            not_seen: u64::from(not_seen),
        };
        let path = path.unwrap_or_default();
        let known = self
            .counts
            .get_mut(namespace)
            .and_then(|paths| paths.get_mut(path));
        if let Some(known) = known {
            known.add(count);
        } else {
            let paths = self.counts.entry(namespace.to_owned()).or_default();
            paths.insert(path.to_owned(), count);
        }
    }

    /// The trees of all namespaces, each from its top down: a unit stands before those below it, and siblings in order.
    #[must_use]
    pub fn tree(&self) -> Vec<OrgUnit> {
        let trees = self
            .counts
            .iter()
            .map(|(namespace, paths)| tree(namespace, paths));
        trees.flatten().collect()
    }
}

fn tree(namespace: &str, paths: &BTreeMap<String, Count>) -> Vec<OrgUnit> {
    let mut direct: BTreeMap<Vec<&str>, Count> = BTreeMap::new();
    let mut unknown = Count::default();
    for (path, count) in paths {
        if path.is_empty() {
            unknown = *count;
            continue;
        }
        let parts: Vec<&str> = parts(path).collect();
        for depth in 0..parts.len() {
            direct.entry(parts[..depth].to_vec()).or_default();
        }
        direct.entry(parts).or_default().add(*count);
    }
    // From the end, so that a unit has all of its own before it is added to its parent.
    let mut with_below = direct.clone();
    for (parts, _) in direct.iter().rev() {
        if let Some((_, parent)) = parts.split_last() {
            let own = with_below.get(parts).copied().unwrap_or_default();
            if let Some(above) = with_below.get_mut(parent) {
                above.add(own);
            }
        }
    }
    let mut units: Vec<OrgUnit> = direct
        .iter()
        .map(|(parts, direct)| OrgUnit {
            namespace: namespace.to_owned(),
            path: Some(format!("/{}", parts.join("/"))),
            name: parts.last().map_or("/", |name| name).to_owned(),
            is_last: vec![false; parts.len()],
            direct: *direct,
            with_below: with_below.get(parts).copied().unwrap_or_default(),
        })
        .collect();
    mark_last(&mut units);
    if unknown != Count::default() {
        units.push(OrgUnit {
            namespace: namespace.to_owned(),
            path: None,
            name: "org unit unknown".to_owned(),
            is_last: Vec::new(),
            direct: unknown,
            with_below: unknown,
        });
    }
    units
}

/// Read from the end, the first unit of a depth is the last one below its parent, until a unit of a lower depth comes.
fn mark_last(units: &mut [OrgUnit]) {
    // Whether a unit of each depth follows below the same parent.
    let mut followed: Vec<bool> = Vec::new();
    for unit in units.iter_mut().rev() {
        let depth = unit.depth();
        followed.resize(depth, false);
        for (is_last, follows) in unit.is_last.iter_mut().zip(&followed) {
            *is_last = !follows;
        }
        if let Some(own) = followed.last_mut() {
            *own = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_below_another_by_whole_parts_of_its_path() {
        for (path, unit, below) in [
            ("/Oak/Students", "/Oak", true),
            ("/Oak", "/Oak", true),
            ("/oak/students", "/OAK/", true),
            ("/Oakwood", "/Oak", false),
            ("/Oak", "/Oak/Students", false),
            ("/South/Oak", "/Oak", false),
            ("/Oak", "/", true),
            ("/Oak", "Oak", true),
        ] {
            assert_eq!(is_at_or_below(path, unit), below, "{path} {unit}");
        }
        assert_eq!(normalized("South /Oak/"), "/South/Oak");
        assert_eq!(normalized(""), "/");
    }

    #[test]
    fn a_tree_counts_what_is_below() {
        let mut units = OrgUnits::default();
        for (path, not_seen) in [
            (Some("/North/Elm"), false),
            (Some("/North/Elm"), true),
            (Some("/North/Ash/Staff"), false),
            (Some("/South"), false),
            (None, true),
        ] {
            units.add("school", path, not_seen);
        }
        let tree = units.tree();
        let shown: Vec<_> = tree
            .iter()
            .map(|unit| {
                let path = unit.path.as_deref().unwrap_or("?");
                let (direct, all) = (unit.direct, unit.with_below);
                (
                    path,
                    direct.devices,
                    all.devices,
                    all.not_seen,
                    unit.is_last.clone(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("/", 0, 4, 1, vec![]),
                ("/North", 0, 3, 1, vec![false]),
                ("/North/Ash", 0, 1, 0, vec![false, false]),
                ("/North/Ash/Staff", 1, 1, 0, vec![false, false, true]),
                ("/North/Elm", 2, 2, 1, vec![false, true]),
                ("/South", 1, 1, 0, vec![true]),
                ("?", 1, 1, 1, vec![]),
            ]
        );
    }
}
