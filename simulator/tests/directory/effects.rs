//! Faults around the effect of a call: what a client sees, and what happens to the device.

use std::time::Duration;

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::command::CommandType;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::faults::{Fault, FaultRule};
use google_admin_simulator::request_log::LogFilter;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, LIST, World, codes, status_body};

/// What a client sees of a struck call.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// A refusal, or a page, with this status.
    Refused(u16),
    /// No answer: the connection ended.
    Broken,
    /// No answer in time.
    TimedOut,
    /// 200, but the body ends too early.
    Cut,
    /// 200 with a body that is no JSON.
    NoJson,
    /// 200 with JSON, or with nothing where nothing is due.
    Json(Value),
}

/// How long a client waits for an answer that never comes; others may take as long as a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(1);

pub async fn call(world: &World, (method, path, body): (Method, String, Value), patience: Duration) -> Seen {
    let request = world
        .http
        .request(method, world.url(&path))
        .bearer_auth(&world.token)
        .timeout(patience)
        .json(&body);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Seen::TimedOut,
        Err(_) => return Seen::Broken,
    };
    let status = response.status().as_u16();
    match response.text().await {
        _ if status != 200 => Seen::Refused(status),
        Err(_) => Seen::Cut,
        Ok(text) if text.is_empty() => Seen::Json(Value::Null),
        Ok(text) => serde_json::from_str(&text).map_or(Seen::NoJson, Seen::Json),
    }
}

#[tokio::test]
async fn a_connection_can_close_before_the_body_is_read() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let state = world.simulator.state();
    for (fault, orderly) in [
        (Fault::ConnectionClosed {}, true),
        (Fault::ConnectionReset {}, false),
    ] {
        state.add_fault(FaultRule::everywhere(fault).times(1)).unwrap();
        let mut stream = tokio::net::TcpStream::connect(world.simulator.address())
            .await
            .unwrap();
        let head = format!(
            "POST {LIST}/{id}:issueCommand HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {}\r\nContent-Length: \
             30\r\n\r\n",
            world.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer).await;
        assert_eq!((end.is_ok(), answer.len()), (orderly, 0), "{end:?}");
        assert_eq!(world.witness(&id).events, []);
        let entry = state.requests(&LogFilter::default()).pop().unwrap();
        assert_eq!((entry.status, entry.fault.is_some()), (None, true));
    }
}

#[tokio::test]
async fn a_client_that_gives_up_leaves_a_trace_in_the_log() {
    for takes_effect in [true, false] {
        let world = World::with_devices(20).await;
        let id = world.laptop();
        let state = world.simulator.state();
        let rule = FaultRule::on(ApiMethod::IssueCommand, Fault::Hang {}).times(1);
        let rule = if takes_effect { rule.taking_effect() } else { rule };
        state.add_fault(rule).unwrap();
        let path = format!("{LIST}/{id}:issueCommand");
        let body = json!({ "commandType": "WIPE_USERS" });
        let others = async {
            tokio::time::sleep(PATIENCE / 2).await;
            world.device(&id).await["status"].clone()
        };
        let (seen, status) = tokio::join!(call(&world, (Method::POST, path, body), PATIENCE), others);
        assert_eq!(
            (seen, status),
            (Seen::TimedOut, json!("ACTIVE")),
            "others are served"
        );
        for _ in 0..200 {
            if state.requests(&LogFilter::default()).len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = state.requests(&LogFilter::default());
        let numbers: Vec<u64> = log.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, [1, 2], "in the order in which they came");
        assert_eq!((log[0].status, log[0].fault), (None, Some(1)));
        let account = takes_effect.then_some("admin@school.example");
        assert_eq!(log[0].call.account.as_deref(), account);
        let witness = world.witness(&id);
        let request = witness.events.first().and_then(|event| event.request);
        assert_eq!(request, takes_effect.then_some(1));
    }
}

