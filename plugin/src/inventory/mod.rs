//! Rules about devices that several commands share.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `org_unit` | which org unit is below which, and how many devices each has |
//! | `span` | how a length of time is typed |
//! | `state` | what Google's states of a device mean |
//! | `version` | which ChromeOS version is older |

mod org_unit;
mod span;
mod state;
mod version;

pub use org_unit::{Count, OrgUnit, OrgUnits, is_at_or_below, normalized};
pub use span::{before, parse_span};
pub use state::{State, meaning, tone};
pub use version::Version;

/// A count with separators between thousands: `1,200`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (number, digit) in digits.chars().enumerate() {
        if number > 0 && (digits.len() - number).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its word: `1 device`, `1,200 devices`.
#[must_use]
pub fn devices(count: u64) -> String {
    if count == 1 {
        "1 device".to_owned()
    } else {
        format!("{} devices", grouped(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable() {
        for (count, shown) in [
            (0, "0 devices"),
            (1, "1 device"),
            (999, "999 devices"),
            (1_200, "1,200 devices"),
            (100_000, "100,000 devices"),
            (1_234_567, "1,234,567 devices"),
        ] {
            assert_eq!(devices(count), shown);
        }
    }
}
