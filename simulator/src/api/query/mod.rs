//! The query language of device lists ("Directory API: Search for ChromeOS devices").
//!
//! Terms are `field:value`, all of them must hold. Words without a field belong to the field before them:
//! Google's own example is `user:help desk`. Dates are UTC here; Google does not say which zone it uses.

mod matching;
mod range;

use crate::device::DeviceStatus;
use range::{DateRange, NumberRange};

/// A query that was understood, or one that was not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// All terms must hold; without terms everything matches.
    Terms(Vec<Term>),
    /// Not made of `field:value`, or with an unknown field or value.
    Malformed,
}

/// One condition. Text is in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Status(Vec<DeviceStatus>),
    Serial(String),
    AssetId(String),
    User(String),
    Location(String),
    Note(String),
    Registered(DateRange),
    Synced(DateRange),
    LastUserActivity(DateRange),
    RecentUser(String),
    SupportEnds(DateRange),
    ModelName(String),
    Meid(String),
    CpuModelName(String),
    ChromeVersion { text: String, prefix: bool },
    UpdateState(&'static str),
    Compliance(&'static str),
    PolicyStatus(bool),
    Education(bool),
    Kiosk(bool),
    WifiMac(String),
    EthernetMac(String),
    Storage(NumberRange),
    Ram(NumberRange),
    BootMode(&'static str),
}

impl Query {
    /// Reads a query.
    pub(crate) fn parse(text: &str) -> Self {
        match parse(text) {
            Some(terms) => Self::Terms(terms),
            None => Self::Malformed,
        }
    }
}

fn parse(text: &str) -> Option<Vec<Term>> {
    if text.contains('?') {
        return None;
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in words(text)? {
        match (word.field, pairs.last_mut()) {
            (Some(field), _) => pairs.push((field.to_lowercase(), word.value)),
            (None, Some((_, value))) => {
                if !value.is_empty() {
                    value.push(' ');
                }
                value.push_str(&word.value);
            }
            (None, None) => return None,
        }
    }
    pairs.iter().map(|(field, value)| term(field, value)).collect()
}

struct Word {
    field: Option<String>,
    value: String,
}

/// Splits at blanks outside of quotation marks.
fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let name_end = rest.find(|letter: char| letter == ':' || letter == '"' || letter.is_whitespace());
        let (field, after) = match name_end {
            Some(end) if rest[end..].starts_with(':') => (Some(rest[..end].to_owned()), &rest[end + 1..]),
            Some(_) | None => (None, rest),
        };
        let (value, remaining) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        words.push(Word {
            field,
            value: value.to_owned(),
        });
        rest = remaining.trim_start();
    }
    Some(words)
}

fn term(field: &str, value: &str) -> Option<Term> {
    let text = value.to_lowercase();
    if text.is_empty() {
        return None;
    }
    Some(match field {
        "status" => Term::Status(statuses(&text)?),
        "id" => Term::Serial(text),
        "asset_id" => Term::AssetId(text),
        "user" => Term::User(text),
        "location" => Term::Location(text),
        "note" => Term::Note(text),
        "register" => Term::Registered(DateRange::parse(value)?),
        "sync" => Term::Synced(DateRange::parse(value)?),
        "last_user_activity" => Term::LastUserActivity(DateRange::parse(value)?),
        "recent_user" => Term::RecentUser(text),
        "aue" => Term::SupportEnds(DateRange::parse(value)?),
        "public_model_name" => Term::ModelName(text),
        "meid" => Term::Meid(text),
        "cpu_model_name" => Term::CpuModelName(text),
        "chrome_version" => match text.strip_suffix(";prefix") {
            Some(prefix) => Term::ChromeVersion {
                text: prefix.to_owned(),
                prefix: true,
            },
            None => Term::ChromeVersion { text, prefix: false },
        },
        "update_status" => Term::UpdateState(update_state(&text)?),
        "compliance" => Term::Compliance(compliance(&text)?),
        "policy_status" => Term::PolicyStatus(text.parse().ok()?),
        "sku" => Term::Education(one_of(&text, &[("enterprise", false), ("education", true)])?),
        "license_sku" => Term::Kiosk(license(&text)?),
        "wifi_mac" => Term::WifiMac(text),
        "ethernet_mac" => Term::EthernetMac(text),
        "storage" => Term::Storage(NumberRange::parse(&text)?),
        "ram" => Term::Ram(NumberRange::parse(&text)?),
        "boot_mode" => Term::BootMode(one_of(&text, &[("verified", "Verified"), ("dev", "Dev")])?),
        _ => return None,
    })
}

fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
}

/// The words of the query language differ from those of the field `status`.
fn statuses(text: &str) -> Option<Vec<DeviceStatus>> {
    Some(match text {
        "provisioned" => vec![DeviceStatus::Active],
        "disabled" => vec![DeviceStatus::Disabled],
        "deprovisioned" => vec![DeviceStatus::Deprovisioned],
        "managed" => vec![
            DeviceStatus::Active,
            DeviceStatus::Disabled,
            DeviceStatus::Delinquent,
        ],
        _ => return None,
    })
}

fn update_state(text: &str) -> Option<&'static str> {
    one_of(
        text,
        &[
            ("default_os_up_to_date", "upToDate"),
            ("pending_update", "pending"),
            ("os_image_download_not_started", "updateStateNotStarted"),
            ("os_image_download_in_progress", "updateStateDownloadInProgress"),
            ("os_update_need_reboot", "updateStateNeedReboot"),
        ],
    )
}

fn compliance(text: &str) -> Option<&'static str> {
    let choices = [
        ("compliant", "compliant"),
        ("pending_update", "pending"),
        ("not_compliant", "notCompliant"),
    ];
    one_of(text, &choices)
}

fn license(text: &str) -> Option<bool> {
    let choices = [
        ("standalone_chrome_enterprise_upgrade", false),
        ("chrome_enterprise_upgrade_bundled", false),
        ("standalone_kiosk_and_signage_upgrade", true),
    ];
    one_of(text, &choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read() {
        let rows: [(&str, Vec<Term>); 7] = [
            ("", vec![]),
            (
                "status:provisioned",
                vec![Term::Status(vec![DeviceStatus::Active])],
            ),
            ("user:help desk", vec![Term::User("help desk".to_owned())]),
            (
                "user:\"Help Desk\" id:5CD",
                vec![Term::User("help desk".to_owned()), Term::Serial("5cd".to_owned())],
            ),
            (
                "note:a b  location:c",
                vec![Term::Note("a b".to_owned()), Term::Location("c".to_owned())],
            ),
            (
                "chrome_version:111;prefix",
                vec![Term::ChromeVersion {
                    text: "111".to_owned(),
                    prefix: true,
                }],
            ),
            ("note:\"a: b\"", vec![Term::Note("a: b".to_owned())]),
        ];
        for (text, terms) in rows {
            assert_eq!(Query::parse(text), Query::Terms(terms), "{text}");
        }
    }

    #[test]
    fn what_is_not_made_of_known_terms_is_malformed() {
        let texts = [
            "5CD1234",
            "status:active",
            "id:5CD?",
            "colour:red",
            "note:\"open",
            "status:",
            "sync:yesterday",
            "hello status:provisioned",
            "ram:much",
        ];
        for text in texts {
            assert_eq!(Query::parse(text), Query::Malformed, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z:\" .?é0-9-]{0,40}") {
            let _ = Query::parse(&text);
        }
    }
}
