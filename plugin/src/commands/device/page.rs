//! One device as text: what is known of it, its actions, and what can be done.

use std::fmt::Write as _;

use anstyle::Style;
use chrome_enterprise_operator::api::action::ActionState;
use chrome_enterprise_operator::api::{
    ChromeEnterpriseConnection, ChromeOSDevice, DeviceAction, REQUESTED_BY_ANNOTATION,
};
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::facts::{Fact, groups, moment};
use crate::failure::Failure;
use crate::inventory::State;
use crate::output::{Table, Tone, age, clean};
use crate::terminal;

/// Width of the names of facts, with the blanks around them.
const INDENT: usize = 20;
/// Text is not wrapped narrower than this.
const NARROWEST: usize = 40;
/// The condition that says how an action ended.
const SUCCEEDED: &str = "Succeeded";
/// How many actions are shown.
const SHOWN_ACTIONS: usize = 10;

pub(super) struct Page<'a> {
    pub(super) device: &'a ChromeOSDevice,
    pub(super) connection: Option<&'a ChromeEnterpriseConnection>,
    pub(super) actions: Result<Vec<DeviceAction>, Failure>,
    /// Whether a command has to name the namespace.
    pub(super) names_namespace: bool,
    pub(super) now: Timestamp,
}

impl Page<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let Some(status) = &self.device.status else {
            // Writing into a String cannot fail, here and below.
            let _ = writeln!(
                text,
                "Device {} has an object and is not read from Google yet. Look again in a minute.",
                self.device.name_any()
            );
            return text;
        };
        for group in groups(self.device, status, self.now) {
            heading(&mut text, group.title);
            for fact in &group.facts {
                line(&mut text, fact);
            }
        }
        heading(&mut text, "Actions, newest first");
        self.write_actions(&mut text);
        heading(&mut text, "How fresh this is");
        self.write_freshness(&mut text);
        heading(&mut text, "What can be done");
        self.write_hints(&mut text, status.serial_number.as_deref());
        text
    }

    fn write_actions(&self, text: &mut String) {
        let actions = match &self.actions {
            Ok(actions) if actions.is_empty() => {
                text.push_str("  none\n");
                return;
            }
            Ok(actions) => actions,
            Err(failure) => {
                paragraph(text, &failure.to_string().replace('\n', " "));
                return;
            }
        };
        let mut rows = vec![
            ["TYPE", "STATE", "AGE", "BY", "REASON", "NAME"]
                .map(|title| (title.to_owned(), None))
                .to_vec(),
        ];
        rows.extend(
            actions
                .iter()
                .take(SHOWN_ACTIONS)
                .map(|action| action_row(action, self.now)),
        );
        let limit = terminal::width();
        let mut table = Table::new(if limit == usize::MAX { limit } else { limit - 2 });
        table.measure(&rows);
        for row in &rows {
            let _ = writeln!(text, "  {}", table.line(row));
        }
        if actions.len() > SHOWN_ACTIONS {
            let more = actions.len() - SHOWN_ACTIONS;
            let _ = writeln!(text, "  and {more} older: `kubectl chromeos actions` lists all");
        }
    }

    fn write_freshness(&self, text: &mut String) {
        let recorded = self
            .device
            .status
            .as_ref()
            .and_then(|status| status.recorded_time.as_ref());
        let recorded = recorded.map_or_else(|| "not told".to_owned(), |time| moment(time.0, self.now));
        line(text, &plain("Recorded", recorded));
        let Some(connection) = self.connection else { return };
        let status = connection.status.as_ref();
        let state = status
            .and_then(|status| status.state)
            .map(|state| format!("{state:?}"));
        let name = connection.name_any();
        let shown = state.map_or_else(|| name.clone(), |state| format!("{name}, {state}"));
        line(text, &plain("Connection", shown));
        if let Some(time) = status.and_then(|status| status.last_check_in_time.as_ref()) {
            line(text, &plain("Last check-in", moment(time.0, self.now)));
        }
        paragraph(
            text,
            "What changes all the time (activity) is recorded once a day, everything else as soon as it changes.",
        );
    }

    fn write_hints(&self, text: &mut String, serial: Option<&str>) {
        let name = match serial {
            Some(serial) if is_plain(serial) => serial.to_owned(),
            // A serial number that a shell would understand in another way is not put into a command.
            Some(_) | None => self.device.name_any(),
        };
        let place = match self.device.namespace() {
            Some(namespace) if self.names_namespace => format!(" -n {namespace}"),
            Some(_) | None => String::new(),
        };
        let hints: &[&str] = match State::of_device(self.device) {
            State::Disabled => &["lost-mode off"],
            State::Active | State::Other => &["restart", "lost-mode on"],
            State::Inactive | State::Delinquent => &["restart"],
            State::Deprovisioned => {
                paragraph(
                    text,
                    "Nothing from here: it has to be wiped by hand and enrolled again.",
                );
                return;
            }
            State::PreProvisioned => {
                paragraph(text, "Nothing from here: it is not enrolled yet.");
                return;
            }
        };
        for hint in hints {
            let _ = writeln!(text, "  kubectl chromeos {hint} {name}{place}");
        }
    }
}

