//! Every action through the real operator to a simulated Google, whose witness says what really happened.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use chrome_enterprise_operator::api::action::ActionState;
use google_admin_simulator::command::{CommandBehaviour, CommandType};
use operator_testing::Size;

use crate::world::{Printed, World, run};

fn assert_done(printed: &Printed) {
    assert_eq!(printed.code, Some(0), "{}\n{}", printed.stdout, printed.stderr);
    assert!(printed.stdout.contains(": Succeeded ("), "{}", printed.stdout);
}

#[test]
fn every_action_is_done_once() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let connected = world.connected(60).await;
        let devices = connected.devices(5, "ACTIVE");
        let serial = |number: usize| devices[number].serial_number.as_str();
        let lost = async {
            let on = world.plugin(&["lost-mode", "on", serial(4)]).await;
            let off = world.plugin(&["lost-mode", "off", serial(4)]).await;
            (on, off)
        };
        let restart = ["restart", serial(0), "--delay", "1"];
        let users = ["wipe", serial(1), "--mode", "users", "--confirm", serial(1)];
        let everything = ["wipe", serial(2), "--mode", "powerwash", "--confirm", serial(2)];
        let release = [
            "deprovision",
            serial(3),
            "--reason",
            "retiring-device",
            "--confirm",
            serial(3),
        ];
        let (restarted, wiped, washed, released, (on, off)) = tokio::join!(
            world.plugin(&restart),
            world.plugin(&users),
            world.plugin(&everything),
            world.plugin(&release),
            lost
        );
        for printed in [&restarted, &wiped, &washed, &released, &on, &off] {
            assert_done(printed);
        }
        let witness = |number: usize| connected.witness(&devices[number].device_id);
        assert_eq!(witness(0).accepted(CommandType::Reboot), 1);
        assert_eq!(witness(1).accepted(CommandType::WipeUsers), 1);
        assert_eq!(witness(2).accepted(CommandType::RemotePowerwash), 1);
        assert_eq!(witness(3).api.deprovisions, 1);
        assert_eq!((witness(4).api.disables, witness(4).api.reenables), (1, 1));

        // The same wish again is another action; Google is asked, and nothing is sent.
        let again = world.plugin(&["lost-mode", "off", serial(4)]).await;
        assert_done(&again);
        assert!(again.stdout.contains("AlreadyInState"), "{}", again.stdout);
        assert_eq!(witness(4).api.reenables, 1);

        let receipts = world.plugin(&["receipts", "--serial", serial(3)]).await;
        assert!(
            receipts.stdout.contains("Deprovision  Succeeded"),
            "{}",
            receipts.stdout
        );
    });
}

/// Prints how long it takes from the start of the program until Google has the command.
#[test]
fn a_restart_is_with_google_soon() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let connected = world.connected(60).await;
        let device = connected.devices(1, "ACTIVE").remove(0);
        let mut command = world.command(&["restart", &device.serial_number]);
        let began = Instant::now();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (lines, code) = tokio::task::spawn_blocking(move || {
            let lines: Vec<_> = stderr
                .lines()
                .map(|line| (began.elapsed(), line.unwrap()))
                .collect();
            (lines, child.wait().unwrap().code())
        })
        .await
        .unwrap();
        for (after, line) in &lines {
            println!("{after:>8.0?}  {line}");
        }
        assert_eq!(code, Some(0));
        let accepted = lines.iter().find(|(_, line)| line.starts_with("Sent: "));
        let (after, _) = accepted.expect("Google accepted it");
        println!("accepted by Google after {after:?}");
        assert!(after.as_secs() < 30, "{after:?}");
    });
}

#[test]
fn ctrl_c_stops_the_program_and_not_the_action() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let connected = world.connected(60).await;
        let device = connected.devices(1, "ACTIVE").remove(0);
        let slow = CommandBehaviour {
            sent_after_seconds: Some(2),
            acknowledged_after_seconds: Some(3),
            executed_after_seconds: Some(4),
            ..CommandBehaviour::default()
        };
        let google = &connected.google;
        google
            .state()
            .change_command_behaviour(&google.customer_id(), &device.device_id, &slow)
            .unwrap();
        let program = world.program(&["restart", &device.serial_number]);
        let mut terminal = program.in_terminal(Size::default()).unwrap();
        let name = world.only_action().await.metadata.name.unwrap();
        terminal.wait_for_screen("Sent: ").await.unwrap();
        terminal.interrupt().await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(130), "{}", output.scroll());
        assert!(
            output.scroll().contains("goes on without this program"),
            "{}",
            output.scroll()
        );
        world.until_state(&name, ActionState::Succeeded).await;
        assert_eq!(
            connected.witness(&device.device_id).accepted(CommandType::Reboot),
            1
        );
        assert_eq!(world.all_actions().await.len(), 1);
    });
}
