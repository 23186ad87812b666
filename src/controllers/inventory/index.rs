//! What the operator knows of the device objects in the cluster: some 100 bytes a device.
//!
//! The index is a cache of facts about objects, never a source of truth: it is built from a paged list when the
//! operator starts, and each full pass compares it with the cluster again. It is made by hand because a reflector
//! keeps every object twice while it lists again.

use k8s_openapi::jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

use super::fingerprint::{Fingerprint, StateClass};
use crate::api::connection::DeviceCounts;
use crate::api::device::ChromeOSDeviceStatus;

/// Numbers the passes of one operator process; 0 means "never".
pub(super) type PassNumber = u32;

/// What is recorded of one device object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    /// What the object says, or `None` when it must be written whatever Google says: the object is new to us, was
    /// changed by somebody else, or a write of ours has an unknown outcome.
    pub(super) recorded: Option<Fingerprint>,
    /// Whether the object exists, as far as known.
    pub(super) exists: bool,
    /// Whether the object carries the label of this connection.
    pub(super) labelled: bool,
    /// Hash of the resourceVersion after our last write or list.
    pub(super) version: u64,
    /// The last pass in which Google listed the device.
    pub(super) seen: PassNumber,
    /// The last list of the cluster that had the object.
    pub(super) listed: PassNumber,
    /// In how many complete walks in a row Google did not list the device.
    pub(super) missed: u8,
}

/// Hash of a resourceVersion, which is only ever compared for equality.
#[must_use]
pub(super) fn version_hash(resource_version: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(resource_version.as_bytes());
    hasher.finish()
}

/// All device objects of one namespace.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: FxHashMap<Box<str>, Entry>,
    pass: PassNumber,
    list: PassNumber,
    built: bool,
}

impl Index {
    /// Whether the index was built from a complete list since the operator started.
    pub(super) fn is_built(&self) -> bool {
        self.built
    }

    /// Begins a pass: from now on [`Index::saw`] marks what Google lists.
    pub(super) fn begin_pass(&mut self) {
        self.pass += 1;
    }

    /// Begins to compare with a list of the cluster.
    pub(super) fn begin_list(&mut self) {
        self.list += 1;
    }

    /// Takes in one object of a list with its full status.
    pub(super) fn listed_object(
        &mut self,
        name: &str,
        resource_version: &str,
        labelled: bool,
        status: Option<&ChromeOSDeviceStatus>,
    ) {
        let entry = self.entries.entry(name.into()).or_default();
        entry.exists = true;
        entry.labelled = labelled;
        entry.listed = self.list;
        entry.version = version_hash(resource_version);
        entry.recorded = status.map(Fingerprint::of);
    }

    /// Takes in one object of a list of metadata: if it is not as we left it, it is written again.
    pub(super) fn listed_metadata(&mut self, name: &str, resource_version: &str, labelled: bool) {
        let version = version_hash(resource_version);
        let entry = self.entries.entry(name.into()).or_default();
        if !entry.exists || entry.version != version {
            entry.recorded = None;
        }
        entry.exists = true;
        entry.labelled = labelled;
        entry.listed = self.list;
        entry.version = version;
    }

    /// Ends a complete list: what it did not have does not exist.
    pub(super) fn end_list(&mut self) {
        let list = self.list;
        self.entries.retain(|_, entry| entry.listed == list);
        self.built = true;
    }

    /// Marks that Google listed this device in this pass. False if it was listed before in the same pass.
    pub(super) fn saw(&mut self, name: &str) -> bool {
        let pass = self.pass;
        if let Some(entry) = self.entries.get_mut(name) {
            let first = entry.seen != pass;
            entry.seen = pass;
            entry.missed = 0;
            return first;
        }
        self.entries.insert(
            name.into(),
            Entry {
                seen: pass,
                ..Entry::default()
            },
        );
        true
    }

    /// What is recorded of this device.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Records a write of ours that the API server confirmed.
    pub(super) fn wrote(&mut self, name: &str, resource_version: &str, fingerprint: Fingerprint) {
        let list = self.list;
        let entry = self.entries.entry(name.into()).or_default();
        entry.exists = true;
        entry.labelled = true;
        entry.listed = list;
        entry.version = version_hash(resource_version);
        entry.recorded = Some(fingerprint);
    }

    /// Takes in a write of ours that was made beside the passes. Were it not known, the next pass would take it for
    /// somebody else's and write the device again.
    pub(super) fn learned(
        &mut self,
        name: &str,
        resource_version: &str,
        fingerprint: Fingerprint,
        listed_now: bool,
    ) {
        let version = version_hash(resource_version);
        if let Some(entry) = self.entries.get_mut(name).filter(|entry| entry.exists)
            && (!listed_now || entry.version == version)
        {
            entry.version = version;
            entry.recorded = Some(fingerprint);
        }
    }

