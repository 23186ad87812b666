//! `kubectl chromeos status`.

use jiff::SignedDuration;
use operator_testing::{Size, assert_golden};
use serde_json::{Value, json};

use crate::connections::{active, ago, stalled};
use crate::world::{World, run};

const DELEGATION: &str = "Google does not let the service account act for this customer. In the Admin console open Security > \
    Access and data control > API controls > Domain-wide delegation, and give the client ID 112233445566778899001 exactly \
    these scopes: https://www.googleapis.com/auth/admin.directory.device.chromeos,\
    https://www.googleapis.com/auth/admin.directory.user.readonly. Google can take up to 24 hours to apply it; the operator \
    keeps trying.";

async fn three(cluster: &crate::world::Cluster) -> World {
    let world = World::start(cluster).await;
    world.connection("school", json!({}), active()).await;
    world
        .connection(
            "south",
            json!({}),
            stalled("Connecting", "DelegationMissing", DELEGATION),
        )
        .await;
    world
        .connection(
            "twin",
            json!({}),
            stalled("Conflict", "AnotherConnectionExists", "An older one exists."),
        )
        .await;
    world
}

async fn on_a_terminal(world: &World, arguments: &[&str]) -> (String, Option<i32>) {
    let terminal = world.program(arguments).in_terminal(Size::default()).unwrap();
    let output = terminal.finish().await.unwrap();
    (output.scroll(), output.exit_code())
}

#[test]
fn a_table_tells_how_connections_are() {
    run(|cluster| async {
        let world = three(cluster).await;
        let plain = world.plugin(&["status"]).await;
        assert_eq!((plain.stderr.as_str(), plain.code), ("", Some(0)));
        assert_golden("tests/golden/status-table.txt", &plain.stdout);
        let (screen, code) = on_a_terminal(&world, &["status"]).await;
        assert_eq!(code, Some(0));
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
        assert_golden("tests/golden/status-table-80.txt", &screen);

        let csv = world.plugin(&["status", "-o", "csv"]).await.stdout;
        let head = "namespace,name,state,devices,last_check_in,account,reason,customer,age,message\n";
        assert!(csv.starts_with(head), "{csv}");
        let json = world.plugin(&["status", "-o", "json"]).await.stdout;
        let list: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
        let everywhere = world.plugin(&["status", "-A", "--no-headers"]).await.stdout;
        assert!(
            everywhere
                .lines()
                .filter(|line| line.starts_with(&world.namespace))
                .count()
                >= 3,
            "{everywhere}"
        );
    });
}

#[test]
fn one_connection_is_told_with_what_to_do() {
    run(|cluster| async {
        let world = three(cluster).await;
        for (name, arguments) in [
            ("works", ["status", "school"]),
            ("delegation", ["status", "south"]),
        ] {
            let plain = world.plugin(&arguments).await;
            assert_eq!((plain.stderr.as_str(), plain.code), ("", Some(0)));
            assert_golden(
                format!("tests/golden/status-{name}.txt"),
                &world.settled(&plain.stdout),
            );
            let (screen, _) = on_a_terminal(&world, &arguments).await;
            // A command or a list of scopes is never broken, because it is meant to be copied.
            assert_golden(
                format!("tests/golden/status-{name}-80.txt"),
                &world.settled(&screen),
            );
        }
        let json = world.plugin(&["status", "south", "-o", "json"]).await.stdout;
        let object: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&object["kind"], &object["metadata"]["name"]),
            (&json!("ChromeEnterpriseConnection"), &json!("south"))
        );
        let name = world.plugin(&["status", "south", "-o", "name"]).await.stdout;
        assert_eq!(name, "chromeenterpriseconnection.chromeenterprise.dev/south\n");
        let row = world
            .plugin(&["status", "school", "-o", "table", "--no-headers"])
            .await
            .stdout;
        assert!(
            row.starts_with("school  Active") && row.lines().count() == 1,
            "{row}"
        );
    });
}

#[test]
fn a_sync_that_runs_and_devices_that_are_held_are_shown() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let mut status = active();
        status["state"] = "Syncing".into();
        status["sync"] = json!({
            "phase": "Reading", "devicesRead": 300, "devicesExpected": 1200, "devicesSkipped": 2,
            "pruneHold": { "id": "5a918e3ef0c75618", "devices": 150, "since": ago(SignedDuration::from_mins(50 * 60 + 10)) },
        });
        status["conditions"] = json!([]);
        world.connection("school", json!({}), status).await;
        let plain = world.plugin(&["status", "school"]).await;
        assert_golden("tests/golden/status-syncing.txt", &world.settled(&plain.stdout));
        world.connection("fresh", json!({}), json!({})).await;
        let fresh = world.plugin(&["status", "fresh"]).await.stdout;
        assert!(fresh.contains("no operator has looked at it yet"), "{fresh}");
    });
}

