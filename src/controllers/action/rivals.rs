//! Which action on a device comes first. Pure.
//!
//! Between claim and acceptance there is at most one action for each device, so that a wipe and a lost mode do not
//! overtake each other; of those that wait, the oldest goes first. Lost mode waits for nothing but what is on its way
//! at this very moment: a device may be in the hands of a thief.

use k8s_openapi::jiff::Timestamp;

use crate::api::action::ActionType;

/// An action of the same namespace that is not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) created: Timestamp,
    /// The devices that it may mean; several while a serial number is not looked up.
    pub(super) device_id: Option<String>,
    pub(super) serial_key: Option<String>,
    pub(super) progress: Progress,
}

/// How far a contender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing is claimed.
    Waiting,
    /// Every attempt surely sent nothing, and another will be made.
    BetweenAttempts,
    /// It may be on its way to Google, or its effect is being looked for.
    InFlight,
    /// Google has it: it stands in nobody's way.
    Accepted,
}

/// The action for which somebody asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) name: &'a str,
    pub(super) created: Timestamp,
    pub(super) type_: ActionType,
    pub(super) device_id: &'a str,
    pub(super) serial_key: Option<&'a str>,
}

/// The name of an action that comes first on the same device.
pub(super) fn first<'a>(
    asking: &Asking<'_>,
    others: impl IntoIterator<Item = &'a Contender>,
) -> Option<&'a str> {
    others
        .into_iter()
        .find(|other| {
            other.name != asking.name && is_same_device(asking, other) && comes_first(asking, other)
        })
        .map(|other| other.name.as_str())
}

fn is_same_device(asking: &Asking<'_>, other: &Contender) -> bool {
    match (&other.device_id, &other.serial_key) {
        (Some(device_id), _) => device_id == asking.device_id,
        (None, Some(serial_key)) => Some(serial_key.as_str()) == asking.serial_key,
        (None, None) => false,
    }
}

fn comes_first(asking: &Asking<'_>, other: &Contender) -> bool {
    let older = (other.created, other.name.as_str()) < (asking.created, asking.name);
    match (other.progress, asking.type_) {
        (Progress::InFlight, _) => true,
        (Progress::Accepted, _)
        | (Progress::Waiting | Progress::BetweenAttempts, ActionType::EnableLostMode) => false,
        (
            Progress::Waiting | Progress::BetweenAttempts,
            ActionType::Restart | ActionType::Wipe | ActionType::Deprovision | ActionType::DisableLostMode,
        ) => older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn other(created: i64, progress: Progress) -> Contender {
        Contender {
            name: "other".into(),
            created: at(created),
            device_id: Some("device".into()),
            serial_key: Some("5CD1".into()),
            progress,
        }
    }

    fn asking(type_: ActionType) -> Asking<'static> {
        Asking {
            name: "mine",
            created: at(100),
            type_,
            device_id: "device",
            serial_key: Some("5CD1"),
        }
    }

    #[test]
    fn every_row() {
        use ActionType::{EnableLostMode, Restart};
        use Progress::{Accepted, BetweenAttempts, InFlight, Waiting};
        let rows = [
            ("older, waiting", 50, Waiting, Restart, true),
            ("younger, waiting", 150, Waiting, Restart, false),
            ("older, between attempts", 50, BetweenAttempts, Restart, true),
            ("younger, between attempts", 150, BetweenAttempts, Restart, false),
            ("older, in flight", 50, InFlight, Restart, true),
            ("younger, in flight", 150, InFlight, Restart, true),
            ("older, accepted", 50, Accepted, Restart, false),
            ("lost mode and a waiting one", 50, Waiting, EnableLostMode, false),
            (
                "lost mode and one between attempts",
                50,
                BetweenAttempts,
                EnableLostMode,
                false,
            ),
            ("lost mode and one in flight", 50, InFlight, EnableLostMode, true),
            (
                "lost mode and a pending command",
                50,
                Accepted,
                EnableLostMode,
                false,
            ),
        ];
        for (row, created, progress, type_, expected) in rows {
            let others = [other(created, progress)];
            assert_eq!(first(&asking(type_), &others).is_some(), expected, "{row}");
        }
    }

    #[test]
    fn only_the_same_device_matters_and_a_tie_goes_by_name() {
        let first = |change: &dyn Fn(&mut Contender)| {
            let mut others = [other(100, Progress::Waiting)];
            change(&mut others[0]);
            first(&asking(ActionType::Wipe), &others).is_some()
        };
        assert!(!first(&|_| {}), "mine comes before other");
        assert!(first(&|other| other.name = "a".into()));
        assert!(first(&|other| (other.name, other.device_id) = ("a".into(), None)));
        assert!(!first(
            &|other| (other.name, other.device_id) = ("a".into(), Some("x".into()))
        ));
        assert!(!first(&|other| {
            (other.name, other.device_id, other.serial_key) = ("a".into(), None, Some("5CD2".into()));
        }));
        assert!(!first(&|other| {
            (other.name, other.device_id, other.serial_key) = ("a".into(), None, None);
        }));
    }
}
