use serde_json::{Value, json};

use super::*;
use crate::api::action::ActionType::{Deprovision, DisableLostMode, EnableLostMode, Wipe};
use crate::controllers::action::record::AttemptEnd;
use crate::controllers::action::testing::{accepted, after, at, why};

const PATIENCE: Duration = Duration::from_hours(24);

fn answer(body: Value) -> CommandStatus {
    serde_json::from_value(body).unwrap()
}

fn told(record: &DeviceActionReceiptSpec) -> String {
    format!(
        "{} {} {}",
        record.state.as_str(),
        record.reason.as_deref().unwrap_or("-"),
        if record.open { "open" } else { "closed" }
    )
}

fn after_answer(body: Value, seconds: i64) -> DeviceActionReceiptSpec {
    of_command(accepted(), Some(&answer(body)), PATIENCE, at(seconds))
}

#[test]
fn every_state_of_a_command() {
    let result = |result: &str| json!({ "state": "EXECUTED_BY_CLIENT", "commandResult": { "result": result, "errorMessage": "no battery" } });
    let rows = [
        (json!({ "state": "PENDING" }), "Sent AcceptedByGoogle open"),
        (json!({ "state": "SENT_TO_CLIENT" }), "Sent AcceptedByGoogle open"),
        (
            json!({ "state": "ACKED_BY_CLIENT" }),
            "Acknowledged DeliveredToDevice open",
        ),
        (
            json!({ "state": "EXECUTED_BY_CLIENT" }),
            "Acknowledged DeliveredToDevice open",
        ),
        (result("SUCCESS"), "Succeeded ExecutedByDevice closed"),
        (result("FAILURE"), "Failed FailedOnDevice closed"),
        (result("IGNORED"), "Failed IgnoredByDevice closed"),
        (
            result("COMMAND_RESULT_TYPE_UNSPECIFIED"),
            "Acknowledged DeliveredToDevice open",
        ),
        (json!({ "state": "EXPIRED" }), "Expired ExpiredAtGoogle closed"),
        (
            json!({ "state": "CANCELLED" }),
            "Failed CancelledInConsole closed",
        ),
        (json!({ "state": "A_NEW_WORD" }), "Sent AcceptedByGoogle open"),
        (json!({}), "Sent AcceptedByGoogle open"),
    ];
    for (body, expected) in rows {
        assert_eq!(told(&after_answer(body.clone(), 5)), expected, "{body}");
    }
    let failed = after_answer(result("FAILURE"), 5);
    assert_eq!(failed.google_message.as_deref(), Some("no battery"));
    assert_eq!(failed.command_result.as_deref(), Some("FAILURE"));
    assert_eq!(failed.finished_time, Some(whole(at(5))));
    let forgotten = of_command(accepted(), None, PATIENCE, at(5));
    assert_eq!(told(&forgotten), "OutcomeUnknown CommandForgotten closed");
}

#[test]
fn what_was_delivered_is_not_undelivered() {
    let acked = after_answer(json!({ "state": "ACKED_BY_CLIENT" }), 5);
    let back = of_command(
        acked,
        Some(&answer(json!({ "state": "SENT_TO_CLIENT" }))),
        PATIENCE,
        at(6),
    );
    assert_eq!(told(&back), "Acknowledged DeliveredToDevice open");
}

#[test]
fn patience_ends_and_the_truth_follows_later() {
    let pending = json!({ "state": "PENDING", "commandExpireTime": "2031-08-31T08:00:00.123Z" });
    let waiting = after_answer(pending.clone(), 86_399);
    assert_eq!(told(&waiting), "Sent AcceptedByGoogle open");
    let tired = of_command(waiting, Some(&answer(pending.clone())), PATIENCE, at(86_402));
    assert_eq!(told(&tired), "OutcomeUnknown StillPendingAtGoogle open");
    let message = tired.message.clone().unwrap();
    assert!(
        message.contains("2031-08-31T08:00:00Z") && message.contains("Admin console"),
        "{message}"
    );
    assert_eq!(
        of_command(tired.clone(), Some(&answer(pending)), PATIENCE, at(90_000)),
        tired,
        "no news, no write"
    );
    let done = json!({ "state": "EXECUTED_BY_CLIENT", "commandResult": { "result": "SUCCESS" } });
    let done = of_command(tired.clone(), Some(&answer(done)), PATIENCE, at(9_000_000));
    assert_eq!(told(&done), "OutcomeUnknown StillPendingAtGoogle closed");
    assert_eq!(done.finished_time, tired.finished_time);
    assert_eq!(done.command_result.as_deref(), Some("SUCCESS"));
    let message = done.message.unwrap();
    assert!(message.contains(Reason::ExecutedByDevice.sentence()), "{message}");
    let silent = json!({ "state": "EXECUTED_BY_CLIENT" });
    assert_eq!(
        told(&after_answer(silent, 90_000)),
        "OutcomeUnknown ResultMissing closed"
    );
}

#[test]
fn a_device_that_is_as_asked_for_proves_it() {
    let device = |status: &str| -> ChromeOsDevice {
        serde_json::from_value(json!({ "deviceId": "device-1", "status": status })).unwrap()
    };
    for (type_, wanted) in [
        (EnableLostMode, "DISABLED"),
        (DisableLostMode, "ACTIVE"),
        (Deprovision, "DEPROVISIONED"),
    ] {
        let lost = after(type_, &AttemptEnd::Unknown(why()));
        for status in ["ACTIVE", "DISABLED", "DEPROVISIONED", "A_NEW_WORD"] {
            let next = of_device(&lost, Some(&device(status)), at(9));
            let expected = (status == wanted).then(|| "Succeeded ObservedInRequestedState closed".to_owned());
            assert_eq!(next.map(|next| told(&next)), expected, "{type_:?} {status}");
        }
        assert_eq!(of_device(&lost, None, at(9)), None);
        let mut other = device(wanted);
        other.device_id = "device-2".into();
        assert_eq!(of_device(&lost, Some(&other), at(9)), None);
    }
    let wipe = after(Wipe, &AttemptEnd::Unknown(why()));
    assert_eq!(of_device(&wipe, Some(&device("ACTIVE")), at(9)), None);
}
