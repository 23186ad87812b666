//! What is tried again, how often, and what is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::google::{ErrorClass, ListRequest, Reason};
use serde_json::json;

use super::fake::{ADMIN, Fake, Recorder, Reply, client, context, observed, quick, token_reply};

fn devices() -> Reply {
    Reply::json(200, &json!({"chromeosdevices": [{"deviceId": "device-1"}]}))
}

fn all() -> ListRequest {
    ListRequest::new("my_customer")
}

#[tokio::test]
async fn an_outage_is_waited_out() {
    for outage in [
        Reply::error(503, "backendError", "Service unavailable. Please try again"),
        Reply::error(500, "internalError", "Internal error encountered."),
        Reply::html(502),
        Reply::error(429, "rateLimitExceeded", "slow down"),
        Reply::error(403, "quotaExceeded", "slow down"),
        Reply::error(403, "userRateLimitExceeded", "slow down"),
        devices().cut(),
        Reply::text(
            200,
            "application/json",
            r#"{"chromeosdevices": [{"deviceId": "de"#,
        ),
    ] {
        let google = Fake::start(move |seen, before| {
            (seen.path != "/token").then(|| if before < 2 { outage.clone() } else { devices() })
        })
        .await;
        let observer = Arc::new(Recorder::default());
        let client = client(&observed(&google.url, &quick(), Arc::clone(&observer)));
        let page = client.list_devices(&all(), None).await.unwrap();
        assert_eq!((page.devices.len(), google.calls().len()), (1, 3));
        let calls = observer.calls.lock().unwrap();
        assert_eq!((calls[0].0, calls[0].1), ("oauth2.token", "Success"));
        assert_eq!(
            (calls[3].0, calls[3].1),
            ("directory.chromeosdevices.list", "Success")
        );
        assert!(calls[1].1 != "Success" && calls[3].2 > 0);
    }
}

#[tokio::test]
async fn patience_ends() {
    let outage = || Reply::error(503, "backendError", "Service unavailable. Please try again");
    let google = Fake::start(move |seen, _| (seen.path != "/token").then(outage)).await;
    let error = google.client().list_devices(&all(), None).await.unwrap_err();
    assert_eq!(
        (error.reason.clone(), error.class()),
        (Reason::GoogleUnavailable, ErrorClass::Transient)
    );
    assert_eq!(google.calls().len(), 6, "one try and five repetitions");
    assert_eq!(google.token_requests().len(), 1, "a working token is kept");
}

#[tokio::test]
async fn google_decides_how_long_it_is_left_alone() {
    let google = Fake::start(|seen, before| {
        let busy = || Reply::error(429, "rateLimitExceeded", "slow down").with_header("retry-after", "1");
        (seen.path != "/token").then(|| if before == 0 { busy() } else { devices() })
    })
    .await;
    let started = Instant::now();
    google.client().list_devices(&all(), None).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));

    let google = Fake::start(|seen, _| {
        let busy = || Reply::error(429, "rateLimitExceeded", "slow down").with_header("retry-after", "900");
        (seen.path != "/token").then(busy)
    })
    .await;
    let error = google.client().list_devices(&all(), None).await.unwrap_err();
    assert_eq!(
        error.class(),
        ErrorClass::Throttled {
            retry_after: Some(Duration::from_secs(900))
        }
    );
    assert_eq!(google.calls().len(), 1);
}