fn heading(text: &mut String, title: &str) {
    let bold = Style::new().bold();
    let before = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{before}{bold}{title}{bold:#}");
}

fn plain(name: &'static str, value: String) -> Fact {
    Fact {
        name,
        value,
        tone: None,
    }
}

/// `  Name              value`, and long values below each other.
fn line(text: &mut String, fact: &Fact) {
    let style = fact.tone.map_or_else(Style::new, Tone::style);
    let name = format!("  {:<width$}", fact.name, width = INDENT - 2);
    for (number, part) in wrapped(&fact.value, INDENT).iter().enumerate() {
        let before = if number == 0 {
            name.clone()
        } else {
            " ".repeat(INDENT)
        };
        let _ = writeln!(text, "{before}{style}{part}{style:#}");
    }
}

fn paragraph(text: &mut String, words: &str) {
    for part in wrapped(words, 2) {
        let _ = writeln!(text, "  {part}");
    }
}

/// The lines of a text with so many blanks before each. Without a terminal nothing is wrapped.
fn wrapped(words: &str, indent: usize) -> Vec<String> {
    let width = terminal::width();
    if width == usize::MAX {
        return vec![words.to_owned()];
    }
    let room = width.saturating_sub(indent).max(NARROWEST);
    textwrap::wrap(words, room)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

fn action_row(action: &DeviceAction, now: Timestamp) -> Vec<(String, Option<Tone>)> {
    let status = action.status.as_ref();
    let state = status
        .and_then(|status| status.state)
        .unwrap_or(ActionState::Pending);
    let reason = status
        .and_then(|status| {
            status
                .conditions
                .iter()
                .find(|condition| condition.type_ == SUCCEEDED)
        })
        .map_or("-", |condition| condition.reason.as_str());
    let by = action
        .annotations()
        .get(REQUESTED_BY_ANNOTATION)
        .map_or("-", String::as_str);
    let created = action
        .creation_timestamp()
        .map_or_else(|| "-".to_owned(), |time| age(time.0, now));
    vec![
        (action.spec.type_.as_str().to_owned(), None),
        (state.as_str().to_owned(), Some(action_tone(state))),
        (created, None),
        (clean(by).into_owned(), None),
        (clean(reason).into_owned(), None),
        (action.name_any(), None),
    ]
}

const fn action_tone(state: ActionState) -> Tone {
    match state {
        ActionState::Succeeded => Tone::Good,
        ActionState::Pending | ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged => {
            Tone::Notice
        }
        ActionState::Failed | ActionState::Expired | ActionState::Rejected | ActionState::OutcomeUnknown => {
            Tone::Bad
        }
    }
}

/// Whether a text is one word for every shell.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
}
