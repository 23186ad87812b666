//! The control API: tenants, clock, changes, truth; and how it refuses.

use std::collections::BTreeSet;

use google_admin_simulator::control::devices::TruthRow;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DEVICES, LIST, World, frozen, sorted, token};

#[tokio::test]
async fn health_and_tenants_tell_what_there_is() {
    let world = World::start(frozen(20).tenants(2)).await;
    let health = world.control(Method::GET, "/health", &Value::Null).await.json();
    assert_eq!(
        (&health["status"], &health["tenants"], &health["devices"]),
        (&json!("ok"), &json!(2), &json!(40))
    );
    let tenants = world.control(Method::GET, "/tenants", &Value::Null).await.json();
    assert_eq!(tenants["tenants"][1]["domain"], "second.example");
    assert_eq!(tenants["tenants"][0]["adminEmail"], "admin@school.example");
}

#[tokio::test]
async fn a_customer_can_be_added_while_it_runs() {
    let world = World::with_devices(1).await;
    let body = json!({ "domain": "late.example", "customerId": "C0late123", "devices": 15 });
    let made = world.control(Method::POST, "/tenants", &body).await;
    assert_eq!((made.status, &made.json()["devices"]), (201, &json!(15)));
    let token = token(&world.simulator, "admin@late.example", &[DEVICES]);
    assert_eq!(world.get_as(&token, LIST).await.rows().len(), 15);
    assert_eq!(world.control(Method::POST, "/tenants", &body).await.status, 409);
    for bad in [
        json!({ "domain": "No Domain" }),
        json!({ "customerId": "X1" }),
        json!({ "devices": 100_000_000 }),
        json!({ "size": 3 }),
    ] {
        assert_eq!(
            world.control(Method::POST, "/tenants", &bad).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn the_clock_moves_forward_only() {
    let world = World::with_devices(1).await;
    let moved = world
        .control(Method::POST, "/clock", &json!({ "advanceSeconds": 3600 }))
        .await
        .json();
    assert_eq!(moved["now"], "2026-11-23T11:00:00Z");
    for bad in [
        json!({ "advanceSeconds": -1 }),
        json!({ "scale": -1 }),
        json!({ "speed": 2 }),
    ] {
        assert_eq!(
            world.control(Method::POST, "/clock", &bad).await.status,
            400,
            "{bad}"
        );
    }
    let scaled = world
        .control(Method::POST, "/clock", &json!({ "scale": 60.0 }))
        .await
        .json();
    assert_eq!(scaled["scale"], 60.0);
}

#[tokio::test]
async fn a_share_of_the_devices_changes_and_the_same_seed_means_the_same_ones() {
    let first = World::with_devices(1000).await;
    let second = World::with_devices(1000).await;
    let change = json!({ "change": "notes", "percent": 1, "seed": 3 });
    let path = format!("/tenants/{}/changes", first.customer());
    let before = first.simulator.state().truth(&first.customer(), 0, 1000).unwrap();
    let report = first.control(Method::POST, &path, &change).await.json();
    assert_eq!(report["changed"], 10);
    assert_eq!(report, second.control(Method::POST, &path, &change).await.json());
    let after = first.simulator.state().truth(&first.customer(), 0, 1000).unwrap();
    let changed: BTreeSet<String> = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before.notes != after.notes)
        .map(|(before, _)| before.device_id.clone())
        .collect();
    let reported: Vec<String> = serde_json::from_value(report["deviceIds"].clone()).unwrap();
    assert_eq!(changed.into_iter().collect::<Vec<_>>(), sorted(reported));
}

#[tokio::test]
async fn every_kind_of_change_is_seen_through_the_api() {
    let world = World::with_devices(20).await;
    let id = world.page("query=status:provisioned").await.ids().remove(0);
    let device = format!("{LIST}/{id}");
    let path = format!("/tenants/{}/changes", world.customer());
    let before = world.get(&device).await.json();
    for (change, to, field) in [
        ("notes", Some("n"), "notes"),
        ("annotatedUser", Some("u"), "annotatedUser"),
        ("annotatedLocation", Some("l"), "annotatedLocation"),
        ("annotatedAssetId", Some("a"), "annotatedAssetId"),
        ("orgUnit", None, "orgUnitPath"),
        ("osVersion", None, "osVersion"),
        ("sync", None, "lastSync"),
        ("status", Some("DISABLED"), "status"),
    ] {
        let body = json!({ "change": change, "deviceIds": [id], "to": to });
        let answer = world.control(Method::POST, &path, &body).await;
        assert_eq!(answer.json()["changed"], 1, "{change}: {}", answer.text);
        let after = world.get(&device).await.json();
        assert_ne!(after[field], before[field], "{change}");
        if let Some(to) = to {
            assert_eq!(after[field], to);
        }
    }
    let silence = json!({ "change": "silence", "deviceIds": [id] });
    world.control(Method::POST, &path, &silence).await;
    let asleep = world.get(&device).await.json()["lastSync"].clone();
    world
        .control(Method::POST, "/clock", &json!({ "advanceSeconds": 86400 }))
        .await;
    assert_eq!(world.get(&device).await.json()["lastSync"], asleep);
    world
        .control(
            Method::POST,
            &path,
            &json!({ "change": "wake", "deviceIds": [id] }),
        )
        .await;
    assert_ne!(world.get(&device).await.json()["lastSync"], asleep);
}

#[tokio::test]
async fn devices_vanish_and_come_back() {
    let world = World::with_devices(100).await;
    let path = format!("/tenants/{}", world.customer());
    let everything = sorted(world.walk("").await);
    let gone = world
        .control(
            Method::POST,
            &format!("{path}/vanish"),
            &json!({ "percent": 20, "seed": 1 }),
        )
        .await
        .json();
    assert_eq!(gone["changed"], 20);
    assert_eq!(world.walk("").await.len(), 80);
    let id = gone["deviceIds"][0].as_str().unwrap();
    assert_eq!(world.get(&format!("{LIST}/{id}")).await.status, 404);
    let back = world
        .control(
            Method::POST,
            &format!("{path}/restore"),
            &json!({ "deviceIds": [id] }),
        )
        .await
        .json();
    assert_eq!(back["changed"], 1);
    assert_eq!(world.get(&format!("{LIST}/{id}")).await.status, 200);
    world
        .control(Method::POST, &format!("{path}/restore"), &json!({}))
        .await;
    assert_eq!(sorted(world.walk("").await), everything);
    let deleted = world
        .control(Method::DELETE, &format!("{path}/devices/{id}"), &json!({}))
        .await;
    assert_eq!(deleted.status, 204);
    assert_eq!(world.walk("").await.len(), 99);
}

#[tokio::test]
async fn one_device_can_be_looked_at_and_changed() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let path = format!("/tenants/{}/devices/{id}", world.customer());
    let body =
        json!({ "serialNumber": "odd serial 1", "mode": "kiosk", "status": "DISABLED", "orgUnitPath": "/" });
    let report = world.control(Method::PATCH, &path, &body).await.json();
    assert_eq!(report["truth"]["mode"], "kiosk");
    assert_eq!(report["full"]["serialNumber"], "odd serial 1");
    assert_eq!(
        world.get(&format!("{LIST}/{id}")).await.json()["status"],
        "DISABLED"
    );
    assert_eq!(world.page("query=id:odd%20serial").await.ids(), [id]);
    assert_eq!(
        world
            .control(Method::PATCH, &path, &json!({ "serial": "x" }))
            .await
            .status,
        400
    );
    assert_eq!(
        world
            .control(Method::PATCH, &path, &json!({ "orgUnitPath": "/nowhere" }))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_truth_is_what_the_api_says() {
    let world = World::with_devices(4321).await;
    let body = world
        .control(
            Method::GET,
            &format!("/tenants/{}/truth", world.customer()),
            &Value::Null,
        )
        .await
        .json();
    assert_eq!(body["customerId"], world.customer().as_str());
    let rows: Vec<TruthRow> = serde_json::from_value(body["devices"].clone()).unwrap();
    assert_eq!(rows.len(), 4321);
    assert_eq!(
        sorted(rows.iter().map(|row| row.device_id.clone()).collect()),
        sorted(world.walk("maxResults=200").await)
    );
    for row in rows.iter().step_by(500) {
        let device = world.get(&format!("{LIST}/{}", row.device_id)).await.json();
        assert_eq!(device["serialNumber"], row.serial_number.as_str());
        assert_eq!(device["orgUnitPath"], row.org_unit_path.as_str());
        assert_eq!(device["notes"].as_str(), row.notes.as_deref());
        let sync = device["lastSync"]
            .as_str()
            .map(|text| text.parse::<jiff::Timestamp>().unwrap().as_second());
        assert_eq!(sync, row.last_sync_seconds);
    }
    let some = world
        .control(
            Method::GET,
            &format!("/tenants/{}/devices?offset=4300&limit=50", world.customer()),
            &Value::Null,
        )
        .await
        .json();
    assert_eq!(some["devices"].as_array().unwrap().len(), 21);
}

#[tokio::test]
async fn bad_calls_say_what_is_allowed() {
    let world = World::with_devices(5).await;
    let path = format!("/tenants/{}/changes", world.customer());
    for (body, hint) in [
        (
            json!({ "change": "notes" }),
            "exactly one of percent, count and deviceIds",
        ),
        (
            json!({ "change": "notes", "percent": 1, "count": 1 }),
            "exactly one",
        ),
        (json!({ "change": "colour", "count": 1 }), "annotatedUser"),
        (
            json!({ "change": "status", "count": 1, "to": "active" }),
            "PRE_PROVISIONED",
        ),
        (
            json!({ "change": "sync", "count": 1, "to": "x" }),
            "only for texts",
        ),
        (json!({ "change": "notes", "percent": 101 }), "0 to 100"),
        (json!({ "change": "notes", "persent": 1 }), "percent"),
    ] {
        let answer = world.control(Method::POST, &path, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(hint), "{body}: {message}");
    }
    let unknown = world.control(Method::GET, "/tenants/C0none", &Value::Null).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains(&world.customer()), "{}", unknown.text);
    let unknown = world.control(Method::GET, "/nothing", &Value::Null).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("/sim/v1/health"), "{}", unknown.text);
    let missing = world
        .control(
            Method::POST,
            &path,
            &json!({ "change": "notes", "deviceIds": ["x"] }),
        )
        .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn switches_are_shown_changed_and_taken_back() {
    let world = World::with_devices(1).await;
    let before = world.control(Method::GET, "/switches", &Value::Null).await.json();
    let changed = world
        .control(Method::PATCH, "/switches", &json!({ "pageChaos": { "seed": 9 } }))
        .await
        .json();
    assert_eq!(changed["pageChaos"]["seed"], 9);
    assert_eq!(
        world
            .control(Method::PATCH, "/switches", &json!({ "chaos": 1 }))
            .await
            .status,
        400
    );
    assert_eq!(
        world
            .control(Method::DELETE, "/switches", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        world.control(Method::GET, "/switches", &Value::Null).await.json(),
        before
    );
}
