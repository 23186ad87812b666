//! Every kind of fault, as a client sees it.

use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::api_error::ErrorShape;
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use google_admin_simulator::request_log::LogFilter;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Answer, LIST, World, frozen, token};

async fn struck(world: &World, fault: Value) -> Answer {
    let added = world
        .control(Method::POST, "/faults", &json!({ "fault": fault, "count": 1 }))
        .await;
    assert_eq!(added.status, 201, "{}", added.text);
    let answer = world.get(LIST).await;
    assert_eq!(world.get(LIST).await.status, 200, "one strike is one strike");
    answer
}

#[tokio::test]
async fn refusals_have_googles_words() {
    let world = World::with_devices(3).await;
    let rows = [
        (json!({ "kind": "unauthorized" }), 401, "authError"),
        (json!({ "kind": "forbidden" }), 403, "forbidden"),
        (json!({ "kind": "notFound" }), 404, "notFound"),
        (json!({ "kind": "conditionNotMet" }), 412, "conditionNotMet"),
        (json!({ "kind": "tooManyRequests" }), 429, "rateLimitExceeded"),
        (json!({ "kind": "internal" }), 500, "backendError"),
        (json!({ "kind": "unavailable" }), 503, "backendError"),
        (json!({ "kind": "gatewayTimeout" }), 504, "gatewayTimeout"),
        (json!({ "kind": "pageTokenRejected" }), 400, "invalid"),
        (json!({ "kind": "pageTokenExpired" }), 503, "backendError"),
    ];
    for (fault, status, reason) in rows {
        let answer = struck(&world, fault.clone()).await;
        assert_eq!(
            (answer.status, answer.error().1.as_str()),
            (status, reason),
            "{fault}"
        );
        assert!(answer.headers.get(header::RETRY_AFTER).is_none());
    }
    for reason in [
        "forbidden",
        "insufficientPermissions",
        "accessNotConfigured",
        "domainCannotUseApis",
        "userRateLimitExceeded",
        "rateLimitExceeded",
        "quotaExceeded",
        "dailyLimitExceeded",
    ] {
        let answer = struck(&world, json!({ "kind": "forbidden", "reason": reason })).await;
        assert_eq!((answer.status, answer.error().1.as_str()), (403, reason));
    }
}

#[tokio::test]
async fn waits_can_be_told() {
    let world = World::with_devices(3).await;
    for kind in ["tooManyRequests", "unavailable"] {
        let answer = struck(&world, json!({ "kind": kind, "retryAfterSeconds": 7 })).await;
        assert_eq!(answer.headers[header::RETRY_AFTER], "7");
    }
}

