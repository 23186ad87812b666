//! HTTP itself: keep-alive, compression, content types, formatting, the method override, the request log.

use std::io::Read;

use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::request_log::LogFilter;
use reqwest::header;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, LIST, World};

#[tokio::test]
async fn answers_are_pretty_unless_asked_not_to_be() {
    let world = World::with_devices(2).await;
    let pretty = world.page("").await;
    assert!(pretty.text.starts_with("{\n  \"kind\":"), "{}", pretty.text);
    assert_eq!(
        pretty.headers[header::CONTENT_TYPE],
        "application/json; charset=UTF-8"
    );
    assert_eq!(pretty.headers[header::SERVER], "ESF");
    let compact = world.page("prettyPrint=false").await;
    assert!(!compact.text.contains('\n'));
    assert_eq!(compact.json(), pretty.json());
    let error = world.page("maxResults=0").await;
    assert!(error.text.starts_with("{\n  \"error\": {\n"), "{}", error.text);
    assert!(
        !world
            .page("maxResults=0&prettyPrint=false")
            .await
            .text
            .contains('\n')
    );
}

#[tokio::test]
async fn pages_are_compressed_when_asked() {
    let world = World::with_devices(50).await;
    let plain = reqwest::Client::builder().no_proxy().gzip(false).build().unwrap();
    let request = |encoding: Option<&str>| {
        let request = plain.get(world.url(LIST)).bearer_auth(&world.token);
        match encoding {
            None => request,
            Some(encoding) => request.header(header::ACCEPT_ENCODING, encoding),
        }
    };
    let expected = request(None).send().await.unwrap();
    assert!(expected.headers().get(header::CONTENT_ENCODING).is_none());
    let expected = expected.bytes().await.unwrap();
    let compressed = request(Some("gzip, deflate")).send().await.unwrap();
    assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "gzip");
    let compressed = compressed.bytes().await.unwrap();
    assert!(
        compressed.len() * 3 < expected.len(),
        "{} of {}",
        compressed.len(),
        expected.len()
    );
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&compressed[..])
        .read_to_end(&mut text)
        .unwrap();
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_long_query_may_come_as_a_form() {
    let world = World::with_devices(20).await;
    let form = format!("maxResults=7&query={}", "note:x+".repeat(400));
    let request = world
        .http
        .post(world.url(LIST))
        .bearer_auth(&world.token)
        .header("x-http-method-override", "GET")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = Answer::of(request.try_clone().unwrap().body(form).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = Answer::of(request.body("maxResults=7").send().await.unwrap()).await;
    assert_eq!(answer.rows().len(), 7);
    let entry = world
        .simulator
        .state()
        .requests(&LogFilter::default())
        .pop()
        .unwrap();
    assert_eq!(
        (entry.verb.as_str(), entry.query.as_str()),
        ("GET", "maxResults=7")
    );
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let world = World::with_devices(2).await;
    let mut stream = tokio::net::TcpStream::connect(world.simulator.address())
        .await
        .unwrap();
    for _ in 0..3 {
        let request = format!(
            "GET {LIST}?prettyPrint=false HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\n\r\n",
            world.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let mut buffer = [0; 4096];
        while !answer.ends_with("}]}") {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "{answer}");
            answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn the_log_knows_the_caller_and_no_secret() {
    let world = World::with_devices(30).await;
    world.page("maxResults=10&access_token=SECRET&key=SECRET").await;
    let second = world.page("maxResults=10").await.next().unwrap();
    world.page(&format!("maxResults=10&pageToken={second}")).await;
    world.page("maxResults=0").await;
    let state = world.simulator.state();
    let filter = LogFilter {
        api: Some(ApiMethod::DevicesList),
        ..LogFilter::default()
    };
    let entries = state.requests(&filter);
    let pages: Vec<_> = entries
        .iter()
        .map(|entry| (entry.call.page, entry.call.rows, entry.status))
        .collect();
    assert_eq!(
        pages,
        [
            (Some(1), Some(10), Some(200)),
            (Some(1), Some(10), Some(200)),
            (Some(2), Some(10), Some(200)),
            (None, None, Some(400))
        ]
    );
    let last = entries.last().unwrap();
    assert_eq!(last.call.reason.as_deref(), Some("invalidParameter"));
    assert_eq!(last.call.account.as_deref(), Some("admin@school.example"));
    assert_eq!(last.call.customer, Some(world.customer()));
    assert_eq!(last.call.quota_units, 1);
    assert_eq!(last.call.scopes.len(), 4);
    let shown = world
        .control(
            reqwest::Method::GET,
            "/requests?api=directory.chromeosdevices.list",
            &Value::Null,
        )
        .await;
    assert!(
        !shown.text.contains("SECRET") && !shown.text.contains(&world.token),
        "{}",
        shown.text
    );
    assert_eq!(shown.json()["counts"]["directory.chromeosdevices.list"], 4);
    world
        .control(reqwest::Method::DELETE, "/requests", &Value::Null)
        .await;
    assert!(state.requests(&LogFilter::default()).is_empty());
    let bad = world
        .control(reqwest::Method::GET, "/requests?method=GET", &Value::Null)
        .await;
    assert_eq!(bad.status, 400);
}
