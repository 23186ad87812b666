use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::google::ErrorClass;

const TOKEN: &str = "CAEQAhoGb3BhcXVl";

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

fn asked(subject: Subject) -> Asked<'static> {
    Asked {
        method: "m",
        subject,
        page_token: Some(TOKEN),
        query: Some("status:provisioned"),
    }
}

fn classic(code: u16, reason: &str, message: &str) -> String {
    let item = json!({"message": message, "domain": "global", "reason": reason});
    json!({"error": {"code": code, "message": message, "errors": [item]}}).to_string()
}

fn classic_at(code: u16, reason: &str, message: &str, location: &str) -> String {
    let item = json!({"message": message, "domain": "global", "reason": reason,
        "locationType": "parameter", "location": location});
    json!({"error": {"code": code, "message": message, "errors": [item]}}).to_string()
}

fn newer(code: u16, status: &str, message: &str, info: Option<&str>) -> String {
    let details: Vec<Value> = info
        .map(|reason| json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}))
        .into_iter()
        .collect();
    json!({"error": {"code": code, "message": message, "status": status, "details": details}}).to_string()
}

const PROXY_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Not Found</title></head><body>gateway</body></html>";

#[test]
#[allow(clippy::too_many_lines)] // one row per kind of refusal
fn every_refusal_of_a_listing_has_its_meaning() {
    let rows: Vec<(u16, String, Reason)> = vec![
        // 400
        (
            400,
            classic_at(
                400,
                "invalidParameter",
                "Invalid value '500'. Values must be within the range: [1, 200]",
                "maxResults",
            ),
            Reason::PageSizeRange { min: 1, max: 200 },
        ),
        (
            400,
            newer(
                400,
                "INVALID_ARGUMENT",
                "Values must be within the range: [1, 100]",
                None,
            ),
            Reason::PageSizeRange { min: 1, max: 100 },
        ),
        (
            400,
            classic_at(
                400,
                "invalidParameter",
                "must be within the range: [1, 9]",
                "other",
            ),
            Reason::RequestInvalid,
        ),
        (
            400,
            classic(400, "invalid", "must be within the range: [9, 1]"),
            Reason::RequestInvalid,
        ),
        (
            400,
            classic(400, "invalid", &format!("Invalid Input: {TOKEN}")),
            Reason::PageTokenRejected,
        ),
        (
            400,
            classic_at(400, "invalid", "Invalid value", "pageToken"),
            Reason::PageTokenRejected,
        ),
        (
            400,
            classic(400, "invalid", "Invalid Input: INVALID_OU_ID"),
            Reason::OrgUnitNotFound,
        ),
        (
            400,
            classic(400, "invalid", "Invalid Input: CustomerId is not present"),
            Reason::CustomerNotFound,
        ),
        (
            400,
            classic(400, "invalid", "Invalid Input: status:provisioned"),
            Reason::InvalidQuery,
        ),
        (
            400,
            classic_at(400, "invalid", "Bad", "query"),
            Reason::InvalidQuery,
        ),
        (
            400,
            classic(400, "badRequest", "Bad Request"),
            Reason::RequestInvalid,
        ),
        (
            400,
            newer(400, "FAILED_PRECONDITION", "no", None),
            Reason::RequestInvalid,
        ),
        (400, PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        // 401
        (
            401,
            classic(401, "authError", "Invalid Credentials"),
            Reason::CredentialRevoked,
        ),
        (
            401,
            newer(401, "UNAUTHENTICATED", "no", Some("ACCESS_TOKEN_EXPIRED")),
            Reason::CredentialRevoked,
        ),
        (
            401,
            classic(401, "required", "Login Required."),
            Reason::CredentialRevoked,
        ),
        (401, PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        // 403
        (
            403,
            classic(403, "forbidden", "Not Authorized to access this resource/api"),
            Reason::PrivilegeMissing,
        ),
        (
            403,
            newer(403, "PERMISSION_DENIED", "denied", None),
            Reason::PrivilegeMissing,
        ),
        (
            403,
            json!({"error": {"code": 403, "message": "denied"}}).to_string(),
            Reason::PrivilegeMissing,
        ),
        (
            403,
            classic(403, "insufficientPermissions", "Insufficient Permission"),
            Reason::ScopeMissing,
        ),
        (
            403,
            newer(
                403,
                "PERMISSION_DENIED",
                "no scope",
                Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            ),
            Reason::ScopeMissing,
        ),
        (
            403,
            classic(
                403,
                "accessNotConfigured",
                "Admin SDK API has not been used in project 1 before",
            ),
            Reason::ApiDisabled,
        ),
        (
            403,
            newer(403, "PERMISSION_DENIED", "disabled", Some("SERVICE_DISABLED")),
            Reason::ApiDisabled,
        ),
        (
            403,
            classic(403, "domainCannotUseApis", "no"),
            Reason::DomainApiAccessDisabled,
        ),
        (
            403,
            "Domain cannot use apis.".to_owned(),
            Reason::DomainApiAccessDisabled,
        ),
        (
            403,
            classic(403, "userRateLimitExceeded", "slow down"),
            Reason::QuotaExhausted,
        ),
        (
            403,
            classic(403, "rateLimitExceeded", "slow down"),
            Reason::QuotaExhausted,
        ),
        (
            403,
            classic(403, "quotaExceeded", "slow down"),
            Reason::QuotaExhausted,
        ),
        (
            403,
            classic(403, "dailyLimitExceeded", "tomorrow"),
            Reason::QuotaExhausted,
        ),
        (
            403,
            newer(403, "PERMISSION_DENIED", "x", Some("RATE_LIMIT_EXCEEDED")),
            Reason::QuotaExhausted,
        ),
        (
            403,
            "Request rate higher than configured".to_owned(),
            Reason::QuotaExhausted,
        ),
        (403, PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        (403, String::new(), Reason::UnexpectedAnswer),
        // 404
        (
            404,
            classic(404, "notFound", "Org unit not found"),
            Reason::OrgUnitNotFound,
        ),
        (
            404,
            classic(404, "notFound", "Not Found"),
            Reason::CustomerNotFound,
        ),
        (404, PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        (404, "{}".to_owned(), Reason::UnexpectedAnswer),
        (
            404,
            json!({"error": "not found"}).to_string(),
            Reason::UnexpectedAnswer,
        ),
        (
            404,
            json!({"error": {"message": "no such route"}}).to_string(),
            Reason::UnexpectedAnswer,
        ),
        // the rest
        (407, PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        (408, String::new(), Reason::GoogleUnavailable),
        (409, classic(409, "conflict", "changed"), Reason::Conflict),
        (
            412,
            classic(412, "conditionNotMet", "Illegal device state transition."),
            Reason::ConditionNotMet,
        ),
        (418, newer(418, "UNKNOWN", "teapot", None), Reason::RequestInvalid),
        (
            429,
            classic(429, "rateLimitExceeded", "slow down"),
            Reason::QuotaExhausted,
        ),
        (
            429,
            newer(429, "RESOURCE_EXHAUSTED", "slow down", None),
            Reason::QuotaExhausted,
        ),
        (429, "Too Many Requests".to_owned(), Reason::QuotaExhausted),
        (
            500,
            classic(500, "backendError", "Internal error encountered."),
            Reason::GoogleUnavailable,
        ),
        (502, PROXY_PAGE.to_owned(), Reason::GoogleUnavailable),
        (
            503,
            classic(503, "backendError", "Service unavailable. Please try again"),
            Reason::GoogleUnavailable,
        ),
        (
            503,
            "Quota exceeded for the current request".to_owned(),
            Reason::QuotaExhausted,
        ),
        (504, "Gateway Timeout".to_owned(), Reason::GoogleUnavailable),
        (302, String::new(), Reason::UnexpectedAnswer),
    ];
    for (status, body, expected) in rows {
        let error = judge(&answer(status, body.clone()), asked(Subject::Devices));
        assert_eq!(error.reason, expected, "{status} {body}");
        assert_eq!(error.http_status, Some(status));
    }
}

#[test]
fn a_404_means_what_was_asked_for() {
    let device = classic(404, "notFound", "Resource Not Found: 6f1d");
    let bare = classic(404, "notFound", "Not Found");
    let entity = newer(404, "NOT_FOUND", "Requested entity was not found.", None);
    for (subject, body, expected) in [
        (Subject::Device, &device, Reason::NotFound),
        (Subject::Device, &entity, Reason::NotFound),
        (Subject::Device, &bare, Reason::CustomerNotFound),
        (Subject::Device, &PROXY_PAGE.to_owned(), Reason::UnexpectedAnswer),
        (
            Subject::Device,
            &json!({"error": {"code": 404, "message": "no such route"}}).to_string(),
            Reason::UnexpectedAnswer,
        ),
        (
            Subject::User,
            &classic(404, "notFound", "Resource Not Found: userKey"),
            Reason::AccountNotFound,
        ),
        (Subject::OrgUnits, &bare, Reason::CustomerNotFound),
    ] {
        let error = judge(&answer(404, body.clone()), asked(subject));
        assert_eq!(error.reason, expected, "{subject:?} {body}");
    }
}

#[test]
fn the_challenge_names_a_missing_scope() {
    let mut refused = answer(403, "");
    refused.authenticate =
        Some(r#"Bearer realm="https://accounts.google.com/", error="insufficient_scope""#.into());
    assert_eq!(
        judge(&refused, asked(Subject::Devices)).reason,
        Reason::ScopeMissing
    );
}

#[test]
fn a_spent_day_waits_longer_than_a_spent_minute() {
    let daily = judge(
        &answer(403, classic(403, "dailyLimitExceeded", "x")),
        asked(Subject::Devices),
    );
    assert_eq!(
        daily.class(),
        ErrorClass::Throttled {
            retry_after: Some(DAILY_PAUSE)
        }
    );
    let mut minute = answer(429, "");
    minute.retry_after = Some(Duration::from_secs(3));
    let minute = judge(&minute, asked(Subject::Devices));
    assert_eq!(
        minute.class(),
        ErrorClass::Throttled {
            retry_after: Some(Duration::from_secs(3))
        }
    );
}

#[test]
fn only_google_or_a_bearer_challenge_makes_the_token_suspect() {
    assert!(wants_new_token(&answer(
        401,
        classic(401, "authError", "Invalid Credentials")
    )));
    assert!(!wants_new_token(&answer(401, PROXY_PAGE)));
    assert!(!wants_new_token(&answer(403, classic(403, "forbidden", "no"))));
    let mut challenged = answer(401, "");
    challenged.authenticate = Some("Bearer error=\"invalid_token\"".to_owned());
    assert!(wants_new_token(&challenged));
    challenged.authenticate = Some("Basic realm=\"proxy\"".to_owned());
    assert!(!wants_new_token(&challenged));
}

#[test]
fn the_message_is_one_short_line() {
    let error = judge(
        &answer(502, format!("<html>\r\n\u{1b}[2J{}", "x".repeat(5_000))),
        asked(Subject::Devices),
    );
    assert!(error.google_message.chars().count() <= 300);
    assert!(!error.google_message.contains('\u{1b}'));
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status in 100_u16..1000, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = judge(&answer(status, body), asked(Subject::Device));
    }

    #[test]
    fn no_error_body_makes_it_panic(
        status in 300_u16..600,
        message in ".{0,60}",
        reason in ".{0,20}",
        code in proptest::option::of(any::<i64>()),
        errors in proptest::option::of(any::<bool>()),
    ) {
        let mut error = json!({"message": message, "status": reason});
        if let Some(code) = code { error["code"] = json!(code); }
        if let Some(flag) = errors { error["errors"] = if flag { json!([{"reason": reason}, 7, null]) } else { json!("x") }; }
        let _ = judge(&answer(status, json!({"error": error}).to_string()), asked(Subject::Devices));
    }

    #[test]
    fn a_refusal_never_passes_for_a_missing_device_unless_google_says_so(
        status in prop_oneof![Just(400_u16), Just(401), Just(403), Just(429), Just(500), Just(503)],
        message in ".{0,60}",
    ) {
        let error = judge(&answer(status, classic(status, "notFound", &message)), asked(Subject::Device));
        prop_assert_ne!(error.reason, Reason::NotFound);
    }
}
