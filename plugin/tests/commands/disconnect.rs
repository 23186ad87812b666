//! `kubectl chromeos disconnect`.

use chrome_enterprise_operator::api::{
    CLEANUP_FINALIZER, CREATED_BY_CONNECT, CREATED_BY_LABEL, ChromeOSDevice, DeviceActionReceipt,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams, Patch, PatchParams};
use operator_testing::{Size, assert_golden};
use serde_json::json;

use crate::connections::{active, stalled};
use crate::world::{World, run};

async fn made_by_the_plugin(world: &World, name: &str) {
    let patch = json!({ "metadata": { "labels": { CREATED_BY_LABEL: CREATED_BY_CONNECT } } });
    let api: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

#[test]
fn nothing_is_removed_that_nobody_agreed_to() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.secret("google", "service-account.json", "{}").await;
        world.connection("school", json!({}), active()).await;
        let asked = world.plugin(&["disconnect"]).await;
        assert_eq!((asked.stdout.as_str(), asked.code), ("", Some(2)));
        assert_golden("tests/golden/disconnect-asked.txt", &world.settled(&asked.stderr));

        let mut terminal = world
            .program(&["disconnect"])
            .in_terminal(Size::default())
            .unwrap();
        terminal
            .wait_for_screen("Type the name of the connection (school)")
            .await
            .unwrap();
        terminal.send_line("yes").await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(1));
        assert!(
            output
                .screen()
                .contains("That is not its name, so nothing was done."),
            "{}",
            output.screen()
        );
        let connection = world.connections().get("school").await.unwrap();
        assert_eq!(connection.metadata.deletion_timestamp, None);

        // Without a finalizer nothing holds it: nobody has to work on it.
        let mut terminal = world
            .program(&["disconnect", "school"])
            .in_terminal(Size::default())
            .unwrap();
        terminal.wait_for_screen("Type the name").await.unwrap();
        terminal.send_line("school").await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(0), "{}", output.screen());
        assert!(
            output.screen().contains("Connection school is gone."),
            "{}",
            output.screen()
        );
        assert!(world.has_secret("google").await, "somebody else made it");
    });
}

#[test]
fn what_goes_and_what_stays_is_told_before() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.secret("google", "service-account.json", "{}").await;
        made_by_the_plugin(&world, "google").await;
        // Without a count of the operator the objects are counted.
        world.connection("school", json!({}), json!({})).await;
        for device in ["one", "two", "three"] {
            world.device(device, json!({ "serialNumber": device })).await;
        }
        for (name, state) in [
            ("waits", None),
            ("sent", Some("Sent")),
            ("done", Some("Succeeded")),
        ] {
            action(&world, name, state).await;
        }
        let printed = world.plugin(&["disconnect"]).await;
        assert!(
            printed
                .stderr
                .contains("- 3 device objects of this cluster will be removed."),
            "{printed:?}"
        );
        assert!(
            printed
                .stderr
                .contains("- 1 action that is not sent yet will end as Rejected; 1 is sent already"),
            "{printed:?}"
        );
        assert!(
            printed.stderr.contains("- 0 receipts of actions will stay."),
            "{printed:?}"
        );
        assert!(
            printed
                .stderr
                .contains("- Secret google will be removed, because"),
            "{printed:?}"
        );
        let kept = world.plugin(&["disconnect", "--keep-secret"]).await;
        assert!(
            kept.stderr.contains("- Secret google will stay: --keep-secret."),
            "{kept:?}"
        );
        world.connection("south", json!({}), active()).await;
        let shared = world.plugin(&["disconnect", "school"]).await;
        assert!(
            shared
                .stderr
                .contains("- Secret google will stay: another connection uses it."),
            "{shared:?}"
        );
        world
            .connection(
                "twin",
                json!({}),
                stalled("Conflict", "AnotherConnectionExists", "x"),
            )
            .await;
        let conflict = world.plugin(&["disconnect", "twin"]).await;
        assert!(conflict.stderr.contains("so it has no devices"), "{conflict:?}");
    });
}

async fn action(world: &World, name: &str, state: Option<&str>) {
    use chrome_enterprise_operator::api::DeviceAction;
    let api: Api<DeviceAction> = Api::namespaced(world.client.clone(), &world.namespace);
    let object = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction", "metadata": { "name": name },
        "spec": { "deviceId": "one", "type": "Restart", "notAfter": "2027-01-01T00:00:00Z" },
    });
    api.patch(name, &PatchParams::apply("tests"), &Patch::Apply(&object))
        .await
        .unwrap();
    if let Some(state) = state {
        let patch = Patch::Merge(json!({ "status": { "state": state } }));
        api.patch_status(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }
}

#[test]
fn devices_and_the_plugins_secret_go_and_receipts_stay() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let connected = world.connected(30).await;
        made_by_the_plugin(&world, "google").await;
        let printed = world.plugin(&["disconnect", "--yes", "--timeout", "2m"]).await;
        assert_eq!(printed.code, Some(0), "{printed:?}\n{}", connected.operator.log());
        assert!(
            printed
                .stderr
                .contains("- 30 device objects of this cluster will be removed."),
            "{printed:?}"
        );
        let end = format!(
            "Secret google is removed.\nConnection school is gone. Namespace {} is free for another one.\n",
            world.namespace
        );
        assert!(printed.stderr.ends_with(&end), "{printed:?}");
        assert!(!world.has_secret("google").await);
        let devices: Api<ChromeOSDevice> = Api::namespaced(world.client.clone(), &world.namespace);
        assert_eq!(devices.list(&ListParams::default()).await.unwrap().items.len(), 0);
        let receipts: Api<DeviceActionReceipt> = Api::namespaced(world.client.clone(), &world.namespace);
        receipts.list(&ListParams::default()).await.unwrap();
        assert_eq!(
            connected.google.tenants()[0].device_count(),
            30,
            "nothing changes at Google"
        );
    });
}

#[test]
fn without_an_operator_the_finalizer_is_named() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let held = json!({ "finalizers": [CLEANUP_FINALIZER] });
        world.connection("school", held, active()).await;
        let printed = world.plugin(&["disconnect", "--yes", "--timeout", "11s"]).await;
        assert_eq!(printed.code, Some(5), "{printed:?}");
        assert!(
            printed
                .stderr
                .contains(&format!("Its finalizer {CLEANUP_FINALIZER} holds the connection")),
            "{printed:?}"
        );
        assert!(
            printed
                .stderr
                .contains("no operator has taken that up, so it waits.\nStart the operator"),
            "{printed:?}"
        );

        let again = world.plugin(&["disconnect", "--wait=false"]).await;
        assert_eq!(
            (again.stderr.as_str(), again.code),
            (
                "Connection school is being deleted already.\nIt goes on without this program.\n",
                Some(0)
            )
        );
        let mut terminal = world
            .program(&["disconnect"])
            .in_terminal(Size::default())
            .unwrap();
        terminal
            .wait_for_screen("Waiting for the operator")
            .await
            .unwrap();
        terminal.interrupt().await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(130));
        let shown = output.screen().replace('\n', " ");
        assert!(shown.contains("goes on without this program"), "{shown}");
        world
            .change_connection("school", json!({ "metadata": { "finalizers": [] } }))
            .await;
    });
}
