//! The part of "at most once" that the API server enforces on a `DeviceActionReceipt`, whoever writes: what it
//! lets somebody create. `receipt_changes.rs` has what it lets somebody change.

use chrome_enterprise_operator::api::DeviceActionReceipt;
use kube::Client;
use serde_json::{Value, json};

use crate::server::{check, create, namespace, objects, run, try_create, try_replace, with};

pub(crate) const KIND: &str = "DeviceActionReceipt";
pub(crate) const FINAL: [&str; 5] = ["Succeeded", "Failed", "Expired", "Rejected", "OutcomeUnknown"];

pub(crate) fn attempt(number: usize, outcome: Option<&str>) -> Value {
    let mut attempt = json!({
        "number": number,
        "id": format!("{number:032x}"),
        "process": "chrome-enterprise-operator-0",
        "startedTime": "2026-11-24T08:00:00.250000Z",
        "deadline": "2026-11-24T08:00:10.250000Z"
    });
    if let Some(outcome) = outcome {
        attempt["outcome"] = json!(outcome);
    }
    attempt
}

pub(crate) fn claimed(attempts: &[Value]) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": KIND,
        "metadata": {"name": "library-07"},
        "request": {
            "digest": format!("sha256:{}", "0a".repeat(32)),
            "actionName": "library-07",
            "actionUid": "7d8c2bb0-8a3d-4c6f-9a0f-2f4a54f4e1f0",
            "type": "Wipe",
            "wipe": {"mode": "Users"},
            "deviceId": "6d3a1a5e-6f0e-4d3b-9d0c-0f4f6a1f2b07",
            "serialNumber": "5CD1234XYZ",
            "connectionName": "school",
            "connectionUid": "0b9c4c3e-38d8-4b46-9ac4-2f0b3c2b7a55",
            "customerId": "C01abc2de",
            "requester": "teacher@school.example",
            "notAfter": "2026-11-30T16:00:00Z",
            "createdTime": "2026-11-24T08:00:00Z"
        },
        "attempts": attempts,
        "state": "Dispatching",
        "open": true
    })
}

pub(crate) fn ended(state: &str, attempts: &[Value]) -> Value {
    let mut receipt = claimed(attempts);
    receipt["state"] = json!(state);
    receipt["reason"] = json!("Because");
    receipt["finishedTime"] = json!("2026-11-24T08:01:00Z");
    receipt["open"] = json!(false);
    receipt
}

/// What the API server says to creating each of these.
async fn creations(client: &Client, name: &str, cases: Vec<(&str, Value, Option<&str>)>) {
    namespace(client, name).await;
    let api = objects(client, KIND, name);
    for (case, value, refused) in cases {
        if let Some(stored) = check(case, try_create(&api, &value).await, refused) {
            serde_json::from_value::<DeviceActionReceipt>(stored).expect("accepted and not readable");
        }
    }
}

#[test]
fn creations_of_claims_and_ends() {
    let first = [attempt(1, None)];
    let claim = claimed(&first);
    let failed = ended("Failed", &first);
    let name = Some("the receipt of an action has the name of the action");
    let unfinished = Some("a receipt without a final state is open and has an attempt");
    let pending = Some("a receipt is a claim, so its state cannot be Pending");
    let proof = Some("a final state needs a reason and a finishedTime");
    let followed = with(&ended("OutcomeUnknown", &first), "/open", json!(true));
    let cases = vec![
        ("a claim", claim.clone(), None),
        ("a tombstone", ended("Rejected", &[]), None),
        ("a followed command", followed, None),
        (
            "another name",
            with(&claim, "/metadata/name", json!("other")),
            name,
        ),
        (
            "a waiting claim",
            with(&claim, "/state", json!("Pending")),
            pending,
        ),
        ("a claim without attempt", claimed(&[]), unfinished),
        (
            "attempts left out",
            with(&claim, "/attempts", Value::Null),
            unfinished,
        ),
        (
            "closed without an end",
            with(&claim, "/open", json!(false)),
            unfinished,
        ),
        (
            "an end without time",
            with(&failed, "/finishedTime", Value::Null),
            proof,
        ),
        (
            "an end without reason",
            with(&failed, "/reason", Value::Null),
            proof,
        ),
    ];
    run(|client| async move { creations(&client, "receipt-creations", cases).await });
}

