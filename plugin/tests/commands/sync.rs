//! `kubectl chromeos sync`, `suspend` and `resume`.

use std::time::Duration;

use chrome_enterprise_operator::api::SYNC_REQUESTED_ANNOTATION;
use chrome_enterprise_operator::api::connection::ConnectionState;
use kube::ResourceExt as _;
use operator_testing::Size;
use serde_json::json;

use crate::connections::{active, stalled};
use crate::world::{PATIENCE, World, run};

#[test]
fn the_only_connection_of_a_namespace_is_meant() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        for command in ["sync", "suspend", "resume", "disconnect"] {
            let none = world.plugin(&[command]).await;
            assert_eq!(none.code, Some(1));
            assert!(
                none.stderr.starts_with(&format!(
                    "error: There is no connection in namespace {}.\nMake one",
                    world.namespace
                )),
                "{none:?}"
            );
        }
        world.connection("school", json!({}), active()).await;
        let asked = world.plugin(&["sync"]).await;
        assert_eq!((asked.stdout.as_str(), asked.code), ("", Some(0)), "{asked:?}");
        let first =
            world.connections().get("school").await.unwrap().annotations()[SYNC_REQUESTED_ANNOTATION].clone();
        world.plugin(&["sync", "school"]).await;
        let second =
            world.connections().get("school").await.unwrap().annotations()[SYNC_REQUESTED_ANNOTATION].clone();
        assert_ne!(first, second, "each request is one of its own");
        world.connection("south", json!({}), active()).await;
        let several = world.plugin(&["sync"]).await;
        assert_eq!(several.code, Some(2));
        assert!(
            several
                .stderr
                .contains("has 2 connections: school, south.\nName the one"),
            "{several:?}"
        );
    });
}

#[test]
fn a_request_in_vain_is_refused_with_the_reason() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        world
            .change_connection("school", json!({ "spec": { "sync": { "suspend": true } } }))
            .await;
        let suspended = world.plugin(&["sync"]).await;
        assert_eq!(
            (suspended.stderr.as_str(), suspended.code),
            (
                "error: Connection school is suspended, so nothing would be read.\nLet it go on first: kubectl chromeos \
                 resume school\n",
                Some(1)
            )
        );
        world
            .connection(
                "twin",
                json!({}),
                stalled("Conflict", "AnotherConnectionExists", "x"),
            )
            .await;
        let conflict = world.plugin(&["sync", "twin", "--wait"]).await;
        assert_eq!(conflict.code, Some(1));
        assert!(
            conflict.stderr.contains("an older connection works in namespace"),
            "{conflict:?}"
        );
        let untouched = world.connections().get("twin").await.unwrap();
        assert!(!untouched.annotations().contains_key(SYNC_REQUESTED_ANNOTATION));
        let late = world
            .plugin(&["sync", "school", "--wait", "--timeout", "soon"])
            .await;
        assert_eq!(late.code, Some(2), "{late:?}");
    });
}

#[test]
fn without_an_operator_a_wait_ends_in_time() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        let printed = world.plugin(&["sync", "--wait", "--timeout", "1s"]).await;
        assert_eq!(printed.code, Some(5), "{printed:?}");
        assert!(
            printed.stderr.starts_with(
                "Waiting for the operator\nerror: Connection school has not read all devices within the time; it goes on.\n"
            ),
            "{printed:?}"
        );
    });
}

#[test]
fn a_pass_is_waited_for_stopped_and_gone_on_with() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let connected = world.connected(40).await;
        let printed = world.plugin(&["sync", "--wait", "--timeout", "2m"]).await;
        assert_eq!(printed.code, Some(0), "{printed:?}\n{}", connected.operator.log());
        let last = printed.stderr.lines().last().unwrap();
        assert!(
            last.starts_with("Connection school is in step with Google: 40 devices were read in "),
            "{last}"
        );
        assert!(last.ends_with(" s; 40 are mirrored."), "{last}");

        let printed = world.plugin(&["suspend"]).await;
        assert_eq!(printed.code, Some(0), "{printed:?}");
        assert!(
            printed
                .stderr
                .contains("nothing is read from Google and no action is sent"),
            "{printed:?}"
        );
        let again = world.plugin(&["suspend", "school"]).await;
        assert_eq!(
            (again.stderr.as_str(), again.code),
            ("Connection school is suspended already.\n", Some(0))
        );
        until(&world, ConnectionState::Suspended).await;
        let managers = world.connections().get("school").await.unwrap();
        assert!(
            managers
                .managed_fields()
                .iter()
                .any(|write| write.manager.as_deref() == Some("kubectl-chromeos"))
        );

        // The account does not work any more: the wait ends with what to do.
        let change = json!({ "suspended": true });
        control(
            &connected.google,
            "PATCH",
            &format!(
                "tenants/{}/users/{}",
                connected.google.customer_id(),
                connected.google.admin_email()
            ),
            change,
        )
        .await;
        world.plugin(&["resume"]).await;
        let failed = world.plugin(&["sync", "--wait", "--timeout", "1m"]).await;
        assert_eq!(failed.code, Some(3), "{failed:?}\n{}", connected.operator.log());
        assert!(
            failed
                .stderr
                .contains("error: Connection school could not read the devices: "),
            "{failed:?}"
        );
        assert!(failed.stderr.contains("account"), "{failed:?}");
    });
}

#[test]
fn ctrl_c_leaves_the_reading_to_the_operator() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        let mut terminal = world
            .program(&["sync", "--wait"])
            .in_terminal(Size::default())
            .unwrap();
        terminal
            .wait_for_screen("Waiting for the operator")
            .await
            .unwrap();
        terminal.interrupt().await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(130));
        assert!(
            output.screen().contains("goes on reading without this program"),
            "{}",
            output.screen()
        );
    });
}

#[test]
fn who_applies_from_git_is_told_that_git_wins() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let flux = json!({ "labels": { "kustomize.toolkit.fluxcd.io/name": "fleet" } });
        world.connection("school", flux, active()).await;
        for (command, suspended) in [("suspend", true), ("resume", false)] {
            let printed = world.plugin(&[command]).await;
            assert!(
                printed
                    .stderr
                    .starts_with("note: Flux applies this connection, and will change it back"),
                "{printed:?}"
            );
            assert_eq!(
                world.connections().get("school").await.unwrap().spec.sync.suspend,
                suspended
            );
        }
        let nothing = world.plugin(&["resume"]).await;
        assert_eq!(nothing.stderr, "Connection school is not suspended.\n");
    });
}

async fn until(world: &World, state: ConnectionState) {
    let began = std::time::Instant::now();
    loop {
        let connection = world.connections().get("school").await.unwrap();
        if connection.status.and_then(|status| status.state) == Some(state) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "not {state:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Changes something at the simulated Google.
pub(crate) async fn control(
    google: &google_admin_simulator::Simulator,
    method: &str,
    path: &str,
    body: serde_json::Value,
) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = format!("{}/sim/v1/{path}", google.url());
    let answer = client
        .request(method.parse().unwrap(), address)
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
}
