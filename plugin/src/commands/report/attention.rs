//! Which devices need somebody, and the most urgent of them.

use std::collections::BTreeMap;

use chrome_enterprise_operator::api::ChromeOSDevice;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

use crate::inventory::State;

/// How many devices the page lists.
pub(super) const LISTED: usize = 200;
/// A device that has not reported for so long is missing.
pub(super) const MISSING_AFTER_DAYS: i64 = 90;

/// Why a device needs somebody, in the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// An admin has locked it.
    Locked,
    /// Google gives no updates for it any more.
    UpdatesEnded,
    /// It has not reported for long, or never.
    Missing,
}

impl Reason {
    /// The words of the page.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Locked => "Locked or lost",
            Self::UpdatesEnded => "No updates any more",
            Self::Missing => "Not seen for 90 days",
        }
    }
}

/// A device that needs somebody. Text is as Google has it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) reasons: Vec<Reason>,
    pub(super) namespace: String,
    pub(super) serial: String,
    pub(super) state: String,
    pub(super) model: Option<String>,
    pub(super) org_unit: Option<String>,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) updates_until: Option<Timestamp>,
    /// Personal data: only where it was asked for.
    pub(super) people: Option<People>,
}

/// What may name people.
#[derive(Debug, Clone)]
pub(super) struct People {
    pub(super) user: Option<String>,
    pub(super) location: Option<String>,
    pub(super) notes: Option<String>,
}

/// The most urgent devices, so many that a page can show, and the number of all.
#[derive(Debug, Default)]
pub(super) struct Attention {
    all: u64,
    /// By urgency: the first reason, then the one with more reasons, then the one that is away longest.
    cases: BTreeMap<(Reason, usize, Timestamp, String), Case>,
}

impl Attention {
    pub(super) fn add(&mut self, device: &ChromeOSDevice, reasons: Vec<Reason>, include_users: bool) {
        let Some(first) = reasons.first().copied() else {
            return;
        };
        self.all += 1;
        let case = case(device, reasons, include_users);
        let seen = case.last_seen.unwrap_or(Timestamp::MIN);
        let name = format!("{}/{}", case.namespace, device.name_any());
        let more = usize::MAX - case.reasons.len();
        self.cases.insert((first, more, seen, name), case);
        if self.cases.len() > LISTED {
            self.cases.pop_last();
        }
    }

    /// How many devices need somebody.
    pub(super) const fn all(&self) -> u64 {
        self.all
    }

    /// The most urgent ones, in the order of urgency.
    pub(super) fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }
}

/// Why this device needs somebody; nothing if it does not.
pub(super) fn reasons(device: &ChromeOSDevice, now: Timestamp) -> Vec<Reason> {
    let state = State::of_device(device);
    let Some(status) = device.status.as_ref().filter(|_| state.is_in_use()) else {
        return Vec::new();
    };
    let ended = status.software.auto_update_end_time.as_ref();
    let seen = status.activity.last_sync_time.as_ref();
    let limit = SignedDuration::from_hours(24 * MISSING_AFTER_DAYS);
    [
        (Reason::Locked, state == State::Disabled),
        (Reason::UpdatesEnded, ended.is_some_and(|end| end.0 <= now)),
        (
            Reason::Missing,
            seen.is_none_or(|seen| now.duration_since(seen.0) > limit),
        ),
    ]
    .into_iter()
    .filter_map(|(reason, holds)| holds.then_some(reason))
    .collect()
}

fn case(device: &ChromeOSDevice, reasons: Vec<Reason>, include_users: bool) -> Case {
    let status = device.status.clone().unwrap_or_default();
    Case {
        reasons,
        namespace: device.namespace().unwrap_or_default(),
        serial: status.serial_number.unwrap_or_else(|| device.name_any()),
        state: status.state.unwrap_or_default(),
        model: status.model,
        org_unit: status.org_unit_path,
        last_seen: status.activity.last_sync_time.map(|time| time.0),
        updates_until: status.software.auto_update_end_time.map(|time| time.0),
        people: include_users.then_some(People {
            user: status.annotated_user.or(status.activity.recent_user),
            location: status.annotated_location,
            notes: status.notes,
        }),
    }
}
