//! What commands leave behind on their devices.

use google_admin_simulator::command::{AfterPowerwash, CommandBehaviour, CommandOutcome};
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::{DeviceStatus, SimulatorBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, World, frozen};

/// Lets a device carry out a command, and returns its result.
async fn done(world: &World, id: &str, body: Value) -> Value {
    let path = format!("{LIST}/{id}:issueCommand");
    let answer = world.send(Method::POST, &path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.advance(5);
    let answer = answer.json();
    let command = answer["commandId"].as_str().unwrap();
    world.command(id, command).await.json()["commandResult"].clone()
}

#[tokio::test]
async fn a_restart_moves_the_time_and_applies_an_update_that_waits() {
    let world = World::with_devices(300).await;
    let mut waiting = 0;
    let mut others = 0;
    for id in world.devices(DeviceStatus::Active, DeviceMode::UserSession) {
        let before = world.device(&id).await;
        let waits = before["osUpdateStatus"]["state"] == "updateStateNeedReboot";
        let behind = before["osUpdateStatus"].get("targetOsVersion").is_some();
        if !behind || (waits && waiting > 1) || (!waits && others > 1) {
            continue;
        }
        let reboot = done(&world, &id, json!({ "commandType": "REBOOT" })).await;
        let after = world.device(&id).await;
        assert_eq!(
            after["osUpdateStatus"]["rebootTime"].as_str().unwrap(),
            reboot["executeTime"].as_str().unwrap()
        );
        assert_eq!(after["lastSync"], reboot["executeTime"]);
        assert_ne!(after["etag"], before["etag"]);
        if waits {
            waiting += 1;
            assert_ne!(after["osVersion"], before["osVersion"]);
            assert_eq!(after["osUpdateStatus"]["state"], "updateStateNotStarted");
            assert!(after["osUpdateStatus"].get("targetOsVersion").is_none());
        } else {
            others += 1;
            assert_eq!(after["osVersion"], before["osVersion"], "no update was ready");
        }
        assert_eq!(world.witness(&id).api.reboots, 1);
    }
    assert!(waiting > 0 && others > 0, "{waiting} {others}");
}

#[tokio::test]
async fn a_wipe_empties_the_users_until_new_ones_come() {
    let world = World::with_devices(60).await;
    let mut seen = 0;
    for id in world.devices(DeviceStatus::Active, DeviceMode::UserSession) {
        let before = world.device(&id).await;
        let Some(users) = before["recentUsers"].as_array().cloned() else {
            continue;
        };
        seen += 1;
        done(&world, &id, json!({ "commandType": "WIPE_USERS" })).await;
        let after = world.device(&id).await;
        assert!(after.get("recentUsers").is_none(), "{after}");
        for kept in ["annotatedUser", "orgUnitPath", "status", "lastEnrollmentTime"] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
        world.advance(2 * 86_400);
        let later = world.device(&id).await;
        let later = later["recentUsers"].as_array().unwrap().len();
        assert!((1..=2).contains(&later) && later <= users.len(), "{later}");
        if seen == 3 {
            return;
        }
    }
    panic!("only {seen} devices report users");
}

async fn powerwash(builder: SimulatorBuilder, after: AfterPowerwash) -> (World, String, Value, Value) {
    let world = World::start(builder).await;
    world.switch(|switches| {
        switches.commands.after_powerwash = after;
        switches.commands.powerwash_seconds = 1200;
    });
    let id = world.laptop();
    let before = world.device(&id).await;
    let result = done(&world, &id, json!({ "commandType": "REMOTE_POWERWASH" })).await;
    assert_eq!(result["result"], "SUCCESS");
    let row = world.truth().into_iter().find(|row| row.device_id == id).unwrap();
    assert!(!row.online, "it is gone after the wipe");
    assert_eq!(world.witness(&id).api.powerwashes, 1);
    (world, id, before, result)
}

#[tokio::test]
async fn a_powerwashed_device_enrols_again() {
    let (world, id, before, result) = powerwash(frozen(20), AfterPowerwash::EnrolsAgain).await;
    let waiting = world.accepted(&id, "WIPE_USERS").await;
    world.advance(1200 - 10);
    let away = world.device(&id).await;
    assert_eq!(away["lastEnrollmentTime"], before["lastEnrollmentTime"]);
    assert_eq!(away["lastSync"], result["executeTime"]);
    assert_eq!(world.state_of(&id, &waiting).await, "PENDING");
    world.advance(20);
    let back = world.device(&id).await;
    assert_eq!(back["lastEnrollmentTime"], "2026-11-23T10:20:04.000Z");
    assert_eq!(back["firstEnrollmentTime"], before["firstEnrollmentTime"]);
    assert_eq!(
        (&back["deviceId"], &back["status"]),
        (&before["deviceId"], &json!("ACTIVE"))
    );
    assert!(back.get("recentUsers").is_none());
    assert_eq!(
        world.state_of(&id, &waiting).await,
        "EXECUTED_BY_CLIENT",
        "it fetches what has waited"
    );
}

#[tokio::test]
async fn a_powerwashed_device_can_stay_away() {
    let (world, id, before, result) = powerwash(frozen(20), AfterPowerwash::StaysSilent).await;
    world.advance(90 * 86_400);
    let after = world.device(&id).await;
    assert_eq!(after["lastSync"], result["executeTime"]);
    assert_eq!(after["lastEnrollmentTime"], before["lastEnrollmentTime"]);
}

#[tokio::test]
async fn a_powerwash_takes_what_the_device_had_fetched_with_it() {
    let world = World::with_devices(20).await;
    world.switch(|switches| switches.commands.after_powerwash = AfterPowerwash::StaysSilent);
    let state = world.simulator.state();
    let (customer, id) = (world.customer(), world.laptop());
    state.set_connectivity(&customer, &id, false).unwrap();
    world.accepted(&id, "REMOTE_POWERWASH").await;
    let wipe = world.accepted(&id, "WIPE_USERS").await;
    let slow = CommandBehaviour {
        executed_after_seconds: Some(100),
        ..CommandBehaviour::default()
    };
    state.change_command(&customer, &wipe, &slow).unwrap();
    let sync = BulkChange::of(ChangeKind::Sync, vec![id.clone()]);
    state.change_devices(&customer, &sync).unwrap();
    world.advance(3600);
    let deeds = world.witness(&id).api;
    assert_eq!((deeds.powerwashes, deeds.user_wipes), (1, 0));
    assert_eq!(world.state_of(&id, &wipe).await, "ACKED_BY_CLIENT");
}

#[tokio::test]
async fn a_device_that_is_released_after_a_powerwash_does_not_come_back() {
    let (world, id, before, _) = powerwash(frozen(20), AfterPowerwash::EnrolsAgain).await;
    world.change_status(&[&id], "DEPROVISION").await;
    world.advance(86_400);
    let after = world.device(&id).await;
    assert_eq!(after["lastEnrollmentTime"], before["lastEnrollmentTime"]);
    assert_eq!(after["status"], "DEPROVISIONED");
}

#[tokio::test]
async fn screenshots_logs_and_packets_are_listed_as_files() {
    let world = World::with_devices(60).await;
    let id = world.kiosk();
    for (command, field, kind) in [
        ("TAKE_A_SCREENSHOT", "screenshotFiles", "SCREENSHOT_FILE"),
        ("CAPTURE_LOGS", "deviceFiles", "LOG_FILE"),
        ("FETCH_SUPPORT_PACKET", "deviceFiles", "SUPPORT_PACKET_FILE"),
    ] {
        let result = done(&world, &id, json!({ "commandType": command })).await;
        let device = world.device(&id).await;
        let file = device[field].as_array().unwrap().last().unwrap().clone();
        assert_eq!(file["type"], kind);
        assert_eq!(file["createTime"], result["executeTime"]);
        assert!(file["downloadUrl"].as_str().unwrap().starts_with("https://"));
        assert!(!file["name"].as_str().unwrap().is_empty());
        let plain = world.get(&format!("{LIST}/{id}")).await.json();
        assert!(plain.get(field).is_none(), "only FULL has files");
    }
    assert_eq!(
        world.device(&id).await["deviceFiles"].as_array().unwrap().len(),
        2
    );
    let empty = json!({
        "commandType": "FETCH_SUPPORT_PACKET",
        "payload": "{\"supportPacketDetails\": {\"requestedDataCollectors\": []}}",
    });
    let refused = done(&world, &id, empty).await;
    assert_eq!(refused["result"], json!(CommandOutcome::Failure));
    assert_eq!(refused["errorMessage"], "No data collectors were requested.");
    assert_eq!(
        world.device(&id).await["deviceFiles"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn remote_sessions_return_a_payload() {
    let world = World::with_devices(60).await;
    for id in [world.kiosk(), world.laptop()] {
        let asked = done(
            &world,
            &id,
            json!({ "commandType": "FETCH_CRD_AVAILABILITY_INFO" }),
        )
        .await;
        let availability: Value =
            serde_json::from_str(asked["commandResultPayload"].as_str().unwrap()).unwrap();
        assert!(availability["deviceIdleTimeInSeconds"].is_u64(), "{availability}");
        assert_eq!(availability["remoteSupportAvailability"], "AVAILABLE");
        let started = done(&world, &id, json!({ "commandType": "DEVICE_START_CRD_SESSION" })).await;
        let session: Value = serde_json::from_str(started["commandResultPayload"].as_str().unwrap()).unwrap();
        assert!(
            session["url"]
                .as_str()
                .unwrap()
                .starts_with("https://remotedesktop"),
            "{session}"
        );
    }
}
