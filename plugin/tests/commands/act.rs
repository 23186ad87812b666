//! Commands that act on a device, where the test plays the operator.

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use operator_testing::{Size, assert_golden};
use serde_json::json;

use crate::stage::{ID, SERIAL, device_status};
use crate::world::{Printed, World, run};

/// The text with what differs in every run replaced.
fn steady(text: &str, name: &str) -> String {
    let mut steady = String::new();
    for line in text.replace(name, "NAME").lines() {
        let words = line.split(' ').map(|word| {
            if word.starts_with("73y") || word.starts_with("72y") {
                return "LEFT).".to_owned();
            }
            let is_time = word.len() >= 20 && word.starts_with("20") && word.contains('T');
            if !is_time {
                return word.to_owned();
            }
            let end = word.find('Z').map_or("", |end| &word[end + 1..]);
            format!("TIME{end}")
        });
        steady.push_str(&words.collect::<Vec<_>>().join(" "));
        steady.push('\n');
    }
    steady
}

fn assert_code(printed: &Printed, code: i32) {
    assert_eq!(printed.code, Some(code), "{}\n{}", printed.stdout, printed.stderr);
}

#[test]
fn an_action_is_followed_to_its_end() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let arguments = ["restart", "5cd1234xyz", "--delay", "120"];
        let play = async {
            let action = world.only_action().await;
            let name = action.metadata.name.clone().unwrap();
            assert!(name.starts_with("restart-5cd1234xyz-"), "{name}");
            assert_eq!(action.spec.device_id.as_deref(), Some(ID));
            assert_eq!(action.spec.serial_number, None);
            assert_eq!(action.spec.restart.unwrap().user_session_delay_seconds, 120);
            let pause = || tokio::time::sleep(std::time::Duration::from_millis(700));
            pause().await;
            world
                .say(&name, "Pending", "CheckingDevice", "It is being read.", json!({}))
                .await;
            pause().await;
            let expires = json!({ "commandExpireTime": "2099-12-01T16:00:00Z" });
            world
                .say(&name, "Sent", "AcceptedByGoogle", "Google has it.", expires)
                .await;
            pause().await;
            let message = "The device has carried out the command.";
            world
                .say(&name, "Succeeded", "ExecutedByDevice", message, json!({}))
                .await;
            name
        };
        let (printed, name) = tokio::join!(world.plugin(&arguments), play);
        assert_code(&printed, 0);
        let text = format!(
            "{}--- standard error\n{}",
            steady(&printed.stdout, &name),
            steady(&printed.stderr, &name)
        );
        assert_golden("tests/golden/restart.txt", &text);
    });
}

#[test]
fn states_decide_the_exit_code() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        for (number, (state, code)) in [
            ("Failed", 3),
            ("Expired", 3),
            ("Rejected", 3),
            ("OutcomeUnknown", 4),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("end-{number}");
            let arguments = ["lost-mode", "on", SERIAL, "--name", &name, "-o", "json"];
            let play = async {
                loop {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    if world.actions().get_opt(&name).await.unwrap().is_some() {
                        break;
                    }
                }
                world
                    .say(&name, state, "SomeReason", "So it is.", json!({}))
                    .await;
            };
            let (printed, ()) = tokio::join!(world.plugin(&arguments), play);
            assert_code(&printed, code);
            let object: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
            assert_eq!(object["status"]["state"], state);
        }
    });
}

#[test]
fn without_an_operator_the_wait_ends_and_the_action_stays() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let printed = world.plugin(&["restart", SERIAL, "--timeout", "2s"]).await;
        assert_code(&printed, 5);
        let name = world.only_action().await.metadata.name.unwrap();
        assert_eq!(
            printed.stdout,
            format!("{name}: no operator has looked at it yet\n")
        );
        for hint in [
            format!("actions {name} --follow"),
            format!("delete cda {name}"),
            "goes on without this program".to_owned(),
        ] {
            assert!(printed.stderr.contains(&hint), "{hint}: {}", printed.stderr);
        }

        let printed = world
            .plugin(&["restart", SERIAL, "--no-wait", "-o", "name"])
            .await;
        assert_code(&printed, 0);
        assert!(
            printed
                .stdout
                .starts_with("deviceaction.chromeenterprise.dev/restart-5cd1234xyz-"),
            "{}",
            printed.stdout
        );
        assert_eq!(world.all_actions().await.len(), 2);
    });
}

