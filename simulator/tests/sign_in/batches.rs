//! Batches, written and read as the clients do it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Answer, DEVICE_LIST, DEVICES, USERS_READ_ONLY, World};

struct Call<'a> {
    id: &'a str,
    request: String,
    headers: String,
    body: &'a str,
}

fn get(id: &str, path: impl Into<String>) -> Call<'_> {
    Call {
        id,
        request: format!("GET {}", path.into()),
        headers: String::new(),
        body: "",
    }
}

/// As google-api-python-client writes a batch: bare line feeds, long `Content-ID`s folded.
fn body(calls: &[Call<'_>], line_end: &str) -> String {
    let mut text = String::new();
    for Call {
        id,
        request,
        headers,
        body,
    } in calls
    {
        let _ = write!(
            text,
            "--===\nContent-Type: application/http\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\
             Content-ID: <b9a4ff20-35e1-4c5a-8f8b-1b1d4cbe0f8a +\n {id}>\n\n{request} HTTP/1.1\n{headers}\n{body}\n"
        );
    }
    text.push_str("--===--\n");
    text.replace('\n', line_end)
}

async fn send(world: &World, path: &str, token: Option<&str>, body: String) -> Answer {
    let mut request = world
        .http
        .post(world.url(path))
        .header("content-type", "multipart/mixed; boundary=\"===\"")
        .body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Answer::of(request.send().await.unwrap()).await
}

/// Id (behind the ` + `), status and body of each part.
fn parts(answer: &Answer) -> Vec<(String, u16, Value)> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let content_type = answer.headers["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    let mut found = Vec::new();
    for part in answer
        .text
        .split(&format!("--{boundary}"))
        .skip(1)
        .filter(|part| !part.starts_with("--"))
    {
        let (outer, message) = part.split_once("\r\n\r\n").unwrap();
        assert!(outer.contains("Content-Type: application/http"));
        let id = outer
            .split("Content-ID: <response-")
            .nth(1)
            .and_then(|rest| rest.split('>').next())
            .unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let id = id.split_once(" + ").unwrap().1.to_owned();
        found.push((
            id,
            status,
            serde_json::from_str(body.trim()).unwrap_or(Value::Null),
        ));
    }
    found
}

#[tokio::test]
async fn every_call_has_its_own_status_at_both_addresses_and_with_both_line_ends() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    let list = world.get(DEVICE_LIST, &token).await.json();
    let device = list["chromeosdevices"][0]["deviceId"].as_str().unwrap();
    let calls = [
        get("good", format!("{DEVICE_LIST}/{device}?fields=deviceId")),
        get("missing", format!("{DEVICE_LIST}/nothing")),
        get(
            "absolute",
            format!("https://admin.googleapis.com{DEVICE_LIST}?maxResults=2"),
        ),
        get("range", format!("{DEVICE_LIST}?maxResults=500")),
    ];
    for path in ["/batch", "/batch/admin/directory_v1"] {
        for line_end in ["\n", "\r\n"] {
            let found = parts(&send(&world, path, Some(&token), body(&calls, line_end)).await);
            let statuses: Vec<(&str, u16)> = found
                .iter()
                .map(|(id, status, _)| (id.as_str(), *status))
                .collect();
            assert_eq!(
                statuses,
                [("good", 200), ("missing", 404), ("absolute", 200), ("range", 400)]
            );
            assert_eq!(found[0].2["deviceId"], device);
        }
    }
}

#[tokio::test]
async fn a_body_inside_a_batch_has_the_same_effect_as_one_outside() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    let path = format!("{DEVICE_LIST}:batchChangeStatus");
    let bodies = [
        r#"{"deviceIds": ["a"], "changeChromeOsDeviceStatusAction": "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DISABLE"}"#,
        r#"{"deviceIds": "a"}"#,
        "no json",
    ];
    let mut outside = Vec::new();
    for body in bodies {
        let request = world.http.post(world.url(&path)).bearer_auth(&token).body(body);
        let answer = Answer::of(request.send().await.unwrap()).await;
        outside.push((answer.status, answer.json()));
    }
    assert!(
        outside[0].0 != outside[1].0 && outside[1].1 != outside[2].1,
        "{outside:?}"
    );
    let calls = bodies.map(|body| Call {
        id: "x",
        request: format!("POST {path}"),
        headers: format!("content-type: application/json\ncontent-length: {}\n", body.len()),
        body,
    });
    let inside = parts(&send(&world, "/batch", Some(&token), body(&calls, "\n")).await);
    let inside: Vec<(u16, Value)> = inside
        .into_iter()
        .map(|(_, status, body)| (status, body))
        .collect();
    assert_eq!(inside, outside);
}

