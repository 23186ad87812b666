//! The part of "at most once" that the API server enforces on a `DeviceActionReceipt`: what may change in it.

use chrome_enterprise_operator::api::DeviceActionReceipt;
use serde_json::{Value, json};

use crate::receipt::{FINAL, KIND, attempt, claimed, ended};
use crate::server::{check, create, namespace, objects, run, try_replace, with};

/// What the API server says to each change of a stored receipt.
async fn changes(client: &kube::Client, name: &str, stored: &Value, cases: Vec<(&str, Value, Option<&str>)>) {
    namespace(client, name).await;
    let api = objects(client, KIND, name);
    let base = serde_json::to_value(create(&api, stored).await).unwrap();
    check("the same again", try_replace(&api, &base).await, None);
    for (case, wanted, refused) in cases {
        let wanted = with(&wanted, "/metadata", base["metadata"].clone());
        if let Some(stored) = check(case, try_replace(&api, &wanted).await, refused) {
            serde_json::from_value::<DeviceActionReceipt>(stored).expect("accepted and not readable");
        }
    }
}

#[test]
fn changes_of_a_claim() {
    let claim = claimed(&[attempt(1, None)]);
    let fixed = Some("id, process, startedTime and deadline of an attempt never change");
    let request = Some("the request of a receipt never changes");
    let not_sent = attempt(1, Some("NotSent"));
    let mut cases = vec![
        (
            "another device",
            with(&claim, "/request/deviceId", json!("other")),
            request,
        ),
        (
            "a longer time",
            with(&claim, "/request/notAfter", json!("2026-12-30T16:00:00Z")),
            request,
        ),
        (
            "no requester",
            with(&claim, "/request/requester", Value::Null),
            request,
        ),
        (
            "another action UID",
            with(&claim, "/request/actionUid", json!("other")),
            request,
        ),
        (
            "another holder of the attempt",
            with(&claim, "/attempts/0/id", json!("f".repeat(32))),
            fixed,
        ),
        (
            "another process",
            with(&claim, "/attempts/0/process", json!("other")),
            fixed,
        ),
        (
            "a longer deadline",
            with(&claim, "/attempts/0/deadline", json!("2026-11-24T09:00:00Z")),
            fixed,
        ),
        (
            "a second attempt too soon",
            claimed(&[attempt(1, None), attempt(2, None)]),
            Some("only after every earlier one ended as NotSent"),
        ),
        (
            "a second attempt",
            claimed(&[not_sent.clone(), attempt(2, None)]),
            None,
        ),
        (
            "no attempts, as rejected",
            ended("Rejected", &[]),
            Some("attempts are never removed"),
        ),
        ("the attempt ends", claimed(&[attempt(1, Some("Accepted"))]), None),
        (
            "Google's command",
            with(&claim, "/commandId", json!("1234567890")),
            None,
        ),
        ("accepted", with(&claim, "/state", json!("Sent")), None),
    ];
    cases.extend(FINAL.map(|state| (state, ended(state, &[attempt(1, Some("Unknown"))]), None)));
    run(|client| async move { changes(&client, "receipt-claim-changes", &claim, cases).await });
}

#[test]
fn changes_of_a_sent_command() {
    let sent = with(
        &claimed(&[attempt(1, Some("NotSent")), attempt(2, Some("Accepted"))]),
        "/commandId",
        json!("123"),
    );
    let sent = with(&sent, "/state", json!("Sent"));
    let cases = vec![
        (
            "another command",
            with(&sent, "/commandId", json!("124")),
            Some("a recorded commandId never changes"),
        ),
        (
            "no command",
            with(&sent, "/commandId", Value::Null),
            Some("a recorded commandId never changes"),
        ),
        (
            "another outcome",
            with(&sent, "/attempts/1/outcome", json!("NotSent")),
            Some("the outcome of an attempt never changes"),
        ),
        (
            "no outcome",
            with(&sent, "/attempts/1/outcome", Value::Null),
            Some("the outcome of an attempt never changes"),
        ),
        (
            "one attempt less",
            with(&sent, "/attempts", json!([attempt(1, Some("NotSent"))])),
            Some("attempts are never removed"),
        ),
        ("acknowledged", with(&sent, "/state", json!("Acknowledged")), None),
        (
            "a word from Google",
            with(&sent, "/googleMessage", json!("accepted")),
            None,
        ),
    ];
    run(|client| async move { changes(&client, "receipt-sent-changes", &sent, cases).await });
}

#[test]
fn changes_of_an_end() {
    let end = ended("Expired", &[attempt(1, Some("NotSent"))]);
    let never = Some("a final state never changes");
    let mut cases: Vec<_> = FINAL
        .into_iter()
        .filter(|state| *state != "Expired")
        .map(|state| ("another end", with(&end, "/state", json!(state)), never))
        .collect();
    let again = with(
        &end,
        "/attempts",
        json!([attempt(1, Some("NotSent")), attempt(2, None)]),
    );
    cases.extend([
        ("back to work", with(&end, "/state", json!("Dispatching")), never),
        ("another reason", with(&end, "/reason", json!("Other")), never),
        (
            "another time",
            with(&end, "/finishedTime", json!("2026-11-24T08:02:00Z")),
            never,
        ),
        (
            "one more attempt",
            again,
            Some("no attempt follows a final state"),
        ),
        (
            "open again",
            with(&end, "/open", json!(true)),
            Some("a closed receipt stays closed"),
        ),
        (
            "another message",
            with(&end, "/message", json!("explained better")),
            None,
        ),
    ]);
    run(|client| async move { changes(&client, "receipt-end-changes", &end, cases).await });
}

/// A command that outlived the operator's patience: its end stays, what Google says later is still recorded.
#[test]
fn changes_of_a_followed_end() {
    let end = with(
        &ended("OutcomeUnknown", &[attempt(1, Some("Accepted"))]),
        "/open",
        json!(true),
    );
    let cases = vec![
        (
            "Google's word",
            with(&end, "/commandState", json!("EXECUTED_BY_CLIENT")),
            None,
        ),
        ("closed at last", with(&end, "/open", json!(false)), None),
        (
            "done after all",
            with(&end, "/state", json!("Succeeded")),
            Some("a final state never changes"),
        ),
    ];
    run(|client| async move { changes(&client, "receipt-followed-changes", &end, cases).await });
}
