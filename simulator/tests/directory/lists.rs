//! Which devices a list returns: scopes of organisational units, queries, orders, counts, bad parameters.

use std::collections::BTreeSet;

use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DevicePatch;
use reqwest::Method;
use serde_json::json;

use crate::support::{LIST, World, frozen, sorted};

#[tokio::test]
async fn a_list_has_the_shape_that_clients_expect() {
    let world = World::with_devices(3).await;
    let body = world.page("").await.json();
    assert_eq!(body["kind"], "admin#directory#chromeosdevices");
    assert!(body["etag"].as_str().unwrap().starts_with('"'));
    assert_eq!(body["chromeosdevices"].as_array().unwrap().len(), 3);
    assert!(body.get("nextPageToken").is_none());
    let row = &body["chromeosdevices"][0];
    assert_eq!(row["kind"], "admin#directory#chromeosdevice");
    assert!(row["orgUnitPath"].as_str().unwrap().starts_with('/'));
    assert!(!row["orgUnitId"].as_str().unwrap().starts_with("id:"));
}

#[tokio::test]
async fn an_empty_result_has_no_list_at_all() {
    let world = World::with_devices(0).await;
    let body = world.page("").await.json();
    assert!(
        body.get("chromeosdevices").is_none() && body.get("nextPageToken").is_none(),
        "{body}"
    );
}

#[tokio::test]
async fn the_default_page_has_100_devices() {
    let world = World::with_devices(250).await;
    assert_eq!(world.page("").await.rows().len(), 100);
    assert_eq!(world.page("maxResults=200").await.rows().len(), 200);
}

#[tokio::test]
async fn an_org_unit_can_be_named_in_every_form() {
    let world = World::with_devices(300).await;
    let units = world
        .get("/admin/directory/v1/customer/my_customer/orgunits?type=all")
        .await
        .json();
    let unit = &units["organizationUnits"].as_array().unwrap()[0];
    let path = unit["orgUnitPath"].as_str().unwrap();
    let id = unit["orgUnitId"].as_str().unwrap();
    let forms = [
        path.to_owned(),
        path.trim_start_matches('/').to_owned(),
        path.to_uppercase(),
        id.to_owned(),
        id.trim_start_matches("id:").to_owned(),
        path.replace(' ', "%20").replace('/', "%2F"),
        path.replace(' ', "+"),
    ];
    let expected = world
        .walk(&format!("orgUnitPath={path}&includeChildOrgunits=true"))
        .await;
    assert!(expected.len() > 20);
    for form in forms {
        let found = world
            .walk(&format!("orgUnitPath={form}&includeChildOrgunits=true"))
            .await;
        assert_eq!(found, expected, "{form}");
    }
}

#[tokio::test]
async fn org_unit_scopes_divide_the_fleet() {
    let world = World::with_devices(400).await;
    let everything = world.walk("maxResults=200").await;
    let root = world
        .walk("maxResults=200&orgUnitPath=/&includeChildOrgunits=true")
        .await;
    assert_eq!(sorted(everything.clone()), sorted(root));
    let units = world
        .get("/admin/directory/v1/customer/my_customer/orgunits?type=allIncludingParent")
        .await
        .json();
    let mut single = Vec::new();
    for unit in units["organizationUnits"].as_array().unwrap() {
        single.extend(
            world
                .walk(&format!("orgUnitPath={}", unit["orgUnitId"].as_str().unwrap()))
                .await,
        );
    }
    assert_eq!(sorted(single), sorted(everything));
}

