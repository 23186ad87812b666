//! How commands go on: with the clock, and with their device.

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::command::CommandSwitches;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use reqwest::Method;
use serde_json::json;

use crate::support::World;

pub fn offline(world: &World, id: &str) {
    let state = world.simulator.state();
    assert!(!state.set_connectivity(&world.customer(), id, false).unwrap());
}

pub fn online(world: &World, id: &str) {
    let state = world.simulator.state();
    assert!(state.set_connectivity(&world.customer(), id, true).unwrap());
}

#[tokio::test]
async fn an_online_device_goes_through_all_states_in_its_time() {
    let world = World::with_devices(20).await;
    world.switch(|switches| {
        switches.commands = CommandSwitches {
            sent_after_seconds: 5,
            acknowledged_after_seconds: 10,
            executed_after_seconds: 15,
            ..CommandSwitches::default()
        };
    });
    let id = world.laptop();
    let command = world.accepted(&id, "REBOOT").await;
    assert_eq!(
        world.command(&id, &command).await.json(),
        json!({
            "commandId": command, "type": "REBOOT", "issueTime": "2026-11-23T10:00:00.000Z", "state": "PENDING",
            "commandExpireTime": "2026-11-23T10:10:00.000Z",
        })
    );
    for (seconds, state) in [
        (4, "PENDING"),
        (1, "SENT_TO_CLIENT"),
        (9, "SENT_TO_CLIENT"),
        (1, "ACKED_BY_CLIENT"),
        (14, "ACKED_BY_CLIENT"),
    ] {
        world.advance(seconds);
        let answer = world.command(&id, &command).await.json();
        assert_eq!(answer["state"], state);
        assert!(answer.get("commandResult").is_none(), "{answer}");
    }
    world.advance(1);
    let answer = world.command(&id, &command).await.json();
    assert_eq!(answer["state"], "EXECUTED_BY_CLIENT");
    assert_eq!(
        answer["commandResult"],
        json!({ "result": "SUCCESS", "executeTime": "2026-11-23T10:00:30.000Z" })
    );
    let masked = format!(
        "{}/{id}/commands/{command}?fields=state,commandResult(result)",
        crate::support::LIST
    );
    assert_eq!(
        world.get(&masked).await.json(),
        json!({ "state": "EXECUTED_BY_CLIENT", "commandResult": { "result": "SUCCESS" } })
    );
}

#[tokio::test]
async fn it_does_not_matter_how_often_one_looks() {
    let mut seen = Vec::new();
    for steps in [1, 7, 30] {
        let world = World::with_devices(20).await;
        let id = world.laptop();
        let command = world.accepted(&id, "REBOOT").await;
        for _ in 0..30 / steps {
            world.advance(steps);
            world.command(&id, &command).await;
        }
        world.advance(30 % steps);
        seen.push(world.command(&id, &command).await.json());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn a_warning_delays_the_restart_except_in_a_kiosk() {
    let world = World::with_devices(60).await;
    for (id, done_after) in [(world.laptop(), 304), (world.kiosk(), 4)] {
        let body = json!({ "commandType": "REBOOT", "payload": "{\"user_session_delay_seconds\": 300}" });
        let path = format!("{}/{id}:issueCommand", crate::support::LIST);
        let answer = world.send(Method::POST, &path, &body).await.json();
        let command = answer["commandId"].as_str().unwrap();
        world.advance(done_after - 1);
        assert_eq!(world.state_of(&id, command).await, "ACKED_BY_CLIENT");
        world.advance(1);
        assert_eq!(world.state_of(&id, command).await, "EXECUTED_BY_CLIENT");
    }
}

#[tokio::test]
async fn an_offline_device_gets_its_command_when_it_comes_back() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    offline(&world, &id);
    let command = world.accepted(&id, "WIPE_USERS").await;
    world.advance(30 * 86_400);
    assert_eq!(world.state_of(&id, &command).await, "PENDING");
    assert_eq!(world.witness(&id).api.user_wipes, 0);
    online(&world, &id);
    world.advance(1);
    assert_eq!(world.state_of(&id, &command).await, "SENT_TO_CLIENT");
    offline(&world, &id);
    world.advance(86_400);
    assert_eq!(
        world.state_of(&id, &command).await,
        "SENT_TO_CLIENT",
        "gone in the middle"
    );
    online(&world, &id);
    world.advance(3);
    assert_eq!(world.state_of(&id, &command).await, "EXECUTED_BY_CLIENT");
    assert_eq!(world.witness(&id).api.user_wipes, 1);
}

#[tokio::test]
async fn a_device_that_the_fleet_calls_silent_is_offline() {
    let world = World::with_devices(200).await;
    let silent = world
        .truth()
        .into_iter()
        .find(|row| row.status == DeviceStatus::Active && !row.online)
        .unwrap();
    let command = world.accepted(&silent.device_id, "WIPE_USERS").await;
    world.advance(3600);
    assert_eq!(world.state_of(&silent.device_id, &command).await, "PENDING");
    let state = world.simulator.state();
    let wake = BulkChange::of(ChangeKind::Wake, vec![silent.device_id.clone()]);
    state.change_devices(&world.customer(), &wake).unwrap();
    world.advance(10);
    assert_eq!(
        world.state_of(&silent.device_id, &command).await,
        "EXECUTED_BY_CLIENT"
    );
}

#[tokio::test]
async fn a_silent_device_that_calls_once_takes_its_commands_with_it() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    offline(&world, &id);
    let command = world.accepted(&id, "WIPE_USERS").await;
    world.advance(3600);
    let sync = BulkChange::of(ChangeKind::Sync, vec![id.clone()]);
    world
        .simulator
        .state()
        .change_devices(&world.customer(), &sync)
        .unwrap();
    world.advance(10);
    assert_eq!(world.state_of(&id, &command).await, "EXECUTED_BY_CLIENT");
    let later = world.accepted(&id, "WIPE_USERS").await;
    world.advance(3600);
    assert_eq!(
        world.state_of(&id, &later).await,
        "PENDING",
        "it is offline still"
    );
}

