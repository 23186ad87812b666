//! The list of receipts, and one of them.

use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use kube::api::{Api, PostParams};
use operator_testing::{Size, assert_golden};
use serde_json::{Value, json};

use crate::world::{World, run};

/// Creates a receipt as the operator does.
async fn create(world: &World, name: &str, claimed: &str, more: Value) {
    let mut receipt = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceActionReceipt",
        "metadata": { "name": name },
        "request": {
            "digest": format!("sha256:{}", "0".repeat(64)), "actionName": name, "actionUid": format!("uid-of-{name}"),
            "type": "Restart", "restart": { "userSessionDelaySeconds": 60 },
            "deviceId": "device-1", "serialNumber": "5CD1", "connectionName": "school", "customerId": "C0123",
            "requester": "anna@school.example", "notAfter": "2026-12-01T16:00:00Z", "createdTime": claimed,
        },
        "attempts": [{
            "number": 1, "id": "0123456789abcdef", "process": "operator-0", "startedTime": "2026-11-01T08:00:00.000000Z",
            "deadline": "2026-11-01T08:00:10.000000Z", "outcome": "Accepted", "httpStatus": 200,
        }],
        "state": "Succeeded", "reason": "ExecutedByDevice", "message": "The device has carried out the command.",
        "open": false, "acceptedTime": "2026-11-01T08:00:01Z", "finishedTime": "2026-11-01T08:02:00Z",
        "commandId": "77", "commandState": "EXECUTED_BY_CLIENT", "commandResult": "SUCCESS",
    });
    for (key, value) in more.as_object().unwrap() {
        if key == "request" {
            for (key, value) in value.as_object().unwrap() {
                receipt["request"][key] = value.clone();
            }
        } else {
            receipt[key] = value.clone();
        }
    }
    let receipt: DeviceActionReceipt = serde_json::from_value(receipt).unwrap();
    Api::namespaced(world.client.clone(), &world.namespace)
        .create(&PostParams::default(), &receipt)
        .await
        .unwrap();
}

async fn three(world: &World) {
    create(world, "restart-1", "2026-11-01T08:00:00Z", json!({})).await;
    let sent = json!({
        "request": { "deviceId": "device-2", "serialNumber": "5CD2", "requester": "otto,o=x@school.example" },
        "state": "Sent", "reason": "AcceptedByGoogle", "message": "Google has it.", "open": true,
        "finishedTime": null, "commandState": "PENDING", "commandResult": null,
        "commandExpireTime": "2026-11-10T08:00:00Z",
    });
    create(world, "restart-2", "2026-11-02T08:00:00Z", sent).await;
    let rejected = json!({
        "request": { "type": "EnableLostMode", "restart": null, "requester": null, "deviceId": null },
        "attempts": [], "state": "Rejected", "reason": "DeviceNotFound", "message": "=There is no such device.",
        "acceptedTime": null, "commandId": null, "commandState": null, "commandResult": null,
    });
    create(world, "lost-3", "2026-11-03T08:00:00Z", rejected).await;
}

#[test]
fn filters_choose_for_an_audit() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let nothing = world.plugin(&["receipts"]).await;
        assert_eq!((nothing.stdout.as_str(), nothing.code), ("", Some(0)));
        three(&world).await;
        for (arguments, expected) in [
            (vec![], "lost-3 restart-1 restart-2"),
            (vec!["--serial", "5cd1"], "lost-3 restart-1"),
            (vec!["--device", "device-2"], "restart-2"),
            (vec!["--device", "5CD 2"], "restart-2"),
            (vec!["--serial", "device-2"], ""),
            (vec!["--type", "EnableLostMode"], "lost-3"),
            (vec!["--state", "Sent"], "restart-2"),
            (vec!["--state", "Sent,Rejected"], "lost-3 restart-2"),
            (vec!["--requested-by", "anna@school.example"], "restart-1"),
            (vec!["--requested-by", "otto,o=x@school.example"], "restart-2"),
            (vec!["--requested-by", "anna"], ""),
            (vec!["--open"], "restart-2"),
            (vec!["--since", "2026-11-02T08:00:00Z"], "lost-3 restart-2"),
            (vec!["--until", "2026-11-02T08:00:00Z"], "restart-1"),
            (
                vec![
                    "--since",
                    "2026-11-02T00:00:00Z",
                    "--until",
                    "2026-11-03T00:00:00Z",
                ],
                "restart-2",
            ),
        ] {
            let all: Vec<&str> = ["receipts", "-o", "name"]
                .into_iter()
                .chain(arguments.iter().copied())
                .collect();
            let printed = world.plugin(&all).await;
            assert_eq!(printed.code, Some(0), "{}", printed.stderr);
            let names: Vec<&str> = printed
                .stdout
                .lines()
                .map(|line| line.rsplit('/').next().unwrap())
                .collect();
            assert_eq!(names.join(" "), expected, "{arguments:?}");
        }
    });
}

/// Ages depend on the day of the test.
fn steady(text: &str) -> String {
    let aged = text.lines().map(|line| match line.rsplit_once(" (") {
        Some((before, after)) if after.ends_with("ago)") || after.starts_with("in ") => {
            format!("{before} (AGE)")
        }
        _ => line.to_owned(),
    });
    aged.map(|line| line + "\n").collect()
}

#[test]
fn an_auditor_gets_every_column() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        three(&world).await;
        let csv = world.plugin(&["receipts", "-o", "csv"]).await.stdout;
        assert_golden(
            "tests/golden/receipts.csv",
            &csv.replace(&world.namespace, "school"),
        );
        let table = world.plugin(&["receipts"]).await.stdout;
        assert!(
            table.starts_with("NAME       DEVICE  TYPE            STATE      REQUESTED BY"),
            "{table}"
        );

        let terminal = world
            .program(&["receipts", "restart-1"])
            .in_terminal(Size::default())
            .unwrap();
        let shown = terminal
            .finish()
            .await
            .unwrap()
            .scroll()
            .replace(&world.namespace, "school");
        assert_golden("tests/golden/receipt-terminal.txt", &steady(&shown));
        let missing = world.plugin(&["receipts", "nothing"]).await;
        assert_eq!(missing.code, Some(1));
        assert!(
            missing.stderr.contains("There is no receipt nothing"),
            "{}",
            missing.stderr
        );
        let json = world.plugin(&["receipts", "lost-3", "-o", "json"]).await.stdout;
        let object: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(object["reason"], "DeviceNotFound");
    });
}
