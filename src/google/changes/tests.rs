use http::StatusCode;
use proptest::prelude::*;

use super::*;

const ID: &str = "0d2f3a4b-1111-2222-3333-444455556666";

fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        date: None,
        retry_after: None,
        content_type: None,
        authenticate: None,
        body: body.into(),
    }
}

fn google(status: u16, reason: &str) -> Answer {
    let item = json!({ "message": "m", "domain": "global", "reason": reason });
    let error = json!({ "error": { "code": status, "message": "m", "errors": [item] } });
    answer(status, error.to_string())
}

fn newer(status: u16, word: &str) -> Answer {
    let error = json!({ "error": { "code": status, "message": "m", "status": word } });
    answer(status, error.to_string())
}

const fn kind<T>(sent: &Sent<T>) -> &'static str {
    match sent {
        Sent::NotSent(_) => "not sent",
        Sent::Accepted(_) => "accepted",
        Sent::Refused(_) => "refused",
        Sent::Unknown(_) => "unknown",
    }
}

#[test]
fn only_what_google_surely_turned_away_may_be_sent_again() {
    let html = "<html><title>502</title></html>";
    let rows = [
        ("taken", answer(200, "{}"), "accepted"),
        ("taken without a body", answer(204, ""), "accepted"),
        ("a redirect", answer(302, ""), "unknown"),
        ("bad request", newer(400, "INVALID_ARGUMENT"), "refused"),
        ("a proxy's bad request", answer(400, html), "unknown"),
        ("token refused", google(401, "authError"), "not sent"),
        ("a proxy's 401", answer(401, html), "unknown"),
        ("no privilege", google(403, "forbidden"), "refused"),
        (
            "rate limit as 403",
            google(403, "userRateLimitExceeded"),
            "not sent",
        ),
        ("quota as 403", google(403, "quotaExceeded"), "not sent"),
        ("a proxy's 403", answer(403, html), "unknown"),
        (
            "a proxy's 403 in JSON",
            answer(403, r#"{"error":"blocked"}"#),
            "unknown",
        ),
        ("no such device", google(404, "notFound"), "refused"),
        ("a proxy's 404", answer(404, html), "unknown"),
        ("request timeout", google(408, "timeout"), "unknown"),
        ("conflict", google(409, "conflict"), "refused"),
        ("wrong state", google(412, "conditionNotMet"), "refused"),
        ("rate limit as 429", newer(429, "RESOURCE_EXHAUSTED"), "not sent"),
        ("a proxy's 429", answer(429, html), "unknown"),
        ("internal error", google(500, "backendError"), "unknown"),
        ("bad gateway", answer(502, html), "unknown"),
        ("unavailable", google(503, "backendError"), "unknown"),
        (
            "quota as 503",
            answer(503, "Quota exceeded for the current request"),
            "unknown",
        ),
        ("gateway timeout", answer(504, html), "unknown"),
    ];
    for (row, answer, expected) in rows {
        let sent = judge(answer, ISSUE_COMMAND, Subject::Device);
        assert_eq!(kind(&sent), expected, "{row}");
    }
}

fn rows(rows: &Value) -> Answer {
    answer(
        200,
        json!({ "changeChromeOsDeviceStatusResults": rows }).to_string(),
    )
}

#[test]
fn a_success_counts_only_with_the_row_of_the_device() {
    let failed = |code: i64| json!([{ "deviceId": ID, "error": { "code": code, "message": "m" } }]);
    let table = [
        ("done", json!([{ "deviceId": ID, "response": {} }]), "accepted"),
        (
            "done, in capitals",
            json!([{ "deviceId": ID.to_uppercase(), "response": {} }]),
            "accepted",
        ),
        (
            "done, and another device",
            json!([{ "deviceId": "x", "error": { "code": 9 } }, { "deviceId": ID, "response": {} }]),
            "accepted",
        ),
        ("no rows", json!([]), "unknown"),
        ("rows are null", json!(null), "unknown"),
        (
            "another device",
            json!([{ "deviceId": "x", "response": {} }]),
            "unknown",
        ),
        ("an empty row", json!([{ "deviceId": ID }]), "unknown"),
        (
            "two rows of the device",
            json!([{ "deviceId": ID, "response": {} }, { "deviceId": ID, "error": { "code": 9 } }]),
            "unknown",
        ),
        (
            "both at once",
            json!([{ "deviceId": ID, "response": {}, "error": { "code": 13 } }]),
            "unknown",
        ),
        (
            "an error without a code",
            json!([{ "deviceId": ID, "error": {} }]),
            "unknown",
        ),
    ];
    for (row, body, expected) in table {
        assert_eq!(kind(&read_row(&rows(&body), ID)), expected, "{row}");
    }
    for code in 0..=17 {
        let expected = match code {
            3 | 5 | 6 | 7 | 8 | 9 | 11 | 12 | 16 => "refused",
            _ => "unknown",
        };
        assert_eq!(kind(&read_row(&rows(&failed(code)), ID)), expected, "code {code}");
    }
    for body in ["", "[]", "{", "<html></html>", r#"{"error":{"code":500}}"#] {
        assert_eq!(kind(&read_row(&answer(200, body), ID)), "unknown", "{body}");
    }
}

#[test]
fn a_command_is_taken_only_with_its_id() {
    let issued = |body: &'static str| read_command_id(&answer(200, body));
    assert_eq!(
        issued(r#"{"commandId":"1234567890"}"#),
        Sent::Accepted("1234567890".to_owned())
    );
    assert_eq!(
        issued(r#"{"commandId":1234567890}"#),
        Sent::Accepted("1234567890".to_owned())
    );
    for body in [
        "",
        "{}",
        "[]",
        r#"{"commandId":""}"#,
        r#"{"commandId":"../x"}"#,
        r#"{"commandId":{}}"#,
    ] {
        assert_eq!(kind(&issued(body)), "unknown", "{body}");
    }
}

#[test]
fn bodies_are_as_google_documents_them() {
    assert_eq!(
        StateChange::Deprovision(DeprovisionReason::RetiringDevice).body(ID),
        json!({
            "deviceIds": [ID],
            "changeChromeOsDeviceStatusAction": "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DEPROVISION",
            "deprovisionReason": "DEPROVISION_REASON_RETIRING_DEVICE",
        })
    );
    for (change, word) in [
        (StateChange::Disable, "DISABLE"),
        (StateChange::Reenable, "REENABLE"),
    ] {
        let action = format!("CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_{word}");
        assert_eq!(
            change.body(ID),
            json!({ "deviceIds": [ID], "changeChromeOsDeviceStatusAction": action })
        );
    }
    let reboot = RemoteCommand::Reboot {
        user_session_delay_seconds: 120,
    };
    assert_eq!(
        reboot.body(),
        json!({ "commandType": "REBOOT", "payload": r#"{"user_session_delay_seconds":120}"# })
    );
    assert_eq!(
        RemoteCommand::WipeUsers.body(),
        json!({ "commandType": "WIPE_USERS" })
    );
    assert_eq!(
        RemoteCommand::RemotePowerwash.body(),
        json!({ "commandType": "REMOTE_POWERWASH" })
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_and_only_rows_of_the_device_are_success(
        status in 100_u16..1000, body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = judge(answer(status, body.clone()), CHANGE_STATUS, Subject::Devices);
        prop_assert_ne!(kind(&read_row(&answer(200, body.clone()), ID)), "accepted");
        let _ = read_command_id(&answer(200, body));
    }
}
