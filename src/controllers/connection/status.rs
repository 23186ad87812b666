//! Tells the truth about a connection. [`build`] is pure; [`report`] writes once, and only what changed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::Context;
use super::facts::{Facts, Finished, Job, Running};
use super::plan::{Act, Plan, View};
use crate::api::conditions::{self, Desired, READY, RECONCILING, STALLED};
use crate::api::connection::{
    ChromeEnterpriseConnection, ChromeEnterpriseConnectionStatus, ConnectionState, OAuthStatus, PruneHold,
    SyncPhase, SyncStatus,
};
use crate::controllers::status_write::replace_status;
use crate::controllers::tenant::credentials::{self, CredentialFacts};
use crate::controllers::tenant::problem::Problem;

/// Writes the status if it changed: once, as a whole, and only to the very object that was observed.
///
/// # Errors
/// When the API server does not take it. A connection that is gone meanwhile is no error.
pub(super) async fn report(
    context: &Context,
    facts: &Facts,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), kube::Error> {
    let Some(status) = build(facts, plan, now) else {
        return Ok(());
    };
    let connection = &facts.connection;
    let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
    if let Some(Running {
        job: Job::Pass(_),
        progress,
        ..
    }) = &facts.session.running
    {
        let read = u64::try_from(progress.devices_read.unwrap_or_default()).unwrap_or_default();
        context
            .metrics
            .sync_progress(&namespace, &name, read, progress.devices_expected);
    }
    if let Some(state) = status.state {
        context
            .metrics
            .connection_state(&namespace, &name, state_label(state));
    }
    if connection.status.as_ref() == Some(&status) {
        return Ok(());
    }
    replace_status::<ChromeEnterpriseConnection>(
        &context.client,
        &namespace,
        &name,
        connection.metadata.uid.as_deref(),
        None,
        &status,
    )
    .await
}

const fn state_label(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting => "Connecting",
        ConnectionState::Syncing => "Syncing",
        ConnectionState::Active => "Active",
        ConnectionState::Degraded => "Degraded",
        ConnectionState::Suspended => "Suspended",
        ConnectionState::Conflict => "Conflict",
        ConnectionState::Deleting => "Deleting",
    }
}

/// Condition that is there while vanished devices wait for a permission.
const PRUNE_HELD: &str = "PruneHeld";

/// The status that the object should have, or `None` where nothing is to be written.
#[must_use]
pub(super) fn build(facts: &Facts, plan: &Plan, now: Timestamp) -> Option<ChromeEnterpriseConnectionStatus> {
    let old = facts.connection.status.clone().unwrap_or_default();
    let story = match plan.view {
        View::Silent => return None,
        View::Deleting => deleting(facts),
        View::Conflict => conflict(facts),
        View::Suspended => suspended(),
        View::Unusable => unusable(facts),
        View::Working => working(facts, plan),
    };
    let mut status = old.clone();
    status.observed_generation = facts.connection.metadata.generation;
    status.state = Some(story.state);
    status.oauth = Some(oauth(facts, old.oauth));
    record_results(&mut status, facts);
    let sync = status.sync.get_or_insert_default();
    show_progress(sync, facts, plan, now);
    sync.next_time = plan.next_pass.map(seconds);
    if let Some(counts) = facts
        .session
        .running
        .as_ref()
        .and_then(|running| running.progress.counts)
    {
        status.devices = Some(counts);
    }
    let hold = status.sync.as_ref().and_then(|sync| sync.prune_hold.as_ref());
    let mut desired = story.conditions;
    desired.extend(hold.map(|hold| prune_held(hold, facts)));
    status.conditions = conditions::merge(
        &old.conditions,
        &desired,
        facts.connection.metadata.generation,
        &seconds(now),
    );
    Some(status)
}

/// A state with its conditions.
struct Story {
    state: ConnectionState,
    conditions: Vec<Desired>,
}

impl Story {
    fn ready(state: ConnectionState, reason: &str, message: &str) -> Self {
        Self {
            state,
            conditions: vec![condition(READY, Some(true), reason, message)],
        }
    }

    fn quiet(state: ConnectionState, reason: &str, message: &str) -> Self {
        Self {
            state,
            conditions: vec![condition(READY, Some(false), reason, message)],
        }
    }

    fn under_way(state: ConnectionState, reason: &str, message: &str) -> Self {
        Self {
            state,
            conditions: vec![
                condition(READY, Some(false), reason, message),
                condition(RECONCILING, Some(true), reason, message),
            ],
        }
    }

