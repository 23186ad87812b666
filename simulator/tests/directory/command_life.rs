//! How commands go on: with the clock, with their device, and as the control API says.

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::command::{
    CommandBehaviour, CommandOutcome, CommandStage, CommandState, CommandSwitches, CommandType, StuckAt,
};
use google_admin_simulator::control::CommandFilter;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{World, frozen};

fn offline(world: &World, id: &str) {
    let state = world.simulator.state();
    assert!(!state.set_connectivity(&world.customer(), id, false).unwrap());
}

fn online(world: &World, id: &str) {
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

#[tokio::test]
async fn a_pending_command_can_be_cancelled_as_in_the_console() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    offline(&world, &id);
    let command = world.accepted(&id, "REMOTE_POWERWASH").await;
    let path = format!("/tenants/{}/commands/{command}", world.customer());
    let cancelled = world
        .control(Method::POST, &format!("{path}/cancel"), &json!({}))
        .await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (200, &json!("CANCELLED"))
    );
    assert_eq!(cancelled.json()["stage"], "withdrawn");
    online(&world, &id);
    world.advance(3600);
    assert_eq!(world.state_of(&id, &command).await, "CANCELLED");
    assert_eq!(world.witness(&id).api.powerwashes, 0);
    let again = world
        .control(Method::POST, &format!("{path}/cancel"), &json!({}))
        .await;
    assert_eq!(again.status, 409, "{}", again.text);
    let reboot = world.accepted(&id, "REBOOT").await;
    world.advance(1);
    let late = world.simulator.state().cancel_command(&world.customer(), &reboot);
    assert!(late.is_err(), "the device has it already");
    let unknown = format!("/tenants/{}/commands/77/cancel", world.customer());
    assert_eq!(
        world.control(Method::POST, &unknown, &json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn outcomes_can_be_set_for_a_device_or_a_command() {
    let world = World::with_devices(20).await;
    let state = world.simulator.state();
    let customer = world.customer();
    let id = world.laptop();
    for (outcome, message, result) in [
        (
            CommandOutcome::Failure,
            Some("Battery too low."),
            json!({ "result": "FAILURE", "errorMessage": "Battery too low." }),
        ),
        (
            CommandOutcome::Failure,
            None,
            json!({ "result": "FAILURE", "errorMessage": "The device could not carry out the command." }),
        ),
        (CommandOutcome::Ignored, None, json!({ "result": "IGNORED" })),
    ] {
        let behaviour = CommandBehaviour {
            outcome: Some(outcome),
            error_message: message.map(str::to_owned),
            ..CommandBehaviour::default()
        };
        state.reset_command_behaviour(&customer, &id).unwrap();
        state
            .change_command_behaviour(&customer, &id, &behaviour)
            .unwrap();
        let command = world.accepted(&id, "WIPE_USERS").await;
        world.advance(4);
        let mut found = world.command(&id, &command).await.json()["commandResult"].clone();
        found.as_object_mut().unwrap().remove("executeTime");
        assert_eq!(found, result);
    }
    assert_eq!(world.witness(&id).api.user_wipes, 0, "nothing was done");
    state.reset_command_behaviour(&customer, &id).unwrap();
    let command = world.accepted(&id, "WIPE_USERS").await;
    let failing = CommandBehaviour {
        outcome: Some(CommandOutcome::Failure),
        executed_after_seconds: Some(100),
        ..CommandBehaviour::default()
    };
    state.change_command(&customer, &command, &failing).unwrap();
    world.advance(101);
    assert_eq!(world.state_of(&id, &command).await, "ACKED_BY_CLIENT");
    world.advance(1);
    assert_eq!(
        world.command(&id, &command).await.json()["commandResult"]["result"],
        "FAILURE"
    );
}

#[tokio::test]
async fn rates_decide_over_many_commands() {
    let world = World::start(frozen(600)).await;
    world.switch(|switches| {
        switches.commands.failure_rate = 0.3;
        switches.commands.ignored_rate = 0.2;
    });
    world
        .simulator
        .state()
        .set_quota_limits(google_admin_simulator::quota::QuotaLimits {
            device_writes_per_minute: 1000,
            ..Default::default()
        });
    let devices = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    for id in devices.iter().take(200) {
        world.accepted(id, "REBOOT").await;
    }
    world.advance(10);
    let commands = world
        .simulator
        .state()
        .commands(&world.customer(), &CommandFilter::default())
        .unwrap();
    let count = |outcome| {
        let ended = commands.iter().filter_map(|command| command.result.as_ref());
        ended.filter(|result| result.outcome == outcome).count()
    };
    assert_eq!(commands.len(), 200);
    assert!((40..80).contains(&count(CommandOutcome::Failure)));
    assert!((20..60).contains(&count(CommandOutcome::Ignored)));
    let reboots: u64 = devices.iter().map(|id| world.witness(id).api.reboots).sum();
    assert_eq!(reboots, count(CommandOutcome::Success) as u64);
}

#[tokio::test]
async fn google_can_go_on_saying_pending_although_the_device_has_done_it() {
    let world = World::with_devices(20).await;
    world.switch(|switches| switches.commands.stuck_at = StuckAt::Pending);
    let id = world.laptop();
    let command = world.accepted(&id, "REBOOT").await;
    world.advance(599);
    let answer = world.command(&id, &command).await.json();
    assert_eq!(answer["state"], "PENDING");
    assert!(answer.get("commandResult").is_none(), "{answer}");
    assert_eq!(world.witness(&id).api.reboots, 1);
    assert_eq!(
        world.issue(&id, "REBOOT").await.status,
        400,
        "Google thinks that it is pending"
    );
    let report = world
        .simulator
        .state()
        .command(&world.customer(), &command)
        .unwrap();
    assert_eq!(
        (report.state, report.stage),
        (CommandState::Pending, CommandStage::Executed)
    );
    assert_eq!(report.result.unwrap().outcome, CommandOutcome::Success);
    let resolve = CommandBehaviour {
        stuck_at: Some(StuckAt::Nowhere),
        ..CommandBehaviour::default()
    };
    let other = world.devices(DeviceStatus::Active, DeviceMode::UserSession)[1].clone();
    let second = world.accepted(&other, "REBOOT").await;
    world.advance(60);
    assert_eq!(world.state_of(&id, &command).await, "EXPIRED");
    assert_eq!(world.state_of(&other, &second).await, "PENDING");
    world
        .simulator
        .state()
        .change_command(&world.customer(), &second, &resolve)
        .unwrap();
    assert_eq!(world.state_of(&other, &second).await, "EXECUTED_BY_CLIENT");
}

#[tokio::test]
async fn google_can_forget_a_command_which_the_device_gets_all_the_same() {
    let world = World::with_devices(20).await;
    world.switch(|switches| switches.commands.forgotten = true);
    let id = world.laptop();
    let command = world.accepted(&id, "REBOOT").await;
    let lost = world.command(&id, &command).await;
    assert_eq!((lost.status, lost.error().1.as_str()), (404, "notFound"));
    assert_eq!(lost.json()["error"]["status"], "NOT_FOUND");
    world.accepted(&id, "REBOOT").await;
    world.advance(10);
    assert_eq!(
        world.witness(&id).api.reboots,
        2,
        "what is forgotten bars nothing"
    );
    let found = CommandBehaviour {
        forgotten: Some(false),
        ..CommandBehaviour::default()
    };
    world
        .simulator
        .state()
        .change_command(&world.customer(), &command, &found)
        .unwrap();
    assert_eq!(world.state_of(&id, &command).await, "EXECUTED_BY_CLIENT");
}

#[tokio::test]
async fn the_control_api_lists_and_changes() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let tenant = format!("/tenants/{}", world.customer());
    let device = format!("{tenant}/devices/{id}");
    let first = world.accepted(&id, "REBOOT").await;
    world.advance(4);
    let set = world
        .control(
            Method::PUT,
            &format!("{device}/connectivity"),
            &json!({ "online": false }),
        )
        .await;
    assert_eq!(set.json(), json!({ "online": false }), "{}", set.text);
    let behaviour = format!("{device}/command-behaviour");
    let patched = world
        .control(
            Method::PATCH,
            &behaviour,
            &json!({ "outcome": "FAILURE", "sentAfterSeconds": 3 }),
        )
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let patched = world
        .control(Method::PATCH, &behaviour, &json!({ "sentAfterSeconds": 9 }))
        .await
        .json();
    assert_eq!(patched, json!({ "outcome": "FAILURE", "sentAfterSeconds": 9 }));
    let second = world.accepted(&id, "WIPE_USERS").await;
    let list = async |query: &str| -> Vec<String> {
        let path = format!("{tenant}/commands{query}");
        let answer = world.control(Method::GET, &path, &Value::Null).await;
        let rows = answer.json()["commands"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["commandId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(list("").await, [first.clone(), second.clone()]);
    assert_eq!(list("?type=WIPE_USERS").await, [second.clone()]);
    assert_eq!(list("?state=EXECUTED_BY_CLIENT").await, [first.clone()]);
    assert_eq!(
        list(&format!("?device={id}&state=PENDING")).await,
        [second.clone()]
    );
    let other = world.devices(DeviceStatus::Active, DeviceMode::UserSession)[1].clone();
    assert!(list(&format!("?device={other}")).await.is_empty());
    let shown = world
        .control(Method::GET, &format!("{tenant}/commands/{second}"), &Value::Null)
        .await
        .json();
    assert_eq!(
        (&shown["state"], &shown["stage"]),
        (&json!("PENDING"), &json!("waiting"))
    );
    assert_eq!(shown["issuedBy"], "admin@school.example");
    let reset = world.control(Method::DELETE, &behaviour, &json!({})).await;
    assert_eq!(reset.status, 204);
    assert_eq!(
        world.control(Method::GET, &behaviour, &Value::Null).await.json(),
        json!({})
    );
    for (method, path, body) in [
        (Method::PATCH, behaviour.clone(), json!({ "outcome": "MAYBE" })),
        (Method::PATCH, behaviour.clone(), json!({ "errorMessage": "" })),
        (
            Method::PATCH,
            behaviour,
            json!({ "sentAfterSeconds": 4_000_000_000_u32 }),
        ),
        (
            Method::PUT,
            format!("{device}/connectivity"),
            json!({ "on": true }),
        ),
        (Method::PUT, format!("{device}/connectivity"), json!({})),
        (Method::GET, format!("{tenant}/commands?kind=REBOOT"), Value::Null),
    ] {
        let answer = world.control(method.clone(), &path, &body).await;
        assert_eq!(answer.status, 400, "{method} {path} {body}");
    }
    let state = world.simulator.state();
    assert!(state.command(&world.customer(), "77").is_err());
    assert!(state.set_connectivity(&world.customer(), "x", true).is_err());
    let filter = CommandFilter {
        command_type: Some(CommandType::Reboot),
        ..CommandFilter::default()
    };
    assert_eq!(state.commands(&world.customer(), &filter).unwrap().len(), 1);
}
