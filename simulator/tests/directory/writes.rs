//! Checks of the methods that change devices. What is valid is answered 501 for now.

use google_admin_simulator::switches::{Switches, UnknownIds};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, World};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

async fn check(world: &World, method: &Method, path: &str, rows: &[(Value, u16)]) {
    for (body, status) in rows {
        let answer = world.send(method.clone(), path, body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {}", answer.text);
        assert_eq!(answer.json()["error"]["code"], *status);
    }
}

#[tokio::test]
async fn moves_are_checked() {
    let world = World::with_devices(60).await;
    let ids = world.walk("").await;
    let fifty: Vec<&String> = ids.iter().take(50).collect();
    let path = format!("{LIST}/moveDevicesToOu?orgUnitPath=/");
    let rows = [
        (json!({ "deviceIds": fifty }), 501),
        (
            json!({ "deviceIds": ids.iter().take(51).collect::<Vec<_>>() }),
            400,
        ),
        (json!({ "deviceIds": [] }), 400),
        (json!({ "devices": ["x"] }), 400),
        (json!({ "deviceIds": [UNKNOWN] }), 404),
    ];
    check(&world, &Method::POST, &path, &rows).await;
    let without = world
        .send(
            Method::POST,
            &format!("{LIST}/moveDevicesToOu"),
            &json!({ "deviceIds": fifty }),
        )
        .await;
    assert_eq!(
        without.error(),
        (
            400,
            "required".to_owned(),
            "Required parameter: orgUnitPath".to_owned()
        )
    );
    let nowhere = format!("{LIST}/moveDevicesToOu?orgUnitPath=/nowhere");
    let answer = world
        .send(Method::POST, &nowhere, &json!({ "deviceIds": fifty }))
        .await;
    assert_eq!(answer.error().2, "Invalid Input: INVALID_OU_ID");
    world.simulator.state().set_switches(Switches {
        unknown_ids_in_moves: UnknownIds::Ignore,
        ..Switches::default()
    });
    check(
        &world,
        &Method::POST,
        &path,
        &[(json!({ "deviceIds": [UNKNOWN] }), 501)],
    )
    .await;
}

#[tokio::test]
async fn edits_are_checked() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let path = format!("{LIST}/{id}");
    let rows = [
        (
            json!({ "notes": "x".repeat(500), "annotatedUser": "é".repeat(100) }),
            501,
        ),
        (json!({ "notes": "x".repeat(501) }), 400),
        (json!({ "annotatedUser": "x".repeat(101) }), 400),
        (json!({ "annotatedLocation": "x".repeat(201) }), 400),
        (json!({ "notes": 5 }), 400),
        (json!({ "note": "x" }), 400),
        (json!({ "orgUnitPath": "/nowhere" }), 400),
        (json!([]), 400),
    ];
    check(&world, &Method::PATCH, &path, &rows).await;
    check(&world, &Method::PUT, &path, &rows).await;
    check(
        &world,
        &Method::PATCH,
        &format!("{LIST}/{UNKNOWN}"),
        &[(json!({ "notes": "x" }), 404)],
    )
    .await;
    let malformed = world
        .http
        .patch(world.url(&path))
        .bearer_auth(&world.token)
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(malformed.status(), 400);
}

#[tokio::test]
async fn changes_of_state_are_checked() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let action = |name: &str| format!("CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_{name}");
    let body = |name: &str, reason: Option<&str>| {
        let mut body = json!({ "deviceIds": [id], "changeChromeOsDeviceStatusAction": action(name) });
        if let Some(reason) = reason {
            body["deprovisionReason"] = json!(format!("DEPROVISION_REASON_{reason}"));
        }
        body
    };
    let rows = [
        (body("DISABLE", None), 501),
        (body("REENABLE", None), 501),
        (body("DEPROVISION", Some("RETIRING_DEVICE")), 501),
        (body("DEPROVISION", None), 400),
        (body("DEPROVISION", Some("BORED")), 400),
        (body("DISABLE", Some("RETIRING_DEVICE")), 400),
        (body("UNSPECIFIED", None), 400),
        (body("EXPLODE", None), 400),
        (
            json!({ "deviceIds": vec![id.clone(); 51], "changeChromeOsDeviceStatusAction": action("DISABLE") }),
            400,
        ),
    ];
    check(&world, &Method::POST, &format!("{LIST}:batchChangeStatus"), &rows).await;
    let rows = [
        (json!({ "action": "disable" }), 501),
        (json!({ "action": "deprovision" }), 400),
        (
            json!({ "action": "deprovision", "deprovisionReason": "retiring_device" }),
            501,
        ),
        (json!({ "action": "explode" }), 400),
    ];
    check(&world, &Method::POST, &format!("{LIST}/{id}/action"), &rows).await;
}

#[tokio::test]
async fn commands_are_checked() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let rows = [
        (json!({ "commandType": "REBOOT" }), 501),
        (
            json!({ "commandType": "REBOOT", "payload": "{\"user_session_delay_seconds\":300}" }),
            501,
        ),
        (
            json!({ "commandType": "REBOOT", "payload": "{\"user_session_delay_seconds\":301}" }),
            400,
        ),
        (json!({ "commandType": "SET_VOLUME" }), 400),
        (
            json!({ "commandType": "SET_VOLUME", "payload": "{\"volume\":100}" }),
            501,
        ),
        (
            json!({ "commandType": "SET_VOLUME", "payload": { "volume": 100 } }),
            400,
        ),
        (json!({ "commandType": "SET_VOLUME", "payload": "loud" }), 400),
        (json!({ "commandType": "EXPLODE" }), 400),
        (json!({ "commandType": "COMMAND_TYPE_UNSPECIFIED" }), 400),
    ];
    check(&world, &Method::POST, &format!("{LIST}/{id}:issueCommand"), &rows).await;
    check(
        &world,
        &Method::POST,
        &format!("{LIST}/{UNKNOWN}:issueCommand"),
        &[(rows[0].0.clone(), 404)],
    )
    .await;
    let missing = world.get(&format!("{LIST}/{id}/commands/77")).await;
    assert_eq!(
        (missing.status, missing.json()["error"]["status"].as_str()),
        (404, Some("NOT_FOUND"))
    );
}

#[tokio::test]
async fn an_unknown_device_is_not_found() {
    let world = World::with_devices(5).await;
    for id in [UNKNOWN, "SN12345"] {
        let answer = world.get(&format!("{LIST}/{id}")).await;
        assert_eq!(
            answer.error(),
            (404, "notFound".to_owned(), format!("Resource Not Found: {id}"))
        );
    }
}
