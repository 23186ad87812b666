//! Everything about one connection, for people: how it is, and what to do.

use std::fmt::Write as _;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::{
    Access, ChromeEnterpriseConnectionStatus, ConnectionState, DeviceCounts, PruneHold, SyncStatus,
};
use jiff::Timestamp;
use kube::ResourceExt as _;

use crate::connections::{self, name_of, namespace_of};
use crate::output::{Tone, age, clean};
use crate::terminal;

/// Width of the names on the left.
const NAMES: usize = 16;

/// The text, laid out for the terminal.
pub(super) fn text(connection: &ChromeEnterpriseConnection) -> String {
    let mut page = Page::new();
    let now = Timestamp::now();
    page.line(
        "Connection",
        &format!(
            "{} in namespace {}",
            name_of(connection),
            namespace_of(connection)
        ),
    );
    state(&mut page, connection);
    settings(&mut page, connection);
    if let Some(status) = &connection.status {
        found_out(&mut page, connection, status, now);
        for condition in &status.conditions {
            let since = age(condition.last_transition_time.0, now);
            page.line(
                &condition.type_,
                &format!("{} since {since}, {}", condition.status, condition.reason),
            );
        }
    }
    page.text
}

/// Lines with a name on the left. Long ones go on below where a terminal has an edge, and are left whole elsewhere.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn new() -> Self {
        Self {
            text: String::new(),
            width: terminal::width(),
        }
    }

    fn line(&mut self, name: &str, value: &str) {
        self.toned(name, None, value);
    }

    /// The first word of the value in the colour of its meaning.
    fn toned(&mut self, name: &str, tone: Option<Tone>, value: &str) {
        let value = clean(value);
        let room = self.width.saturating_sub(NAMES).max(20);
        let options = textwrap::Options::new(room).break_words(false);
        let lines = if self.width == usize::MAX {
            vec![value.clone()]
        } else {
            textwrap::wrap(&value, options)
        };
        let style = tone.map(Tone::style).unwrap_or_default();
        let mut name = clean(name);
        for line in lines {
            let (first, rest) = match tone {
                Some(_) if !name.is_empty() => line.split_at(line.find([' ', ':']).unwrap_or(line.len())),
                Some(_) | None => ("", line.as_ref()),
            };
            // Writing into a String cannot fail.
            let _ = writeln!(self.text, "{name:<NAMES$}{style}{first}{style:#}{rest}");
            name = "".into();
        }
    }
}

/// The state with its sentence, and what to do.
fn state(page: &mut Page, connection: &ChromeEnterpriseConnection) {
    let tone = Some(connections::tone(connection));
    let Some(state) = connections::state(connection) else {
        page.toned("State", tone, "unknown: no operator has looked at it yet");
        page.line(
            "What to do",
            "See whether an operator runs: kubectl chromeos doctor",
        );
        return;
    };
    let word = connections::word(state);
    page.toned(
        "State",
        tone,
        &format!("{word}: {}", connections::sentence(state)),
    );
    if let Some(ready) = connections::ready(connection).filter(|_| state != ConnectionState::Active) {
        page.line("Reason", &ready.reason);
        let advice = if state == ConnectionState::Suspended {
            format!(
                "To go on: kubectl chromeos resume {} -n {}",
                name_of(connection),
                namespace_of(connection)
            )
        } else {
            ready.message.clone()
        };
        let name = if connections::needs_a_person(connection) {
            "What to do"
        } else {
            "Message"
        };
        page.line(name, &advice);
    }
    let observed = connection
        .status
        .as_ref()
        .and_then(|status| status.observed_generation);
    if observed != connection.metadata.generation {
        page.line(
            "Note",
            "The settings were changed, and the operator has not looked at the change yet.",
        );
    }
}

/// What was asked for.
fn settings(page: &mut Page, connection: &ChromeEnterpriseConnection) {
    let spec = &connection.spec;
    let status = connection.status.as_ref();
    let account = status.and_then(|status| status.connected_account.as_deref());
    match account {
        Some(account) => page.line("Account", account),
        None => page.line("Account", &format!("{} (not signed in)", spec.admin_email)),
    }
    let customer = status.and_then(|status| status.customer_id.as_deref());
    page.line("Customer", customer.unwrap_or(&spec.customer_id));
    page.line(
        "Access",
        match spec.access {
            Access::ReadWrite => "read and write: actions may be sent to devices",
            Access::ReadOnly => "read only: every action is rejected",
        },
    );
    page.line("Signs in with", &connections::way_to_sign_in(&spec.credentials));
    let scope = match (&spec.sync.query, spec.sync.org_unit_path.as_str()) {
        (None, "/") => "all devices".to_owned(),
        (None, path) => format!("devices below {path}"),
        (Some(query), "/") => format!("devices that match {query}"),
        (Some(query), path) => format!("devices below {path} that match {query}"),
    };
    page.line("Mirrors", &scope);
}