#[tokio::test]
async fn bad_parameters_are_refused_with_googles_words() {
    let world = World::with_devices(3).await;
    let rows = [
        (
            "maxResults=500",
            "invalidParameter",
            "Invalid value '500'. Values must be within the range: [1, 200]",
        ),
        (
            "maxResults=0",
            "invalidParameter",
            "Invalid value '0'. Values must be within the range: [1, 200]",
        ),
        (
            "maxResults=x",
            "invalidParameter",
            "Invalid value 'x'. Values must be within the range: [1, 200]",
        ),
        (
            "projection=SOME",
            "invalidParameter",
            "Invalid string value: 'SOME'. Allowed values: [BASIC, FULL, basic, full]",
        ),
        (
            "sortOrder=UP",
            "invalidParameter",
            "Invalid string value: 'UP'. Allowed values: [ASCENDING, DESCENDING]",
        ),
        ("orgUnitPath=/nowhere", "invalid", "Invalid Input: INVALID_OU_ID"),
        (
            "orgUnitPath=id:nowhere",
            "invalid",
            "Invalid Input: INVALID_OU_ID",
        ),
        (
            "includeChildOrgunits=true",
            "required",
            "Required parameter: orgUnitPath",
        ),
        (
            "fields=chromeosdevices(nothing)",
            "invalidParameter",
            "Invalid field selection nothing",
        ),
        (
            "fields=chromeosdevices(deviceId",
            "invalidParameter",
            "Invalid field selection chromeosdevices(deviceId",
        ),
    ];
    for (query, reason, message) in rows {
        let expected = (400, reason.to_owned(), message.to_owned());
        assert_eq!(world.page(query).await.error(), expected, "{query}");
    }
    for query in ["orderBy=deviceId", "maxresults=3", "includeChildOrgunits=maybe"] {
        assert_eq!(world.page(query).await.status, 400, "{query}");
    }
    let location = &world.page("maxResults=500").await.json()["error"]["errors"][0];
    assert_eq!(
        (&location["location"], &location["locationType"]),
        (&json!("maxResults"), &json!("parameter"))
    );
}

#[tokio::test]
async fn the_limit_of_a_page_can_be_switched() {
    let world = World::with_devices(350).await;
    for (limit, refused) in [(100, 101), (200, 201), (300, 301)] {
        let switches = json!({ "pageSizeLimit": limit });
        assert_eq!(
            world.control(Method::PATCH, "/switches", &switches).await.status,
            200
        );
        assert_eq!(
            world.page(&format!("maxResults={limit}")).await.rows().len(),
            limit
        );
        let (status, _, message) = world.page(&format!("maxResults={refused}")).await.error();
        assert_eq!(status, 400);
        assert!(message.ends_with(&format!("[1, {limit}]")), "{message}");
    }
}

#[tokio::test]
async fn queries_select_and_count_agrees() {
    let world = World::with_devices(1000).await;
    let row = world
        .page("maxResults=1&query=status:provisioned")
        .await
        .rows()
        .remove(0);
    let serial = row["serialNumber"].as_str().unwrap();
    for (query, at_least) in [
        ("status:provisioned", 700),
        ("status:deprovisioned", 20),
        ("status:managed", 700),
        ("status:provisioned public_model_name:lenovo", 50),
        ("sync:2026-11-23T07:00:00..", 300),
        ("sync:..2026-11-01", 10),
        ("note:\"screen replaced\"", 3),
        ("location:room 1", 10),
        ("boot_mode:Verified", 900),
        ("compliance:not_compliant", 10),
        ("ram:8..", 30),
    ] {
        let encoded = query.replace(' ', "%20").replace('"', "%22");
        let found = world.walk(&format!("maxResults=200&query={encoded}")).await;
        assert!(found.len() >= at_least, "{query}: {}", found.len());
        assert!(found.len() < 1000, "{query} must not match everything");
        let count = world
            .get(&format!("{LIST}:countChromeOsDevices?filter={encoded}"))
            .await
            .json();
        assert_eq!(count, json!({ "count": found.len().to_string() }), "{query}");
    }
    let prefix = &serial[..4];
    assert!(
        world
            .page(&format!("query=id:{}", prefix.to_lowercase()))
            .await
            .rows()
            .len()
            >= 1
    );
    let exact = world.page(&format!("query=id:{serial}")).await.rows();
    assert!(
        exact
            .iter()
            .all(|found| found["serialNumber"] == row["serialNumber"])
    );
    assert!(
        world.page("query=id:5C").await.rows().is_empty(),
        "two letters are not searched for"
    );
}

#[tokio::test]
async fn a_malformed_query_matches_everything_unless_switched() {
    let world = World::with_devices(50).await;
    for query in ["5CD1234", "id:5CD%3F", "colour:red"] {
        assert_eq!(
            world.page(&format!("query={query}")).await.rows().len(),
            50,
            "{query}"
        );
    }
    world
        .control(Method::PATCH, "/switches", &json!({ "malformedQuery": "refuse" }))
        .await;
    assert_eq!(world.page("query=5CD1234").await.error().1, "invalid");
}

