//! `issueCommand`: what is accepted for which device, and what is refused.

use std::collections::BTreeSet;

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::command::CommandType;
use google_admin_simulator::control::devices::{DeviceMode, DevicePatch};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, UNKNOWN, World};

fn patch(world: &World, id: &str, patch: &DevicePatch) {
    let state = world.simulator.state();
    state.patch_device(&world.customer(), id, patch).unwrap();
}

#[tokio::test]
async fn bodies_and_payloads_are_checked() {
    let world = World::with_devices(60).await;
    let kiosk = world.kiosk();
    let with = |kind: &str, payload: Value| json!({ "commandType": kind, "payload": payload.to_string() });
    let rows = [
        (with("REBOOT", json!({ "user_session_delay_seconds": 300 })), 200),
        (with("REBOOT", json!({ "user_session_delay_seconds": 301 })), 400),
        (json!({ "commandType": "SET_VOLUME" }), 400),
        (with("SET_VOLUME", json!({ "volume": 100 })), 200),
        (with("SET_VOLUME", json!({ "volume": 101 })), 400),
        (
            json!({ "commandType": "SET_VOLUME", "payload": { "volume": 100 } }),
            400,
        ),
        (json!({ "commandType": "SET_VOLUME", "payload": "loud" }), 400),
        (json!({ "commandType": "EXPLODE" }), 400),
        (json!({ "commandType": "COMMAND_TYPE_UNSPECIFIED" }), 400),
        (json!({}), 400),
        (json!({ "commandType": "REBOOT", "when": "now" }), 400),
    ];
    let path = format!("{LIST}/{kiosk}:issueCommand");
    for (body, status) in &rows {
        let answer = world.send(Method::POST, &path, body).await;
        assert_eq!(answer.status, *status, "{body}: {}", answer.text);
        if *status == 400 {
            assert_eq!(answer.json()["error"]["status"], "INVALID_ARGUMENT", "{body}");
        }
        world.advance(60);
    }
    let explode = world
        .send(Method::POST, &path, &json!({ "commandType": "EXPLODE" }))
        .await;
    assert!(
        explode.error().2.contains("REMOTE_POWERWASH"),
        "it names what is allowed: {}",
        explode.text
    );
}

#[tokio::test]
async fn who_is_unknown_is_not_found() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let command = world.accepted(&id, "REBOOT").await;
    let other = world.devices(DeviceStatus::Active, DeviceMode::UserSession)[1].clone();
    for answer in [
        world.issue(UNKNOWN, "REBOOT").await,
        world.command(UNKNOWN, &command).await,
        world.command(&other, &command).await,
        world.command(&id, "77").await,
    ] {
        let (status, reason, _) = answer.error();
        assert_eq!((status, reason.as_str()), (404, "notFound"), "{}", answer.text);
        assert_eq!(answer.json()["error"]["status"], "NOT_FOUND");
    }
    let malformed = world.command(&id, "first").await;
    assert_eq!(malformed.status, 400, "{}", malformed.text);
}

#[tokio::test]
async fn sessions_decide_what_a_device_takes() {
    let world = World::with_devices(200).await;
    let id = world.laptop();
    for (mode, refused) in [
        (
            DeviceMode::UserSession,
            &["TAKE_A_SCREENSHOT", "SET_VOLUME", "CAPTURE_LOGS"][..],
        ),
        (DeviceMode::ManagedGuest, &["TAKE_A_SCREENSHOT", "CAPTURE_LOGS"]),
        (DeviceMode::Kiosk, &[]),
    ] {
        let change = DevicePatch {
            mode: Some(mode),
            silent: Some(false),
            ..DevicePatch::default()
        };
        patch(&world, &id, &change);
        for command in CommandType::ALL {
            let body = json!({ "commandType": command, "payload": "{\"volume\": 5}" });
            let answer = world
                .send(Method::POST, &format!("{LIST}/{id}:issueCommand"), &body)
                .await;
            let expected = if refused.contains(&command.as_str()) {
                400
            } else {
                200
            };
            assert_eq!(answer.status, expected, "{mode:?} {command:?}: {}", answer.text);
            world.advance(3600);
        }
    }
    let laptop = world.laptop();
    assert_eq!(
        world.issue(&laptop, "TAKE_A_SCREENSHOT").await.error().2,
        format!(
            "TAKE_A_SCREENSHOT is not supported by the device: it needs a kiosk session, and the device runs \
             ChromeOS {} in a user session.",
            world.device(&laptop).await["osVersion"]
                .as_str()
                .unwrap()
                .split('.')
                .next()
                .unwrap()
        )
    );
}

#[tokio::test]
async fn states_decide_too() {
    let world = World::with_devices(200).await;
    let id = world.kiosk();
    let wipes = ["REBOOT", "WIPE_USERS", "REMOTE_POWERWASH"];
    for status in DeviceStatus::ALL {
        for command in CommandType::ALL {
            let change = DevicePatch {
                status: Some(status),
                silent: Some(false),
                ..DevicePatch::default()
            };
            patch(&world, &id, &change);
            let body = json!({ "commandType": command, "payload": "{\"volume\": 5}" });
            let answer = world
                .send(Method::POST, &format!("{LIST}/{id}:issueCommand"), &body)
                .await;
            let accepted = match status {
                DeviceStatus::Active => true,
                DeviceStatus::Disabled => wipes.contains(&command.as_str()),
                _ => false,
            };
            let expected = if accepted { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{status:?} {command:?}: {}", answer.text);
            if !accepted {
                assert!(answer.error().2.contains(status.as_str()), "{}", answer.text);
            }
            world.advance(3600);
        }
    }
}

#[tokio::test]
async fn a_command_that_is_still_pending_bars_others_of_its_type() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    world.accepted(&id, "REBOOT").await;
    let again = world.issue(&id, "REBOOT").await;
    assert_eq!(
        again.error(),
        (
            400,
            "badRequest".to_owned(),
            "A REBOOT command was already sent to the device and is still pending.".to_owned()
        )
    );
    world.accepted(&id, "WIPE_USERS").await;
    let row = world.witness(&id);
    assert_eq!(
        (
            row.accepted(CommandType::Reboot),
            row.accepted(CommandType::WipeUsers)
        ),
        (1, 1),
        "a refused request is not an accepted one"
    );
    world.advance(4);
    world.accepted(&id, "REBOOT").await;
    assert_eq!(world.witness(&id).accepted(CommandType::Reboot), 2);
}

#[tokio::test]
async fn ids_are_64_bit_numbers_which_the_seed_decides() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::with_devices(40).await;
        let mut ids = Vec::new();
        for device in world.devices(DeviceStatus::Active, DeviceMode::UserSession) {
            let answer = world.issue(&device, "REBOOT").await;
            assert_eq!(answer.json().as_object().unwrap().len(), 1);
            let id = answer.json()["commandId"].as_str().unwrap().to_owned();
            assert!(id.parse::<i64>().unwrap() > 0, "{id}");
            ids.push(id);
        }
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        runs.push(ids);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn kiosks_stand_in_the_units_that_are_called_so() {
    let world = World::with_devices(2000).await;
    let mut kiosks = 0;
    for row in world.truth() {
        let name = row.org_unit_path.rsplit('/').next().unwrap();
        assert_eq!(row.mode == DeviceMode::Kiosk, name.contains("Kiosk"), "{row:?}");
        kiosks += usize::from(row.mode == DeviceMode::Kiosk);
    }
    assert!((40..160).contains(&kiosks), "{kiosks}");
    assert!(
        !world
            .devices(DeviceStatus::Active, DeviceMode::ManagedGuest)
            .is_empty()
    );
}
