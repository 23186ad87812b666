//! Who may call the Directory API, and how others are refused.

use serde_json::{Value, json};

use crate::support::{
    Answer, DEVICE_LIST, DEVICES, DEVICES_READ_ONLY, USERS_READ_ONLY, World, now, sign_with,
};

fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

async fn with_header(world: &World, value: &str) -> Answer {
    let request = world
        .http
        .get(world.url(DEVICE_LIST))
        .header("authorization", value);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn no_token_a_bad_token_and_another_scheme_are_told_apart() {
    let world = World::new().await;
    let none = Answer::of(world.http.get(world.url(DEVICE_LIST)).send().await.unwrap()).await;
    assert_eq!(none.api_error(), refused(401, "required"));
    assert_eq!(none.json()["error"]["message"], "Login Required.");
    for value in ["Bearer ya29.never", "Bearer ", "Basic YTpi", "Bearer a.b.c"] {
        let answer = with_header(&world, value).await;
        assert_eq!(answer.api_error(), refused(401, "authError"), "{value}");
        assert!(
            answer.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token"),
            "{value}"
        );
    }
}

#[tokio::test]
async fn a_read_only_scope_reads_and_does_not_write() {
    let world = World::new().await;
    let token = world.token(DEVICES_READ_ONLY).await;
    let list = world.get(DEVICE_LIST, &token).await;
    let device = list.json()["chromeosdevices"][0]["deviceId"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = world
        .http
        .patch(world.url(&format!("{DEVICE_LIST}/{device}")))
        .bearer_auth(&token)
        .json(&json!({"notes": "x"}));
    let answer = Answer::of(patch.send().await.unwrap()).await;
    assert_eq!(answer.api_error(), refused(403, "insufficientPermissions"));
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains(DEVICES),
        "{challenge}"
    );
    let other = world.token(USERS_READ_ONLY).await;
    assert_eq!(
        world.get(DEVICE_LIST, &other).await.api_error(),
        refused(403, "insufficientPermissions")
    );
}

#[tokio::test]
async fn an_account_needs_an_admin_role_and_accepted_terms() {
    let world = World::new().await;
    for (account, expected) in [
        ("teacher@school.example", 403),
        ("helpdesk@school.example", 403),
        ("new-admin@school.example", 403),
        ("device-admin@school.example", 200),
        ("ADMIN@school.example", 200),
    ] {
        let answer = world.exchange_with(&json!({"sub": account})).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.get(DEVICE_LIST, &token).await.status, expected, "{account}");
    }
}

#[tokio::test]
async fn suspension_and_deletion_end_tokens_at_once() {
    let world = World::new().await;
    let user = format!(
        "/tenants/{}/users/device-admin@school.example",
        world.simulator.customer_id()
    );
    let answer = world
        .exchange_with(&json!({"sub": "device-admin@school.example"}))
        .await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    world.control("PATCH", &user, &json!({"suspended": true})).await;
    assert_eq!(
        world.get(DEVICE_LIST, &token).await.api_error(),
        refused(401, "authError")
    );
    world.control("PATCH", &user, &json!({"suspended": false})).await;
    assert_eq!(world.get(DEVICE_LIST, &token).await.status, 200);
    world.control("DELETE", &user, &json!({})).await;
    assert_eq!(
        world.get(DEVICE_LIST, &token).await.api_error(),
        refused(401, "authError")
    );
}

#[tokio::test]
async fn the_api_can_be_off_in_the_project() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    let project = world.key_file["project_id"].as_str().unwrap();
    world
        .control(
            "PATCH",
            &format!("/auth/projects/{project}"),
            &json!({"apiEnabled": false}),
        )
        .await;
    let answer = world.get(DEVICE_LIST, &token).await;
    assert_eq!(answer.api_error(), refused(403, "accessNotConfigured"));
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("428190012345")
    );
    world
        .control(
            "PATCH",
            "/auth/projects/428190012345",
            &json!({"apiEnabled": true}),
        )
        .await;
    assert_eq!(world.get(DEVICE_LIST, &token).await.status, 200);
}

