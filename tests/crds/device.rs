//! What the API server accepts, refuses and keeps of a `ChromeOSDevice`.

use chrome_enterprise_operator::api::device::ChromeOSDeviceStatus;
use chrome_enterprise_operator::api::{ChromeOSDevice, FIELD_MANAGER};
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::server::{check, create, namespace, objects, run, try_create, try_status, with};

const KIND: &str = "ChromeOSDevice";

pub(crate) fn device(name: &str) -> Value {
    json!({
        "apiVersion": "inventory.chromeenterprise.dev/v1alpha1",
        "kind": KIND,
        "metadata": {"name": name, "labels": {"chromeenterprise.dev/connection": "school"}},
        "spec": {}
    })
}

/// As much as a device in daily use reports.
pub(crate) fn typical_status() -> Value {
    json!({
        "serialNumber": "5CD 1234xyz",
        "serialKey": "5CD1234XYZ",
        "state": "ACTIVE",
        "model": "HP Chromebook x360 11 G4 EE",
        "orgUnitPath": "/Students/Primary School/Year 6",
        "orgUnitId": "03ph8a2z1enx4pl",
        "annotatedAssetId": "CB-2024-00417",
        "annotatedUser": "library cart 7",
        "annotatedLocation": "Main building, room 104",
        "notes": "screen replaced in spring",
        "enrollment": {
            "firstEnrollmentTime": "2024-08-12T09:14:03Z",
            "lastEnrollmentTime": "2025-08-20T07:02:51Z",
            "licenseType": "educationUpgradePerpetual",
            "willAutoRenew": false,
            "extendedSupportEnabled": false
        },
        "software": {
            "osVersion": "140.0.7339.242",
            "platformVersion": "16371.60.0 (Official Build) stable-channel drawcia",
            "firmwareVersion": "Google_Drawcia.13606.612.0",
            "bootMode": "Verified",
            "osVersionCompliance": "compliant",
            "updateState": "updateStateNotStarted",
            "autoUpdateEndTime": "2031-06-01T00:00:00Z"
        },
        "hardware": {
            "macAddress": "a4b1c2d3e4f5",
            "ethernetMacAddress": "a4b1c2d3e4f6",
            "chromeOsType": "chromeOs",
            "cpuModel": "Intel(R) Celeron(R) N4500 @ 1.10GHz",
            "memoryTotalBytes": 4_105_859_072_i64,
            "diskCapacityBytes": 31_268_536_320_i64,
            "tpmFirmwareVersion": "9e1c1c0b1d2f3a4b",
            "manufactureDate": "2024-05-17"
        },
        "activity": {
            "lastSyncTime": "2026-11-24T07:41:12Z",
            "lastRebootTime": "2026-11-24T06:58:40Z",
            "lastActiveDate": "2026-11-23",
            "diskUsedBytes": 14_022_754_304_i64,
            "lanIpAddress": "10.20.30.40"
        },
        "recordedTime": "2026-11-24T08:00:00Z"
    })
}

#[test]
fn a_typical_status_is_small_and_kept_whole() {
    let status = typical_status();
    let size = status.to_string().len();
    assert!(
        (1200..=1600).contains(&size),
        "{size} bytes are not a typical status of 1.5 kB"
    );
    run(|client| async move {
        namespace(&client, "device-status").await;
        let api = objects(&client, KIND, "device-status");
        let stored = create(&api, &with(&device("device-1"), "/status", status.clone())).await;
        assert_eq!(stored.data["status"], status);
        let typed: ChromeOSDeviceStatus = serde_json::from_value(status.clone()).unwrap();
        assert_eq!(
            serde_json::to_value(typed).unwrap(),
            status,
            "the type and the schema agree"
        );
    });
}

/// The status is atomic, so managedFields holds one line for it and not one for each field.
#[test]
fn a_status_takes_one_line_of_managed_fields() {
    run(|client| async move {
        namespace(&client, "device-managed").await;
        let merged = objects(&client, KIND, "device-managed");
        create(&merged, &with(&device("merged"), "/status", typical_status())).await;
        let api: Api<ChromeOSDevice> = Api::namespaced(client, "device-managed");
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let mut applied = device("applied");
        api.patch("applied", &params, &Patch::Apply(&applied))
            .await
            .unwrap();
        applied["status"] = typical_status();
        api.patch_status("applied", &params, &Patch::Apply(&applied))
            .await
            .unwrap();
        for name in ["merged", "applied"] {
            let stored = api.get(name).await.unwrap();
            let entries = stored
                .managed_fields()
                .iter()
                .filter(|one| one.subresource.as_deref() == Some("status"));
            let fields: Vec<_> = entries.map(|one| one.fields_v1.clone().unwrap().0).collect();
            assert_eq!(fields, [json!({"f:status": {}})], "{name}");
        }
    });
}

#[test]
fn specs() {
    let cases = [
        ("/spec", json!({}), None),
        ("/spec/annotatedUser", json!("u".repeat(100)), None),
        ("/spec/annotatedUser", json!("u".repeat(101)), Some("Too long")),
        (
            "/spec/annotatedLocation",
            json!("l".repeat(201)),
            Some("Too long"),
        ),
        ("/spec/notes", json!("n".repeat(501)), Some("Too long")),
        ("/spec/notes", json!(""), None),
        ("/spec/orgUnitPath", json!("/Students"), None),
        ("/spec/orgUnitPath", json!("Students"), Some("spec.orgUnitPath")),
    ];
    run(|client| async move {
        namespace(&client, "device-specs").await;
        let api = objects(&client, KIND, "device-specs");
        for (pointer, value, refused) in cases {
            let case = format!("{pointer} = {value}");
            check(
                &case,
                try_create(&api, &with(&device("device-1"), pointer, value)).await,
                refused,
            );
        }
    });
}

#[test]
fn statuses() {
    let cases = [
        (json!({}), None),
        (json!({"state": "SOMETHING_NEW"}), None),
        (json!({"serialNumber": "s".repeat(65)}), Some("Too long")),
        (
            json!({"hardware": {"memoryTotalBytes": -1}}),
            Some("greater than or equal to 0"),
        ),
        (
            json!({"hardware": {"memoryTotalBytes": "4 GB"}}),
            Some("memoryTotalBytes"),
        ),
        (
            json!({"activity": {"lastSyncTime": "today"}}),
            Some("lastSyncTime"),
        ),
    ];
    run(|client| async move {
        namespace(&client, "device-statuses").await;
        let api = objects(&client, KIND, "device-statuses");
        create(&api, &device("device-1")).await;
        for (status, refused) in cases {
            check(
                &status.to_string(),
                try_status(&api, "device-1", &status).await,
                refused,
            );
        }
    });
}
