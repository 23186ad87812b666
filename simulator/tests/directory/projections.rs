//! What of a device is returned: projections and masks.

use std::collections::BTreeSet;

use google_admin_simulator::control::devices::DevicePatch;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, World};

const FULL_ONLY: [&str; 6] = [
    "activeTimeRanges",
    "cpuStatusReports",
    "diskVolumeReports",
    "lastKnownNetwork",
    "recentUsers",
    "systemRamFreeReports",
];

fn names(rows: &[Value]) -> BTreeSet<String> {
    rows.iter()
        .flat_map(|row| row.as_object().unwrap().keys().cloned())
        .collect()
}

#[tokio::test]
async fn projections_return_what_they_should_in_list_and_get() {
    let world = World::with_devices(100).await;
    let full = names(&world.page("projection=FULL").await.rows());
    let unset = names(&world.page("").await.rows());
    for name in FULL_ONLY {
        assert!(full.contains(name) && !unset.contains(name), "{name}");
    }
    assert!(unset.contains("model") && unset.contains("osVersion") && unset.contains("macAddress"));
    let basic: BTreeSet<String> = [
        "kind",
        "etag",
        "deviceId",
        "annotatedAssetId",
        "annotatedLocation",
        "annotatedUser",
        "lastSync",
        "notes",
        "serialNumber",
        "status",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(names(&world.page("projection=BASIC").await.rows()), basic);
    assert_eq!(names(&world.page("projection=basic").await.rows()), basic);
    let id = world.page("query=status:provisioned").await.ids().remove(0);
    for (projection, expected) in [
        ("projection=FULL", &full),
        ("projection=BASIC", &basic),
        ("", &unset),
    ] {
        let device = world.get(&format!("{LIST}/{id}?{projection}")).await.json();
        assert!(
            names(&[device.clone()]).is_subset(expected),
            "{projection}: {device}"
        );
    }
    world
        .control(
            Method::PATCH,
            "/switches",
            &json!({ "basicProjection": "lenient" }),
        )
        .await;
    assert_eq!(names(&world.page("projection=BASIC").await.rows()), unset);
}

#[tokio::test]
async fn nothing_is_ever_null_and_numbers_have_their_types() {
    let world = World::with_devices(300).await;
    let rows = world.walk_rows("maxResults=200&projection=FULL").await;
    assert_eq!(rows.len(), 300);
    for row in &rows {
        assert!(!row.to_string().contains("null"), "{row}");
        for text in ["deviceId", "serialNumber", "status", "autoUpdateExpiration"] {
            assert!(row[text].is_string(), "{text} of {row}");
        }
        if let Some(range) = row["activeTimeRanges"].get(0) {
            assert!(range["activeTime"].is_i64() && range["date"].as_str().unwrap().len() == 10);
        }
        if let Some(report) = row["cpuStatusReports"].get(0) {
            assert!(report["cpuTemperatureInfo"][0]["temperature"].is_i64());
            assert!(report["cpuTemperatureInfo"][0]["label"].is_string());
        }
        if let Some(volume) = row["diskVolumeReports"].get(0) {
            assert!(volume["volumeInfo"][0]["storageTotal"].is_string());
        }
        if let Some(sync) = row["lastSync"].as_str() {
            assert!(
                sync.ends_with(".000Z") && sync.parse::<jiff::Timestamp>().is_ok(),
                "{sync}"
            );
        }
    }
    let unmanaged = rows
        .iter()
        .flat_map(|row| row["recentUsers"].as_array().cloned().unwrap_or_default());
    assert!(
        unmanaged.filter(|user| user.get("email").is_none()).count() > 0,
        "guests have no address"
    );
}

#[tokio::test]
async fn some_devices_do_not_report_everything() {
    let world = World::with_devices(1000).await;
    let rows = world
        .walk_rows("maxResults=200&projection=FULL&query=status:provisioned")
        .await;
    for name in [
        "recentUsers",
        "lastKnownNetwork",
        "activeTimeRanges",
        "cpuStatusReports",
        "notes",
        "model",
    ] {
        let missing = rows.iter().filter(|row| row.get(name).is_none()).count();
        assert!(
            missing > 0 && missing < rows.len(),
            "{name}: {missing} of {}",
            rows.len()
        );
    }
}

#[tokio::test]
async fn masks_reach_into_devices_and_the_list() {
    let world = World::with_devices(20).await;
    let page = world
        .page("projection=FULL&fields=kind,chromeosdevices(deviceId,osUpdateStatus/state)")
        .await
        .json();
    assert_eq!(
        page.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["chromeosdevices", "kind"]
    );
    for row in page["chromeosdevices"].as_array().unwrap() {
        let keys = names(std::slice::from_ref(row));
        assert!(
            keys.iter()
                .all(|key| key == "deviceId" || key == "osUpdateStatus"),
            "{row}"
        );
        if let Some(update) = row.get("osUpdateStatus") {
            assert_eq!(update.as_object().unwrap().len(), 1);
        }
    }
    let everything = world.page("projection=FULL&fields=*").await.json();
    assert_eq!(everything, world.page("projection=FULL&fields=").await.json());
    let basic = world
        .page("projection=BASIC&fields=chromeosdevices(model,notes)")
        .await
        .rows();
    assert!(
        !names(&basic).contains("model"),
        "a mask does not widen the projection"
    );
}

#[tokio::test]
async fn a_device_can_be_made_to_answer_anything() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let raw = json!({ "status": "NEW_STATE", "model": null, "futureField": { "a": 1 }, "osUpdateStatus": { "state": 7 } });
    let patch = DevicePatch {
        raw: raw.as_object().cloned(),
        ..DevicePatch::default()
    };
    world
        .simulator
        .state()
        .patch_device(&world.customer(), &id, &patch)
        .unwrap();
    let device = world.get(&format!("{LIST}/{id}?projection=FULL")).await.json();
    assert_eq!(device["status"], "NEW_STATE");
    assert_eq!(device["futureField"], json!({ "a": 1 }));
    assert!(device.get("model").is_none());
    let masked = world
        .get(&format!(
            "{LIST}/{id}?projection=FULL&fields=status,osUpdateStatus/state"
        ))
        .await
        .json();
    assert_eq!(
        masked,
        json!({ "status": "NEW_STATE", "osUpdateStatus": { "state": 7 } })
    );
    let back = DevicePatch {
        raw: Some(serde_json::Map::new()),
        ..DevicePatch::default()
    };
    world
        .simulator
        .state()
        .patch_device(&world.customer(), &id, &back)
        .unwrap();
    assert_ne!(
        world.get(&format!("{LIST}/{id}")).await.json()["status"],
        "NEW_STATE"
    );
}

impl World {
    async fn walk_rows(&self, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let with_token = token
                .map(|token| format!("&pageToken={token}"))
                .unwrap_or_default();
            let page = self.page(&format!("{query}{with_token}")).await;
            rows.extend(page.rows());
            token = page.next();
            if token.is_none() {
                return rows;
            }
        }
    }
}
