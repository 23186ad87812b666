//! Every row of the plan.

use std::time::Duration;

use super::facts::{Facts, Lookup, Stage, Trouble};
use super::plan::{Act, Relation, View, plan, relation};
use super::record::{self, AttemptEnd, whole};
use super::testing::{
    accepted, action, after, at, claimed, facts, now, receipt, rejected, settings, target, why,
};
use crate::api::action::ActionType::{self, Deprovision, DisableLostMode, EnableLostMode, Restart, Wipe};
use crate::controllers::tenant::problem::Problem;

fn act(facts: &Facts) -> String {
    let plan = plan(facts, &settings());
    match plan.act {
        Act::Nothing => match plan.view {
            View::Silent => "nothing".into(),
            View::Pending(reason, _) => format!("wait: {reason}"),
            View::Receipt => "follow".into(),
        },
        Act::Refuse(verdict) => format!("refuse: {}/{}", verdict.state.as_str(), verdict.reason.name()),
        Act::Attempt(to) => {
            assert_eq!(to, target());
            "attempt".into()
        }
        Act::AttemptAgain(to) => {
            assert_eq!(to, target());
            "attempt again".into()
        }
        Act::Record(_) => "record".into(),
        Act::End(verdict) => format!("end: {}/{}", verdict.state.as_str(), verdict.reason.name()),
        Act::AskCommand { command_id } => format!("ask about {command_id}"),
        Act::AskDevice => "ask about the device".into(),
    }
}

fn check(rows: Vec<(&str, Facts, &str)>) {
    for (row, facts, expected) in rows {
        assert_eq!(act(&facts), expected, "{row}");
        let plan = plan(&facts, &settings());
        let rests = matches!(plan.act, Act::Nothing) && plan.look_again.is_none();
        let done = facts.receipt.as_ref().is_none_or(|receipt| !receipt.spec.open)
            && !matches!(plan.view, View::Pending(..));
        assert!(!rests || done, "{row}: nobody looks again");
    }
}