#[tokio::test]
async fn a_bad_gateway_is_a_page() {
    let world = World::with_devices(3).await;
    let answer = struck(&world, json!({ "kind": "badGateway" })).await;
    assert_eq!(answer.status, 502);
    assert!(
        answer.headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(answer.text.contains("<!DOCTYPE html>"));
}

#[tokio::test]
async fn shapes_can_be_forced() {
    let world = World::with_devices(3).await;
    let state = world.simulator.state();
    for (shape, has_errors, has_status) in [
        (ErrorShape::V1, true, false),
        (ErrorShape::V2, false, true),
        (ErrorShape::Natural, true, true),
    ] {
        let fault = Fault::Forbidden {
            reason: ForbiddenReason::InsufficientPermissions,
        };
        state
            .add_fault(FaultRule {
                shape,
                ..FaultRule::everywhere(fault).times(1)
            })
            .unwrap();
        let error = world.get(LIST).await.json()["error"].clone();
        assert_eq!(
            (error.get("errors").is_some(), error.get("status").is_some()),
            (has_errors, has_status),
            "{shape:?}"
        );
    }
}

#[tokio::test]
async fn a_reset_connection_is_a_reset_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::with_devices(3).await;
    let state = world.simulator.state();
    state
        .add_fault(FaultRule::everywhere(Fault::ConnectionReset {}).times(1))
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(world.simulator.address())
        .await
        .unwrap();
    let request = format!(
        "GET {LIST} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\n\r\n",
        world.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        std::io::ErrorKind::ConnectionReset,
        "not an orderly end"
    );
    let entry = state.requests(&LogFilter::default()).pop().unwrap();
    assert_eq!(
        (entry.status, entry.fault, entry.call.rows),
        (None, Some(1), None)
    );
    assert_eq!(world.get(LIST).await.status, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_call_took_effect() {
    let world = World::with_devices(3).await;
    let state = world.simulator.state();
    for fault in [
        Fault::ConnectionReset {},
        Fault::Unavailable {
            retry_after_seconds: None,
        },
    ] {
        let rule = FaultRule::everywhere(fault).times(1).taking_effect();
        state.add_fault(rule).unwrap();
        let sent = world
            .http
            .get(world.url(LIST))
            .bearer_auth(&world.token)
            .send()
            .await;
        assert!(sent.is_err() || sent.unwrap().status() == 503);
        let entry = state.requests(&LogFilter::default()).pop().unwrap();
        assert_eq!(entry.call.rows, Some(3), "the call was carried out");
        assert!(entry.fault.is_some());
    }
}

#[tokio::test]
async fn a_truncated_body_promises_more_than_it_sends() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::with_devices(30).await;
    let whole = world.get(LIST).await.text.len();
    let state = world.simulator.state();
    let fault = Fault::TruncatedBody { keep_percent: 30 };
    state
        .add_fault(FaultRule::everywhere(fault.clone()).times(2))
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(world.simulator.address())
        .await
        .unwrap();
    let request = format!(
        "GET {LIST} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\n\r\n",
        world.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {whole}")), "{head}");
    assert_eq!(body.len(), whole * 30 / 100);
    let response = world
        .http
        .get(world.url(LIST))
        .bearer_auth(&world.token)
        .send()
        .await
        .unwrap();
    assert!(
        response.status() == 200 && response.bytes().await.is_err(),
        "a client notices"
    );
}

#[tokio::test]
async fn slow_bodies_and_delays_take_their_time_and_are_complete() {
    let world = World::with_devices(3).await;
    let expected = world.get(LIST).await.json();
    for fault in [
        json!({ "kind": "slowBody", "chunkBytes": 2000, "delayMilliseconds": 50 }),
        json!({ "kind": "delay", "milliseconds": 100 }),
    ] {
        let begun = std::time::Instant::now();
        world
            .control(Method::POST, "/faults", &json!({ "fault": fault, "count": 1 }))
            .await;
        assert_eq!(world.get(LIST).await.json(), expected, "{fault}");
        assert!(begun.elapsed().as_millis() >= 100, "{fault}");
    }
}

#[tokio::test]
async fn broken_json_and_answers_of_ones_own() {
    let world = World::with_devices(3).await;
    let broken = struck(&world, json!({ "kind": "invalidJson" })).await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_str::<Value>(&broken.text).is_err());
    let own = struck(
        &world,
        json!({ "kind": "answer", "status": 418, "contentType": "text/plain", "body": "tea" }),
    )
    .await;
    assert_eq!((own.status, own.text.as_str()), (418, "tea"));
}

#[tokio::test]
async fn a_rule_can_mean_one_page_of_a_walk() {
    let world = World::with_devices(50).await;
    let rule = FaultRule::on(
        ApiMethod::DevicesList,
        Fault::Unavailable {
            retry_after_seconds: None,
        },
    )
    .on_page(3)
    .times(1);
    world.simulator.state().add_fault(rule).unwrap();
    let second = world.page("maxResults=10").await.next().unwrap();
    let third = world
        .page(&format!("maxResults=10&pageToken={second}"))
        .await
        .next()
        .unwrap();
    assert_eq!(
        world
            .page(&format!("maxResults=10&pageToken={third}"))
            .await
            .status,
        503
    );
    assert_eq!(
        world
            .page(&format!("maxResults=10&pageToken={third}"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_rule_can_mean_one_customer() {
    let world = World::start(frozen(3).tenants(2)).await;
    let rule = json!({ "match": { "tenant": world.customer() }, "fault": { "kind": "internal" } });
    world.control(Method::POST, "/faults", &rule).await;
    assert_eq!(world.get(LIST).await.status, 500);
    let other = token(
        &world.simulator,
        "admin@second.example",
        &[crate::support::DEVICES],
    );
    assert_eq!(world.get_as(&other, LIST).await.status, 200);
}

#[tokio::test]
async fn rules_reach_the_token_endpoint_and_never_the_control_api() {
    let world = World::with_devices(3).await;
    world
        .control(
            Method::POST,
            "/faults",
            &json!({ "fault": { "kind": "badGateway" } }),
        )
        .await;
    let token = world
        .http
        .post(world.url("/token"))
        .body("grant_type=x")
        .send()
        .await
        .unwrap();
    assert_eq!(token.status(), 502);
    assert_eq!(
        world.control(Method::GET, "/health", &Value::Null).await.status,
        200
    );
    let listed = world.control(Method::GET, "/faults", &Value::Null).await.json();
    assert_eq!(
        (&listed["faults"][0]["struck"], &listed["faults"][0]["id"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        world
            .control(Method::DELETE, "/faults/1", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        world
            .control(Method::DELETE, "/faults/1", &Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(world.get(LIST).await.status, 200);
}

#[tokio::test]
async fn bad_rules_are_refused_with_what_is_allowed() {
    let world = World::with_devices(1).await;
    let rows = [
        (json!({}), "fault"),
        (json!({ "fault": { "kind": "explode" } }), "connectionReset"),
        (
            json!({ "fault": { "kind": "internal", "seconds": 1 } }),
            "seconds",
        ),
        (json!({ "fault": { "kind": "internal" }, "rate": 2 }), "rate"),
        (
            json!({ "fault": { "kind": "internal" }, "match": { "url": "/" } }),
            "path",
        ),
        (
            json!({ "fault": { "kind": "internal" }, "match": { "api": "list" } }),
            "directory.chromeosdevices.list",
        ),
    ];
    for (rule, hint) in rows {
        let answer = world.control(Method::POST, "/faults", &rule).await;
        assert_eq!(answer.status, 400, "{rule}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(hint), "{rule}: {message}");
    }
}
