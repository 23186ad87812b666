//! Counts the devices while they are read: memory grows with what can be told apart, not with the devices.

use std::collections::BTreeMap;

use chrome_enterprise_operator::api::ChromeOSDevice;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use kube::ResourceExt as _;

use super::attention::{Attention, reasons};
use crate::inventory::{OrgUnits, State, Version};

/// Until when devices get updates, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Updates {
    /// The day has passed.
    Ended,
    /// Within 6 months.
    HalfYear,
    /// Within 12 months.
    Year,
    /// Within 24 months.
    TwoYears,
    /// Later than that.
    Later,
    /// Google tells no day.
    Unknown,
}

impl Updates {
    pub(super) const ALL: [Self; 6] = [
        Self::Ended,
        Self::HalfYear,
        Self::Year,
        Self::TwoYears,
        Self::Later,
        Self::Unknown,
    ];

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Ended => "Ended",
            Self::HalfYear => "End within 6 months",
            Self::Year => "End in 6 to 12 months",
            Self::TwoYears => "End in 12 to 24 months",
            Self::Later => "Longer than 24 months",
            Self::Unknown => "Unknown",
        }
    }
}

/// When devices reported last, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    /// Within 7 days.
    Week,
    /// Within 30 days.
    Month,
    /// Within 90 days.
    Quarter,
    /// Within 365 days.
    Year,
    /// Before that.
    Earlier,
    /// Never, as far as Google tells.
    Never,
}

impl Seen {
    pub(super) const ALL: [Self; 6] = [
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
        Self::Earlier,
        Self::Never,
    ];

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Week => "Last 7 days",
            Self::Month => "8 to 30 days ago",
            Self::Quarter => "31 to 90 days ago",
            Self::Year => "91 to 365 days ago",
            Self::Earlier => "Over a year ago",
            Self::Never => "Never",
        }
    }

    fn of(last: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(last) = last else { return Self::Never };
        // A clock that is ahead is no reason to miss a device.
        let hours = now.duration_since(last).as_hours().max(0);
        match hours {
            0..168 => Self::Week,
            168..720 => Self::Month,
            720..2_160 => Self::Quarter,
            2_160..8_760 => Self::Year,
            _ => Self::Earlier,
        }
    }

    pub(super) const fn is_longer_than_a_month(self) -> bool {
        match self {
            Self::Week | Self::Month => false,
            Self::Quarter | Self::Year | Self::Earlier | Self::Never => true,
        }
    }
}

/// What the page counts.
#[derive(Debug)]
pub(super) struct Tally {
    now: Timestamp,
    include_users: bool,
    /// Ends of 6, 12 and 24 months from now.
    ends: [Timestamp; 3],
    devices: u64,
    pub(super) unread: u64,
    pub(super) in_use: u64,
    pub(super) states: BTreeMap<String, u64>,
    pub(super) models: BTreeMap<String, u64>,
    /// By milestone; nothing for a version that is none.
    pub(super) versions: BTreeMap<Option<u64>, u64>,
    pub(super) updates: BTreeMap<Updates, u64>,
    pub(super) seen: BTreeMap<Seen, u64>,
    pub(super) org_units: OrgUnits,
    pub(super) attention: Attention,
}

impl Tally {
    pub(super) fn new(now: Timestamp, include_users: bool) -> Self {
        let today = now.to_zoned(TimeZone::UTC);
        let end = |months: i64| {
            let end = today.checked_add(Span::new().months(months));
            end.map_or(Timestamp::MAX, |end| end.timestamp())
        };
        Self {
            now,
            include_users,
            ends: [end(6), end(12), end(24)],
            devices: 0,
            unread: 0,
            in_use: 0,
            states: BTreeMap::new(),
            models: BTreeMap::new(),
            versions: BTreeMap::new(),
            updates: BTreeMap::new(),
            seen: BTreeMap::new(),
            org_units: OrgUnits::default(),
            attention: Attention::default(),
        }
    }

    /// How many devices were counted.
    pub(super) const fn devices(&self) -> u64 {
        self.devices
    }

    /// Counts one device.
    pub(super) fn add(&mut self, device: &ChromeOSDevice) {
        self.devices += 1;
        let Some(status) = &device.status else {
            self.unread += 1;
            return;
        };
        count(&mut self.states, status.state.as_deref());
        if !State::of_device(device).is_in_use() {
            return;
        }
        self.in_use += 1;
        count(&mut self.models, status.model.as_deref());
        let version = status.software.os_version.as_deref();
        let milestone = version
            .and_then(|version| version.parse::<Version>().ok())
            .map(|version| version.milestone());
        *self.versions.entry(milestone).or_default() += 1;
        let end = status.software.auto_update_end_time.as_ref().map(|time| time.0);
        *self.updates.entry(self.updates_of(end)).or_default() += 1;
        let last = status.activity.last_sync_time.as_ref().map(|time| time.0);
        let seen = Seen::of(last, self.now);
        *self.seen.entry(seen).or_default() += 1;
        let namespace = device.namespace().unwrap_or_default();
        let path = status.org_unit_path.as_deref();
        self.org_units
            .add(&namespace, path, seen.is_longer_than_a_month());
        let reasons = reasons(device, self.now);
        self.attention.add(device, reasons, self.include_users);
    }

    fn updates_of(&self, end: Option<Timestamp>) -> Updates {
        let Some(end) = end else { return Updates::Unknown };
        let [half_year, year, two_years] = self.ends;
        match () {
            () if end <= self.now => Updates::Ended,
            () if end <= half_year => Updates::HalfYear,
            () if end <= year => Updates::Year,
            () if end <= two_years => Updates::TwoYears,
            () => Updates::Later,
        }
    }
}

/// A text that is not there is counted as an empty one.
fn count(counts: &mut BTreeMap<String, u64>, text: Option<&str>) {
    let text = text.unwrap_or_default();
    match counts.get_mut(text) {
        Some(known) => *known += 1,
        None => {
            counts.insert(text.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_in_the_bucket_of_their_days() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        for (last, seen) in [
            ("2026-11-25T12:00:05Z", Seen::Week),
            ("2026-11-18T12:00:01Z", Seen::Week),
            ("2026-11-18T12:00:00Z", Seen::Month),
            ("2026-10-26T12:00:00Z", Seen::Quarter),
            ("2026-08-27T12:00:00Z", Seen::Year),
            ("2025-11-25T12:00:00Z", Seen::Earlier),
        ] {
            assert_eq!(Seen::of(Some(last.parse().unwrap()), now), seen, "{last}");
        }
        assert_eq!(Seen::of(None, now), Seen::Never);
        let tally = Tally::new(now, false);
        for (end, updates) in [
            ("2026-11-25T12:00:00Z", Updates::Ended),
            ("2027-05-25T12:00:00Z", Updates::HalfYear),
            ("2027-05-25T12:00:01Z", Updates::Year),
            ("2028-11-25T12:00:00Z", Updates::TwoYears),
            ("2028-11-25T12:00:01Z", Updates::Later),
        ] {
            assert_eq!(tally.updates_of(Some(end.parse().unwrap())), updates, "{end}");
        }
    }
}