#[test]
fn creations_with_several_attempts() {
    let numbers = Some("attempts are numbered 1, 2, 3 and so on");
    let one_only = Some("another attempt is allowed only after every earlier one ended as NotSent");
    let two = |first, second| claimed(&[attempt(1, first), attempt(2, second)]);
    let restored = ended(
        "Succeeded",
        &[attempt(1, Some("NotSent")), attempt(2, Some("Accepted"))],
    );
    let backwards = claimed(&[attempt(2, None), attempt(1, Some("NotSent"))]);
    let twice = claimed(&[attempt(1, Some("NotSent")), attempt(1, None)]);
    let cases = vec![
        ("a restored backup", restored, None),
        ("a second attempt", two(Some("NotSent"), None), None),
        ("in another order", backwards, None),
        ("two attempts at once", two(None, None), one_only),
        ("again after an unknown end", two(Some("Unknown"), None), one_only),
        ("again after acceptance", two(Some("Accepted"), None), one_only),
        ("again after refusal", two(Some("Refused"), None), one_only),
        ("it starts with 2", claimed(&[attempt(2, None)]), numbers),
        ("number 1 twice", twice, Some("Duplicate value")),
        (
            "number 0",
            claimed(&[attempt(0, None)]),
            Some("greater than or equal to 1"),
        ),
    ];
    run(|client| async move { creations(&client, "receipt-attempts", cases).await });
}

#[test]
fn creations_with_odd_fields() {
    let claim = claimed(&[attempt(1, None)]);
    let late = Some("no attempt may have a deadline later than the notAfter of the request");
    let deadline = |time: &str| with(&claim, "/attempts/0/deadline", json!(time));
    let cases = vec![
        ("the last deadline", deadline("2026-11-30T16:00:00Z"), None),
        ("a late deadline", deadline("2026-11-30T16:00:00.000001Z"), late),
        (
            "another digest",
            with(&claim, "/request/digest", json!("md5:00")),
            Some("request.digest"),
        ),
        (
            "a short id",
            with(&claim, "/attempts/0/id", json!("1234")),
            Some("attempts[0].id"),
        ),
        (
            "no request",
            with(&claim, "/request", Value::Null),
            Some("request: Required value"),
        ),
        (
            "an odd state",
            with(&claim, "/state", json!("Done")),
            Some("Unsupported value"),
        ),
        (
            "an odd reason",
            with(&claim, "/reason", json!("not one word")),
            Some("reason"),
        ),
    ];
    run(|client| async move { creations(&client, "receipt-fields", cases).await });
}

#[test]
fn only_one_creation_wins() {
    run(|client| async move {
        namespace(&client, "receipt-claim").await;
        let api = objects(&client, KIND, "receipt-claim");
        let receipts: Vec<_> = (1..=8_u128)
            .map(|id| {
                with(
                    &claimed(&[attempt(1, None)]),
                    "/attempts/0/id",
                    json!(format!("{id:032x}")),
                )
            })
            .collect();
        let params = kube::api::PostParams::default();
        let tries = receipts.iter().map(|receipt| {
            let (api, params, object) = (&api, &params, crate::server::object(receipt.clone()));
            async move { api.create(params, &object).await.is_ok() }
        });
        let won = futures::future::join_all(tries).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    });
}

#[test]
fn the_longest_history_fits() {
    let attempts: Vec<_> = (1..=256)
        .map(|number| {
            with(
                &attempt(number, Some("NotSent")),
                "/message",
                json!("x".repeat(1024)),
            )
        })
        .collect();
    run(|client| async move {
        namespace(&client, "receipt-history").await;
        let api = objects(&client, KIND, "receipt-history");
        let stored = serde_json::to_value(create(&api, &claimed(&attempts)).await).unwrap();
        check(
            "an end",
            try_replace(&api, &with(&stored, "/open", json!(true))).await,
            None,
        );
        let mut more = attempts.clone();
        more.push(attempt(257, None));
        check(
            "one more",
            try_replace(&api, &with(&stored, "/attempts", json!(more))).await,
            Some("Too many"),
        );
    });
}
