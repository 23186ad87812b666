//! How a length of time is typed: `12h`, `30d`, `2w`, `3months`.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Reads a length of time, for a flag.
///
/// # Errors
/// When it is none, or not above zero.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let span: Span = text
        .trim()
        .parse()
        .map_err(|_| "give a number and a unit, such as 12h, 30d or 2w".to_owned())?;
    if !span.is_positive() {
        return Err("give a time above zero, such as 12h, 30d or 2w".to_owned());
    }
    match before(Timestamp::now(), span) {
        Some(_) => Ok(span),
        None => Err("that is longer ago than times are known".to_owned()),
    }
}

/// The moment so long before `now`, if there is one. Days have 24 hours, months and years are those of the calendar.
#[must_use]
pub fn before(now: Timestamp, span: Span) -> Option<Timestamp> {
    let earlier = now.to_zoned(TimeZone::UTC).checked_sub(span).ok()?;
    Some(earlier.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_typed_as_people_do() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        for (text, earlier) in [
            ("12h", "2026-11-25T00:00:00Z"),
            ("30d", "2026-10-26T12:00:00Z"),
            ("2w", "2026-11-11T12:00:00Z"),
            ("1w 2d", "2026-11-16T12:00:00Z"),
            (" 90 days ", "2026-08-27T12:00:00Z"),
            ("6months", "2026-05-25T12:00:00Z"),
            ("1y", "2025-11-25T12:00:00Z"),
        ] {
            let span = parse_span(text).unwrap();
            assert_eq!(before(now, span).unwrap().to_string(), earlier, "{text}");
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in ["", "30", "d", "0d", "-3d", "3d ago", "20000y", "soon"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
