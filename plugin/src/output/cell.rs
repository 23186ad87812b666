//! One value, and how each format writes it.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::clean;

/// What a value means for the person who reads it. It is told by colour on a terminal, and always by the word itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// On its way, or to be looked at some day.
    Notice,
    /// Somebody has to act.
    Bad,
    /// Of less interest.
    Faint,
}

impl Tone {
    /// The style on a terminal.
    #[must_use]
    pub const fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Notice => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// There is none.
    Missing,
    /// Text, as Google or the cluster has it.
    Text(Cow<'a, str>),
    /// One word with a meaning.
    Word(Cow<'a, str>, Tone),
    /// A count.
    Number(i64),
    /// A moment: people read how long ago it is, programs the time.
    Time(Timestamp),
}

impl<'a> Cell<'a> {
    /// Text, or nothing.
    #[must_use]
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Missing, |text| Self::Text(Cow::Borrowed(text)))
    }

    /// A count, or nothing.
    #[must_use]
    pub fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Missing, Self::Number)
    }

    /// A moment, or nothing.
    #[must_use]
    pub fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Missing, Self::Time)
    }

    /// For people, without colour: `-` where nothing is.
    #[must_use]
    pub fn for_people(&self, now: Timestamp) -> Cow<'_, str> {
        match self {
            Self::Missing => Cow::Borrowed("-"),
            Self::Text(text) | Self::Word(text, _) if text.trim().is_empty() => Cow::Borrowed("-"),
            Self::Text(text) | Self::Word(text, _) => clean(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Time(time) => Cow::Owned(age(*time, now)),
        }
    }

    /// For programs: empty where nothing is, times in RFC 3339 and UTC. Not yet quoted for any format.
    #[must_use]
    pub fn for_programs(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => Cow::Borrowed(""),
            Self::Text(text) | Self::Word(text, _) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Time(time) => Cow::Owned(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        }
    }

    /// What it means, if that is told by colour.
    #[must_use]
    pub const fn tone(&self) -> Option<Tone> {
        match self {
            Self::Word(_, tone) => Some(*tone),
            Self::Missing => Some(Tone::Faint),
            Self::Text(_) | Self::Number(_) | Self::Time(_) => None,
        }
    }
}

/// How long ago, in the units of kubectl: `45s`, `88m`, `12h`, `35d`, `3y12d`. A time to come is `in 5m`.
///
/// Source: `k8s.io/apimachinery/pkg/util/duration`, `HumanDuration`.
#[must_use]
pub fn age(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(time.as_second());
    if seconds < 0 {
        return format!("in {}", duration(seconds.saturating_neg()));
    }
    duration(seconds)
}

fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 192 => two(days, 'd', hours % 24, 'h'),
        () if days < 730 => format!("{days}d"),
        () if days < 2_920 => two(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_kubectl() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        for (seconds, shown) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (10_860, "3h1m"),
            (8 * 3_600, "8h"),
            (47 * 3_600, "47h"),
            (48 * 3_600, "2d"),
            (49 * 3_600, "2d1h"),
            (8 * 86_400, "8d"),
            (729 * 86_400, "729d"),
            (730 * 86_400, "2y"),
            (800 * 86_400, "2y70d"),
            (3_000 * 86_400, "8y"),
            (-300, "in 5m"),
        ] {
            let then = Timestamp::from_second(1_000_000_000 - seconds).unwrap();
            assert_eq!(age(then, now), shown, "{seconds} s");
        }
    }

    #[test]
    fn people_see_a_dash_and_programs_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Cell::text(None).for_people(now), "-");
        assert_eq!(Cell::text(Some("  ")).for_people(now), "-");
        assert_eq!(Cell::text(None).for_programs(), "");
        assert_eq!(Cell::Time(now).for_programs(), "1970-01-01T00:00:00Z");
    }
}