#[tokio::test]
async fn a_device_that_came_back_and_went_again_does_nothing() {
    let world = World::with_devices(20).await;
    world.switch(|switches| switches.commands.executed_after_seconds = 100);
    let id = world.laptop();
    offline(&world, &id);
    let command = world.accepted(&id, "WIPE_USERS").await;
    let sync = BulkChange::of(ChangeKind::Sync, vec![id.clone()]);
    let state = world.simulator.state();
    state.change_devices(&world.customer(), &sync).unwrap();
    world.advance(10);
    assert_eq!(world.state_of(&id, &command).await, "ACKED_BY_CLIENT");
    online(&world, &id);
    offline(&world, &id);
    world.advance(3600);
    assert_eq!(world.state_of(&id, &command).await, "ACKED_BY_CLIENT");
}

#[tokio::test]
async fn commands_expire_each_in_its_time() {
    for (kind, lifetime) in [
        ("REBOOT", 600),
        ("FETCH_SUPPORT_PACKET", 600),
        ("WIPE_USERS", 180 * 86_400),
        ("REMOTE_POWERWASH", 5 * 365 * 86_400),
    ] {
        let world = World::with_devices(20).await;
        let id = world.laptop();
        offline(&world, &id);
        let command = world.accepted(&id, kind).await;
        world.advance(lifetime - 1);
        let answer = world.command(&id, &command).await.json();
        assert_eq!(answer["state"], "PENDING", "{kind}");
        let time = |field: &str| {
            answer[field]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let lasts = time("commandExpireTime").duration_since(time("issueTime"));
        assert_eq!(lasts.as_secs(), lifetime, "{kind}");
        world.advance(1);
        let answer = world.command(&id, &command).await.json();
        assert_eq!(answer["state"], "EXPIRED", "{kind}");
        assert!(answer.get("commandResult").is_none());
        online(&world, &id);
        world.advance(3600);
        assert_eq!(world.state_of(&id, &command).await, "EXPIRED", "it stays so");
        assert_eq!(world.witness(&id).api, Default::default());
    }
}

#[tokio::test]
async fn a_released_device_never_gets_its_command() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let command = world.accepted(&id, "REBOOT").await;
    world.change_status(&[&id], "DEPROVISION").await;
    world.advance(599);
    assert_eq!(world.state_of(&id, &command).await, "PENDING");
    world.advance(1);
    assert_eq!(world.state_of(&id, &command).await, "EXPIRED");
    assert_eq!(world.witness(&id).api.reboots, 0);
}