#[tokio::test]
async fn a_client_that_gives_up_after_a_long_request_is_noticed_too() {
    let world = World::with_devices(1).await;
    let state = world.simulator.state();
    state.add_fault(FaultRule::everywhere(Fault::Hang {})).unwrap();
    let mut stream = tokio::net::TcpStream::connect(world.simulator.address())
        .await
        .unwrap();
    let body = "x".repeat(1_000_000);
    let request = format!(
        "POST {LIST}:batchChangeStatus HTTP/1.1\r\nHost: sim\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(PATIENCE / 4).await;
    assert!(state.requests(&LogFilter::default()).is_empty(), "it goes on");
    drop(stream);
    for _ in 0..200 {
        if !state.requests(&LogFilter::default()).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the request goes on for ever");
}

#[tokio::test]
async fn rules_mean_devices_in_paths_and_in_bodies() {
    let world = World::with_devices(60).await;
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let rule = FaultRule::everywhere(Fault::Internal {}).about(vec![ids[0].to_uppercase()]);
    world.simulator.state().add_fault(rule).unwrap();
    for (id, status) in [(&ids[0], 500), (&ids[1], 200)] {
        let device = format!("{LIST}/{id}");
        let rows = [
            (Method::GET, device.clone(), Value::Null),
            (Method::PATCH, device.clone(), json!({ "notes": "x" })),
            (Method::PUT, device.clone(), json!({ "notes": "x" })),
            (
                Method::POST,
                format!("{device}:issueCommand"),
                json!({ "commandType": "REBOOT" }),
            ),
            (
                Method::POST,
                format!("{device}/action"),
                json!({ "action": "disable" }),
            ),
            (
                Method::POST,
                format!("{LIST}:batchChangeStatus"),
                status_body(&[&ids[2], id], "REENABLE"),
            ),
            (
                Method::POST,
                format!("{LIST}/moveDevicesToOu?orgUnitPath=/"),
                json!({ "deviceIds": [ids[2], id] }),
            ),
        ];
        for (method, path, body) in rows {
            let answer = world.send(method.clone(), &path, &body).await;
            assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text);
        }
    }
    assert_eq!(world.get(LIST).await.status, 200, "a list is about nobody");
    let reports = world.simulator.state().list_faults();
    assert_eq!((reports[0].matched, reports[0].struck), (7, 7));
}

#[tokio::test]
async fn one_row_can_be_told_to_have_failed() {
    for (effect, at_once, later) in [
        (json!({}), false, false),
        (json!({ "effect": "none" }), false, false),
        (json!({ "effect": "now" }), true, true),
        (json!({ "effect": "late", "lateSeconds": 5 }), false, true),
    ] {
        let world = World::with_devices(60).await;
        let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
        let (struck, plain) = (&ids[0], &ids[1]);
        let mut rule =
            json!({ "match": { "devices": [struck] }, "fault": { "kind": "rowError", "code": 13 } });
        let fields = rule.as_object_mut().unwrap();
        fields.extend(effect.as_object().unwrap().clone());
        let added = world.control(Method::POST, "/faults", &rule).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let answer = world.change_status(&[struck, plain], "DISABLE").await;
        assert_eq!((codes(&answer)[struck], codes(&answer)[plain]), (13, 0));
        assert!(answer.text.contains("Internal error encountered."));
        let disabled = |id: &str| world.witness(id).api.disables == 1;
        assert!(disabled(plain), "{effect}: the other row is carried out");
        assert_eq!(disabled(struck), at_once, "{effect}");
        world.advance(5);
        assert_eq!(disabled(struck), later, "{effect}");
        assert_eq!(world.issue(struck, "REBOOT").await.status, 200, "no other method");
    }
}

#[tokio::test]
async fn one_row_can_be_missing() {
    let world = World::with_devices(60).await;
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let rule = FaultRule::everywhere(Fault::IncompleteAnswer {}).about(vec![ids[0].clone()]);
    world.simulator.state().add_fault(rule.times(1)).unwrap();
    let answer = world.change_status(&[&ids[0], &ids[1]], "DISABLE").await;
    assert_eq!(codes(&answer).into_keys().collect::<Vec<_>>(), [ids[1].clone()]);
    assert_eq!(world.witness(&ids[0]).api.disables, 1);
    let refused = FaultRule::on(ApiMethod::IssueCommand, Fault::IncompleteAnswer {});
    world.simulator.state().add_fault(refused).unwrap();
    let answer = world.issue(&ids[0], "SET_VOLUME").await;
    assert_eq!(answer.status, 400, "a refusal stays whole: {}", answer.text);
    assert_eq!(world.get(LIST).await.status, 200, "it suits no other method");
}

#[tokio::test]
async fn a_late_effect_that_is_no_longer_possible_does_not_happen() {
    let world = World::with_devices(60).await;
    let state = world.simulator.state();
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let rule = FaultRule::everywhere(Fault::Internal {}).late(30).times(4);
    state.add_fault(rule).unwrap();
    world.change_status(&[&ids[0], &ids[1]], "DISABLE").await;
    world.issue(&ids[2], "REBOOT").await;
    world.issue(&ids[3], "REBOOT").await;
    let body = json!({ "notes": "late" });
    world
        .send(Method::PATCH, &format!("{LIST}/{}", ids[4]), &body)
        .await;
    world.change_status(&[&ids[0]], "DEPROVISION").await;
    world.advance(28);
    assert_eq!(
        world.issue(&ids[2], "REBOOT").await.status,
        200,
        "the late one is not there yet"
    );
    let vanish = BulkChange::of(ChangeKind::Vanish, vec![ids[3].clone(), ids[4].clone()]);
    state.change_devices(&world.customer(), &vanish).unwrap();
    world.advance(2);
    let disables = |id: &str| world.witness(id).api.disables;
    assert_eq!((disables(&ids[0]), disables(&ids[1])), (0, 1));
    let accepted = |id: &str| world.witness(id).accepted(CommandType::Reboot);
    assert_eq!((accepted(&ids[2]), accepted(&ids[3])), (1, 0));
    let row = world
        .truth()
        .into_iter()
        .find(|row| row.device_id == ids[4])
        .unwrap();
    assert_ne!(row.notes.as_deref(), Some("late"));
}

#[tokio::test]
async fn the_true_answer_can_come_before_the_effect() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let rule = FaultRule::everywhere(Fault::Delay { milliseconds: 0 }).late(60);
    world.simulator.state().add_fault(rule.times(1)).unwrap();
    let command = world.accepted(&id, "REBOOT").await;
    assert_eq!(world.command(&id, &command).await.status, 404);
    world.advance(62);
    let answer = world.command(&id, &command).await.json();
    assert_eq!(
        (&answer["state"], &answer["issueTime"]),
        (&json!("ACKED_BY_CLIENT"), &json!("2026-11-23T10:01:00.000Z")),
        "it happens in its time, not when somebody looks"
    );
}

