//! `patch`, `update` and `moveDevicesToOu`: what they change, what they refuse, and when lists see it.

use google_admin_simulator::switches::{PathAlone, UnknownIds};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, UNKNOWN, World};

async fn check(world: &World, method: &Method, path: &str, rows: &[(Value, u16)]) {
    for (body, status) in rows {
        let answer = world.send(method.clone(), path, body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {}", answer.text);
        if *status != 200 {
            assert_eq!(answer.json()["error"]["code"], *status);
        }
    }
}

#[tokio::test]
async fn edits_are_checked() {
    let world = World::with_devices(5).await;
    let id = world.any_device().await;
    let path = format!("{LIST}/{id}");
    let rows = [
        (
            json!({ "notes": "x".repeat(500), "annotatedUser": "é".repeat(100) }),
            200,
        ),
        (json!({ "annotatedLocation": "x".repeat(200) }), 200),
        (json!({ "annotatedAssetId": "x".repeat(1000) }), 200),
        (json!({ "notes": "x".repeat(501) }), 400),
        (json!({ "annotatedUser": "x".repeat(101) }), 400),
        (json!({ "annotatedLocation": "x".repeat(201) }), 400),
        (json!({ "notes": 5 }), 400),
        (json!({ "note": "x" }), 400),
        (json!({ "orgUnitPath": "/nowhere" }), 400),
        (json!([]), 400),
    ];
    check(&world, &Method::PATCH, &path, &rows).await;
    check(&world, &Method::PUT, &path, &rows).await;
    check(
        &world,
        &Method::PATCH,
        &format!("{LIST}/{UNKNOWN}"),
        &[(json!({ "notes": "x" }), 404)],
    )
    .await;
    let malformed = world
        .http
        .patch(world.url(&path))
        .bearer_auth(&world.token)
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(malformed.status(), 400);
    let wrong = format!("{path}?projection=HALF");
    check(&world, &Method::PATCH, &wrong, &[(json!({}), 400)]).await;
}

#[tokio::test]
async fn both_verbs_merge_and_answer_with_the_device() {
    let world = World::with_devices(5).await;
    let id = world.laptop();
    for method in [Method::PATCH, Method::PUT] {
        let before = world.device(&id).await;
        let body = json!({
            "notes": format!("by {method}"), "annotatedLocation": "", "serialNumber": "no", "status": "DISABLED",
        });
        let path = format!("{LIST}/{id}?projection=FULL");
        let answer = world.send(method.clone(), &path, &body).await;
        let after = world.device(&id).await;
        assert_eq!(answer.json(), after, "the answer is what get says");
        assert_eq!(after["notes"], format!("by {method}"));
        assert!(after.get("annotatedLocation").is_none(), "an empty text clears");
        for kept in ["annotatedUser", "serialNumber", "status", "orgUnitPath"] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
        assert_ne!(after["etag"], before["etag"]);
        let listed = world.page("projection=FULL").await.rows();
        assert!(listed.contains(&after));
    }
    let masked = format!("{LIST}/{id}?fields=notes");
    let answer = world.send(Method::PATCH, &masked, &json!({ "notes": "m" })).await;
    assert_eq!(answer.json(), json!({ "notes": "m" }));
    let emptied = format!("{LIST}/{id}?fields=");
    let answer = world.send(Method::PUT, &emptied, &json!({ "notes": "e" })).await;
    assert_eq!((answer.status, &answer.json()["notes"]), (200, &json!("e")));
}

#[tokio::test]
async fn a_device_moves_by_path_or_id_and_keeps_a_bare_id() {
    let world = World::with_devices(30).await;
    let id = world.laptop();
    let units = world
        .get("/admin/directory/v1/customer/my_customer/orgunits?type=all")
        .await
        .json();
    let unit = |index: usize| {
        let unit = &units["organizationUnits"][index];
        (unit["orgUnitPath"].clone(), unit["orgUnitId"].clone())
    };
    let path = format!("{LIST}/{id}");
    let ((first, _), (second, second_id), (third, third_id)) = (unit(0), unit(1), unit(2));
    for (body, expected) in [
        (json!({ "orgUnitPath": first }), &first),
        (json!({ "orgUnitId": second_id }), &second),
        (json!({ "orgUnitId": third_id, "orgUnitPath": third }), &third),
    ] {
        world.send(Method::PATCH, &path, &body).await;
        let device = world.device(&id).await;
        assert_eq!(&device["orgUnitPath"], expected, "{body}");
        let bare = device["orgUnitId"].as_str().unwrap();
        assert!(!bare.starts_with("id:"), "{bare}");
        let query = format!("orgUnitPath={}", expected.as_str().unwrap().replace(' ', "%20"));
        assert!(world.walk(&query).await.contains(&id), "{query}");
    }
    let mixed = json!({ "orgUnitId": third_id, "orgUnitPath": first });
    world.switch(|switches| switches.org_unit_path_alone = PathAlone::Refuse);
    for body in [mixed, json!({ "orgUnitPath": first })] {
        let error = world.send(Method::PATCH, &path, &body).await.error();
        assert_eq!(error.0, 400);
        assert_eq!(
            error.2,
            "Invalid Input: Inconsistent Orgunit id and path in request"
        );
    }
    assert_eq!(world.device(&id).await["orgUnitPath"], third);
}

#[tokio::test]
async fn moves_are_checked() {
    let world = World::with_devices(60).await;
    let ids = world.walk("").await;
    let fifty: Vec<&String> = ids.iter().take(50).collect();
    let path = format!("{LIST}/moveDevicesToOu?orgUnitPath=/");
    let rows = [
        (
            json!({ "deviceIds": ids.iter().take(51).collect::<Vec<_>>() }),
            400,
        ),
        (json!({ "deviceIds": [] }), 400),
        (json!({ "devices": ["x"] }), 400),
        (json!({ "deviceIds": [ids[0], UNKNOWN] }), 404),
    ];
    check(&world, &Method::POST, &path, &rows).await;
    let without = world
        .send(
            Method::POST,
            &format!("{LIST}/moveDevicesToOu"),
            &json!({ "deviceIds": fifty }),
        )
        .await;
    assert_eq!(
        without.error(),
        (
            400,
            "required".to_owned(),
            "Required parameter: orgUnitPath".to_owned()
        )
    );
    let nowhere = format!("{LIST}/moveDevicesToOu?orgUnitPath=/nowhere");
    let answer = world
        .send(Method::POST, &nowhere, &json!({ "deviceIds": fifty }))
        .await;
    assert_eq!(answer.error().2, "Invalid Input: INVALID_OU_ID");
}

#[tokio::test]
async fn fifty_devices_move_at_once_and_the_answer_is_empty() {
    let world = World::with_devices(60).await;
    let ids = world.walk("").await;
    let at_root = world.walk("orgUnitPath=/").await.len();
    let there = world.truth().into_iter().filter(|row| row.org_unit_path == "/");
    let there: Vec<String> = there.map(|row| row.device_id).collect();
    let fifty: Vec<&String> = ids.iter().filter(|id| !there.contains(id)).take(50).collect();
    let path = format!("{LIST}/moveDevicesToOu?orgUnitPath=/");
    let answer = world
        .send(Method::POST, &path, &json!({ "deviceIds": fifty }))
        .await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(world.walk("orgUnitPath=/").await.len(), at_root + 50);
    assert_eq!(world.device(fifty[7]).await["orgUnitPath"], "/");
}

#[tokio::test]
async fn unknown_ids_move_nothing_or_are_ignored() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let home = world.device(&id).await["orgUnitPath"].clone();
    let path = format!("{LIST}/moveDevicesToOu?orgUnitPath=/");
    let body = json!({ "deviceIds": [id, UNKNOWN] });
    assert_eq!(world.send(Method::POST, &path, &body).await.status, 404);
    assert_eq!(
        world.device(&id).await["orgUnitPath"],
        home,
        "all together or none"
    );
    world.switch(|switches| switches.unknown_ids_in_moves = UnknownIds::Ignore);
    assert_eq!(world.send(Method::POST, &path, &body).await.status, 200);
    assert_eq!(world.device(&id).await["orgUnitPath"], "/");
}

