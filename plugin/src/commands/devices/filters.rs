//! Which devices are wanted. What a field selector can say exactly is said to the API server; the rest is looked at here,
//! page by page.

use chrome_enterprise_operator::api::ChromeOSDevice;
use chrome_enterprise_operator::api::device::{ChromeOSDeviceStatus, serial_key};
use clap::Args;
use jiff::{Span, Timestamp};
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::equals;
use crate::inventory::{Version, before, is_at_or_below, normalized, parse_span};
use crate::output::clean;

/// How many devices a note names.
const NAMED: usize = 5;

/// Flags that say which devices are wanted.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Text in the serial number, ID, model, org unit, user, asset ID, location or notes
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,

    /// Serial number, all of it
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,

    /// Org unit, with everything below it
    #[arg(long, value_name = "PATH")]
    pub org_unit: Option<String>,

    /// Only the org unit itself, written as Google writes it
    #[arg(long, requires = "org_unit")]
    pub exact_org_unit: bool,

    /// Text in the name of the model
    #[arg(long, value_name = "TEXT")]
    pub model: Option<String>,

    /// Only this model, written as Google writes it
    #[arg(long, requires = "model")]
    pub exact_model: bool,

    /// State, such as active, disabled (lost mode) or deprovisioned; several with commas
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<String>,

    /// Text in the user that an admin noted, or in the address of the last user
    #[arg(long, value_name = "TEXT")]
    pub used_by: Option<String>,

    /// Devices that have not reported for so long, such as 12h, 30d or 2w, or never
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub not_seen_for: Option<Span>,

    /// Devices with an older ChromeOS than this version, such as 120 or 120.0.6099
    #[arg(long, value_name = "VERSION")]
    pub os_older_than: Option<Version>,
}

impl Filters {
    /// Whether every device is wanted.
    pub(super) const fn is_empty(&self) -> bool {
        self.text.is_none()
            && self.serial.is_none()
            && self.org_unit.is_none()
            && self.model.is_none()
            && self.state.is_empty()
            && self.used_by.is_none()
            && self.not_seen_for.is_none()
            && self.os_older_than.is_none()
    }
}

/// The filters at one moment, and what they could not decide.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    flags: &'a Filters,
    text: Option<String>,
    model: Option<String>,
    user: Option<String>,
    states: Vec<String>,
    seen_before: Option<Timestamp>,
    uncomparable: Vec<String>,
    uncomparable_count: usize,
}

impl<'a> Filter<'a> {
    pub(super) fn new(flags: &'a Filters, now: Timestamp) -> Self {
        let model = flags.model.as_deref().filter(|_| !flags.exact_model);
        Self {
            flags,
            text: flags.text.as_deref().map(str::to_lowercase),
            model: model.map(str::to_lowercase),
            user: flags.used_by.as_deref().map(str::to_lowercase),
            states: flags.state.iter().map(|state| googles_word(state)).collect(),
            seen_before: flags.not_seen_for.and_then(|span| before(now, span)),
            uncomparable: Vec::new(),
            uncomparable_count: 0,
        }
    }

    /// What the API server is asked for.
    pub(super) fn on_server(&self) -> ListParams {
        let mut selectors = Vec::new();
        if let Some(serial) = &self.flags.serial {
            selectors.push(equals("status.serialKey", &serial_key(serial)));
        }
        if let (Some(path), true) = (&self.flags.org_unit, self.flags.exact_org_unit) {
            selectors.push(equals("status.orgUnitPath", &normalized(path)));
        }
        if let (Some(model), true) = (&self.flags.model, self.flags.exact_model) {
            selectors.push(equals("status.model", model));
        }
        // A selector can say "and", never "or".
        if let [state] = self.states.as_slice() {
            selectors.push(equals("status.state", state));
        }
        let parameters = ListParams::default();
        if selectors.is_empty() {
            parameters
        } else {
            parameters.fields(&selectors.join(","))
        }
    }

    /// Whether a device that the API server gave is wanted.
    pub(super) fn passes(&mut self, device: &ChromeOSDevice) -> bool {
        let Some(status) = &device.status else {
            // Its object is made and not filled yet: nothing is known that a filter could ask for.
            return self.flags.is_empty();
        };
        self.passes_state(status)
            && self.passes_org_unit(status)
            && contains(self.model.as_ref(), [status.model.as_deref()])
            && contains(
                self.user.as_ref(),
                [
                    status.annotated_user.as_deref(),
                    status.activity.recent_user.as_deref(),
                ],
            )
            && contains(self.text.as_ref(), searched(device, status))
            && self.passes_seen(status)
            && self.passes_version(device, status)
    }

    fn passes_state(&self, status: &ChromeOSDeviceStatus) -> bool {
        self.states.is_empty()
            || status
                .state
                .as_ref()
                .is_some_and(|state| self.states.contains(state))
    }

    fn passes_org_unit(&self, status: &ChromeOSDeviceStatus) -> bool {
        match &self.flags.org_unit {
            Some(unit) if !self.flags.exact_org_unit => status
                .org_unit_path
                .as_ref()
                .is_some_and(|path| is_at_or_below(path, unit)),
            Some(_) | None => true,
        }
    }

    fn passes_seen(&self, status: &ChromeOSDeviceStatus) -> bool {
        let Some(limit) = self.seen_before else {
            return true;
        };
        let last = status.activity.last_sync_time.as_ref();
        last.is_none_or(|time| time.0 < limit)
    }

    /// The last question, so that only devices are noted which pass all others.
    fn passes_version(&mut self, device: &ChromeOSDevice, status: &ChromeOSDeviceStatus) -> bool {
        let Some(limit) = &self.flags.os_older_than else {
            return true;
        };
        let version = status.software.os_version.as_deref();
        if let Some(Ok(version)) = version.map(str::parse::<Version>) {
            return version < *limit;
        }
        self.uncomparable_count += 1;
        if self.uncomparable.len() < NAMED {
            let serial = status.serial_number.clone().unwrap_or_else(|| device.name_any());
            self.uncomparable.push(clean(&serial).into_owned());
        }
        false
    }

    /// Devices that may have an older version, for all that is known.
    pub(super) fn uncomparable(&self) -> Option<String> {
        if self.uncomparable_count == 0 {
            return None;
        }
        let named = self.uncomparable.join(", ");
        let more = match self.uncomparable_count - self.uncomparable.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "Not listed, because they report no ChromeOS version that can be compared: {named}{more}."
        ))
    }
}

/// `pre-provisioned` is `PRE_PROVISIONED` for Google.
fn googles_word(state: &str) -> String {
    state.trim().to_uppercase().replace(['-', ' '], "_")
}

fn searched<'a>(device: &'a ChromeOSDevice, status: &'a ChromeOSDeviceStatus) -> [Option<&'a str>; 9] {
    [
        status.serial_number.as_deref(),
        device.metadata.name.as_deref(),
        status.model.as_deref(),
        status.org_unit_path.as_deref(),
        status.annotated_user.as_deref(),
        status.activity.recent_user.as_deref(),
        status.annotated_asset_id.as_deref(),
        status.annotated_location.as_deref(),
        status.notes.as_deref(),
    ]
}

/// Whether one of the texts contains what is wanted, which is in small letters. Nothing wanted is everywhere.
fn contains<'a>(wanted: Option<&String>, texts: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    let Some(wanted) = wanted else { return true };
    let mut texts = texts.into_iter().flatten();
    texts.any(|text| text.to_lowercase().contains(wanted))
}