#[tokio::test]
async fn a_count_has_the_scope_of_its_org_unit() {
    let world = World::with_devices(300).await;
    assert_eq!(
        world.get(&format!("{LIST}:countChromeOsDevices")).await.json(),
        json!({ "count": "300" })
    );
    let root = world.walk("orgUnitPath=/").await.len();
    let count = world
        .get(&format!("{LIST}:countChromeOsDevices?orgUnitPath=/"))
        .await
        .json();
    assert_eq!(count, json!({ "count": root.to_string() }));
    assert_eq!(
        world
            .get(&format!("{LIST}:countChromeOsDevices?query=x"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn orders_sort_and_walk_completely() {
    let world = World::with_devices(230).await;
    let everything = sorted(world.walk("").await);
    for order in [
        "annotatedLocation",
        "annotatedUser",
        "lastSync",
        "notes",
        "serialNumber",
        "status",
    ] {
        for direction in ["ASCENDING", "DESCENDING"] {
            let query = format!("maxResults=50&orderBy={order}&sortOrder={direction}");
            let found = world.walk(&query).await;
            assert_eq!(sorted(found), everything, "{query}");
        }
    }
    let rows = world
        .page("maxResults=200&orderBy=serialNumber&sortOrder=DESCENDING")
        .await
        .rows();
    let serials: Vec<&str> = rows
        .iter()
        .map(|row| row["serialNumber"].as_str().unwrap())
        .collect();
    assert!(serials.is_sorted_by(|earlier, later| earlier >= later));
}

#[tokio::test]
async fn devices_that_change_show_it_and_change_their_etag() {
    let world = World::with_devices(10).await;
    let id = world.any_device().await;
    let before = world.get(&format!("{LIST}/{id}")).await.json();
    let patch = DevicePatch {
        notes: Some("new".to_owned()),
        ..DevicePatch::default()
    };
    world
        .simulator
        .state()
        .patch_device(&world.customer(), &id, &patch)
        .unwrap();
    let after = world.get(&format!("{LIST}/{id}")).await.json();
    assert_eq!(after["notes"], "new");
    assert_ne!(after["etag"], before["etag"]);
    let patch = DevicePatch {
        notes: Some(String::new()),
        ..DevicePatch::default()
    };
    world
        .simulator
        .state()
        .patch_device(&world.customer(), &id, &patch)
        .unwrap();
    assert!(
        world
            .get(&format!("{LIST}/{id}"))
            .await
            .json()
            .get("notes")
            .is_none()
    );
}

#[tokio::test]
async fn time_makes_devices_sync_and_nothing_stable_moves() {
    let world = World::with_devices(200).await;
    let before = world.page("maxResults=200&projection=FULL").await.rows();
    let hours = google_admin_simulator::control::ClockChange {
        advance_seconds: Some(4 * 3600),
        scale: None,
    };
    world.simulator.state().change_clock(hours).unwrap();
    let after = world.page("maxResults=200&projection=FULL").await.rows();
    let moved = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before["lastSync"] != after["lastSync"])
        .count();
    assert!(moved > 140, "{moved}");
    for (before, after) in before.iter().zip(&after) {
        let moved = before["lastSync"] != after["lastSync"];
        assert_eq!(moved, before["etag"] != after["etag"]);
        for stable in [
            "serialNumber",
            "status",
            "notes",
            "annotatedUser",
            "model",
            "osVersion",
            "macAddress",
        ] {
            assert_eq!(before[stable], after[stable]);
        }
    }
}

#[tokio::test]
async fn released_records_share_the_serial_number_of_their_successor() {
    let world = World::start(frozen(60)).await;
    let id = world.any_device().await;
    let change = BulkChange::of(ChangeKind::ReEnrol, vec![id.clone()]);
    let report = world
        .simulator
        .state()
        .change_devices(&world.customer(), &change)
        .unwrap();
    assert_eq!(report.new_device_ids.len(), 1);
    let old = world.get(&format!("{LIST}/{id}")).await.json();
    let new = world
        .get(&format!("{LIST}/{}", report.new_device_ids[0]))
        .await
        .json();
    assert_eq!(
        (&old["status"], &new["status"]),
        (&json!("DEPROVISIONED"), &json!("ACTIVE"))
    );
    assert_eq!(old["serialNumber"], new["serialNumber"]);
    assert_ne!(old["deviceId"], new["deviceId"]);
    let all: BTreeSet<String> = world.walk("").await.into_iter().collect();
    assert_eq!(all.len(), 61);
}
