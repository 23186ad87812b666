//! What stands on the page, as text that is ready to be shown. The template escapes all of it.

use askama::Template;
use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::ConnectionState;
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::attention::{Case, LISTED};
use super::chart::{Chart, charts};
use super::tally::{Seen, Tally, Updates};
use crate::cluster::Scope;
use crate::failure::Failure;
use crate::inventory::{OrgUnit, State, devices, grouped};
use crate::output::{age, clean};

/// How many org units the page lists.
const LISTED_UNITS: usize = 2_000;
/// So many org units are shown at once; more can be opened.
const OPEN_UNITS: usize = 30;

/// One number at the top.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: String,
    /// A class of the style sheet. The words tell the same.
    pub(super) tone: &'static str,
}

/// One connection.
pub(super) struct Connection {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) tone: &'static str,
    pub(super) account: String,
    pub(super) customer: String,
    pub(super) check_in: String,
}

/// One row of the tree of org units.
pub(super) struct Unit {
    pub(super) namespace: String,
    /// Path of the unit above, which is read aloud and not shown.
    pub(super) above: String,
    pub(super) name: String,
    pub(super) depth: usize,
    pub(super) direct: String,
    pub(super) with_below: String,
    pub(super) not_seen: String,
    pub(super) has_not_seen: bool,
}

/// One device that needs somebody.
pub(super) struct Row {
    pub(super) namespace: String,
    pub(super) serial: String,
    pub(super) reasons: Vec<&'static str>,
    pub(super) state: String,
    pub(super) model: String,
    pub(super) org_unit: String,
    pub(super) last_seen: String,
    pub(super) updates_until: String,
    pub(super) user: String,
    pub(super) location: String,
    pub(super) notes: String,
}

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    place: String,
    made_at: String,
    version: &'static str,
    has_users: bool,
    all_namespaces: bool,
    devices: String,
    is_empty: bool,
    unread: Option<String>,
    figures: Vec<Figure>,
    connections: Vec<Connection>,
    connections_problem: Option<String>,
    charts: Vec<Chart>,
    upper_units: Vec<Unit>,
    all_units: Vec<Unit>,
    units: String,
    units_left_out: Option<String>,
    rows: Vec<Row>,
    attention: String,
    attention_left_out: Option<String>,
}

impl Page {
    pub(super) fn new(
        tally: &Tally,
        connections: Result<Vec<ChromeEnterpriseConnection>, Failure>,
        scope: &Scope,
        has_users: bool,
        now: Timestamp,
    ) -> Self {
        let (connections, connections_problem) = match connections {
            Ok(connections) => (connections.iter().map(|one| connection(one, now)).collect(), None),
            Err(failure) => (Vec::new(), Some(failure.to_string())),
        };
        let tree = tally.org_units.tree();
        let is_long = tree.len() > OPEN_UNITS;
        let upper = tree.iter().filter(|unit| !is_long || unit.depth() <= 1);
        let all = tally.attention.all();
        let left_out = |all: usize, listed: usize| {
            (all > listed).then(|| grouped(u64::try_from(all - listed).unwrap_or(u64::MAX)))
        };
        Self {
            place: match scope {
                Scope::Namespace(name) => format!("Namespace {name}"),
                Scope::All => "All namespaces".to_owned(),
            },
            made_at: minute(now),
            version: env!("CARGO_PKG_VERSION"),
            has_users,
            all_namespaces: *scope == Scope::All,
            devices: devices(tally.devices()),
            is_empty: tally.devices() == 0,
            unread: (tally.unread > 0).then(|| devices(tally.unread)),
            figures: figures(tally),
            connections,
            connections_problem,
            charts: charts(tally),
            upper_units: upper.take(LISTED_UNITS).map(unit).collect(),
            all_units: if is_long {
                tree.iter().take(LISTED_UNITS).map(unit).collect()
            } else {
                Vec::new()
            },
            units: grouped(u64::try_from(tree.len()).unwrap_or(u64::MAX)),
            units_left_out: left_out(tree.len(), LISTED_UNITS),
            rows: tally.attention.cases().map(|case| row(case, now)).collect(),
            attention: devices(all),
            attention_left_out: left_out(usize::try_from(all).unwrap_or(usize::MAX), LISTED),
        }
    }
}

