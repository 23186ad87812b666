//! The witness: what really happened, and who did it.

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::command::CommandType;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::{DeviceMode, DevicePatch};
use google_admin_simulator::request_log::LogFilter;
use google_admin_simulator::witness::{Actor, Deeds, WitnessFilter, WitnessKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DEVICES, World, frozen, status_body, token};

#[tokio::test]
async fn what_the_api_and_a_person_did_is_kept_apart() {
    let world = World::with_devices(20).await;
    let state = world.simulator.state();
    let id = world.laptop();
    assert_eq!(world.witness(&id).events, []);
    world.change_status(&[&id], "DISABLE").await;
    let person = |status: DeviceStatus| {
        let change = BulkChange::of(ChangeKind::Status, vec![id.clone()]).to(status.as_str());
        state.change_devices(&world.customer(), &change).unwrap();
    };
    person(DeviceStatus::Active);
    person(DeviceStatus::Active);
    person(DeviceStatus::Delinquent);
    let patch = DevicePatch {
        status: Some(DeviceStatus::Disabled),
        ..DevicePatch::default()
    };
    state.patch_device(&world.customer(), &id, &patch).unwrap();
    world.change_status(&[&id], "DEPROVISION").await;
    let row = world.witness(&id);
    assert_eq!(
        row.api,
        Deeds {
            disables: 1,
            deprovisions: 1,
            ..Deeds::default()
        }
    );
    assert_eq!(
        row.control,
        Deeds {
            reenables: 1,
            disables: 1,
            ..Deeds::default()
        }
    );
    assert_eq!((row.total().disables, row.total().deprovisions), (2, 1));
    let admin = || Actor::Account("admin@school.example".into());
    let seen: Vec<_> = row
        .events
        .iter()
        .map(|event| (event.kind, event.by.clone(), event.request.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            (WitnessKind::Disabled, admin(), true),
            (WitnessKind::Reenabled, Actor::Control, false),
            (WitnessKind::StatusSet, Actor::Control, false),
            (WitnessKind::Disabled, Actor::Control, false),
            (WitnessKind::Deprovisioned, admin(), true),
        ]
    );
}

#[tokio::test]
async fn events_name_their_command_their_request_and_their_time() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let command = world.accepted(&id, "REMOTE_POWERWASH").await;
    world.advance(700);
    let row = world.witness(&id);
    let log = world.simulator.state().requests(&LogFilter::default());
    let issued = log
        .iter()
        .find(|entry| entry.path.ends_with(":issueCommand"))
        .unwrap();
    let seen: Vec<_> = row
        .events
        .iter()
        .map(|event| (event.kind, event.time.to_string()))
        .collect();
    assert_eq!(
        seen,
        [
            (WitnessKind::CommandAccepted, "2026-11-23T10:00:00Z".to_owned()),
            (WitnessKind::Powerwashed, "2026-11-23T10:00:04Z".to_owned()),
            (WitnessKind::EnrolledAgain, "2026-11-23T10:10:04Z".to_owned()),
        ]
    );
    for event in &row.events {
        assert_eq!(event.command_id.as_deref(), Some(command.as_str()));
        assert_eq!(event.command_type, Some(CommandType::RemotePowerwash));
        assert_eq!(event.request, Some(issued.number));
        assert_eq!(event.by, Actor::Account("admin@school.example".into()));
    }
    assert_eq!(row.accepted(CommandType::RemotePowerwash), 1);
    assert_eq!(row.api.powerwashes, 1);
}

#[tokio::test]
async fn the_account_is_the_one_that_called() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let other = token(&world.simulator, "device-admin@school.example", &[DEVICES]);
    let path = format!("{}:batchChangeStatus", crate::support::LIST);
    let request = world.http.post(world.url(&path)).bearer_auth(other);
    let answer = request
        .json(&status_body(&[&id], "DISABLE"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        world.witness(&id).events[0].by,
        Actor::Account("device-admin@school.example".into())
    );
}

#[tokio::test]
async fn a_new_enrolment_by_control_releases_the_old_record() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let change = BulkChange::of(ChangeKind::ReEnrol, vec![id.clone()]);
    let report = world
        .simulator
        .state()
        .change_devices(&world.customer(), &change)
        .unwrap();
    assert_eq!(world.witness(&id).control.deprovisions, 1);
    let new = world.witness(&report.new_device_ids[0]);
    assert_eq!(new.events[0].kind, WitnessKind::EnrolledAgain);
    assert_eq!(new.events[0].by, Actor::Control);
}

#[tokio::test]
async fn rows_are_filtered_and_forgotten_over_http() {
    let world = World::start(frozen(20).tenants(2)).await;
    let state = world.simulator.state();
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let other = world.simulator.tenants()[1].customer_id().to_owned();
    let theirs = state.truth(&other, 0, 100).unwrap();
    let theirs = theirs
        .into_iter()
        .find(|row| row.status == DeviceStatus::Active)
        .unwrap()
        .device_id;
    world.change_status(&[&ids[0], &ids[1]], "DISABLE").await;
    let disable = BulkChange::of(ChangeKind::Status, vec![theirs.clone()]).to("DISABLED");
    state.change_devices(&other, &disable).unwrap();
    let ask = async |query: &str| -> Vec<Value> {
        let answer = world
            .control(Method::GET, &format!("/witness{query}"), &Value::Null)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["devices"].as_array().unwrap().clone()
    };
    assert_eq!(ask("").await.len(), 3);
    assert_eq!(ask(&format!("?customer={}", world.customer())).await.len(), 2);
    let row = ask(&format!("?customer={other}")).await.remove(0);
    assert_eq!(row["deviceId"], theirs.as_str());
    assert_eq!(row["customerId"], other.as_str());
    assert_eq!(row["control"]["disables"], 1);
    assert_eq!(row["events"][0]["by"], "control");
    let one = ask(&format!("?device={}", ids[0])).await;
    assert_eq!(
        one[0]["api"],
        json!({
            "reboots": 0, "userWipes": 0, "powerwashes": 0, "deprovisions": 0, "disables": 1, "reenables": 0,
        })
    );
    assert_eq!(one[0]["acceptedCommands"], json!({}));
    assert!(ask(&format!("?device={}", ids[2])).await.is_empty());
    for bad in ["?device=nobody", "?customer=C0none"] {
        let answer = world
            .control(Method::GET, &format!("/witness{bad}"), &Value::Null)
            .await;
        assert_eq!(answer.status, 404, "{bad}");
    }
    assert_eq!(
        world
            .control(Method::GET, "/witness?serial=1", &Value::Null)
            .await
            .status,
        400
    );
    let clear = async |query: &str| {
        let path = format!("/witness{query}");
        world.control(Method::DELETE, &path, &json!({})).await.status
    };
    assert_eq!(clear(&format!("?device={}", ids[0])).await, 204);
    assert_eq!(ask("").await.len(), 2);
    assert_eq!(clear(&format!("?customer={other}")).await, 204);
    assert_eq!(ask("").await.len(), 1);
    assert_eq!(clear("").await, 204);
    assert_eq!(state.witness(&WitnessFilter::default()).unwrap(), []);
}
