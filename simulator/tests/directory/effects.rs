//! Faults around the effect of a call: what a client sees, and what happens to the device.

use std::time::Duration;

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::command::CommandType;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::faults::{Fault, FaultRule};
use google_admin_simulator::quota::QuotaLimits;
use google_admin_simulator::request_log::LogFilter;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, LIST, World, codes, frozen, status_body};

/// What a client sees of a struck call.
#[derive(Debug, PartialEq)]
enum Seen {
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

/// The kinds of faults that a changing call can meet, what a client sees, and whether the call takes effect if the
/// rule does not say.
fn kinds() -> Vec<(Value, &'static str, bool)> {
    vec![
        (json!({ "kind": "unauthorized" }), "401", false),
        (json!({ "kind": "forbidden" }), "403", false),
        (json!({ "kind": "notFound" }), "404", false),
        (json!({ "kind": "conditionNotMet" }), "412", false),
        (json!({ "kind": "tooManyRequests" }), "429", false),
        (json!({ "kind": "internal" }), "500", false),
        (json!({ "kind": "badGateway" }), "502", false),
        (json!({ "kind": "unavailable" }), "503", false),
        (json!({ "kind": "gatewayTimeout" }), "504", false),
        (json!({ "kind": "pageTokenRejected" }), "400", false),
        (json!({ "kind": "pageTokenExpired" }), "503", false),
        (
            json!({ "kind": "answer", "status": 418, "body": "tea" }),
            "418",
            false,
        ),
        (json!({ "kind": "connectionReset" }), "broken", false),
        (json!({ "kind": "hang" }), "timeout", false),
        (json!({ "kind": "invalidJson" }), "no json", false),
        (json!({ "kind": "truncatedBody" }), "cut", true),
        (
            json!({ "kind": "slowBody", "chunkBytes": 20, "delayMilliseconds": 1 }),
            "whole",
            true,
        ),
        (json!({ "kind": "delay", "milliseconds": 5 }), "whole", true),
        (json!({ "kind": "incompleteAnswer" }), "incomplete", true),
        (
            json!({ "kind": "rowError", "code": 14, "message": "Try again." }),
            "row error",
            false,
        ),
    ]
}

/// How long a client waits for an answer that never comes; others may take as long as a busy machine needs.
const PATIENCE: Duration = Duration::from_millis(500);

async fn call(world: &World, (method, path, body): (Method, String, Value), patience: Duration) -> Seen {
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

/// A method with everything that the tests need to know of it.
struct Subject {
    api: ApiMethod,
    /// The request about a device.
    request: fn(&str) -> (Method, String, Value),
    /// What the answer is when all is well; ids are cut out.
    whole: Value,
    /// The same without what was asked for.
    incomplete: Option<Value>,
    /// How often the call has taken effect on a device.
    count: fn(&World, &str) -> u64,
}

fn subjects() -> Vec<Subject> {
    vec![
        Subject {
            api: ApiMethod::BatchChangeStatus,
            request: |id| {
                (
                    Method::POST,
                    format!("{LIST}:batchChangeStatus"),
                    status_body(&[id], "DISABLE"),
                )
            },
            whole: json!({ "changeChromeOsDeviceStatusResults": [{ "response": {} }] }),
            incomplete: Some(json!({ "changeChromeOsDeviceStatusResults": [] })),
            count: |world, id| world.witness(id).api.disables,
        },
        Subject {
            api: ApiMethod::IssueCommand,
            request: |id| {
                (
                    Method::POST,
                    format!("{LIST}/{id}:issueCommand"),
                    json!({ "commandType": "WIPE_USERS" }),
                )
            },
            whole: json!({}),
            incomplete: Some(json!({})),
            count: |world, id| world.witness(id).accepted(CommandType::WipeUsers),
        },
        Subject {
            api: ApiMethod::DevicesAction,
            request: |id| {
                (
                    Method::POST,
                    format!("{LIST}/{id}/action"),
                    json!({ "action": "disable" }),
                )
            },
            whole: Value::Null,
            incomplete: None,
            count: |world, id| world.witness(id).api.disables,
        },
        Subject {
            api: ApiMethod::DevicesPatch,
            request: |id| {
                (
                    Method::PATCH,
                    format!("{LIST}/{id}?fields=notes"),
                    json!({ "notes": "struck" }),
                )
            },
            whole: json!({ "notes": "struck" }),
            incomplete: None,
            count: |world, id| {
                let row = world.truth().into_iter().find(|row| row.device_id == id);
                u64::from(row.unwrap().notes.as_deref() == Some("struck"))
            },
        },
        Subject {
            api: ApiMethod::DevicesMove,
            request: |id| {
                (
                    Method::POST,
                    format!("{LIST}/moveDevicesToOu?orgUnitPath=/"),
                    json!({ "deviceIds": [id] }),
                )
            },
            whole: Value::Null,
            incomplete: None,
            count: |world, id| {
                let row = world.truth().into_iter().find(|row| row.device_id == id);
                u64::from(row.unwrap().org_unit_path == "/")
            },
        },
    ]
}

/// Cuts out what differs from device to device.
fn without_ids(seen: Seen) -> Seen {
    let Seen::Json(mut body) = seen else { return seen };
    if let Some(fields) = body.as_object_mut()
        && let Some(id) = fields.remove("commandId")
    {
        assert!(id.as_str().unwrap().parse::<i64>().unwrap() > 0);
    }
    let rows = body.get_mut("changeChromeOsDeviceStatusResults");
    for row in rows.and_then(Value::as_array_mut).into_iter().flatten() {
        row.as_object_mut().unwrap().remove("deviceId");
    }
    Seen::Json(body)
}

fn expected(subject: &Subject, outcome: &str) -> Option<Seen> {
    Some(match outcome {
        "broken" => Seen::Broken,
        "timeout" => Seen::TimedOut,
        "no json" => Seen::NoJson,
        "cut" => Seen::Cut,
        "whole" => Seen::Json(subject.whole.clone()),
        "incomplete" => Seen::Json(subject.incomplete.clone()?),
        "row error" => {
            let error = json!({ "code": 14, "message": "Try again.", "details": [] });
            let applies = subject.api == ApiMethod::BatchChangeStatus;
            applies
                .then(|| Seen::Json(json!({ "changeChromeOsDeviceStatusResults": [{ "error": error }] })))?
        }
        status => Seen::Refused(status.parse().unwrap()),
    })
}

async fn unlimited(devices: u32) -> World {
    let limits = QuotaLimits {
        device_writes_per_minute: 100_000,
        queries_per_minute: 100_000,
        ..QuotaLimits::default()
    };
    World::start(frozen(devices).quota(limits)).await
}

/// Devices on which a call can be tried once each.
fn fresh_devices(world: &World) -> impl Iterator<Item = String> + use<> {
    let rows = world.truth().into_iter();
    rows.filter(|row| row.status == DeviceStatus::Active && row.org_unit_path != "/")
        .map(|row| row.device_id)
}

#[tokio::test]
async fn every_fault_has_every_effect() {
    let subjects = subjects();
    futures::future::join_all(subjects.iter().map(every_effect_on)).await;
}

async fn every_effect_on(subject: &Subject) {
    let world = unlimited(150).await;
    let mut devices = fresh_devices(&world);
    for (fault, outcome, usual) in kinds() {
        let Some(seen) = expected(subject, outcome) else {
            continue;
        };
        for effect in [json!({}), json!({ "effect": "none" }), json!({ "effect": "now" })] {
            let at_once = match effect["effect"].as_str() {
                None => usual,
                Some(word) => word == "now",
            };
            let id = devices.next().unwrap();
            let what = format!("{:?} {fault} {effect}", subject.api);
            strike(&world, subject, &fault, &effect, &id, &seen, &what).await;
            assert_eq!((subject.count)(&world, &id), u64::from(at_once), "{what}");
            world.advance(100);
            assert_eq!((subject.count)(&world, &id), u64::from(at_once), "{what}: later");
        }
        let id = devices.next().unwrap();
        let late = json!({ "effect": "late", "lateSeconds": 30 });
        let what = format!("{:?} {fault} late", subject.api);
        strike(&world, subject, &fault, &late, &id, &seen, &what).await;
        world.advance(29);
        assert_eq!((subject.count)(&world, &id), 0, "{what}: too early");
        world.advance(1);
        assert_eq!((subject.count)(&world, &id), 1, "{what}");
    }
}

async fn strike(
    world: &World,
    subject: &Subject,
    fault: &Value,
    effect: &Value,
    id: &str,
    seen: &Seen,
    what: &str,
) {
    let mut rule = json!({ "match": { "api": subject.api, "devices": [id] }, "fault": fault, "count": 1 });
    let fields = rule.as_object_mut().unwrap();
    fields.extend(effect.as_object().unwrap().clone());
    let added = world.control(Method::POST, "/faults", &rule).await;
    assert_eq!(added.status, 201, "{what}: {}", added.text);
    let patience = if *seen == Seen::TimedOut {
        PATIENCE
    } else {
        Duration::from_mins(1)
    };
    let found = call(world, (subject.request)(id), patience).await;
    assert_eq!(&without_ids(found), seen, "{what}");
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
