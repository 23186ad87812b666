//! Every row of the planner.

use std::time::Duration;

use super::facts::{Facts, Job};
use super::plan::{Act, Plan, PlanSettings, View, plan};
use super::schedule::Patience;
use super::testing::{ago, fresh, hold, now, start};
use crate::api::{ALLOW_PRUNE_ANNOTATION, SYNC_REQUESTED_ANNOTATION};
use crate::controllers::inventory::PassKind;
use crate::controllers::tenant::credentials::CredentialFacts;
use crate::controllers::tenant::problem::Problem;

const SETTINGS: PlanSettings = PlanSettings {
    secret_poll: Duration::from_mins(1),
    patience: Patience {
        initial: Duration::from_secs(15),
        max: Duration::from_mins(10),
    },
};

fn decide(facts: &Facts) -> Plan {
    plan(facts, &SETTINGS, now())
}

/// The act in one word, with the kind of pass where there is one.
fn word(act: &Act) -> &'static str {
    match act {
        Act::Nothing => "nothing",
        Act::AddFinalizer => "add finalizer",
        Act::RemoveFinalizer => "remove finalizer",
        Act::StartPass(start) => match start.kind {
            PassKind::Full => "full pass",
            PassKind::Incremental { .. } => "incremental pass",
        },
        Act::Stop => "stop",
        Act::StartCleanup => "cleanup",
    }
}

fn full(facts: Facts) -> Facts {
    let job = Job::Pass(start(&facts, PassKind::Full));
    facts.running(job, crate::controllers::inventory::progress::Snapshot::default())
}

fn cleaning(facts: Facts) -> Facts {
    facts.running(
        Job::Cleanup,
        crate::controllers::inventory::progress::Snapshot::default(),
    )
}

fn quota() -> Problem {
    Problem::passing("QuotaExhausted", "later")
}

fn older(facts: &mut Facts) {
    facts.older = Some("first".into());
}

fn no_secret(facts: &mut Facts) {
    facts.credentials = CredentialFacts::Unusable(Problem::stalled("SecretNotFound", "create it"));
}