#[test]
fn nothing_irreversible_happens_unconfirmed() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let wipe = ["wipe", SERIAL, "--mode", "powerwash"];
        let deprovision = ["deprovision", SERIAL, "--reason", "retiring-device"];
        for arguments in [wipe, deprovision] {
            let printed = world.plugin(&arguments).await;
            assert_code(&printed, 2);
            assert!(
                printed.stderr.contains("--confirm 5CD1234XYZ"),
                "{}",
                printed.stderr
            );
            let wrong: Vec<&str> = arguments.into_iter().chain(["--confirm", "5CD1234XYY"]).collect();
            let printed = world.plugin(&wrong).await;
            assert_code(&printed, 2);
            assert!(
                printed
                    .stderr
                    .contains("--confirm says 5CD1234XYY, but the device is 5CD1234XYZ"),
                "{}",
                printed.stderr
            );
            let part: Vec<&str> = arguments.into_iter().chain(["--confirm", ""]).collect();
            assert_code(&world.plugin(&part).await, 2);
        }
        for typed in ["", "yes", "5CD1234XY"] {
            let mut terminal = world.program(&wipe).in_terminal(Size::default()).unwrap();
            terminal.wait_for("type its serial number:").await.unwrap();
            terminal.send_line(typed).await.unwrap();
            let output = terminal.finish().await.unwrap();
            assert_eq!(output.exit_code(), Some(1), "{}", output.screen());
            assert!(
                output.screen().contains("Nothing was done"),
                "{}",
                output.screen()
            );
        }
        assert!(world.all_actions().await.is_empty());
        assert_code(&world.plugin(&["wipe", SERIAL]).await, 2);
        assert_code(&world.plugin(&["deprovision", SERIAL]).await, 2);
    });
}

#[test]
fn a_person_types_the_serial_number() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let program = world.program(&["wipe", SERIAL, "--mode", "users"]);
        let mut terminal = program.in_terminal(Size::default()).unwrap();
        terminal.wait_for("type its serial number:").await.unwrap();
        assert!(world.all_actions().await.is_empty(), "not before it is confirmed");
        terminal.send_line(" 5cd1234 xyz ").await.unwrap();
        let action = world.only_action().await;
        assert_eq!(action.spec.type_, ActionType::Wipe);
        terminal
            .wait_for_screen("Waiting for the operator")
            .await
            .unwrap();
        let name = action.metadata.name.unwrap();
        world
            .say(
                &name,
                "Succeeded",
                "ExecutedByDevice",
                "The device has carried out the command.",
                json!({}),
            )
            .await;
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(0), "{}", output.screen());
        assert_golden("tests/golden/wipe-terminal.txt", &steady(&output.scroll(), &name));
    });
}

#[test]
fn ctrl_c_leaves_the_action_alone() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let mut terminal = world
            .program(&["restart", SERIAL])
            .in_terminal(Size::default())
            .unwrap();
        let name = world.only_action().await.metadata.name.unwrap();
        terminal
            .wait_for_screen("Waiting for the operator")
            .await
            .unwrap();
        terminal.interrupt().await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(130), "{}", output.scroll());
        assert!(
            output.scroll().contains("goes on without this program"),
            "{}",
            output.scroll()
        );
        assert!(world.actions().get_opt(&name).await.unwrap().is_some());
        let again = ["actions", name.as_str(), "--follow"];
        let play = async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            world
                .say(&name, "Failed", "FailedOnDevice", "It could not.", json!({}))
                .await;
        };
        let (printed, ()) = tokio::join!(world.plugin(&again), play);
        assert_code(&printed, 3);
        assert_eq!(
            printed.stdout,
            format!("{name}: Failed (FailedOnDevice)\nIt could not.\n")
        );
    });
}

#[test]
fn a_deleted_action_points_to_its_receipt() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let play = async {
            let name = world.only_action().await.metadata.name.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            world.actions().delete(&name, &Default::default()).await.unwrap();
        };
        let (printed, ()) = tokio::join!(world.plugin(&["restart", SERIAL]), play);
        assert_code(&printed, 3);
        assert!(printed.stderr.contains("was deleted"), "{}", printed.stderr);
        assert!(
            printed
                .stderr
                .contains("There is no receipt, so nothing was sent"),
            "{}",
            printed.stderr
        );
    });
}

#[test]
fn foreign_text_cannot_steer_the_terminal() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let mut status = device_status(ID, SERIAL);
        status["annotatedUser"] = json!("\u{1b}]0;owned\u{7}lena");
        world.device(ID, status).await;
        let mut terminal = world
            .program(&["restart", SERIAL])
            .in_terminal(Size::default())
            .unwrap();
        let name = world.only_action().await.metadata.name.unwrap();
        let evil = "No.\u{1b}[2J\u{1b}[1;1HSucceeded\u{202e}\u{9b}1A";
        terminal
            .wait_for_screen("Waiting for the operator")
            .await
            .unwrap();
        world
            .say(
                &name,
                "Sent",
                "AcceptedByGoogle",
                evil,
                json!({ "googleMessage": evil }),
            )
            .await;
        terminal.wait_for_screen("\\u{1b}[2J").await.unwrap();
        world
            .say(
                &name,
                "Failed",
                "RefusedByGoogle",
                "Google refused it.",
                json!({ "googleMessage": evil }),
            )
            .await;
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(3));
        let bytes = String::from_utf8(output.bytes.clone()).unwrap();
        for forbidden in [
            "\u{1b}]0;",
            "\u{1b}[2J",
            "\u{1b}[1;1H",
            "\u{7}",
            "\u{202e}",
            "\u{9b}",
        ] {
            assert!(!bytes.contains(forbidden), "{}", bytes.escape_debug());
        }
        let shown = world
            .program(&["actions", &name])
            .in_terminal(Size::default())
            .unwrap();
        let bytes = String::from_utf8(shown.finish().await.unwrap().bytes).unwrap();
        assert!(
            bytes.contains("Google says") && !bytes.contains("\u{1b}[2J"),
            "{}",
            bytes.escape_debug()
        );
    });
}