    fn wrong(state: ConnectionState, problem: &Problem) -> Self {
        let second = if problem.needs_a_person {
            STALLED
        } else {
            RECONCILING
        };
        Self {
            state,
            conditions: vec![
                condition(READY, Some(false), problem.reason, &problem.message),
                condition(second, Some(true), problem.reason, &problem.message),
            ],
        }
    }
}

fn condition(type_: &'static str, status: Option<bool>, reason: &str, message: &str) -> Desired {
    Desired {
        type_,
        status,
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

fn deleting(facts: &Facts) -> Story {
    let failed = facts
        .session
        .cleanup
        .as_ref()
        .and_then(|end| end.outcome.as_ref().err());
    match failed {
        Some(error) => Story::wrong(
            ConnectionState::Deleting,
            &Problem::passing(
                "CleanupFailed",
                format!("Device objects could not be removed; the operator tries again. {error}"),
            ),
        ),
        None => Story::under_way(
            ConnectionState::Deleting,
            "Deleting",
            "The device objects of this connection are being removed.",
        ),
    }
}

fn conflict(facts: &Facts) -> Story {
    let older = facts.older.as_deref().unwrap_or_default();
    Story::wrong(
        ConnectionState::Conflict,
        &Problem::stalled(
            "AnotherConnectionExists",
            format!(
                "A namespace holds one connection, and {older} is older. Delete {older} to let this one take over, or create this one in another namespace."
            ),
        ),
    )
}

fn suspended() -> Story {
    Story::quiet(
        ConnectionState::Suspended,
        "Suspended",
        "Syncing is suspended and devices are kept as they are. Set spec.sync.suspend to false to go on.",
    )
}

fn unusable(facts: &Facts) -> Story {
    let state = if facts.was_active() {
        ConnectionState::Degraded
    } else {
        ConnectionState::Connecting
    };
    match &facts.credentials {
        CredentialFacts::Unusable(problem) => Story::wrong(state, problem),
        CredentialFacts::Usable { .. } => working_without_news(facts),
    }
}

/// Syncing, or waiting for the next pass. A failure is told until a pass has ended well.
fn working(facts: &Facts, plan: &Plan) -> Story {
    let starting_anew = matches!(&plan.act, Act::StartPass(start) if facts.relevant_last().is_none_or(|last| last.start.scope != start.scope));
    match facts.relevant_last() {
        Some(Finished {
            outcome: Err(failed), ..
        }) if !starting_anew => {
            let state = if facts.was_active() {
                ConnectionState::Degraded
            } else if failed.signed_in {
                ConnectionState::Syncing
            } else {
                ConnectionState::Connecting
            };
            Story::wrong(state, &failed.problem)
        }
        Some(Finished { outcome: Ok(_), .. }) if facts.scope_is_complete() => active(),
        Some(Finished {
            outcome: Ok(_) | Err(_),
            ..
        })
        | None => working_without_news(facts),
    }
}

fn active() -> Story {
    Story::ready(
        ConnectionState::Active,
        "Synced",
        "The inventory is complete and kept in step with Google.",
    )
}

/// No pass with the present spec and credentials has ended in this process yet.
fn working_without_news(facts: &Facts) -> Story {
    let old = facts.connection.status.as_ref();
    let running = facts.session.running.as_ref();
    let signed_in = running.is_some_and(|running| running.progress.verified.is_some());
    let unchanged =
        old.is_some_and(|status| status.observed_generation == facts.connection.metadata.generation);
    match old.and_then(|status| status.state) {
        // After a restart of the operator the recorded truth stands until there is news.
        Some(state @ (ConnectionState::Active | ConnectionState::Degraded))
            if facts.scope_is_complete() && unchanged =>
        {
            let conditions = old.map(|status| carried(&status.conditions)).unwrap_or_default();
            Story { state, conditions }
        }
        Some(ConnectionState::Active | ConnectionState::Suspended)
            if facts.scope_is_complete() && signed_in =>
        {
            active()
        }
        Some(_) | None if signed_in => Story::under_way(
            ConnectionState::Syncing,
            "FirstSync",
            "The devices are being read from Google for the first time with these settings.",
        ),
        Some(_) | None => Story::under_way(
            ConnectionState::Connecting,
            "SigningIn",
            "The operator is signing in to Google and checking the admin account.",
        ),
    }
}

fn carried(old: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> Vec<Desired> {
    [READY, RECONCILING, STALLED]
        .into_iter()
        .filter_map(|type_| {
            let found = conditions::find(old, type_)?;
            let status = match found.status.as_str() {
                "True" => Some(true),
                "False" => Some(false),
                _ => None,
            };
            Some(condition(type_, status, &found.reason, &found.message))
        })
        .collect()
}

fn prune_held(hold: &PruneHold, facts: &Facts) -> Desired {
    let name = facts.connection.metadata.name.as_deref().unwrap_or_default();
    let namespace = facts.connection.metadata.namespace.as_deref().unwrap_or_default();
    condition(
        PRUNE_HELD,
        Some(true),
        "TooManyDevicesVanished",
        &format!(
            "{} devices are no longer listed by Google, too many to be believed; their objects are kept. Check org unit, query and privileges. \
             If the devices are really gone: kubectl -n {namespace} annotate --overwrite cec {name} chromeenterprise.dev/allow-prune={}",
            hold.devices, hold.id
        ),
    )
}

/// What the admin needs at Google: known as soon as the credentials can be read.
fn oauth(facts: &Facts, old: Option<OAuthStatus>) -> OAuthStatus {
    let spec = &facts.connection.spec;
    let client_id = match &facts.credentials {
        CredentialFacts::Usable { client_id, .. } => client_id.clone(),
        // Without a key nobody knows it.
        CredentialFacts::Unusable(_) if spec.credentials.keyless.is_some() => None,
        CredentialFacts::Unusable(_) => old.and_then(|oauth| oauth.client_id),
    };
    OAuthStatus {
        client_id,
        scopes: credentials::scopes(spec).into_iter().map(str::to_owned).collect(),
    }
}

/// What passes of this process found out.
fn record_results(status: &mut ChromeEnterpriseConnectionStatus, facts: &Facts) {
    if let Some(time) = facts.last_exchange {
        status.last_check_in_time = Some(later(status.last_check_in_time.take(), time));
    }
    let verified = facts
        .session
        .running
        .as_ref()
        .and_then(|running| running.progress.verified.as_ref());
    if let Some(verified) = verified {
        status.connected_account = Some(verified.primary_email.clone());
        status.customer_id = Some(verified.customer_id.clone());
    }
    for finished in [facts.session.last_full.as_ref(), facts.session.last.as_ref()]
        .into_iter()
        .flatten()
    {
        let Ok(report) = &finished.outcome else { continue };
        status.connected_account = Some(report.verified.primary_email.clone());
        status.customer_id = Some(report.verified.customer_id.clone());
        status.devices = Some(report.counts);
        status.last_check_in_time = Some(later(status.last_check_in_time.take(), finished.ended));
        let sync = status.sync.get_or_insert_default();
        let Some(pruning) = &report.pruning else {
            continue;
        };
        sync.devices_skipped = (report.skipped > 0).then_some(number(report.skipped));
        sync.prune_hold.clone_from(&pruning.hold);
        sync.recent_peaks.clone_from(&pruning.peaks);
        sync.last_complete_time = Some(seconds(finished.ended));
        sync.last_duration_seconds = Some(finished.ended.duration_since(finished.started).as_secs().max(0));
        sync.completed_scope = Some(finished.start.scope.clone());
        if finished.start.requested.is_some() {
            sync.handled_request.clone_from(&finished.start.requested);
        }
    }
}

fn show_progress(sync: &mut SyncStatus, facts: &Facts, plan: &Plan, now: Timestamp) {
    match (&facts.session.running, &plan.act) {
        (Some(running), _) => {
            sync.phase = Some(running.progress.phase);
            sync.started_time = Some(seconds(running.started));
            if let Job::Pass(_) = running.job {
                sync.devices_read = running.progress.devices_read.map(number);
                sync.devices_expected = running
                    .progress
                    .devices_expected
                    .and_then(|expected| i64::try_from(expected).ok());
            }
        }
        (None, Act::StartPass(_)) => {
            sync.phase = Some(SyncPhase::Verifying);
            sync.started_time = Some(seconds(now));
            (sync.devices_read, sync.devices_expected) = (None, None);
        }
        (None, Act::StartCleanup) => sync.phase = Some(SyncPhase::Removing),
        (None, Act::Nothing | Act::AddFinalizer | Act::RemoveFinalizer | Act::Stop) => {
            sync.phase = Some(SyncPhase::Idle);
            if let Some(last) = facts
                .session
                .last
                .as_ref()
                .and_then(|last| last.outcome.as_ref().ok())
            {
                sync.devices_read = Some(number(last.listed));
            }
        }
    }
}

fn later(old: Option<Time>, new: Timestamp) -> Time {
    match old {
        Some(old) if old.0 > new => old,
        Some(_) | None => seconds(new),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Times in a status have whole seconds, so that a status that was stored and read compares equal.
fn seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}