#[tokio::test]
async fn a_batch_has_effects_as_a_whole_and_call_by_call() {
    for (effect, whole, at_once, later) in [
        (json!({}), true, false, false),
        (json!({ "effect": "now" }), true, true, true),
        (json!({ "effect": "late", "lateSeconds": 5 }), true, false, true),
        (json!({ "effect": "now" }), false, true, true),
        (json!({ "effect": "none" }), false, false, false),
    ] {
        let world = World::with_devices(60).await;
        let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
        let matches = if whole {
            json!({ "path": "^/batch$" })
        } else {
            json!({ "api": "directory.chromeosdevices.action", "devices": [ids[0]] })
        };
        let mut rule = json!({ "match": matches, "fault": { "kind": "connectionReset" }, "count": 1 });
        let fields = rule.as_object_mut().unwrap();
        fields.extend(effect.as_object().unwrap().clone());
        world.control(Method::POST, "/faults", &rule).await;
        let part = |id: &str| {
            format!(
                "--b\r\nContent-Type: application/http\r\n\r\nPOST {LIST}/{id}/action HTTP/1.1\r\n\r\n\
                 {{\"action\": \"disable\"}}\r\n"
            )
        };
        let request = world
            .http
            .post(world.url("/batch"))
            .bearer_auth(&world.token)
            .header("content-type", "multipart/mixed; boundary=b")
            .body(format!("{}{}--b--\r\n", part(&ids[0]), part(&ids[1])));
        let answer = request.send().await;
        assert_eq!(answer.is_err(), whole, "{effect}");
        if let Ok(answer) = answer {
            let text = answer.text().await.unwrap();
            assert!(
                text.contains("HTTP/1.1 500") && text.contains("HTTP/1.1 200"),
                "{text}"
            );
        }
        let disabled = |id: &str| world.witness(id).api.disables == 1;
        assert_eq!(disabled(&ids[0]), at_once, "{rule}");
        assert_eq!(disabled(&ids[1]), at_once || !whole, "{rule}");
        world.advance(5);
        assert_eq!(disabled(&ids[0]), later, "{rule}");
    }
}

#[tokio::test]
async fn effects_that_make_no_sense_are_refused() {
    let world = World::with_devices(1).await;
    let internal = json!({ "kind": "internal" });
    for (rule, hint) in [
        (json!({ "fault": internal, "effect": "late" }), "lateSeconds"),
        (
            json!({ "fault": internal, "effect": "now", "lateSeconds": 3 }),
            "only with effect late",
        ),
        (
            json!({ "fault": internal, "lateSeconds": 3 }),
            "only with effect late",
        ),
        (json!({ "fault": internal, "effect": "maybe" }), "`late`"),
        (json!({ "fault": internal, "takesEffect": true }), "`effect`"),
        (
            json!({ "fault": { "kind": "connectionClosed" }, "effect": "now" }),
            "connectionReset",
        ),
        (
            json!({ "fault": { "kind": "rowError", "code": 0 } }),
            "google.rpc.Code",
        ),
        (
            json!({ "fault": { "kind": "rowError", "code": 17 } }),
            "google.rpc.Code",
        ),
        (json!({ "fault": { "kind": "rowError" } }), "code"),
    ] {
        let answer: Answer = world.control(Method::POST, "/faults", &rule).await;
        assert_eq!(answer.status, 400, "{rule}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(hint), "{rule}: {message}");
    }
}