#[tokio::test]
async fn lists_and_counts_lag_behind_get_if_told_to() {
    let world = World::with_devices(50).await;
    world.switch(|switches| switches.replication_lag_seconds = 30);
    let id = world.laptop();
    let count = |answer: crate::support::Answer| answer.json()["count"].as_str().unwrap().to_owned();
    let disabled = format!("{LIST}:countChromeOsDevices?filter=status:disabled");
    let before = count(world.get(&disabled).await);
    let listed = || async {
        let rows = world.page("maxResults=200").await.rows();
        rows.into_iter()
            .find(|row| row["deviceId"] == id.as_str())
            .unwrap()
    };
    let old = listed().await;
    world
        .send(
            Method::PATCH,
            &format!("{LIST}/{id}"),
            &json!({ "notes": "new", "orgUnitPath": "/" }),
        )
        .await;
    world.advance(10);
    world.change_status(&[&id], "DISABLE").await;
    assert_eq!(world.device(&id).await["notes"], "new");
    assert_eq!(world.device(&id).await["status"], "DISABLED");
    world.advance(19);
    assert_eq!(listed().await["etag"], old["etag"], "29 s after the first change");
    assert!(!world.walk("orgUnitPath=/").await.contains(&id));
    world.advance(1);
    let middle = listed().await;
    assert_eq!(
        (&middle["notes"], &middle["status"]),
        (&json!("new"), &json!("ACTIVE"))
    );
    assert!(world.walk("orgUnitPath=/").await.contains(&id));
    assert!(world.walk("query=status:provisioned").await.contains(&id));
    assert_eq!(count(world.get(&disabled).await), before);
    world.advance(10);
    assert_eq!(listed().await["status"], "DISABLED");
    assert!(world.walk("query=status:disabled").await.contains(&id));
    assert_ne!(count(world.get(&disabled).await), before);
}

