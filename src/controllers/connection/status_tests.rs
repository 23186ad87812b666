//! Every state, with the conditions that kubectl wait, Argo CD and Flux decide from.

use super::facts::{Facts, Job};
use super::plan::{PlanSettings, plan};
use super::schedule::Patience;
use super::status::build;
use super::testing::{fresh, hold, now, start, verified};
use crate::api::connection::{ChromeEnterpriseConnectionStatus, ConnectionState, SyncPhase};
use crate::api::{SYNC_REQUESTED_ANNOTATION, conditions};
use crate::controllers::inventory::PassKind;
use crate::controllers::inventory::progress::Snapshot;
use crate::controllers::tenant::credentials::CredentialFacts;
use crate::controllers::tenant::problem::Problem;
use std::time::Duration;

const SETTINGS: PlanSettings = PlanSettings {
    secret_poll: Duration::from_mins(1),
    patience: Patience {
        initial: Duration::from_secs(15),
        max: Duration::from_mins(10),
    },
};

fn status(facts: &Facts) -> ChromeEnterpriseConnectionStatus {
    build(facts, &plan(facts, &SETTINGS, now()), now()).expect("a status")
}

/// State, Ready with its reason, and which of Reconciling and Stalled are there.
fn told(facts: &Facts) -> (ConnectionState, String, &'static str) {
    let status = status(facts);
    let ready = conditions::find(&status.conditions, "Ready").expect("Ready is always there");
    let second = match (
        conditions::find(&status.conditions, "Reconciling").is_some(),
        conditions::find(&status.conditions, "Stalled").is_some(),
    ) {
        (false, false) => "",
        (true, false) => "Reconciling",
        (false, true) => "Stalled",
        (true, true) => "both",
    };
    (
        status.state.expect("a state"),
        format!("{}/{}", ready.status, ready.reason),
        second,
    )
}

fn running(facts: Facts, signed_in: bool) -> Facts {
    let job = Job::Pass(start(&facts, PassKind::Full));
    let snapshot = Snapshot {
        phase: SyncPhase::Reading,
        verified: signed_in.then(verified),
        devices_read: Some(400),
        devices_expected: Some(1200),
        counts: None,
    };
    facts.running(job, snapshot)
}

fn delegation() -> Problem {
    Problem::stalled("DelegationMissing", "paste this")
}