#[tokio::test]
async fn a_call_signs_in_with_its_own_token_or_with_that_of_the_batch() {
    let world = World::new().await;
    let (devices, users) = (world.token(DEVICES).await, world.token(USERS_READ_ONLY).await);
    let mut own = get("own", DEVICE_LIST);
    own.headers = format!("authorization: Bearer {devices}\n");
    let mut bad = get("bad", DEVICE_LIST);
    bad.headers = "authorization: Bearer ya29.never\n".to_owned();
    let calls = [own, get("outer", DEVICE_LIST), bad];
    let statuses =
        |found: Vec<(String, u16, Value)>| found.iter().map(|(_, status, _)| *status).collect::<Vec<_>>();
    assert_eq!(
        statuses(parts(
            &send(&world, "/batch", Some(&users), body(&calls, "\n")).await
        )),
        [200, 403, 401]
    );
    assert_eq!(
        statuses(parts(&send(&world, "/batch", None, body(&calls, "\n")).await)),
        [200, 401, 401]
    );
}

#[tokio::test]
async fn the_answers_may_come_in_another_order() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    let ids: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let calls: Vec<Call<'_>> = ids
        .iter()
        .map(|id| get(id, format!("{DEVICE_LIST}?maxResults=1")))
        .collect();
    let order = |answer: &Answer| parts(answer).into_iter().map(|(id, _, _)| id).collect::<Vec<_>>();
    assert_eq!(
        order(&send(&world, "/batch", Some(&token), body(&calls, "\n")).await),
        ids
    );
    world.control("PATCH", "/batch", &json!({"shuffle": true})).await;
    let mut shuffled = order(&send(&world, "/batch", Some(&token), body(&calls, "\n")).await);
    assert_ne!(shuffled, ids);
    shuffled.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(shuffled, ids);
}

#[tokio::test]
async fn quota_counts_every_call_or_the_batch() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    let calls: Vec<Call<'_>> = (0..10)
        .map(|_| get("x", format!("{DEVICE_LIST}?maxResults=1")))
        .collect();
    let used = async || {
        let quota = world.control("GET", "/quota", &Value::Null).await;
        quota["usage"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["queries"].as_u64().unwrap())
            .sum::<u64>()
    };
    parts(&send(&world, "/batch", Some(&token), body(&calls, "\n")).await);
    assert_eq!(used().await, 10);
    world
        .control("PATCH", "/batch", &json!({"costsOneUnit": true}))
        .await;
    parts(&send(&world, "/batch", Some(&token), body(&calls, "\n")).await);
    assert_eq!(used().await, 11);
}

#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let world = World::new().await;
    let call = "--===\nContent-Type: application/http\n\nGET / HTTP/1.1\n\n";
    let rows = [
        ("empty", String::new()),
        ("only the end", "--===--\n".to_owned()),
        ("too many", call.repeat(1001) + "--===--"),
        (
            "no request",
            "--===\nContent-Type: text/plain\n\nhello\n--===--".to_owned(),
        ),
        (
            "a batch in a batch",
            "--===\nContent-Type: application/http\n\nPOST /batch HTTP/1.1\n\n--===--".to_owned(),
        ),
    ];
    for (name, text) in rows {
        let answer = send(&world, "/batch", None, text).await;
        assert_eq!(
            answer.api_error(),
            (400, "badRequest".to_owned()),
            "{name}: {}",
            answer.text
        );
    }
    let full = send(&world, "/batch", None, call.repeat(1000) + "--===--").await;
    assert_eq!(full.status, 200);
    let no_boundary = world
        .http
        .post(world.url("/batch"))
        .body(call)
        .send()
        .await
        .unwrap();
    assert_eq!(no_boundary.status().as_u16(), 400);
}