#[tokio::test]
async fn devices_that_come_again_lag_too() {
    let world = World::with_devices(50).await;
    world.switch(|switches| {
        switches.replication_lag_seconds = 30;
        switches.page_chaos.duplicates_per_page = 9;
    });
    let query = "query=status:provisioned&maxResults=10";
    let first = world.page(query).await;
    world.change_status(&[&first.ids()[9]], "DISABLE").await;
    let second = world
        .page(&format!("{query}&pageToken={}", first.next().unwrap()))
        .await;
    assert!(second.ids().contains(&first.ids()[9]), "lists do not know it yet");
    world.advance(30);
    let second = world
        .page(&format!("{query}&pageToken={}", first.next().unwrap()))
        .await;
    assert!(!second.ids().contains(&first.ids()[9]));
}

#[tokio::test]
async fn an_unknown_device_is_not_found() {
    let world = World::with_devices(5).await;
    for id in [UNKNOWN, "SN12345"] {
        let answer = world.get(&format!("{LIST}/{id}")).await;
        assert_eq!(
            answer.error(),
            (404, "notFound".to_owned(), format!("Resource Not Found: {id}"))
        );
    }
}

#[tokio::test]
async fn units_themselves_are_not_written() {
    let world = World::with_devices(1).await;
    let orgunit = "https://www.googleapis.com/auth/admin.directory.orgunit";
    let admin = world.simulator.admin_email();
    let token = crate::support::token(&world.simulator, &admin, &[orgunit]);
    let request = world
        .http
        .post(world.url("/admin/directory/v1/customer/my_customer/orgunits"));
    let answer = request.bearer_auth(token).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 501);
}