#[tokio::test]
async fn one_refusal_quietens_the_whole_account() {
    let google = Fake::start(|seen, before| {
        let busy = || Reply::error(429, "rateLimitExceeded", "slow down").with_header("retry-after", "1");
        (seen.path != "/token").then(|| if before == 0 { busy() } else { devices() })
    })
    .await;
    let context = context(&google.url, quick());
    let (one, other) = (client(&context), client(&context));
    let refused = tokio::spawn(async move { one.list_devices(&all(), None).await });
    while google.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    other.list_devices(&all(), None).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_millis(700),
        "{:?}",
        started.elapsed()
    );
    refused.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_somebody_must_change_is_asked_once() {
    for (refusal, reason) in [
        (
            Reply::error(403, "forbidden", "Not Authorized to access this resource/api"),
            Reason::PrivilegeMissing,
        ),
        (
            Reply::error(403, "insufficientPermissions", "Insufficient Permission"),
            Reason::ScopeMissing,
        ),
        (
            Reply::error(403, "accessNotConfigured", "disabled"),
            Reason::ApiDisabled,
        ),
        (
            Reply::text(403, "text/plain", "Domain cannot use apis."),
            Reason::DomainApiAccessDisabled,
        ),
        (
            Reply::error(400, "invalid", "Invalid Input: INVALID_OU_ID"),
            Reason::OrgUnitNotFound,
        ),
        (
            Reply::error(404, "notFound", "Not Found"),
            Reason::CustomerNotFound,
        ),
        (
            Reply::error(
                400,
                "invalidParameter",
                "Invalid value '300'. Values must be within the range: [1, 200]",
            ),
            Reason::PageSizeRange { min: 1, max: 200 },
        ),
        (Reply::html(403), Reason::UnexpectedAnswer),
        (Reply::html(404), Reason::UnexpectedAnswer),
    ] {
        let google = Fake::start(move |seen, _| (seen.path != "/token").then(|| refusal.clone())).await;
        let error = google.client().list_devices(&all(), None).await.unwrap_err();
        assert_eq!(error.reason, reason);
        assert_eq!(google.calls().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn a_refused_page_token_is_tried_on_the_same_page_twice_more() {
    for refusals in [2, 3] {
        let google = Fake::start(move |seen, before| {
            let refused = Reply::error(400, "invalid", "Invalid Input: page-two");
            (seen.path != "/token").then(|| if before < refusals { refused } else { devices() })
        })
        .await;
        let page = google.client().list_devices(&all(), Some("page-two")).await;
        assert_eq!(google.calls().len(), 3);
        assert!(
            google
                .calls()
                .iter()
                .all(|call| call.parameter("pageToken") == Some("page-two"))
        );
        match page {
            Ok(page) => assert_eq!((refusals, page.devices.len()), (2, 1)),
            Err(error) => assert_eq!((refusals, error.reason), (3, Reason::PageTokenRejected)),
        }
    }
}

#[tokio::test]
async fn an_old_walk_is_told_from_an_outage() {
    let outage = || Reply::error(503, "backendError", "Service unavailable. Please try again");
    let google = Fake::start(move |seen, _| (seen.path != "/token").then(outage)).await;
    let hour_ago = Instant::now().checked_sub(Duration::from_secs(58 * 60));
    let old = ListRequest {
        walk_started: hour_ago,
        ..all()
    };
    let error = google
        .client()
        .list_devices(&old, Some("page-99"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason, google.calls().len()),
        (Reason::PageTokenExpired, 3)
    );
    // The first page has no token that could have expired.
    let error = google.client().list_devices(&old, None).await.unwrap_err();
    assert_eq!(error.reason, Reason::GoogleUnavailable);
}

#[tokio::test]
async fn a_dead_token_is_replaced_once_and_the_same_page_asked_again() {
    let google = Fake::start(|seen, _| {
        let dead = || Reply::error(401, "authError", "Invalid Credentials");
        let stale = seen.header("authorization") == Some("Bearer ya29.token-1");
        (seen.path != "/token").then(|| if stale { dead() } else { devices() })
    })
    .await;
    let client = google.client();
    client.list_devices(&all(), Some("page-two")).await.unwrap();
    assert_eq!((google.calls().len(), google.token_requests().len()), (2, 2));
    assert!(
        google
            .calls()
            .iter()
            .all(|call| call.parameter("pageToken") == Some("page-two"))
    );
    client.list_devices(&all(), None).await.unwrap();
    assert_eq!(google.token_requests().len(), 2, "the new token is kept");
}

#[tokio::test]
async fn an_account_whose_tokens_are_always_refused_is_reported() {
    let dead = || Reply::error(401, "authError", "Invalid Credentials");
    let google = Fake::start(move |seen, _| (seen.path != "/token").then(dead)).await;
    let error = google.client().list_devices(&all(), None).await.unwrap_err();
    assert_eq!(error.reason, Reason::CredentialRevoked);
    assert_eq!((google.calls().len(), google.token_requests().len()), (2, 2));
}

#[tokio::test]
async fn a_token_is_fetched_once_for_everybody() {
    let google = Fake::start(|seen, before| {
        let slowly = || token_reply(before + 1).after(Duration::from_millis(50));
        Some(if seen.path == "/token" {
            slowly()
        } else {
            devices()
        })
    })
    .await;
    let client = google.client();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        async move {
            client
                .list_devices(&all(), None)
                .await
                .map(|page| page.devices.len())
        }
    });
    let pages = futures::future::join_all(calls).await;
    assert!(pages.into_iter().all(|page| page == Ok(1)));
    assert_eq!(google.token_requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_not_asked_for_again_by_everybody_who_waits() {
    let google = Fake::start(|seen, _| {
        let refused = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
        (seen.path == "/token").then(|| Reply::json(400, &refused).after(Duration::from_millis(50)))
    })
    .await;
    let client = google.client();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        async move { client.list_devices(&all(), None).await.unwrap_err().reason }
    });
    let reasons = futures::future::join_all(calls).await;
    assert!(
        reasons
            .into_iter()
            .all(|reason| reason == Reason::CredentialRevoked)
    );
    assert_eq!(google.token_requests().len(), 1);
}

#[tokio::test]
async fn token_requests_are_repeated_in_an_outage_and_only_then() {
    let google = Fake::start(|seen, before| {
        let outage = json!({"error": "internal_failure", "error_description": "Backend Error"});
        (seen.path == "/token" && before < 2).then(|| Reply::json(500, &outage))
    })
    .await;
    let error = google.client().get_user(ADMIN).await.unwrap_err();
    assert_eq!(
        (error.method, error.reason),
        ("directory.users.get", Reason::UnexpectedAnswer)
    );
    assert_eq!(google.token_requests().len(), 3);

    for (status, error, description, reason) in [
        (
            400,
            "invalid_grant",
            "Invalid email or User ID",
            Reason::AccountNotFound,
        ),
        (
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your 'iat' and 'exp' values",
            Reason::ClockSkew,
        ),
        (
            401,
            "unauthorized_client",
            "Unauthorized client or scope in request.",
            Reason::DelegationMissing {
                missing_scopes: Vec::new(),
            },
        ),
    ] {
        let refused = Reply::json(status, &json!({"error": error, "error_description": description}));
        let google = Fake::start(move |seen, _| (seen.path == "/token").then(|| refused.clone())).await;
        let error = google.client().get_user(ADMIN).await.unwrap_err();
        assert_eq!((error.method, error.reason), ("oauth2.token", reason));
        assert_eq!(error.http_status, Some(status));
        assert_eq!((google.token_requests().len(), google.calls().len()), (1, 0));
    }
}

#[tokio::test]
async fn a_token_that_ends_soon_is_replaced_in_time() {
    let google = Fake::start(|seen, _| {
        let short = json!({"access_token": "ya29.short", "expires_in": 2, "token_type": "Bearer"});
        Some(if seen.path == "/token" {
            Reply::json(200, &short)
        } else {
            devices()
        })
    })
    .await;
    let client = google.client();
    client.list_devices(&all(), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    client.list_devices(&all(), None).await.unwrap();
    assert_eq!(google.token_requests().len(), 2);
}
