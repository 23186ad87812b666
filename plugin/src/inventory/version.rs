//! Which ChromeOS version is older.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version of numbers and dots, such as `126.0.6478.132` or only `126`. What is left out counts as zero.
#[derive(Debug, Clone)]
pub struct Version(Vec<u64>);

impl Version {
    /// The first number, by which people name a version.
    #[must_use]
    pub fn milestone(&self) -> u64 {
        self.0.first().copied().unwrap_or_default()
    }

    fn part(&self, number: usize) -> u64 {
        self.0.get(number).copied().unwrap_or_default()
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give a version of numbers and dots, such as 120 or 120.0.6099".to_owned();
        let parts: Vec<&str> = text.trim().split('.').collect();
        // A plus sign is part of a number for the standard library.
        if parts.len() > 8
            || !parts
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(wrong());
        }
        let numbers = parts.iter().map(|part| part.parse()).collect::<Result<_, _>>();
        numbers.map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        formatter.write_str(&parts.join("."))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = self.0.len().max(other.0.len());
        (0..parts)
            .map(|number| self.part(number).cmp(&other.part(number)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        for (older, newer) in [
            ("99.0.4844.94", "120"),
            ("119.0.6045.212", "120"),
            ("120.0.6099.9", "120.0.6099.235"),
            ("120", "120.0.1"),
        ] {
            assert!(version(older) < version(newer), "{older} {newer}");
        }
        assert_eq!(version("120"), version("120.0.0"));
        assert!(version("120.0.6099.5") > version("120"));
        assert_eq!(version("126.0.6478.132").milestone(), 126);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            ".",
            "120.",
            "v120",
            "+120",
            "120-beta",
            "1.2.3.4.5.6.7.8.9",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