#[test]
fn what_the_cluster_holds_does_not_steer_the_terminal() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let hostile = "\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}evil";
        world
            .connection("school", json!({}), stalled("Degraded", "Odd", hostile))
            .await;
        for arguments in [
            &["status", "school"][..],
            &["status", "-o", "wide"],
            &["status", "-w"],
        ] {
            let printed = world.plugin(arguments).await;
            let all = format!("{}{}", printed.stdout, printed.stderr);
            assert!(
                all.contains("title") && !all.contains(['\u{1b}', '\u{7}', '\u{202e}']),
                "{all:?}"
            );
        }
    });
}

#[test]
fn a_check_ends_with_a_code_for_scripts() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        assert_eq!(
            world.plugin(&["status", "--check"]).await.code,
            Some(0),
            "nothing is wrong with nothing"
        );
        world.connection("school", json!({}), active()).await;
        assert_eq!(world.plugin(&["status", "--check"]).await.code, Some(0));
        assert_eq!(
            world
                .plugin(&["status", "school", "--check", "-o", "name"])
                .await
                .code,
            Some(0)
        );
        world
            .connection_status("school", json!({ "state": "Suspended" }))
            .await;
        assert_eq!(world.plugin(&["status", "--check"]).await.code, Some(0));
        world
            .connection_status("school", json!({ "state": "Degraded" }))
            .await;
        assert_eq!(world.plugin(&["status"]).await.code, Some(0));
        assert_eq!(world.plugin(&["status", "--check"]).await.code, Some(3));
        assert_eq!(world.plugin(&["status", "school", "--check"]).await.code, Some(3));
        let missing = world.plugin(&["status", "none"]).await;
        assert_eq!(
            (missing.stdout.as_str(), missing.stderr, missing.code),
            (
                "",
                format!(
                    "error: There is no connection none in namespace {}.\n`kubectl chromeos status -A` lists the \
                     connections of all namespaces.\n",
                    world.namespace
                ),
                Some(1)
            )
        );
    });
}

#[test]
fn a_connection_is_followed_until_it_works_or_needs_a_person() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world
            .connection(
                "school",
                json!({}),
                json!({ "state": "Connecting", "observedGeneration": 1 }),
            )
            .await;
        let watching = tokio::spawn(crate::world::finish(world.command(&["status", "--watch"])));
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let reading = json!({ "phase": "Reading", "devicesRead": 300, "devicesExpected": 1200 });
        world
            .connection_status("school", json!({ "state": "Syncing", "sync": reading }))
            .await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        world.connection_status("school", active()).await;
        let watched = watching.await.unwrap();
        assert_eq!(watched.code, Some(0), "{watched:?}");
        assert_eq!(
            watched.stderr,
            "Connecting\nWaiting\nSyncing\nReading the devices from Google: 300 of 1200\n"
        );
        assert!(
            watched.stdout.contains("Active: The inventory is complete"),
            "{watched:?}"
        );

        world
            .connection_status("school", stalled("Degraded", "AccountSuspended", "Restore it."))
            .await;
        let stalled = world.plugin(&["status", "-w"]).await;
        assert_eq!(stalled.code, Some(3), "{stalled:?}");
        assert!(
            stalled.stdout.contains("What to do      Restore it."),
            "{stalled:?}"
        );
    });
}

#[test]
fn a_look_at_a_terminal_has_a_bar_and_ends_with_ctrl_c() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let reading = json!({ "phase": "Reading", "devicesRead": 300, "devicesExpected": 1200 });
        let status = json!({ "state": "Syncing", "observedGeneration": 1, "sync": reading });
        world.connection("school", json!({}), status).await;
        let mut terminal = world
            .program(&["status", "--watch"])
            .in_terminal(Size::default())
            .unwrap();
        terminal.wait_for_screen("300 of 1,200").await.unwrap();
        terminal.interrupt().await.unwrap();
        assert_eq!(terminal.finish().await.unwrap().exit_code(), Some(130));
    });
}
