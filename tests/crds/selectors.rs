//! Every selectable field really selects.

use chrome_enterprise_operator::api::crds;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::server::{create, namespace, objects, run};

fn connection(name: &str, state: &str) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection", "metadata": {"name": name},
        "spec": {"adminEmail": "it-admin@school.example", "credentials": {"authorizedUser": {"secretRef": {"name": "token"}}}},
        "status": {"state": state}
    })
}

fn device(name: &str, serial: &str, state: &str, org_unit: &str, model: &str) -> Value {
    json!({
        "apiVersion": "inventory.chromeenterprise.dev/v1alpha1", "kind": "ChromeOSDevice", "metadata": {"name": name}, "spec": {},
        "status": {"serialNumber": serial, "serialKey": serial.to_uppercase(), "state": state, "orgUnitPath": org_unit, "model": model}
    })
}

fn action(name: &str, target: &Value, type_: &str, state: &str, device: &str) -> Value {
    let mut spec = target.clone();
    spec["type"] = json!(type_);
    spec["notAfter"] = json!("2026-11-30T16:00:00Z");
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction", "metadata": {"name": name},
        "spec": spec, "status": {"state": state, "deviceId": device}
    })
}

fn receipt(name: &str, open: bool, type_: &str, device: &str, serial: &str, requester: &str) -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceActionReceipt", "metadata": {"name": name},
        "request": {
            "digest": format!("sha256:{}", "0".repeat(64)), "actionName": name, "actionUid": "uid", "type": type_,
            "deviceId": device, "serialNumber": serial, "requester": requester,
            "notAfter": "2026-11-30T16:00:00Z", "createdTime": "2026-11-24T08:00:00Z"
        },
        "attempts": [], "state": if open { "OutcomeUnknown" } else { "Rejected" }, "reason": "Because", "open": open,
        "finishedTime": "2026-11-24T08:00:01Z"
    })
}

#[test]
fn every_selectable_field_selects() {
    let stored = [
        connection("one", "Active"),
        connection("two", "Conflict"),
        device("one", "5cd1", "ACTIVE", "/Students/Year 6", "HP Chromebook 11"),
        device("two", "5cd2", "DISABLED", "/Staff", "Lenovo 300e"),
        action("one", &json!({"deviceId": "d-1"}), "Restart", "Pending", "d-1"),
        action(
            "two",
            &json!({"serialNumber": "5CD2"}),
            "EnableLostMode",
            "Failed",
            "d-2",
        ),
        receipt("one", true, "Wipe", "d-1", "5CD1", "teacher@school.example"),
        receipt(
            "two",
            false,
            "Restart",
            "d-2",
            "5CD2",
            "system:serviceaccount:school:robot",
        ),
    ];
    run(|client| async move {
        namespace(&client, "selectors").await;
        for object in &stored {
            create(
                &objects(&client, object["kind"].as_str().unwrap(), "selectors"),
                object,
            )
            .await;
        }
        for definition in crds::all() {
            let kind = &definition.spec.names.kind;
            let api = objects(&client, kind, "selectors");
            let one = stored.iter().find(|one| one["kind"] == kind.as_str()).unwrap();
            for field in definition.spec.versions[0].selectable_fields.iter().flatten() {
                let path = field.json_path.trim_start_matches('.');
                let Some(value) = one.pointer(&format!("/{}", path.replace('.', "/"))) else {
                    assert_eq!(path, "spec.serialNumber", "the first {kind} has no {path}");
                    let found = api
                        .list(&ListParams::default().fields("spec.serialNumber=5CD2"))
                        .await
                        .unwrap();
                    assert_eq!(
                        found
                            .items
                            .iter()
                            .map(kube::ResourceExt::name_any)
                            .collect::<Vec<_>>(),
                        ["two"]
                    );
                    continue;
                };
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let found = api
                    .list(&ListParams::default().fields(&format!("{path}={text}")))
                    .await
                    .unwrap();
                let names: Vec<_> = found.items.iter().map(kube::ResourceExt::name_any).collect();
                assert_eq!(names, ["one"], "{kind}: {path}={text}");
            }
        }
    });
}

#[test]
fn another_field_is_refused() {
    run(|client| async move {
        namespace(&client, "selectors-refused").await;
        let api = objects(&client, "ChromeOSDevice", "selectors-refused");
        let error = api
            .list(&ListParams::default().fields("status.notes=x"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("field label not supported"), "{error}");
    });
}