/// A token as a service account signs it for an API, without any exchange.
fn self_signed(world: &World, changes: &Value) -> String {
    let now = now();
    let mut base = json!({"sub": world.service_account(), "aud": "https://admin.googleapis.com/", "scope": null,
                          "iat": now, "exp": now + 3600});
    for (name, value) in changes.as_object().unwrap() {
        base[name] = value.clone();
    }
    sign_with(&world.key_file, &world.claims_with(&base))
}

#[tokio::test]
async fn a_service_account_without_subject_needs_a_role_of_its_own() {
    let world = World::new().await;
    let account = world.service_account().to_owned();
    let own_list = DEVICE_LIST.replace("my_customer", &world.simulator.customer_id());
    let exchanged = world.exchange_with(&json!({"sub": null})).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let signed = self_signed(&world, &json!({}));

    for token in [&exchanged, &signed] {
        assert_eq!(
            world.get(&own_list, token).await.api_error(),
            refused(403, "forbidden")
        );
    }
    world
        .control(
            "PATCH",
            "/auth/switches",
            &json!({"withoutSubject": "unavailable"}),
        )
        .await;
    for token in [&exchanged, &signed] {
        assert_eq!(
            world.get(&own_list, token).await.api_error(),
            refused(503, "backendError")
        );
    }
    let role = json!({"customerId": world.simulator.customer_id(), "privileges": {"chromeDevices": true}});
    world
        .control(
            "PUT",
            &format!("/auth/service-accounts/{account}/admin-role"),
            &role,
        )
        .await;
    for token in [&exchanged, &signed] {
        let answer = world.get(&own_list, token).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    world
        .control(
            "DELETE",
            &format!("/auth/service-accounts/{account}/admin-role"),
            &json!({}),
        )
        .await;
    assert_eq!(world.get(&own_list, &signed).await.status, 503);
}

#[tokio::test]
async fn a_self_signed_token_is_verified_in_every_point() {
    let world = World::new().await;
    let list = DEVICE_LIST.replace("my_customer", &world.simulator.customer_id());
    let role = json!({"customerId": world.simulator.customer_id(), "privileges": {"chromeDevices": true}});
    world
        .control(
            "PUT",
            &format!("/auth/service-accounts/{}/admin-role", world.service_account()),
            &role,
        )
        .await;
    let now = now();
    let rows: Vec<(&str, Value, u16)> = vec![
        ("good", json!({}), 200),
        ("own address", json!({"aud": world.url("/")}), 200),
        ("own address without slash", json!({"aud": world.url("")}), 200),
        (
            "scopes instead of audience",
            json!({"aud": null, "scope": DEVICES}),
            200,
        ),
        (
            "too small a scope",
            json!({"aud": null, "scope": USERS_READ_ONLY}),
            403,
        ),
        (
            "another service",
            json!({"aud": "https://drive.googleapis.com/"}),
            401,
        ),
        ("no audience", json!({"aud": null}), 401),
        ("another subject", json!({"sub": world.admin()}), 401),
        ("expired", json!({"iat": now - 7200, "exp": now - 3600}), 401),
        ("too long", json!({"exp": now + 86400}), 401),
        (
            "another issuer",
            json!({"iss": "nobody@x.example", "sub": "nobody@x.example"}),
            401,
        ),
    ];
    for (name, changes, expected) in rows {
        let answer = world.get(&list, &self_signed(&world, &changes)).await;
        assert_eq!(answer.status, expected, "{name}: {}", answer.text);
    }
    let mut forged = self_signed(&world, &json!({}));
    forged.replace_range(forged.len() - 6.., "AAAAAA");
    assert_eq!(world.get(&list, &forged).await.status, 401);
}