    /// Records a write of ours whose outcome is not known, or that failed: it is done again in the next pass.
    pub(super) fn write_failed(&mut self, name: &str) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.recorded = None;
        }
    }

    /// Records that the object is gone.
    pub(super) fn removed(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Existing objects whose device Google did not list in this pass, sorted by name.
    pub(super) fn absent(&self) -> Vec<Box<str>> {
        let mut absent: Vec<Box<str>> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.exists && entry.seen != self.pass)
            .map(|(name, _)| name.clone())
            .collect();
        absent.sort_unstable();
        absent
    }

    /// Counts one more complete walk without this device, and tells how many in a row that makes.
    pub(super) fn miss(&mut self, name: &str) -> u8 {
        self.entries.get_mut(name).map_or(0, |entry| {
            entry.missed = entry.missed.saturating_add(1);
            entry.missed
        })
    }

    /// How many objects exist.
    pub(super) fn len(&self) -> usize {
        self.entries.values().filter(|entry| entry.exists).count()
    }

    /// Names of all existing objects.
    pub(super) fn counts(&self) -> DeviceCounts {
        let mut counts = DeviceCounts::default();
        for entry in self.entries.values().filter(|entry| entry.exists) {
            counts.synced += 1;
            match entry.recorded.map(|fingerprint| fingerprint.state) {
                Some(StateClass::Active) => counts.active += 1,
                Some(StateClass::Disabled) => counts.disabled += 1,
                Some(StateClass::Deprovisioned) => counts.deprovisioned += 1,
                Some(StateClass::Other) | None => counts.other += 1,
            }
        }
        counts
    }
}

/// How old a recorded status is, in seconds; never negative.
#[must_use]
pub(super) fn age_seconds(recorded_epoch_seconds: i64, now: Timestamp) -> i64 {
    (now.as_second() - recorded_epoch_seconds).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: &str) -> ChromeOSDeviceStatus {
        ChromeOSDeviceStatus {
            state: Some(state.into()),
            ..ChromeOSDeviceStatus::default()
        }
    }

    fn listed(index: &mut Index, objects: &[(&str, &str)]) {
        index.begin_list();
        for (name, version) in objects {
            index.listed_metadata(name, version, true);
        }
        index.end_list();
    }

    #[test]
    fn a_page_that_repeats_a_device_counts_it_once() {
        let mut index = Index::default();
        index.begin_pass();
        assert!(index.saw("a"));
        assert!(!index.saw("a"));
        index.begin_pass();
        assert!(index.saw("a"), "the next pass sees it anew");
    }

    #[test]
    fn what_somebody_else_changed_or_deleted_is_written_again() {
        let mut index = Index::default();
        index.begin_list();
        index.listed_object("same", "1", true, Some(&status("ACTIVE")));
        index.listed_object("changed", "2", true, Some(&status("ACTIVE")));
        index.listed_object("deleted", "3", true, Some(&status("ACTIVE")));
        index.listed_object("emptied", "4", true, None);
        index.end_list();
        listed(
            &mut index,
            &[
                ("same", "1"),
                ("changed", "9"),
                ("emptied", "4"),
                ("strange", "5"),
            ],
        );
        assert!(index.get("same").unwrap().recorded.is_some());
        assert!(index.get("changed").unwrap().recorded.is_none());
        assert!(index.get("emptied").unwrap().recorded.is_none());
        assert!(index.get("deleted").is_none());
        assert!(
            index.get("strange").unwrap().exists,
            "an object that we did not make is known, so that it can be removed"
        );
    }

    #[test]
    fn a_write_beside_the_passes_is_known_unless_somebody_wrote_after_it() {
        let mut index = Index::default();
        listed(&mut index, &[("a", "1"), ("b", "1")]);
        listed(&mut index, &[("a", "2"), ("b", "3")]);
        let disabled = Fingerprint::of(&status("DISABLED"));
        index.learned("a", "2", disabled, true);
        index.learned("b", "2", disabled, true);
        index.learned("gone", "2", disabled, true);
        assert_eq!(index.get("a").unwrap().recorded, Some(disabled));
        assert_eq!(index.get("b").unwrap().recorded, None);
        assert!(index.get("gone").is_none());
        index.learned("b", "4", disabled, false);
        assert_eq!(index.get("b").unwrap().recorded, Some(disabled));
    }

    #[test]
    fn only_existing_objects_can_be_absent() {
        let mut index = Index::default();
        listed(&mut index, &[("kept", "1"), ("gone", "1")]);
        index.begin_pass();
        index.saw("kept");
        index.saw("new-and-not-yet-written");
        assert_eq!(index.absent(), vec![Box::from("gone")]);
        index.begin_pass();
        assert_eq!(index.absent(), vec![Box::from("gone"), Box::from("kept")]);
    }

    #[test]
    fn absences_are_counted_in_a_row() {
        let mut index = Index::default();
        listed(&mut index, &[("a", "1")]);
        assert_eq!((index.miss("a"), index.miss("a")), (1, 2));
        index.begin_pass();
        index.saw("a");
        assert_eq!(index.miss("a"), 1);
    }

    #[test]
    fn counts_follow_writes() {
        let mut index = Index::default();
        index.begin_pass();
        for (name, state) in [
            ("a", "ACTIVE"),
            ("b", "DISABLED"),
            ("c", "DEPROVISIONED"),
            ("d", "SHIPPED"),
        ] {
            index.saw(name);
            index.wrote(name, "1", Fingerprint::of(&status(state)));
        }
        index.saw("unwritten");
        assert_eq!(
            index.counts(),
            DeviceCounts {
                synced: 4,
                active: 1,
                disabled: 1,
                deprovisioned: 1,
                other: 1
            }
        );
        index.write_failed("a");
        assert_eq!(
            index.counts().synced,
            4,
            "a failed update leaves the object where it is"
        );
        index.removed("a");
        assert_eq!((index.counts().synced, index.len()), (3, 3));
    }
}
