//! Spans and times on the command line: `90s`, `24h`, `7d`, `2026-12-01T16:00:00Z`.

use std::str::FromStr as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A moment, as the time itself or as how far it is from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So far from now.
    Distance(SignedDuration),
    /// This time.
    At(Timestamp),
}

impl Moment {
    /// The moment, if a distance means the time to come.
    #[must_use]
    pub fn ahead_of(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Distance(distance) => now.checked_add(distance).unwrap_or(Timestamp::MAX),
            Self::At(time) => time,
        }
    }

    /// The moment, if a distance means the time that has passed.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Distance(distance) => now.checked_sub(distance).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

/// Reads a span of time, such as `90s`, `15m`, `24h`, `7d` or `1h30m`. A day has 24 hours.
///
/// # Errors
/// When it is none, or is negative.
pub fn span(text: &str) -> Result<SignedDuration, String> {
    let explain = || "write a span of time such as 90s, 15m, 24h or 7d".to_owned();
    let span = Span::from_str(text).map_err(|_| explain())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| explain())?;
    if duration.is_negative() {
        return Err(explain());
    }
    Ok(duration)
}

/// Reads a span or a time. A time without an offset is one of this machine's time zone; a day begins at midnight.
///
/// # Errors
/// When it is neither.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(time) = Timestamp::from_str(text) {
        return Ok(Moment::At(time));
    }
    if let Ok(local) = DateTime::from_str(text)
        && let Ok(zoned) = local.to_zoned(TimeZone::system())
    {
        return Ok(Moment::At(zoned.timestamp()));
    }
    span(text).map(Moment::Distance).map_err(|_| {
        "write a span of time such as 30m, 24h or 7d, or a time such as 2026-12-01T16:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5_400),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1w", 604_800),
            ("0s", 0),
            ("PT10M", 600),
        ] {
            assert_eq!(span(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "10", "soon", "-5m", "5m ago", "1mo", "2026-12-01"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_time_or_a_distance() {
        let now: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        let at = |text: &str| moment(text).unwrap();
        assert_eq!(at("1h").ahead_of(now).to_string(), "2026-12-01T13:00:00Z");
        assert_eq!(at("1h").before(now).to_string(), "2026-12-01T11:00:00Z");
        for text in ["2026-12-01T16:00:00Z", "2026-12-01T17:00:00+01:00"] {
            assert_eq!(at(text).ahead_of(now).to_string(), "2026-12-01T16:00:00Z");
            assert_eq!(at(text).before(now), at(text).ahead_of(now));
        }
        assert!(matches!(at("2026-12-01"), Moment::At(_)));
        assert!(matches!(at("2026-12-01T16:00"), Moment::At(_)));
        assert!(moment("tomorrow").is_err());
        assert_eq!(
            Moment::Distance(SignedDuration::MAX).ahead_of(now),
            Timestamp::MAX
        );
    }
}