fn fresh() -> Facts {
    facts(Restart)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn an_action_without_a_receipt() {
    let not_after = |seconds: i64| {
        move |facts: &mut Facts| {
            facts.action.as_mut().unwrap().spec.not_after = whole(at(seconds));
        }
    };
    let tenant = |change: fn(&mut super::facts::Tenant)| {
        move |facts: &mut Facts| change(facts.tenant.as_mut().unwrap())
    };
    let stage = |stage: Stage| move |facts: &mut Facts| facts.memory.stage = Some(stage);
    let trouble = |seconds: i64| {
        move |facts: &mut Facts| {
            facts.memory.trouble = Some(Trouble {
                problem: Problem::passing("GoogleUnavailable", "later"),
                until: at(seconds),
            });
        }
    };
    let claimed_before = |facts: &mut Facts| {
        let status = serde_json::from_value(serde_json::json!({ "receiptName": "mine" })).unwrap();
        facts.action.as_mut().unwrap().status = Some(status);
    };
    check(vec![
        ("nothing speaks against it", fresh(), "attempt"),
        (
            "by device ID while the first sync runs",
            fresh().with(|facts| {
                let spec = &mut facts.action.as_mut().unwrap().spec;
                (spec.serial_number, spec.device_id) = (None, Some("device-1".into()));
                facts.tenant.as_mut().unwrap().inventory_complete = false;
            }),
            "attempt",
        ),
        (
            "the sync has created the object of the device and not written its status yet",
            fresh().with(|facts| facts.lookup = Lookup::NotRead),
            "wait: InventoryIncomplete",
        ),
        (
            "by serial number while the first sync runs",
            fresh().with(tenant(|tenant| tenant.inventory_complete = false)),
            "wait: InventoryIncomplete",
        ),
        ("gone", fresh().with(|facts| facts.action = None), "nothing"),
        (
            "being deleted",
            fresh().with(|facts| {
                facts.action.as_mut().unwrap().metadata.deletion_timestamp = Some(whole(now()));
            }),
            "nothing",
        ),
        (
            "notAfter passed",
            fresh().with(not_after(-1)),
            "refuse: Expired/NotAfterPassed",
        ),
        (
            "notAfter passed by our clock only",
            fresh()
                .with(not_after(-1))
                .with(|facts| facts.clocks.google = Some(at(-60))),
            "wait: ClockDisputed",
        ),
        (
            "notAfter passed by Google's clock only",
            fresh()
                .with(not_after(30))
                .with(|facts| facts.clocks.google = Some(at(60))),
            "wait: ClockDisputed",
        ),
        (
            "notAfter passed and Google's clock is not known",
            fresh()
                .with(not_after(-1))
                .with(|facts| facts.clocks.google = None),
            "refuse: Expired/NotAfterPassed",
        ),
        (
            "claimed before, and the receipt is gone",
            fresh().with(claimed_before),
            "refuse: OutcomeUnknown/ReceiptMissing",
        ),
        (
            "claimed before, the receipt is gone, notAfter passed",
            fresh().with(claimed_before).with(not_after(-1)),
            "refuse: OutcomeUnknown/ReceiptMissing",
        ),
        (
            "no connection",
            fresh().with(|facts| facts.tenant = None),
            "wait: NoConnection",
        ),
        (
            "no connection, and notAfter passed",
            fresh().with(|facts| facts.tenant = None).with(not_after(-1)),
            "refuse: Expired/NotAfterPassed",
        ),
        (
            "connection being deleted",
            fresh().with(tenant(|tenant| tenant.deleting = true)),
            "refuse: Rejected/ConnectionDeleted",
        ),
        (
            "connection may only read",
            fresh().with(tenant(|tenant| tenant.read_only = true)),
            "refuse: Rejected/ConnectionReadOnly",
        ),
        (
            "connection suspended",
            fresh().with(tenant(|tenant| tenant.suspended = true)),
            "wait: ConnectionSuspended",
        ),
        (
            "credentials missing",
            fresh().with(tenant(|tenant| {
                tenant.unusable = Some(Problem::stalled("SecretNotFound", "create it"));
            })),
            "wait: SecretNotFound",
        ),
        (
            "no such device",
            fresh().with(|facts| facts.lookup = Lookup::NotFound),
            "refuse: Rejected/DeviceNotFound",
        ),
        (
            "no such device yet",
            fresh()
                .with(|facts| facts.lookup = Lookup::NotFound)
                .with(tenant(|tenant| tenant.inventory_complete = false)),
            "wait: InventoryIncomplete",
        ),
        (
            "only deprovisioned ones",
            fresh().with(|facts| facts.lookup = Lookup::OnlyDeprovisioned(2)),
            "refuse: Rejected/DeviceNotFound",
        ),
        (
            "several",
            fresh().with(|facts| facts.lookup = Lookup::Ambiguous(2)),
            "refuse: Rejected/AmbiguousSerial",
        ),
        (
            "another comes first",
            fresh().with(|facts| facts.rival = Some("other".into())),
            "wait: WaitingForEarlierAction",
        ),
        (
            "Google could not be asked just now",
            fresh().with(trouble(5)),
            "wait: GoogleUnavailable",
        ),
        (
            "Google could not be asked a while ago",
            fresh().with(trouble(0)),
            "attempt",
        ),
        (
            "being checked",
            fresh().with(stage(Stage::Checking)),
            "wait: CheckingDevice",
        ),
        (
            "waiting for the quota",
            fresh().with(stage(Stage::Queued)),
            "wait: WaitingForQuota",
        ),
        (
            "waiting for the quota, and notAfter passed",
            fresh().with(stage(Stage::Queued)).with(not_after(-1)),
            "refuse: Expired/NotAfterPassed",
        ),
        (
            "waiting for the quota, and the connection is being deleted",
            fresh()
                .with(stage(Stage::Queued))
                .with(tenant(|tenant| tenant.deleting = true)),
            "refuse: Rejected/ConnectionDeleted",
        ),
    ]);
}

/// The attempt has been seen for so many seconds by this process.
fn seen(seconds: u64) -> impl FnOnce(&mut Facts) {
    move |facts| facts.memory.attempt_seen = Duration::from_secs(seconds)
}

#[test]
fn an_attempt_that_is_under_way() {
    let flying = |type_: ActionType| facts(type_).with_receipt(claimed(type_));
    check(vec![
        ("seen just now", flying(Restart), "follow"),
        (
            "this process sends it",
            flying(Restart)
                .later(500)
                .with(|facts| facts.memory.stage = Some(Stage::Sending)),
            "follow",
        ),
        (
            "this process knows its end",
            flying(Restart).with(|facts| facts.memory.attempt_end = Some(AttemptEnd::Accepted(None))),
            "record",
        ),
        (
            "within its time, by the clock",
            flying(Restart).later(44).with(seen(44)),
            "follow",
        ),
        (
            "over, and seen for long enough",
            flying(Restart).later(46).with(seen(46)),
            "end: OutcomeUnknown/SenderLost",
        ),
        (
            "over, after a restart of ours",
            flying(Restart).later(46).with(seen(6)),
            "end: OutcomeUnknown/SenderLost",
        ),
        (
            "over, and seen just now: its process may still write",
            flying(Restart).later(46).with(seen(4)),
            "follow",
        ),
        (
            "over by our clock, which may be wrong",
            flying(Restart)
                .later(46)
                .with(seen(6))
                .with(|facts| facts.clocks.google = Some(at(20))),
            "follow",
        ),
        (
            "not over by the clocks, but seen for longer than it can take",
            flying(Restart).later(1).with(seen(46)),
            "end: OutcomeUnknown/SenderLost",
        ),
        (
            "a state change: the device tells",
            flying(EnableLostMode).later(46).with(seen(46)),
            "ask about the device",
        ),
        (
            "a state change, and nothing was seen for the settle time",
            flying(EnableLostMode).later(107).with(seen(107)),
            "end: OutcomeUnknown/SenderLost",
        ),
        (
            "the action is gone",
            flying(Restart).with(|facts| facts.action = None),
            "nothing",
        ),
        (
            "the action is gone and the time over",
            flying(Wipe)
                .later(46)
                .with(seen(46))
                .with(|facts| facts.action = None),
            "end: OutcomeUnknown/SenderLost",
        ),
    ]);
}

#[test]
fn nothing_is_ever_sent_after_an_attempt_that_may_have_been() {
    for type_ in ActionType::ALL {
        for end in [
            None,
            Some(AttemptEnd::Unknown(why())),
            Some(AttemptEnd::Refused(why())),
            Some(AttemptEnd::Accepted(Some("77".into()))),
            Some(AttemptEnd::Accepted(None)),
        ] {
            let record = end
                .as_ref()
                .map_or_else(|| claimed(type_), |end| after(type_, end));
            for seconds in [0, 5, 46, 107, 4000, 90_000, 40_000_000] {
                for known in [0, 6, 46, 4000] {
                    for gone in [false, true] {
                        let facts = facts(type_)
                            .with_receipt(record.clone())
                            .later(seconds)
                            .with(seen(known))
                            .with(|facts| {
                                if gone {
                                    facts.action = None;
                                }
                            });
                        let told = act(&facts);
                        assert!(!told.contains("attempt"), "{type_:?} {end:?} {seconds}: {told}");
                    }
                }
            }
        }
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn after_an_attempt_that_surely_sent_nothing() {
    let waiting = || facts(Restart).with_receipt(after(Restart, &AttemptEnd::NotSent(why())));
    let tenant = |change: fn(&mut super::facts::Tenant)| {
        move |facts: &mut Facts| change(facts.tenant.as_mut().unwrap())
    };
    check(vec![
        ("once more", waiting(), "attempt again"),
        (
            "not yet",
            waiting().with(|facts| {
                facts.memory.trouble = Some(Trouble {
                    problem: Problem::passing("QuotaExhausted", "later"),
                    until: at(5),
                });
            }),
            "follow",
        ),
        (
            "another comes first",
            waiting().with(|facts| facts.rival = Some("other".into())),
            "follow",
        ),
        (
            "notAfter passed",
            waiting().later(3601),
            "end: Expired/NotAfterPassed",
        ),
        (
            "the clocks disagree",
            waiting()
                .later(3601)
                .with(|facts| facts.clocks.google = Some(now())),
            "follow",
        ),
        (
            "the action is gone",
            waiting().with(|facts| facts.action = None),
            "end: Rejected/ActionDeleted",
        ),
        (
            "the action is being deleted",
            waiting().with(|facts| {
                facts.action.as_mut().unwrap().metadata.deletion_timestamp = Some(whole(now()));
            }),
            "end: Rejected/ActionDeleted",
        ),
        (
            "the action was made again",
            waiting().with(|facts| facts.action.as_mut().unwrap().metadata.uid = Some("uid-2".into())),
            "end: Rejected/ActionDeleted",
        ),
        (
            "the connection is gone",
            waiting().with(|facts| facts.tenant = None),
            "end: Rejected/ConnectionDeleted",
        ),
        (
            "another connection",
            waiting().with(tenant(|tenant| tenant.uid = "another".into())),
            "end: Rejected/ConnectionDeleted",
        ),
        (
            "the connection is being deleted",
            waiting().with(tenant(|tenant| tenant.deleting = true)),
            "end: Rejected/ConnectionDeleted",
        ),
        (
            "the connection may only read",
            waiting().with(tenant(|tenant| tenant.read_only = true)),
            "end: Rejected/ConnectionReadOnly",
        ),
        (
            "the connection is suspended",
            waiting().with(tenant(|tenant| tenant.suspended = true)),
            "follow",
        ),
        (
            "too often",
            waiting().with(|facts| {
                let record = &mut facts.receipt.as_mut().unwrap().spec;
                let last = record.attempts[0].clone();
                record.attempts = vec![last; record::MOST_ATTEMPTS];
            }),
            "end: Rejected/TooManyAttempts",
        ),
    ]);
}

#[test]
fn after_an_answer_that_was_lost() {
    let lost = |type_| facts(type_).with_receipt(after(type_, &AttemptEnd::Unknown(why())));
    check(vec![
        (
            "lost mode: look",
            lost(EnableLostMode).later(2),
            "ask about the device",
        ),
        (
            "lost mode: asked just now",
            lost(EnableLostMode)
                .later(2)
                .with(|facts| facts.memory.asked = Some(at(1))),
            "follow",
        ),
        (
            "lost mode: the settle time is over, and this process has looked to its end",
            lost(DisableLostMode).later(62).with(seen(61)),
            "end: OutcomeUnknown/AnswerLost",
        ),
        (
            "lost mode: the settle time is over, and nobody has looked since: a last look",
            lost(DisableLostMode).later(9999),
            "ask about the device",
        ),
        (
            "lost mode: the last look came after the settle time",
            lost(DisableLostMode)
                .later(9999)
                .with(|facts| facts.memory.asked = Some(at(9998))),
            "end: OutcomeUnknown/AnswerLost",
        ),
        (
            "deprovision: nobody can look",
            lost(Deprovision).later(2).with(|facts| facts.tenant = None),
            "follow",
        ),
        (
            "deprovision: nobody could look",
            lost(Deprovision)
                .later(62)
                .with(seen(61))
                .with(|facts| facts.tenant = None),
            "end: OutcomeUnknown/AnswerLost",
        ),
        (
            "lost mode: being looked at",
            lost(EnableLostMode)
                .later(99)
                .with(|facts| facts.memory.stage = Some(Stage::Asking)),
            "follow",
        ),
    ]);
    let command = lost(Restart);
    assert!(!command.receipt.as_ref().unwrap().spec.open);
    assert_eq!(
        act(&command.later(9999)),
        "follow",
        "what is closed stays as it is"
    );
}

#[test]
fn a_command_that_google_has() {
    let sent = || facts(Restart).with_receipt(accepted());
    let asked = |seconds: i64| move |facts: &mut Facts| facts.memory.asked = Some(at(seconds));
    check(vec![
        ("not asked yet", sent().later(2), "ask about 77"),
        ("asked a moment ago", sent().later(2).with(asked(1)), "follow"),
        (
            "asked two seconds ago",
            sent().later(4).with(asked(1)),
            "ask about 77",
        ),
        (
            "old: asked rarely",
            sent().later(3601).with(asked(3100)),
            "follow",
        ),
        ("old: due", sent().later(3601).with(asked(1800)), "ask about 77"),
        (
            "very old: once an hour",
            sent().later(900_000).with(asked(896_399)),
            "ask about 77",
        ),
        (
            "the action is gone",
            sent().later(2).with(|facts| facts.action = None),
            "ask about 77",
        ),
        (
            "the connection is suspended, being deleted and may only read: reading goes on",
            sent().later(2).with(|facts| {
                let tenant = facts.tenant.as_mut().unwrap();
                (tenant.suspended, tenant.deleting, tenant.read_only) = (true, true, true);
            }),
            "ask about 77",
        ),
        (
            "the credentials are missing",
            sent().later(2).with(|facts| {
                facts.tenant.as_mut().unwrap().unusable =
                    Some(Problem::stalled("SecretNotFound", "create it"));
            }),
            "follow",
        ),
        (
            "the connection is gone",
            sent().later(2).with(|facts| facts.tenant = None),
            "follow",
        ),
        (
            "the connection is gone for a day",
            sent().later(86_500).with(|facts| facts.tenant = None),
            "end: OutcomeUnknown/ConnectionGone",
        ),
        (
            "another customer",
            sent()
                .later(86_500)
                .with(|facts| facts.tenant.as_mut().unwrap().customer_id = "C02".into()),
            "end: OutcomeUnknown/ConnectionGone",
        ),
        (
            "a new connection that has not signed in yet may belong to another customer",
            sent()
                .later(2)
                .with(|facts| facts.tenant.as_mut().unwrap().customer_id = "my_customer".into()),
            "follow",
        ),
        (
            "the customer was not known when it was claimed",
            sent().later(2).with(|facts| {
                facts.receipt.as_mut().unwrap().spec.request.customer_id = Some("my_customer".into());
            }),
            "ask about 77",
        ),
        (
            "final for us, and Google still has it",
            sent().later(90_000).with(|facts| {
                let record = &mut facts.receipt.as_mut().unwrap().spec;
                let verdict = super::verdict::Verdict::new(
                    crate::api::action::ActionState::OutcomeUnknown,
                    super::reason::Reason::StillPendingAtGoogle,
                );
                *record = record::ended(record.clone(), &verdict, now());
                record.open = true;
            }),
            "ask about 77",
        ),
    ]);
}

#[test]
fn what_is_closed_rests() {
    let closed = facts(Restart).with_receipt(rejected());
    assert_eq!(plan(&closed, &settings()).look_again, None);
    assert_eq!(act(&closed), "follow");
    let late = closed.with(|facts| facts.memory.attempt_end = Some(AttemptEnd::Accepted(Some("77".into()))));
    assert_eq!(
        act(&late),
        "record",
        "what was found out late is recorded all the same"
    );
}

#[test]
fn an_action_knows_its_receipt() {
    let own = action(Restart);
    let stored = receipt(accepted());
    assert_eq!(relation(&own, &stored), Relation::Own);
    let mut again = own.clone();
    again.metadata.uid = Some("uid-2".into());
    again.spec.ttl_seconds_after_finished = Some(60);
    assert_eq!(relation(&again, &stored), Relation::Earlier);
    let mut other = own;
    other.spec.not_after = whole(at(3601));
    assert_eq!(relation(&other, &stored), Relation::Other);
}

#[test]
fn ten_thousand_pending_commands_need_less_than_half_of_the_reads() {
    // Google takes 60 a minute, so one a second was sent, and none was fetched.
    let asked: f64 = (0..10_000)
        .map(|age| {
            let interval = super::follow::interval(&accepted(), at(age));
            1.0 / interval.as_secs_f64()
        })
        .sum();
    let a_minute = 60.0 * asked;
    assert!(a_minute < 1_200.0, "{a_minute} questions a minute");
    assert!(
        a_minute > 300.0,
        "{a_minute}: people wait for the results longer than need be"
    );
}
