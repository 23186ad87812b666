//! Every fault with every effect on every method that changes devices.

use std::time::Duration;

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::command::CommandType;
use google_admin_simulator::quota::QuotaLimits;
use reqwest::Method;
use serde_json::{Value, json};

use crate::effects::{PATIENCE, Seen, call};
use crate::support::{LIST, World, frozen, status_body};

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