#[test]
fn a_dry_run_changes_nothing() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let client = world
            .plugin(&[
                "wipe",
                SERIAL,
                "--mode",
                "users",
                "--dry-run",
                "client",
                "--ttl",
                "1h",
                "-o",
                "json",
            ])
            .await;
        assert_code(&client, 0);
        let object: serde_json::Value = serde_json::from_str(&client.stdout).unwrap();
        assert_eq!(object["spec"]["deviceId"], ID);
        assert_eq!(object["spec"]["wipe"]["mode"], "Users");
        assert_eq!(object["spec"]["ttlSecondsAfterFinished"], 3600);
        assert_eq!(object["metadata"]["uid"], json!(null));
        let server = world
            .plugin(&[
                "deprovision",
                SERIAL,
                "--reason",
                "upgrade-transfer",
                "--dry-run=server",
            ])
            .await;
        assert_code(&server, 0);
        assert!(server.stdout.contains("uid: ") && server.stdout.contains("reason: UpgradeTransfer"));
        assert!(world.all_actions().await.is_empty());
    });
}

#[test]
fn a_name_of_somebody_else_is_left_alone() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        let arguments = [
            "restart",
            SERIAL,
            "--no-wait",
            "--name",
            "monday",
            "--not-after",
            "2099-01-01T00:00:00Z",
        ];
        assert_code(&world.plugin(&arguments).await, 2);
        let arguments = ["restart", SERIAL, "--no-wait", "--name", "monday"];
        assert_code(&world.plugin(&arguments).await, 0);
        let printed = world.plugin(&arguments).await;
        assert_code(&printed, 1);
        assert!(
            printed
                .stderr
                .contains("there is another action with the name monday"),
            "{}",
            printed.stderr
        );
        assert_eq!(world.all_actions().await.len(), 1);
    });
}

#[test]
fn what_would_be_rejected_is_refused_and_what_waits_is_said() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device(ID, device_status(ID, SERIAL)).await;
        let restart = ["restart", SERIAL, "--no-wait"];
        let printed = world.plugin(&restart).await;
        assert_code(&printed, 0);
        assert!(printed.stderr.contains("has no connection"), "{}", printed.stderr);

        world
            .school_connection(json!({ "access": "ReadOnly" }), json!({ "state": "Active" }))
            .await;
        let printed = world.plugin(&restart).await;
        assert_code(&printed, 1);
        assert!(printed.stderr.contains("may only read"), "{}", printed.stderr);
        assert_eq!(world.all_actions().await.len(), 1);

        let suspended = json!({ "access": "ReadWrite", "sync": { "suspend": true } });
        world
            .school_connection(suspended, json!({ "state": "Suspended" }))
            .await;
        let printed = world.plugin(&restart).await;
        assert_code(&printed, 0);
        assert!(printed.stderr.contains("resume school"), "{}", printed.stderr);

        let mut status = device_status(ID, SERIAL);
        status["state"] = json!("DISABLED");
        world.device(ID, status).await;
        let printed = world.plugin(&["lost-mode", "on", SERIAL, "--no-wait"]).await;
        assert_code(&printed, 0);
        assert!(
            printed.stderr.contains("already is DISABLED"),
            "{}",
            printed.stderr
        );
    });
}

#[test]
fn a_device_must_be_exactly_one() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.device_and_connection().await;
        for unknown in ["5CD1234XY", "../secrets", "a,b=c"] {
            let printed = world.plugin(&["restart", unknown]).await;
            assert_code(&printed, 1);
            assert!(
                printed.stderr.contains("There is no device"),
                "{}",
                printed.stderr
            );
        }
        world.device("twin", device_status("twin", SERIAL)).await;
        let printed = world.plugin(&["restart", SERIAL]).await;
        assert_code(&printed, 1);
        assert!(
            printed.stderr.contains(ID) && printed.stderr.contains("twin"),
            "{}",
            printed.stderr
        );
        assert!(world.all_actions().await.is_empty());
        let printed = world.plugin(&["restart", "twin", "--no-wait"]).await;
        assert_code(&printed, 0);
        assert_eq!(world.only_action().await.spec.device_id.as_deref(), Some("twin"));
        assert_ne!(
            world.only_action().await.status.and_then(|status| status.state),
            Some(ActionState::Sent)
        );
    });
}