fn outage() -> Problem {
    Problem::passing("GoogleUnavailable", "it is tried again")
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_state() {
    use ConnectionState::{Active, Conflict, Connecting, Degraded, Deleting, Suspended, Syncing};
    let no_secret = |facts: &mut Facts| {
        facts.credentials = CredentialFacts::Unusable(Problem::stalled("SecretNotFound", "create it"));
    };
    let other_scope = |facts: &mut Facts| {
        facts.connection.spec.sync.org_unit_path = "/Schools".into();
        facts.connection.metadata.generation = Some(2);
    };
    let suspend = |facts: &mut Facts| facts.connection.spec.sync.suspend = true;
    let old_failure = fresh().synced(500, None).failed(1, outage(), true);
    let recorded = old_failure
        .clone()
        .with(|facts| facts.connection.status = Some(status(&old_failure)))
        .restarted();
    let rows = vec![
        (
            "first look",
            fresh(),
            Connecting,
            "False/SigningIn",
            "Reconciling",
        ),
        (
            "first pass, not signed in",
            running(fresh(), false),
            Connecting,
            "False/SigningIn",
            "Reconciling",
        ),
        (
            "first pass, signed in",
            running(fresh(), true),
            Syncing,
            "False/FirstSync",
            "Reconciling",
        ),
        (
            "delegation missing at first",
            fresh().failed(1, delegation(), false),
            Connecting,
            "False/DelegationMissing",
            "Stalled",
        ),
        (
            "outage during the first sync",
            fresh().failed(1, outage(), true),
            Syncing,
            "False/GoogleUnavailable",
            "Reconciling",
        ),
        (
            "a retry still tells the failure",
            running(fresh().failed(1, delegation(), false), false),
            Connecting,
            "False/DelegationMissing",
            "Stalled",
        ),
        ("synced", fresh().synced(5, None), Active, "True/Synced", ""),
        (
            "synced and at it again",
            running(fresh().synced(900, None), true),
            Active,
            "True/Synced",
            "",
        ),
        (
            "outage after the first sync",
            old_failure,
            Degraded,
            "False/GoogleUnavailable",
            "Reconciling",
        ),
        (
            "delegation withdrawn",
            fresh().synced(500, None).failed(1, delegation(), false),
            Degraded,
            "False/DelegationMissing",
            "Stalled",
        ),
        (
            "Secret missing at first",
            fresh().with(no_secret),
            Connecting,
            "False/SecretNotFound",
            "Stalled",
        ),
        (
            "Secret lost later",
            fresh().synced(5, None).with(no_secret),
            Degraded,
            "False/SecretNotFound",
            "Stalled",
        ),
        (
            "changed scope, not signed in yet",
            running(fresh().synced(5, None).with(other_scope), false),
            Connecting,
            "False/SigningIn",
            "Reconciling",
        ),
        (
            "changed scope",
            running(fresh().synced(5, None).with(other_scope), true),
            Syncing,
            "False/FirstSync",
            "Reconciling",
        ),
        (
            "restarted after good times",
            running(fresh().synced(5, None).restarted(), false),
            Active,
            "True/Synced",
            "",
        ),
        (
            "restarted after bad times",
            running(recorded, false),
            Degraded,
            "False/GoogleUnavailable",
            "Reconciling",
        ),
        (
            "suspended",
            fresh().synced(5, None).with(suspend),
            Suspended,
            "False/Suspended",
            "",
        ),
        (
            "conflict",
            fresh().with(|facts| facts.older = Some("first".into())),
            Conflict,
            "False/AnotherConnectionExists",
            "Stalled",
        ),
        (
            "deleting",
            fresh().synced(5, None).deleted(),
            Deleting,
            "False/Deleting",
            "Reconciling",
        ),
        (
            "deleting, cleanup failed",
            fresh().deleted().cleaned(1, Err("no".into())),
            Deleting,
            "False/CleanupFailed",
            "Reconciling",
        ),
        (
            "held devices do not make it unready",
            fresh().synced(5, Some(hold("h1"))),
            Active,
            "True/Synced",
            "",
        ),
    ];
    for (row, facts, state, ready, second) in rows {
        assert_eq!(told(&facts), (state, ready.to_owned(), second), "{row}");
    }
}

#[test]
fn the_client_id_and_scopes_are_there_before_anything_works() {
    let oauth = status(&fresh()).oauth.expect("oauth");
    assert_eq!(oauth.client_id.as_deref(), Some("1234567890"));
    assert_eq!(oauth.scopes.len(), 3);
    let read_only =
        fresh().with(|facts| facts.connection.spec.access = crate::api::connection::Access::ReadOnly);
    assert!(status(&read_only).oauth.expect("oauth").scopes[0].ends_with("device.chromeos.readonly"));
}

#[test]
fn a_complete_pass_is_recorded_once_and_then_nothing_changes() {
    let facts = fresh()
        .annotated(SYNC_REQUESTED_ANNOTATION, "2026-09-01")
        .synced(5, Some(hold("h1")));
    let first = status(&facts);
    let sync = first.sync.clone().expect("sync");
    assert_eq!(first.devices.map(|devices| devices.synced), Some(3));
    assert_eq!(first.customer_id.as_deref(), Some("C01abcdef"));
    assert_eq!(first.last_check_in_time, sync.last_complete_time);
    assert_eq!(sync.handled_request.as_deref(), Some("2026-09-01"));
    assert_eq!(sync.last_duration_seconds, Some(10));
    assert_eq!(sync.phase, Some(SyncPhase::Idle));
    assert!(sync.next_time.is_some());
    let held = conditions::find(&first.conditions, "PruneHeld").expect("PruneHeld");
    assert!(
        held.message.contains("chromeenterprise.dev/allow-prune=h1"),
        "{}",
        held.message
    );
    let again = facts.with(|facts| facts.connection.status = Some(first.clone()));
    assert_eq!(status(&again), first, "the same facts are no reason to write");
}

#[test]
fn progress_moves_during_a_pass() {
    let sync = status(&running(fresh(), true)).sync.expect("sync");
    assert_eq!(
        (sync.phase, sync.devices_read, sync.devices_expected),
        (Some(SyncPhase::Reading), Some(400), Some(1200))
    );
}

#[test]
fn a_failure_never_touches_what_is_on_record() {
    let before = fresh().synced(500, Some(hold("h1")));
    let recorded = before.connection.status.clone().unwrap();
    let after = status(&before.failed(1, outage(), true));
    assert_eq!(after.devices, recorded.devices);
    assert_eq!(after.last_check_in_time, recorded.last_check_in_time);
    assert_eq!(
        after.sync.as_ref().unwrap().prune_hold,
        recorded.sync.as_ref().unwrap().prune_hold
    );
    assert_eq!(
        after.sync.as_ref().unwrap().last_complete_time,
        recorded.sync.as_ref().unwrap().last_complete_time
    );
}
