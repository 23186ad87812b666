//! What of a device's status is compared: a hash of what stays, a hash of what always moves.

use rustc_hash::FxHasher;
use serde::Serialize;
use std::hash::Hasher;

use crate::api::device::{ActivityStatus, ChromeOSDeviceStatus};

/// The states that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateClass {
    /// Enrolled and managed.
    Active,
    /// Disabled by an admin.
    Disabled,
    /// Released from management.
    Deprovisioned,
    /// Anything else, also values that Google has yet to invent.
    Other,
}

impl StateClass {
    fn of(state: Option<&str>) -> Self {
        match state {
            Some("ACTIVE") => Self::Active,
            Some("DISABLED") => Self::Disabled,
            Some("DEPROVISIONED") => Self::Deprovisioned,
            Some(_) | None => Self::Other,
        }
    }
}

/// What of a status is compared. Two statuses with equal stable hashes are the same to an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Hash of all fields but `activity` and `recordedTime`.
    pub(super) stable: u64,
    /// Hash of `activity`, which moves with every look.
    pub(super) moving: u32,
    /// `recordedTime` in seconds since 1970; 0 when absent.
    pub(super) recorded_seconds: u32,
    /// State, for the counts.
    pub(super) state: StateClass,
    /// Whether the recent user, personal data, is in it.
    pub(super) names_user: bool,
}

impl Fingerprint {
    /// The fingerprint of a status, whether it was just converted from Google's answer or read from the cluster:
    /// both serialise to the same text.
    pub(super) fn of(status: &ChromeOSDeviceStatus) -> Self {
        let stable = ChromeOSDeviceStatus {
            activity: ActivityStatus::default(),
            recorded_time: None,
            ..status.clone()
        };
        Self {
            stable: hash(&stable),
            moving: fold(hash(&status.activity)),
            recorded_seconds: status
                .recorded_time
                .as_ref()
                .and_then(|time| u32::try_from(time.0.as_second()).ok())
                .unwrap_or_default(),
            state: StateClass::of(status.state.as_deref()),
            names_user: status.activity.recent_user.is_some(),
        }
    }
}

const fn fold(hash: u64) -> u32 {
    #[allow(clippy::cast_possible_truncation, reason = "the low half of a hash is a hash")]
    let low = hash as u32;
    low
}

/// Hash of the JSON text of a value, without building the text in memory.
fn hash(value: &impl Serialize) -> u64 {
    struct Sink(FxHasher);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(FxHasher::default());
    // A status has string keys only and the sink never fails, so this cannot fail; were it to, the hash would
    // differ from the recorded one and the device would be written, which is the safe side.
    let _ = serde_json::to_writer(&mut sink, value);
    sink.0.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use proptest::prelude::*;

    #[allow(clippy::unnecessary_wraps, reason = "the form of the fields that it fills")]
    fn at(seconds: i64) -> Option<Time> {
        Some(Time(Timestamp::from_second(seconds).unwrap()))
    }

    #[test]
    fn what_moves_does_not_touch_the_stable_hash() {
        let quiet = ChromeOSDeviceStatus {
            serial_number: Some("5CD1".into()),
            ..Default::default()
        };
        let mut moved = quiet.clone();
        moved.activity.last_sync_time = at(1_700_000_000);
        moved.recorded_time = at(1_700_000_001);
        let (quiet, moved) = (Fingerprint::of(&quiet), Fingerprint::of(&moved));
        assert_eq!(quiet.stable, moved.stable);
        assert_ne!(quiet.moving, moved.moving);
        assert_eq!(moved.recorded_seconds, 1_700_000_001);
    }

    #[test]
    fn a_changed_note_changes_the_stable_hash() {
        let before = ChromeOSDeviceStatus {
            notes: Some("cart 1".into()),
            ..Default::default()
        };
        let after = ChromeOSDeviceStatus {
            notes: Some("cart 2".into()),
            ..Default::default()
        };
        assert_ne!(Fingerprint::of(&before).stable, Fingerprint::of(&after).stable);
    }

    proptest! {
        #[test]
        fn a_status_that_was_stored_and_read_has_the_same_fingerprint(
            serial in proptest::option::of(".{0,20}"), notes in proptest::option::of(".{0,40}"),
            seconds in 0_i64..4_000_000_000, disk in proptest::option::of(0_i64..), user in proptest::option::of(".{0,10}"),
        ) {
            let mut status = ChromeOSDeviceStatus { serial_number: serial, notes, ..Default::default() };
            status.enrollment.last_enrollment_time = at(seconds);
            status.hardware.disk_capacity_bytes = disk;
            status.activity.recent_user = user;
            status.recorded_time = at(seconds);
            let stored = serde_json::to_string(&status).unwrap();
            let read: ChromeOSDeviceStatus = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(Fingerprint::of(&read), Fingerprint::of(&status));
        }
    }
}
