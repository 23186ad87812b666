//! Whether a device meets a query.

use super::{Query, Term};
use crate::device::render::{Surroundings, compliance, update_state};
use crate::device::{Device, Mode};

/// Shorter parts of a serial number are not searched for; they must be the whole number.
const SHORTEST_PREFIX: usize = 3;

impl Query {
    /// Whether the device meets every term. A malformed query is met by every device.
    pub(crate) fn matches(&self, device: &Device, surroundings: Surroundings<'_>) -> bool {
        match self {
            Self::Malformed => true,
            Self::Terms(terms) => terms.iter().all(|term| term.matches(device, surroundings)),
        }
    }
}

impl Term {
    fn matches(&self, device: &Device, surroundings: Surroundings<'_>) -> bool {
        let contact = || device.last_contact(surroundings.now);
        match self {
            Self::Status(statuses) => statuses.contains(&device.status),
            Self::Serial(text) => {
                let serial = device.serial_number().to_lowercase();
                serial == *text || text.chars().count() >= SHORTEST_PREFIX && serial.starts_with(text)
            }
            Self::AssetId(text) => holds(device.annotated_asset_id(), text),
            Self::User(text) => holds(device.annotated_user(surroundings.domain), text),
            Self::Location(text) => holds(device.annotated_location(), text),
            Self::Note(text) => holds(device.notes(), text),
            Self::Registered(range) => device.last_enrolled > 0 && range.contains(device.last_enrolled),
            Self::Synced(range) | Self::LastUserActivity(range) => {
                contact().is_some_and(|contact| range.contains(contact.at))
            }
            Self::RecentUser(text) => contact().is_some_and(|contact| {
                let users = device
                    .recent_users(contact, surroundings.domain)
                    .unwrap_or_default();
                users.iter().any(|user| user.email() == Some(text.as_str()))
            }),
            Self::SupportEnds(range) => range.contains(device.support_end_seconds()),
            Self::ModelName(text) => device.model().name.to_lowercase().contains(text),
            Self::Meid(text) => holds(device.meid(), text),
            Self::CpuModelName(text) => device.model().cpu.to_lowercase().contains(text),
            Self::ChromeVersion { text, prefix } => {
                let version = device.os.text();
                if *prefix {
                    version.starts_with(text)
                } else {
                    version == *text
                }
            }
            Self::UpdateState(state) => has_update_state(device, surroundings, state),
            Self::Compliance(word) => compliance(device.os, surroundings.newest_os) == *word,
            Self::PolicyStatus(fresh) => (device.contact.silent_after > surroundings.now) == *fresh,
            Self::Education(education) => *education == (device.mode != Mode::Kiosk),
            Self::Kiosk(kiosk) => *kiosk == (device.mode == Mode::Kiosk),
            Self::WifiMac(text) => device.wifi_mac() == *text,
            Self::EthernetMac(text) => device.ethernet_mac().as_ref() == Some(text),
            Self::Storage(range) => range.contains(f64::from(device.model().storage_gb)),
            Self::Ram(range) => range.contains(f64::from(device.model().ram_gib)),
            Self::BootMode(mode) => device.boot_mode() == *mode,
        }
    }
}

fn has_update_state(device: &Device, surroundings: Surroundings<'_>, state: &str) -> bool {
    let behind = device.os < surroundings.newest_os;
    match state {
        "upToDate" => !behind,
        "pending" => behind,
        state => behind && update_state(device, surroundings.newest_os) == state,
    }
}

fn holds(text: Option<String>, part: &str) -> bool {
    text.is_some_and(|text| text.to_lowercase().contains(part))
}
