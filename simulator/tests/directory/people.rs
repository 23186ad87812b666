//! Organisational units, users and the customer.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{USERS, World, frozen, token};

const UNITS: &str = "/admin/directory/v1/customer/my_customer/orgunits";

fn paths(body: &Value) -> Vec<String> {
    let units = body["organizationUnits"].as_array().cloned().unwrap_or_default();
    units
        .iter()
        .map(|unit| unit["orgUnitPath"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_root_shows_itself_only_when_asked_for() {
    let world = World::with_devices(100).await;
    let all = paths(&world.get(&format!("{UNITS}?type=all")).await.json());
    let with_root = paths(
        &world
            .get(&format!("{UNITS}?type=allIncludingParent"))
            .await
            .json(),
    );
    assert!(!all.contains(&"/".to_owned()));
    assert_eq!(with_root.len(), all.len() + 1);
    let children = paths(&world.get(UNITS).await.json());
    assert!(children.len() < all.len() && children.iter().all(|path| path.matches('/').count() == 1));
    let below = paths(
        &world
            .get(&format!("{UNITS}?orgUnitPath={}&type=all", children[0]))
            .await
            .json(),
    );
    assert!(
        !below.is_empty()
            && below
                .iter()
                .all(|path| path.starts_with(&format!("{}/", children[0])))
    );
}

#[tokio::test]
async fn a_unit_is_read_by_path_and_by_id() {
    let world = World::with_devices(100).await;
    let units = world.get(&format!("{UNITS}?type=all")).await.json();
    let unit = units["organizationUnits"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    let path = unit["orgUnitPath"]
        .as_str()
        .unwrap()
        .trim_start_matches('/')
        .replace(' ', "%20");
    let id = unit["orgUnitId"].as_str().unwrap();
    assert!(id.starts_with("id:03ph8a2z"));
    for reference in [
        path.clone(),
        path.to_lowercase(),
        id.to_owned(),
        id.replace(':', "%3A"),
    ] {
        assert_eq!(
            world.get(&format!("{UNITS}/{reference}")).await.json(),
            unit,
            "{reference}"
        );
    }
    let masked = world
        .get(&format!("{UNITS}/{path}?fields=orgUnitPath,orgUnitId"))
        .await
        .json();
    assert_eq!(masked.as_object().unwrap().len(), 2);
    let parent = unit["parentOrgUnitId"].as_str().unwrap();
    assert_eq!(world.get(&format!("{UNITS}/{parent}")).await.status, 200);
}

#[tokio::test]
async fn unknown_units_are_not_found() {
    let world = World::with_devices(10).await;
    let missing = world.get(&format!("{UNITS}/Nowhere")).await;
    assert_eq!(
        missing.error(),
        (404, "notFound".to_owned(), "Org unit not found".to_owned())
    );
    assert_eq!(
        world.get(&format!("{UNITS}/id:nowhere")).await.error().2,
        "Invalid Input: INVALID_OU_ID"
    );
    assert_eq!(world.get(&format!("{UNITS}?type=some")).await.status, 400);
}

#[tokio::test]
async fn the_root_is_the_parent_of_the_districts_and_has_an_id() {
    let world = World::with_devices(10).await;
    let children = world.get(UNITS).await.json();
    let root = children["organizationUnits"][0]["parentOrgUnitId"]
        .as_str()
        .unwrap();
    let unit = world.get(&format!("{UNITS}/{root}")).await.json();
    assert_eq!(unit["orgUnitPath"], "/");
    assert!(unit.get("parentOrgUnitId").is_none());
}

#[tokio::test]
async fn the_administrator_is_found_by_address_and_id() {
    let world = World::start(frozen(1).tenants(2)).await;
    let user = world
        .get("/admin/directory/v1/users/admin%40school.example")
        .await
        .json();
    assert_eq!(user["primaryEmail"], "admin@school.example");
    assert_eq!(user["customerId"], world.customer().as_str());
    assert_eq!(
        (&user["isAdmin"], &user["suspended"]),
        (&json!(true), &json!(false))
    );
    let id = user["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/admin/directory/v1/users/{id}")).await.json(),
        user
    );
    let missing = world.get("/admin/directory/v1/users/nobody@school.example").await;
    assert_eq!(
        missing.error(),
        (
            404,
            "notFound".to_owned(),
            "Resource Not Found: userKey".to_owned()
        )
    );
    for foreign in ["admin@second.example", "nobody@elsewhere.example"] {
        let answer = world.get(&format!("/admin/directory/v1/users/{foreign}")).await;
        assert_eq!(
            (answer.status, answer.error().1.as_str()),
            (403, "forbidden"),
            "{foreign}"
        );
    }
    let helpdesk = token(&world.simulator, "helpdesk@school.example", &[USERS]);
    let answer = world
        .get_as(
            &helpdesk,
            "/admin/directory/v1/users/admin@school.example?projection=full",
        )
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn accounts_can_be_changed_and_deleted_from_behind() {
    let world = World::with_devices(1).await;
    let path = format!("/tenants/{}/users/teacher@school.example", world.customer());
    let changed = world
        .control(Method::PATCH, &path, &json!({ "suspended": true }))
        .await
        .json();
    assert_eq!(changed["suspended"], true);
    let user = world
        .get("/admin/directory/v1/users/teacher@school.example")
        .await
        .json();
    assert_eq!(user["suspended"], true);
    assert_eq!(world.control(Method::DELETE, &path, &json!({})).await.status, 204);
    assert_eq!(
        world
            .get("/admin/directory/v1/users/teacher@school.example")
            .await
            .status,
        404
    );
    let users = world
        .control(
            Method::GET,
            &format!("/tenants/{}/users", world.customer()),
            &json!({}),
        )
        .await
        .json();
    assert_eq!(users["users"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_customer_knows_its_id_and_domain() {
    let world = World::with_devices(1).await;
    for key in ["my_customer".to_owned(), world.customer()] {
        let customer = world
            .get(&format!(
                "/admin/directory/v1/customers/{key}?fields=id,customerDomain"
            ))
            .await
            .json();
        assert_eq!(
            customer,
            json!({ "id": world.customer(), "customerDomain": "school.example" })
        );
    }
}