fn unfinalized(facts: &mut Facts) {
    facts.connection.metadata.finalizers = None;
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_row_of_a_wanted_connection() {
    let suspend = |facts: &mut Facts| facts.connection.spec.sync.suspend = true;
    let other_scope = |facts: &mut Facts| facts.connection.spec.sync.org_unit_path = "/Schools".into();
    let rotated = |facts: &mut Facts| {
        facts.credentials = CredentialFacts::Usable {
            fingerprint: "secret/2".into(),
            client_id: None,
        }
    };
    let rows = vec![
        (
            "no finalizer yet",
            fresh().with(unfinalized),
            "add finalizer",
            View::Silent,
        ),
        ("never synced", fresh(), "full pass", View::Working),
        ("pass running", full(fresh()), "nothing", View::Working),
        (
            "pass running, scope changed",
            full(fresh()).with(other_scope),
            "stop",
            View::Working,
        ),
        (
            "pass running, Secret rotated",
            full(fresh()).with(rotated),
            "stop",
            View::Working,
        ),
        (
            "synced just now",
            fresh().synced(5, None),
            "nothing",
            View::Working,
        ),
        (
            "interval over",
            fresh().synced(895, None),
            "incremental pass",
            View::Working,
        ),
        (
            "full interval over",
            fresh().synced(21_600, None),
            "full pass",
            View::Working,
        ),
        (
            "scope changed",
            fresh().synced(5, None).with(other_scope),
            "full pass",
            View::Working,
        ),
        (
            "Secret rotated",
            fresh().synced(5, None).with(rotated),
            "incremental pass",
            View::Working,
        ),
        (
            "restarted",
            fresh().synced(5, None).restarted(),
            "incremental pass",
            View::Working,
        ),
        (
            "restarted, full interval over",
            fresh().synced(21_600, None).restarted(),
            "full pass",
            View::Working,
        ),
        (
            "failed just now",
            fresh().failed(1, quota(), true),
            "nothing",
            View::Working,
        ),
        (
            "failed a while ago",
            fresh().failed(16, quota(), true),
            "full pass",
            View::Working,
        ),
        (
            "failed, then repaired",
            fresh().failed(1, quota(), true).with(rotated),
            "full pass",
            View::Working,
        ),
        (
            "failed, sync requested",
            fresh()
                .failed(1, quota(), true)
                .annotated(SYNC_REQUESTED_ANNOTATION, "a"),
            "full pass",
            View::Working,
        ),
        (
            "sync requested",
            fresh().synced(5, None).annotated(SYNC_REQUESTED_ANNOTATION, "a"),
            "full pass",
            View::Working,
        ),
        (
            "request handled",
            fresh().annotated(SYNC_REQUESTED_ANNOTATION, "a").synced(5, None),
            "nothing",
            View::Working,
        ),
        (
            "request handled, restarted",
            fresh()
                .annotated(SYNC_REQUESTED_ANNOTATION, "a")
                .synced(5, None)
                .restarted(),
            "incremental pass",
            View::Working,
        ),
        (
            "permission for what is held",
            fresh()
                .synced(5, Some(hold("h1")))
                .annotated(ALLOW_PRUNE_ANNOTATION, "h1"),
            "full pass",
            View::Working,
        ),
        (
            "permission for another hold",
            fresh()
                .synced(5, Some(hold("h1")))
                .annotated(ALLOW_PRUNE_ANNOTATION, "h0"),
            "nothing",
            View::Working,
        ),
        (
            "permission, nothing held",
            fresh().synced(5, None).annotated(ALLOW_PRUNE_ANNOTATION, "h1"),
            "nothing",
            View::Working,
        ),
        (
            "suspended",
            fresh().synced(5, None).with(suspend),
            "nothing",
            View::Suspended,
        ),
        (
            "suspended while running",
            full(fresh()).with(suspend),
            "stop",
            View::Suspended,
        ),
        (
            "Secret missing",
            fresh().with(no_secret),
            "nothing",
            View::Unusable,
        ),
        (
            "Secret missing while running",
            full(fresh()).with(no_secret),
            "stop",
            View::Unusable,
        ),
        ("conflict", fresh().with(older), "nothing", View::Conflict),
        (
            "conflict without finalizer gets none",
            fresh().with(older).with(unfinalized),
            "nothing",
            View::Conflict,
        ),
        (
            "conflict while running",
            full(fresh()).with(older),
            "stop",
            View::Conflict,
        ),
    ];
    for (row, facts, act, view) in rows {
        let plan = decide(&facts);
        assert_eq!((word(&plan.act), plan.view), (act, view), "{row}");
    }
}

#[test]
fn every_row_of_a_deleted_connection() {
    let rows = vec![
        (
            "not ours any more",
            fresh().deleted().with(unfinalized),
            "nothing",
            View::Silent,
        ),
        (
            "in conflict",
            fresh().deleted().with(older),
            "remove finalizer",
            View::Silent,
        ),
        ("first look", fresh().deleted(), "cleanup", View::Deleting),
        (
            "without its Secret",
            fresh().deleted().with(no_secret),
            "cleanup",
            View::Deleting,
        ),
        ("during a pass", full(fresh().deleted()), "stop", View::Deleting),
        (
            "cleanup running",
            cleaning(fresh().deleted()),
            "nothing",
            View::Deleting,
        ),
        (
            "cleanup done",
            fresh().deleted().cleaned(0, Ok(())),
            "remove finalizer",
            View::Silent,
        ),
        (
            "cleanup failed just now",
            fresh().deleted().cleaned(1, Err("no".into())),
            "nothing",
            View::Deleting,
        ),
        (
            "cleanup failed a while ago",
            fresh().deleted().cleaned(16, Err("no".into())),
            "cleanup",
            View::Deleting,
        ),
    ];
    for (row, facts, act, view) in rows {
        let plan = decide(&facts);
        assert_eq!((word(&plan.act), plan.view), (act, view), "{row}");
    }
}

#[test]
fn a_failed_request_is_not_tried_in_a_hot_loop() {
    let facts = fresh()
        .synced(100, None)
        .annotated(SYNC_REQUESTED_ANNOTATION, "a");
    let Act::StartPass(requested) = decide(&facts).act else {
        panic!("a request starts a pass")
    };
    assert_eq!(requested.requested.as_deref(), Some("a"));
    let failed = facts.failed(1, quota(), true).with(|facts| {
        facts.session.last.as_mut().unwrap().start.requested = Some("a".into());
    });
    assert_eq!(decide(&failed).act, Act::Nothing);
}

#[test]
fn failures_wait_longer_and_longer() {
    let wait = |failures: u32| {
        let facts = fresh()
            .failed(0, quota(), true)
            .with(|facts| facts.session.last.as_mut().unwrap().start.failures = failures);
        decide(&facts).next_pass.unwrap().duration_since(now()).as_secs()
    };
    let waits: Vec<i64> = [0, 1, 2, 3, 9, 200].map(wait).to_vec();
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert!(
        (11..=15).contains(&waits[0]) && (450..=600).contains(&waits[5]),
        "{waits:?}"
    );
}

#[test]
fn google_is_left_alone_for_as_long_as_it_asks() {
    let facts = fresh().failed(16, quota(), true).with(|facts| {
        let last = facts.session.last.as_mut().unwrap();
        last.outcome.as_mut().unwrap_err().pause = Some(Duration::from_mins(5));
    });
    assert_eq!(decide(&facts).next_pass, Some(ago(16 - 300)));
}

#[test]
fn an_incremental_pass_looks_back_to_the_last_exchange_on_record() {
    for facts in [fresh().synced(895, None), fresh().synced(895, None).restarted()] {
        let Act::StartPass(start) = decide(&facts).act else {
            panic!("due")
        };
        let PassKind::Incremental { since } = start.kind else {
            panic!("incremental")
        };
        assert!(since <= ago(895) && since >= ago(905), "{since}");
    }
}

#[test]
fn somebody_looks_again_before_the_secret_could_rot() {
    let plan = decide(&fresh().synced(5, None));
    assert_eq!(plan.look_again, SETTINGS.secret_poll);
    assert_eq!(
        plan.next_pass,
        Some(ago(-885)),
        "900 seconds after the last pass began"
    );
}
