//! Ranges of dates and numbers: `A`, `A..B`, `..B`, `A..`; both ends belong to the range.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Seconds since 1970, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateRange {
    first: i64,
    last: i64,
}

impl DateRange {
    /// Reads dates (`2026-11-23`) or times (`2026-11-23T10:00:00`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, last) = match text.split_once("..") {
            None => (Some(moment(text)?), Some(moment(text)?)),
            Some(("", "")) => return None,
            Some((first, "")) => (Some(moment(first)?), None),
            Some(("", last)) => (None, Some(moment(last)?)),
            Some((first, last)) => (Some(moment(first)?), Some(moment(last)?)),
        };
        Some(Self {
            first: first.map_or(i64::MIN, |(first, _)| first),
            last: last.map_or(i64::MAX, |(_, last)| last),
        })
    }

    pub(super) fn contains(self, seconds: i64) -> bool {
        (self.first..=self.last).contains(&seconds)
    }
}

/// First and last second of a date, or twice the same of a time.
fn moment(text: &str) -> Option<(i64, i64)> {
    let seconds = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        let first = seconds(date.to_datetime(jiff::civil::Time::midnight()))?;
        return Some((first, first + 86_399));
    }
    let time = seconds(text.trim_end_matches('Z').parse::<DateTime>().ok()?)?;
    Some((time, time))
}

/// Both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NumberRange {
    first: f64,
    last: f64,
}

impl NumberRange {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        Some(match text.split_once("..") {
            None => Self {
                first: number(text)?,
                last: number(text)?,
            },
            Some(("", "")) => return None,
            Some((first, "")) => Self {
                first: number(first)?,
                last: f64::INFINITY,
            },
            Some(("", last)) => Self {
                first: f64::NEG_INFINITY,
                last: number(last)?,
            },
            Some((first, last)) => Self {
                first: number(first)?,
                last: number(last)?,
            },
        })
    }

    pub(super) fn contains(self, number: f64) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_whole_day_and_a_time_one_second() {
        let day = DateRange::parse("2026-11-23").unwrap();
        assert!(day.contains(1_795_392_000) && day.contains(1_795_478_399));
        assert!(!day.contains(1_795_391_999) && !day.contains(1_795_478_400));
        let since = DateRange::parse("2026-11-23T00:00:01..").unwrap();
        assert!(!since.contains(1_795_392_000) && since.contains(1_795_392_001));
        let until = DateRange::parse("..2026-11-23").unwrap();
        assert!(until.contains(1_795_478_399) && !until.contains(1_795_478_400));
        for wrong in ["", "..", "2026-13-01", "today", "2026-11-23..x"] {
            assert_eq!(DateRange::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_have_open_ends_too() {
        assert!(NumberRange::parse("4..8").unwrap().contains(8.0));
        assert!(!NumberRange::parse("..4").unwrap().contains(4.1));
        assert!(NumberRange::parse("4..").unwrap().contains(4000.0));
        assert_eq!(NumberRange::parse("inf"), None);
    }
}