/// What the operator found out.
fn found_out(
    page: &mut Page,
    connection: &ChromeEnterpriseConnection,
    status: &ChromeEnterpriseConnectionStatus,
    now: Timestamp,
) {
    if let Some(counts) = &status.devices {
        page.line("Devices", &devices(counts));
    }
    let check_in = status.last_check_in_time.as_ref();
    page.line(
        "Last check-in",
        &check_in.map_or_else(|| "never".to_owned(), |time| format!("{} ago", age(time.0, now))),
    );
    if let Some(sync) = &status.sync {
        passes(page, connection, sync, now);
        if let Some(hold) = &sync.prune_hold {
            prune_hold(page, connection, hold, now);
        }
    }
    let wants_delegation = connections::reason(connection)
        .is_some_and(|reason| matches!(reason, "DelegationMissing" | "ScopeMissing" | "SigningIn"));
    if let Some(oauth) = status.oauth.as_ref().filter(|_| wants_delegation) {
        if let Some(client_id) = &oauth.client_id {
            page.line("Client ID", client_id);
        }
        page.line("Scopes", &oauth.scopes.join(","));
    }
}

/// `1200: 1100 active, 50 disabled`
fn devices(counts: &DeviceCounts) -> String {
    let states: Vec<_> = [
        (counts.active, "active"),
        (counts.disabled, "disabled"),
        (counts.deprovisioned, "deprovisioned"),
        (counts.other, "in another state"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, state)| format!("{count} {state}"))
    .collect();
    if states.is_empty() {
        return counts.synced.to_string();
    }
    format!("{}: {}", counts.synced, states.join(", "))
}

/// The pass that runs now, the last one and the next one.
fn passes(page: &mut Page, connection: &ChromeEnterpriseConnection, sync: &SyncStatus, now: Timestamp) {
    if let Some(part) = connections::part(connection) {
        let bar = part
            .counted
            .map_or_else(String::new, |(done, all)| format!(" {}", bar(done, all)));
        page.line("Now", &format!("{}{bar}", part.line()));
    }
    let last = sync.last_complete_time.as_ref();
    let last = last.map_or_else(|| "never".to_owned(), |time| format!("{} ago", age(time.0, now)));
    let took = sync
        .last_duration_seconds
        .map_or_else(String::new, |seconds| format!(", took {seconds} s"));
    page.line("Last full sync", &format!("{last}{took}"));
    if let Some(next) = &sync.next_time {
        let due = if next.0 > now {
            age(next.0, now)
        } else {
            "due now".to_owned()
        };
        page.line("Next sync", &due);
    }
    if let Some(skipped) = sync.devices_skipped.filter(|skipped| *skipped > 0) {
        page.line(
            "Left out",
            &format!("{skipped} devices whose records at Google cannot be read"),
        );
    }
}

/// `[######------]`
fn bar(done: u64, all: u64) -> String {
    const LENGTH: usize = 20;
    let full = done.saturating_mul(20) / all.max(1);
    let full = usize::try_from(full).unwrap_or(LENGTH).min(LENGTH);
    format!("[{}{}]", "#".repeat(full), "-".repeat(LENGTH - full))
}

/// Devices that wait for a person, with the command that lets them go.
fn prune_hold(page: &mut Page, connection: &ChromeEnterpriseConnection, hold: &PruneHold, now: Timestamp) {
    page.toned(
        "Held",
        Some(Tone::Notice),
        &format!(
            "{} devices have not been listed by Google for {}, too many to be believed. Their objects are kept.",
            hold.devices,
            age(hold.since.0, now)
        ),
    );
    page.line(
        "",
        "Check org unit, query and privileges. If they are really gone:",
    );
    // One line, so that it can be copied.
    let _ = writeln!(
        page.text,
        "{:<NAMES$}kubectl -n {} annotate --overwrite cec {} chromeenterprise.dev/allow-prune={}",
        "",
        connection.namespace().unwrap_or_default(),
        connection.name_any(),
        clean(&hold.id)
    );
}