fn figures(tally: &Tally) -> Vec<Figure> {
    let of_state = |wanted: State| -> u64 {
        let states = tally.states.iter().filter(|(word, _)| State::of(word) == wanted);
        states.map(|(_, count)| count).sum()
    };
    let seen = Seen::ALL.into_iter().filter(|seen| seen.is_longer_than_a_month());
    let not_seen: u64 = seen.filter_map(|seen| tally.seen.get(&seen)).sum();
    let updates = |wanted: Updates| tally.updates.get(&wanted).copied().unwrap_or_default();
    let soon = updates(Updates::HalfYear) + updates(Updates::Year);
    let figure = |label, count: u64, note: String, tone| Figure {
        label,
        value: grouped(count),
        note,
        tone: if count == 0 { "calm" } else { tone },
    };
    let share = |count: u64| format!("{} of those in use", super::chart::percent(count, tally.in_use));
    let locked = of_state(State::Disabled);
    vec![
        figure(
            "Devices",
            tally.devices(),
            format!("{} in use", grouped(tally.in_use)),
            "calm",
        ),
        figure(
            "Active",
            of_state(State::Active),
            "enrolled and managed".to_owned(),
            "good",
        ),
        figure("Locked or lost", locked, share(locked), "bad"),
        figure("Not seen for 30 days", not_seen, share(not_seen), "warn"),
        figure(
            "No updates any more",
            updates(Updates::Ended),
            format!("{} more within 12 months", grouped(soon)),
            "bad",
        ),
        figure(
            "Need attention",
            tally.attention.all(),
            "listed below".to_owned(),
            "warn",
        ),
    ]
}

fn connection(connection: &ChromeEnterpriseConnection, now: Timestamp) -> Connection {
    let status = connection.status.clone().unwrap_or_default();
    let tone = match status.state {
        Some(ConnectionState::Active) => "good",
        Some(ConnectionState::Degraded | ConnectionState::Conflict) => "bad",
        Some(
            ConnectionState::Connecting
            | ConnectionState::Syncing
            | ConnectionState::Suspended
            | ConnectionState::Deleting,
        )
        | None => "warn",
    };
    Connection {
        namespace: connection.namespace().unwrap_or_default(),
        name: connection.name_any(),
        state: status
            .state
            .map_or_else(|| "not looked at yet".to_owned(), |state| format!("{state:?}")),
        tone,
        account: shown(status.connected_account.as_deref()),
        customer: shown(status.customer_id.as_deref()),
        check_in: status
            .last_check_in_time
            .map_or_else(|| "never".to_owned(), |time| moment(time.0, now)),
    }
}

fn unit(unit: &OrgUnit) -> Unit {
    let path = unit.path.as_deref().unwrap_or_default();
    Unit {
        namespace: unit.namespace.clone(),
        above: clean(path.strip_suffix(unit.name.as_str()).unwrap_or_default()).into_owned(),
        name: clean(&unit.name).into_owned(),
        depth: unit.depth().min(12),
        direct: grouped(unit.direct.devices),
        with_below: grouped(unit.with_below.devices),
        not_seen: grouped(unit.with_below.not_seen),
        has_not_seen: unit.with_below.not_seen > 0,
    }
}

fn row(case: &Case, now: Timestamp) -> Row {
    let people = case.people.as_ref();
    Row {
        namespace: case.namespace.clone(),
        serial: clean(&case.serial).into_owned(),
        reasons: case.reasons.iter().map(|reason| reason.words()).collect(),
        state: shown(Some(&case.state)),
        model: shown(case.model.as_deref()),
        org_unit: shown(case.org_unit.as_deref()),
        last_seen: case
            .last_seen
            .map_or_else(|| "never".to_owned(), |time| format!("{} ago", age(time, now))),
        updates_until: case.updates_until.map_or_else(
            || "unknown".to_owned(),
            |time| time.strftime("%Y-%m-%d").to_string(),
        ),
        user: shown(people.and_then(|people| people.user.as_deref())),
        location: shown(people.and_then(|people| people.location.as_deref())),
        notes: shown(people.and_then(|people| people.notes.as_deref())),
    }
}

/// What Google or the cluster says, or a dash.
fn shown(text: Option<&str>) -> String {
    match text.map(clean) {
        Some(text) if !text.trim().is_empty() => text.into_owned(),
        Some(_) | None => "–".to_owned(),
    }
}

fn moment(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({} ago)", minute(time), age(time, now))
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
