//! Commands that are cancelled, fail, are stuck or forgotten; and how the control API shows and changes them.

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::command::{
    CommandBehaviour, CommandOutcome, CommandStage, CommandState, CommandType, StuckAt,
};
use google_admin_simulator::control::CommandFilter;
use google_admin_simulator::control::devices::DeviceMode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::command_life::{offline, online};
use crate::support::{World, frozen};

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
