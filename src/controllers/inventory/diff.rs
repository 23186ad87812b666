//! Decides what a device that Google listed needs in the cluster. Pure.

use k8s_openapi::jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::index::{Entry, age_seconds};

/// What has to be written for one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// There is no object.
    Create,
    /// The status differs, or is not known; with `relabel`, the label is missing or wrong too.
    Update {
        /// Whether the connection's label has to be written.
        relabel: bool,
    },
    /// Only what always moves differs, and the recorded values are old enough to be written anew.
    Refresh,
    /// Nothing to write.
    Nothing,
}

/// How old recorded activity may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Freshness {
    /// Age in seconds at which activity is written anew, on average.
    pub(super) seconds: i64,
}

impl Freshness {
    /// Age at which this device is due. Spread over 75 % to 125 % of the budget by the device's own hash: a fleet
    /// that was written at one moment must not become due at one moment.
    fn due_after(self, fingerprint: &Fingerprint) -> i64 {
        let share = i64::try_from(fingerprint.stable % 1024).unwrap_or_default();
        self.seconds * 3 / 4 + self.seconds * share / 2048
    }
}

/// What this device needs, given what is recorded of its object (`None`: no object is known).
#[must_use]
pub(super) fn change(
    entry: Option<&Entry>,
    new: &Fingerprint,
    freshness: Freshness,
    now: Timestamp,
) -> Change {
    let Some(entry) = entry.filter(|entry| entry.exists) else {
        return Change::Create;
    };
    let relabel = !entry.labelled;
    match entry.recorded {
        None => Change::Update { relabel },
        Some(_) if relabel => Change::Update { relabel },
        Some(old) if old.stable != new.stable => Change::Update { relabel },
        // Personal data appears and disappears when the administrator says so, not a day later.
        Some(old) if old.names_user != new.names_user => Change::Refresh,
        Some(old)
            if old.moving != new.moving
                && age_seconds(i64::from(old.recorded_seconds), now) >= freshness.due_after(new) =>
        {
            Change::Refresh
        }
        Some(_) => Change::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::inventory::fingerprint::StateClass;

    const DAY: i64 = 86_400;
    const FRESHNESS: Freshness = Freshness { seconds: DAY };

    fn fingerprint(stable: u64, moving: u32) -> Fingerprint {
        Fingerprint {
            stable,
            moving,
            recorded_seconds: 1_000_000,
            state: StateClass::Active,
            names_user: false,
        }
    }
    fn entry(recorded: Option<Fingerprint>) -> Entry {
        Entry {
            recorded,
            exists: true,
            labelled: true,
            ..Entry::default()
        }
    }
    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn every_row() {
        let (same, moved, changed) = (fingerprint(1, 1), fingerprint(1, 2), fingerprint(2, 1));
        let named = Fingerprint {
            names_user: true,
            ..same
        };
        let rows = [
            ("no object known", None, same, after(0), Change::Create),
            (
                "seen at Google, object not there",
                Some(Entry {
                    exists: false,
                    ..entry(None)
                }),
                same,
                after(0),
                Change::Create,
            ),
            (
                "status empty or changed by somebody",
                Some(entry(None)),
                same,
                after(0),
                Change::Update { relabel: false },
            ),
            (
                "label lost",
                Some(Entry {
                    labelled: false,
                    ..entry(Some(same))
                }),
                same,
                after(0),
                Change::Update { relabel: true },
            ),
            (
                "label lost and status unknown",
                Some(Entry {
                    labelled: false,
                    ..entry(None)
                }),
                same,
                after(0),
                Change::Update { relabel: true },
            ),
            (
                "stable change",
                Some(entry(Some(same))),
                changed,
                after(0),
                Change::Update { relabel: false },
            ),
            (
                "nothing changed, very old",
                Some(entry(Some(same))),
                same,
                after(30 * DAY),
                Change::Nothing,
            ),
            (
                "only moved, fresh",
                Some(entry(Some(same))),
                moved,
                after(DAY / 2),
                Change::Nothing,
            ),
            (
                "only moved, old",
                Some(entry(Some(same))),
                moved,
                after(DAY * 5 / 4),
                Change::Refresh,
            ),
            (
                "only moved, clock went back",
                Some(entry(Some(same))),
                moved,
                after(-DAY * 9),
                Change::Nothing,
            ),
            (
                "recent user switched on",
                Some(entry(Some(same))),
                named,
                after(0),
                Change::Refresh,
            ),
            (
                "recent user switched off",
                Some(entry(Some(named))),
                same,
                after(0),
                Change::Refresh,
            ),
        ];
        for (row, entry, new, now, expected) in rows {
            assert_eq!(change(entry.as_ref(), &new, FRESHNESS, now), expected, "{row}");
        }
    }

    #[test]
    fn a_fleet_written_at_once_becomes_due_over_half_a_day() {
        let due: Vec<i64> = (0..1024)
            .map(|stable| FRESHNESS.due_after(&fingerprint(stable, 0)))
            .collect();
        assert_eq!(due.iter().min(), Some(&(DAY * 3 / 4)));
        assert!(*due.iter().max().unwrap() > DAY * 12 / 10 && *due.iter().max().unwrap() <= DAY * 5 / 4);
    }
}
