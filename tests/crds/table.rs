//! What `kubectl get` shows: the columns of each kind, with values in them.

use kube::Client;
use serde_json::{Value, json};

use crate::device::{device, typical_status};
use crate::server::{create, namespace, objects, run};

const NAMESPACE: &str = "tables";

#[test]
fn columns() {
    run(|client| async move {
        namespace(&client, NAMESPACE).await;
        connection(&client).await;
        chromeos_device(&client).await;
        action(&client).await;
        receipt(&client).await;
    });
}

/// The cells of the only row, by column: first those that are always shown, then those of `-o wide`.
async fn row(client: &Client, group: &str, plural: &str) -> (Value, Value) {
    let path = format!("/apis/{group}/v1alpha1/namespaces/{NAMESPACE}/{plural}");
    let request = http::Request::get(path)
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: Value = client.request(request).await.unwrap();
    assert_eq!(table["kind"], "Table");
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let (mut narrow, mut wide) = (json!({}), json!({}));
    let columns = table["columnDefinitions"].as_array().unwrap();
    for (column, cell) in columns.iter().zip(rows[0]["cells"].as_array().unwrap()) {
        let shown = if column["priority"] == 0 {
            &mut narrow
        } else {
            &mut wide
        };
        let is_age = column["type"] == "date";
        let cell = if is_age && cell.is_string() && cell != "<unknown>" {
            json!("<age>")
        } else {
            cell.clone()
        };
        shown[column["name"].as_str().unwrap()] = cell;
    }
    (narrow, wide)
}

fn condition(type_: &str, reason: &str, message: &str) -> Value {
    json!([{"type": type_, "status": "True", "reason": reason, "message": message, "lastTransitionTime": "2026-11-24T08:00:00Z"}])
}

async fn connection(client: &Client) {
    let object = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
        "metadata": {"name": "school"},
        "spec": {"adminEmail": "it-admin@school.example", "credentials": {"keyless": {"serviceAccountEmail": "sync@p.iam.gserviceaccount.com"}}},
        "status": {
            "state": "Active", "connectedAccount": "it-admin@school.example", "lastCheckInTime": "2026-11-24T08:00:00Z",
            "devices": {"synced": 1200, "active": 1100, "disabled": 40, "deprovisioned": 60, "other": 0},
            "conditions": condition("Ready", "Synced", "all devices are mirrored")
        }
    });
    create(&objects(client, "ChromeEnterpriseConnection", NAMESPACE), &object).await;
    let (narrow, wide) = row(client, "chromeenterprise.dev", "chromeenterpriseconnections").await;
    assert_eq!(
        narrow,
        json!({"Name": "school", "STATE": "Active", "DEVICES": 1200, "LAST CHECK-IN": "<age>", "ACCOUNT": "it-admin@school.example", "REASON": "Synced", "AGE": "<age>"})
    );
    assert_eq!(wide, json!({"MESSAGE": "all devices are mirrored"}));
}

async fn chromeos_device(client: &Client) {
    let mut object = device("device-1");
    object["status"] = typical_status();
    create(&objects(client, "ChromeOSDevice", NAMESPACE), &object).await;
    let (narrow, wide) = row(client, "inventory.chromeenterprise.dev", "chromeosdevices").await;
    assert_eq!(
        narrow,
        json!({
            "Name": "device-1", "SERIAL": "5CD 1234xyz", "STATUS": "ACTIVE", "MODEL": "HP Chromebook x360 11 G4 EE",
            "ORG UNIT": "/Students/Primary School/Year 6", "USER": "library cart 7", "OS VERSION": "140.0.7339.242", "LAST SYNC": "<age>"
        })
    );
    assert_eq!(wide, json!({}));
}

async fn action(client: &Client) {
    let object = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
        "metadata": {"name": "library-07", "annotations": {"chromeenterprise.dev/requested-by": "teacher@school.example"}},
        "spec": {"serialNumber": "5cd1234xyz", "type": "Restart", "notAfter": "2026-11-30T16:00:00Z"},
        "status": {
            "state": "Failed", "serialNumber": "5CD1234XYZ", "deviceId": "device-1",
            "conditions": condition("Succeeded", "RefusedByGoogle", "Google refused the command")
        }
    });
    create(&objects(client, "DeviceAction", NAMESPACE), &object).await;
    let (narrow, wide) = row(client, "chromeenterprise.dev", "deviceactions").await;
    assert_eq!(
        narrow,
        json!({"Name": "library-07", "DEVICE": "5CD1234XYZ", "TYPE": "Restart", "STATE": "Failed", "REQUESTED BY": "teacher@school.example", "AGE": "<age>"})
    );
    assert_eq!(
        wide,
        json!({"DEVICE ID": "device-1", "NOT AFTER": "2026-11-30T16:00:00Z", "REASON": "RefusedByGoogle", "MESSAGE": "Google refused the command"})
    );
}

async fn receipt(client: &Client) {
    let object = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceActionReceipt",
        "metadata": {"name": "library-07"},
        "request": {
            "digest": format!("sha256:{}", "0".repeat(64)), "actionName": "library-07", "actionUid": "uid", "type": "Restart",
            "deviceId": "device-1", "serialNumber": "5CD1234XYZ", "requester": "teacher@school.example",
            "notAfter": "2026-11-30T16:00:00Z", "createdTime": "2026-11-24T08:00:00Z"
        },
        "attempts": [], "state": "Failed", "reason": "RefusedByGoogle", "message": "Google refused the command",
        "open": false, "commandId": "123", "finishedTime": "2026-11-24T08:00:01Z"
    });
    create(&objects(client, "DeviceActionReceipt", NAMESPACE), &object).await;
    let (narrow, wide) = row(client, "chromeenterprise.dev", "deviceactionreceipts").await;
    assert_eq!(
        narrow,
        json!({
            "Name": "library-07", "DEVICE": "5CD1234XYZ", "TYPE": "Restart", "STATE": "Failed", "REASON": "RefusedByGoogle",
            "REQUESTED BY": "teacher@school.example", "OPEN": false, "AGE": "<age>"
        })
    );
    assert_eq!(
        wide,
        json!({"DEVICE ID": "device-1", "COMMAND": "123", "MESSAGE": "Google refused the command"})
    );
}
