//! Decides whether devices that Google no longer lists may be removed. Pure.
//!
//! A mistake at Google's side, a lost privilege or a wrong org unit can make a whole fleet look gone, and a wrong
//! deletion hides a lost device. So a large loss waits for a person, who permits exactly the set that was seen.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::connection::{DevicePeak, PruneHold};
use crate::controllers::digest;

/// Losses are measured against the highest count of this time.
const PEAK_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// A loss of more than one device in this many is not believed.
const BELIEVED_SHARE: usize = 10;
/// A loss of so few devices is always believed, unless nothing would be left.
const BELIEVED_DEVICES: usize = 10;
/// How many peaks are remembered: one an hour, and some room.
const MOST_PEAKS: usize = 30;

/// What is known when a complete walk has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct PruneFacts<'a> {
    /// Device objects that exist.
    pub(super) before: usize,
    /// Names of those that Google did not list, sorted.
    pub(super) absent: &'a [Box<str>],
    /// Counts of the last 24 hours.
    pub(super) peaks: &'a [DevicePeak],
    /// What is being held already.
    pub(super) hold: Option<&'a PruneHold>,
    /// The hold that the administrator permits to be removed.
    pub(super) allowed: Option<&'a str>,
    /// UID of the connection, so that a permission is never valid for another one.
    pub(super) connection_uid: &'a str,
    /// The time of the decision.
    pub(super) now: Timestamp,
}

/// What to do with the absent devices.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PrunePlan {
    /// None is absent.
    Nothing,
    /// Ask Google for each, and remove those that are really gone.
    Remove {
        /// Whether an administrator permitted it: the memory of the higher count is then dropped.
        permitted: bool,
    },
    /// Too many to be believed: keep them all until a person agrees.
    Hold(PruneHold),
}

/// Decides what happens to the devices that a complete walk did not list.
#[must_use]
pub(super) fn plan(facts: PruneFacts<'_>) -> PrunePlan {
    if facts.absent.is_empty() {
        return PrunePlan::Nothing;
    }
    if believable(facts.before, facts.absent.len(), facts.peaks, facts.now) {
        return PrunePlan::Remove { permitted: false };
    }
    let known = facts
        .hold
        .filter(|hold| hold.id == hold_id(facts.connection_uid, &hold.since, facts.absent));
    match known {
        Some(same) if facts.allowed == Some(same.id.as_str()) => PrunePlan::Remove { permitted: true },
        Some(same) => PrunePlan::Hold(same.clone()),
        None => {
            let since = whole_seconds(facts.now);
            PrunePlan::Hold(PruneHold {
                id: hold_id(facts.connection_uid, &since, facts.absent),
                devices: i64::try_from(facts.absent.len()).unwrap_or(i64::MAX),
                since,
            })
        }
    }
}

/// Whether a loss is small enough to be believed: at most a tenth of the highest count of the last 24 hours, or at
/// most ten devices, and never all of them.
fn believable(before: usize, absent: usize, peaks: &[DevicePeak], now: Timestamp) -> bool {
    let after = before - absent.min(before);
    let peak = highest(peaks, now).max(before);
    let lost = peak - after;
    after > 0 && (lost <= BELIEVED_DEVICES || lost * BELIEVED_SHARE <= peak)
}

fn highest(peaks: &[DevicePeak], now: Timestamp) -> usize {
    peaks
        .iter()
        .filter(|peak| is_recent(peak, now))
        .filter_map(|peak| usize::try_from(peak.devices).ok())
        .max()
        .unwrap_or_default()
}

fn is_recent(peak: &DevicePeak, now: Timestamp) -> bool {
    now.duration_since(peak.time.0) < PEAK_WINDOW
}

/// The memory of counts after a pass that ended with this many devices. Only counts that a later one has not
/// exceeded matter, so the list is short: highest first, newest last.
#[must_use]
pub(super) fn remember(
    peaks: &[DevicePeak],
    devices: usize,
    permitted: bool,
    now: Timestamp,
) -> Vec<DevicePeak> {
    let newest = DevicePeak {
        time: whole_seconds(now),
        devices: i64::try_from(devices).unwrap_or(i64::MAX),
    };
    if permitted {
        return vec![newest];
    }
    let mut kept: Vec<DevicePeak> = peaks
        .iter()
        .filter(|peak| is_recent(peak, now) && peak.devices > newest.devices)
        .cloned()
        .collect();
    // Too many: fold the two newest into one that is as high as the higher and as young as the younger. That
    // can only hold more, never less.
    while kept.len() + 1 > MOST_PEAKS {
        let Some(younger) = kept.pop() else { break };
        if let Some(last) = kept.last_mut() {
            last.time = younger.time;
        }
    }
    kept.push(newest);
    kept
}

/// Names exactly this set of devices, of this connection, held since this moment.
fn hold_id(connection_uid: &str, since: &Time, absent: &[Box<str>]) -> String {
    let since = since.0.as_second().to_be_bytes();
    let parts = [connection_uid.as_bytes(), &since].into_iter();
    digest::short(parts.chain(absent.iter().map(|name| name.as_bytes())))
}

fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }
    fn names(count: usize) -> Vec<Box<str>> {
        (0..count)
            .map(|number| format!("device-{number:05}").into())
            .collect()
    }
    fn facts<'a>(before: usize, absent: &'a [Box<str>], peaks: &'a [DevicePeak]) -> PruneFacts<'a> {
        PruneFacts {
            before,
            absent,
            peaks,
            hold: None,
            allowed: None,
            connection_uid: "uid",
            now: at(0),
        }
    }
    fn peak(seconds: i64, devices: i64) -> DevicePeak {
        DevicePeak {
            time: Time(at(seconds)),
            devices,
        }
    }

    #[test]
    fn how_much_is_believed() {
        let hold = |before: usize, absent: usize, peaks: &[DevicePeak]| {
            matches!(plan(facts(before, &names(absent), peaks)), PrunePlan::Hold(_))
        };
        let rows = [
            ("none absent", 100, 0, vec![], false),
            ("three of 1,200", 1200, 3, vec![], false),
            ("a tenth", 1000, 100, vec![], false),
            ("one more than a tenth", 1000, 101, vec![], true),
            ("half", 1200, 600, vec![], true),
            ("ten of twelve: few", 12, 10, vec![], false),
            ("eleven of twelve", 12, 11, vec![], true),
            ("all of three", 3, 3, vec![], true),
            ("all of one", 1, 1, vec![], true),
            (
                "nine percent after nine percent",
                910,
                81,
                vec![peak(-HOUR, 1000)],
                true,
            ),
            (
                "nine percent, the other loss was yesterday",
                910,
                81,
                vec![peak(-25 * HOUR, 1000)],
                false,
            ),
            ("grown since", 1000, 100, vec![peak(-HOUR, 500)], false),
        ];
        for (row, before, absent, peaks, expected) in rows {
            assert_eq!(hold(before, absent, &peaks), expected, "{row}");
        }
    }

    #[test]
    fn permission_is_for_exactly_this_set_once() {
        let half = names(600);
        let PrunePlan::Hold(hold) = plan(facts(1200, &half, &[])) else {
            panic!("held")
        };
        assert_eq!(hold.devices, 600);
        let again = |absent: &[Box<str>], allowed: Option<&str>, seconds: i64| {
            plan(PruneFacts {
                hold: Some(&hold),
                allowed,
                now: at(seconds),
                ..facts(1200, absent, &[])
            })
        };
        assert_eq!(
            again(&half, None, HOUR),
            PrunePlan::Hold(hold.clone()),
            "the same set keeps its id and its time"
        );
        assert_eq!(
            again(&half, Some("0123456789abcdef"), HOUR),
            PrunePlan::Hold(hold.clone()),
            "another id permits nothing"
        );
        assert_eq!(
            again(&half, Some(&hold.id), HOUR),
            PrunePlan::Remove { permitted: true }
        );
        let PrunePlan::Hold(larger) = again(&names(601), Some(&hold.id), HOUR) else {
            panic!("another set is held anew")
        };
        assert_ne!(larger.id, hold.id);
        // Later the same devices are back and vanish again: the old permission is still on the object.
        let later = plan(PruneFacts {
            hold: None,
            allowed: Some(&hold.id),
            now: at(2 * HOUR),
            ..facts(1200, &half, &[])
        });
        assert!(
            matches!(later, PrunePlan::Hold(ref new) if new.id != hold.id),
            "{later:?}"
        );
        // And it is worth nothing for another connection.
        let other = plan(PruneFacts {
            hold: Some(&hold),
            allowed: Some(&hold.id),
            connection_uid: "other",
            ..facts(1200, &half, &[])
        });
        assert!(matches!(other, PrunePlan::Hold(_)));
    }

    #[test]
    fn a_slow_loss_is_held_and_a_permitted_one_is_forgotten() {
        let mut peaks = remember(&[], 1000, false, at(0));
        peaks = remember(&peaks, 910, false, at(HOUR));
        assert_eq!(peaks, vec![peak(0, 1000), peak(HOUR, 910)]);
        assert!(!believable(910, 81, &peaks, at(2 * HOUR)));
        assert_eq!(
            remember(&peaks, 829, true, at(2 * HOUR)),
            vec![peak(2 * HOUR, 829)]
        );
        assert_eq!(
            remember(&peaks, 1001, false, at(2 * HOUR)),
            vec![peak(2 * HOUR, 1001)],
            "a higher count hides lower ones"
        );
        assert_eq!(
            remember(&peaks, 900, false, at(24 * HOUR + 1)).len(),
            2,
            "a day later the first is forgotten"
        );
    }

    proptest! {
        #[test]
        fn the_memory_never_forgets_a_peak_of_the_last_day(counts in proptest::collection::vec((1_i64..4000, 1_usize..2000), 1..200)) {
            let (mut now, mut peaks, mut history) = (0, Vec::new(), Vec::new());
            for (step, devices) in counts {
                now += step;
                peaks = remember(&peaks, devices, false, at(now));
                history.push((now, devices));
                let true_peak = history.iter().filter(|(time, _)| now - time < 24 * HOUR).map(|(_, devices)| *devices).max();
                prop_assert!(highest(&peaks, at(now)) >= true_peak.unwrap_or_default());
                prop_assert!(peaks.len() <= MOST_PEAKS);
            }
        }

        #[test]
        fn nothing_is_ever_removed_down_to_zero_without_permission(before in 1_usize..5000) {
            prop_assert!(!believable(before, before, &[], at(0)));
        }
    }
}
