use proptest::prelude::*;

use super::*;
use crate::api::action::ActionType::{self, EnableLostMode, Restart, Wipe};
use crate::controllers::action::testing::{accepted, after, at, claimed, now, rejected, why};

fn told(record: &DeviceActionReceiptSpec) -> String {
    let last = record.attempts.last().and_then(|attempt| attempt.outcome);
    format!(
        "{} {} {last:?} {}",
        record.state.as_str(),
        record.reason.as_deref().unwrap_or("-"),
        if record.open { "open" } else { "closed" }
    )
}

#[test]
fn every_end_of_an_attempt() {
    let command = |end| told(&after(Restart, &end));
    let state = |end| told(&after(EnableLostMode, &end));
    let accepted = || AttemptEnd::Accepted(Some("77".into()));
    assert_eq!(command(accepted()), "Sent AcceptedByGoogle Some(Accepted) open");
    assert_eq!(
        state(AttemptEnd::Accepted(None)),
        "Succeeded ChangedAtGoogle Some(Accepted) closed"
    );
    for end in [command, state] {
        assert_eq!(
            end(AttemptEnd::NotSent(why())),
            "Dispatching RetryLater Some(NotSent) open"
        );
        assert_eq!(
            end(AttemptEnd::Refused(why())),
            "Failed RefusedByGoogle Some(Refused) closed"
        );
    }
    assert_eq!(
        command(AttemptEnd::Unknown(why())),
        "OutcomeUnknown AnswerLost Some(Unknown) closed"
    );
    assert_eq!(
        state(AttemptEnd::Unknown(why())),
        "Dispatching Settling Some(Unknown) open"
    );
    let refused = after(Wipe, &AttemptEnd::Refused(why()));
    assert_eq!(refused.google_message.as_deref(), Some("in Google's words"));
    assert_eq!(refused.finished_time, Some(whole(at(1))));
    assert!(refused.message.unwrap().ends_with("Because."));
    assert_eq!(refused.attempts[0].http_status, Some(503));
}

#[test]
fn what_comes_after_the_end_is_added_and_changes_no_end() {
    let lost = Verdict::new(ActionState::OutcomeUnknown, Reason::SenderLost);
    let over = ended(claimed(Restart), &lost, at(50));
    let late = with_end(
        over.clone(),
        "attempt-1",
        &AttemptEnd::Accepted(Some("77".into())),
        at(60),
    );
    assert_eq!(told(&late), "OutcomeUnknown SenderLost Some(Accepted) closed");
    assert_eq!(late.finished_time, over.finished_time);
    assert_eq!(late.command_id.as_deref(), Some("77"));
    assert!(late.message.unwrap().contains("came later"));
    for end in [
        AttemptEnd::NotSent(why()),
        AttemptEnd::Refused(why()),
        AttemptEnd::Unknown(why()),
    ] {
        let late = with_end(over.clone(), "attempt-1", &end, at(60));
        assert_eq!((late.state, &late.reason), (over.state, &over.reason), "{end:?}");
    }
    assert_eq!(ended(late_success(), &lost, at(99)).state, ActionState::Succeeded);
}

fn late_success() -> DeviceActionReceiptSpec {
    after(EnableLostMode, &AttemptEnd::Accepted(None))
}

#[test]
fn an_end_is_for_its_attempt() {
    let other = with_end(claimed(Restart), "attempt-2", &AttemptEnd::Accepted(None), at(1));
    assert_eq!(other, claimed(Restart));
    let first = after(Restart, &AttemptEnd::NotSent(why()));
    let second = with_attempt(first.clone(), attempt(1, "attempt-2", "process-2", at(2), at(12)));
    assert_eq!(told(&second), "Dispatching Sending None open");
    assert_eq!(second.attempts[1].number, 2);
    assert_eq!(second.attempts[0], first.attempts[0]);
    let again = with_end(second.clone(), "attempt-1", &AttemptEnd::NotSent(why()), at(3));
    assert_eq!(again.attempts, second.attempts);
}

#[test]
fn when_an_attempt_is_surely_over() {
    let in_flight = SignedDuration::from_secs(35);
    assert_eq!(surely_over(&claimed(Restart), in_flight), Some(at(45)));
    assert_eq!(surely_over(&accepted(), in_flight), Some(at(1)));
    assert_eq!(surely_over(&rejected(), in_flight), None);
}

fn any_end() -> impl Strategy<Value = AttemptEnd> {
    prop_oneof![
        Just(AttemptEnd::NotSent(why())),
        Just(AttemptEnd::Accepted(Some("77".into()))),
        Just(AttemptEnd::Accepted(None)),
        Just(AttemptEnd::Refused(why())),
        Just(AttemptEnd::Unknown(why())),
    ]
}

proptest! {
    /// Whatever is written in whatever order: the rules that the API server enforces hold.
    #[test]
    fn no_order_of_writes_breaks_a_rule(steps in proptest::collection::vec((0_u8..4, any_end()), 0..12), command in any::<bool>()) {
        let type_ = if command { ActionType::Wipe } else { ActionType::Deprovision };
        let mut record = claimed(type_);
        let verdict = Verdict::new(ActionState::OutcomeUnknown, Reason::SenderLost);
        for (number, (step, end)) in (1..).zip(steps) {
            let before = record.clone();
            let last = record.attempts.last().unwrap().clone();
            record = match step {
                0 => with_end(record, &last.id, &end, at(number)),
                1 => ended(record, &verdict, at(number)),
                2 if last.outcome == Some(AttemptOutcome::NotSent) && !record.state.is_final() => {
                    let next = attempt(record.attempts.len(), &format!("attempt-x{number}"), "p", at(number), at(number + 10));
                    with_attempt(record, next)
                }
                _ => with_end(record, "attempt-1", &end, at(number)),
            };
            prop_assert_eq!(&record.request, &before.request);
            prop_assert!(record.attempts.len() >= before.attempts.len());
            if before.state.is_final() {
                prop_assert_eq!((record.state, &record.reason, &record.finished_time), (before.state, &before.reason, &before.finished_time));
                prop_assert_eq!(record.attempts.len(), before.attempts.len());
            }
            if record.state.is_final() {
                prop_assert!(record.reason.is_some() && record.finished_time.is_some());
            } else {
                prop_assert!(record.open && !record.attempts.is_empty());
            }
            prop_assert!(before.open || !record.open, "a closed record stays closed");
            if before.command_id.is_some() {
                prop_assert_eq!(&record.command_id, &before.command_id);
            }
            for (old, new) in before.attempts.iter().zip(&record.attempts) {
                prop_assert_eq!((&old.id, &old.deadline, &old.started_time), (&new.id, &new.deadline, &new.started_time));
                prop_assert!(old.outcome.is_none() || old.outcome == new.outcome);
            }
            let (_, earlier) = record.attempts.split_last().unwrap();
            prop_assert!(earlier.iter().all(|attempt| attempt.outcome == Some(AttemptOutcome::NotSent)));
        }
        prop_assert!(now() <= at(0));
    }
}
