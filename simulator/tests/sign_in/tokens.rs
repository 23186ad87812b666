//! What a good exchange answers, and how long tokens live.

use serde_json::json;

use crate::support::{DEVICE_LIST, DEVICES, DEVICES_READ_ONLY, JWT_BEARER, World};

#[tokio::test]
async fn a_good_assertion_gets_a_token_that_opens_the_api() {
    let world = World::new().await;
    let answer = world.exchange_with(&json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let mut names: Vec<&String> = body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["access_token", "expires_in", "token_type"]);
    assert_eq!(
        (body["expires_in"].as_i64(), body["token_type"].as_str()),
        (Some(3599), Some("Bearer"))
    );
    assert!(
        answer.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("no-store")
    );
    let token = body["access_token"].as_str().unwrap();
    assert!(token.starts_with("ya29.sim-") && token.len() <= 2048);
    let list = world.get(DEVICE_LIST, token).await;
    assert_eq!(list.status, 200, "{}", list.text);
    assert_eq!(list.json()["chromeosdevices"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_audience_may_be_the_address_that_the_client_used_also_behind_a_proxy() {
    let world = World::new().await;
    for path in ["/token", "/oauth2/v4/token", "/o/oauth2/token"] {
        let assertion = world.sign(&world.claims_with(&json!({ "aud": world.url(path) })));
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
        assert_eq!(world.post_form(path, &form).await.status, 200, "{path}");
    }
    let assertion = world.sign(&world.claims_with(&json!({"aud": "https://google.school.example/token"})));
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str())];
    assert_eq!(world.post_form("/token", &form).await.status, 400);
    let through_proxy = world
        .http
        .post(world.url("/token"))
        .header("host", "google.school.example")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(through_proxy.status().as_u16(), 200);
}

#[tokio::test]
async fn tokens_end_by_the_clock_that_the_switch_names() {
    let world = World::new().await;
    let token = world.token(DEVICES).await;
    world
        .control("POST", "/clock", &json!({"advanceSeconds": 7200}))
        .await;
    assert_eq!(
        world.get(DEVICE_LIST, &token).await.status,
        200,
        "the wall clock counts by default"
    );

    world
        .control("PATCH", "/auth/switches", &json!({"expireTokensBy": "simulated"}))
        .await;
    let token = world.token(DEVICES).await;
    assert_eq!(world.get(DEVICE_LIST, &token).await.status, 200);
    world
        .control("POST", "/clock", &json!({"advanceSeconds": 3600}))
        .await;
    assert_eq!(
        world.get(DEVICE_LIST, &token).await.api_error(),
        (401, "authError".to_owned())
    );
    assert_eq!(
        world.exchange_with(&json!({})).await.status,
        200,
        "assertions are judged by the wall clock"
    );
}

#[tokio::test]
async fn a_short_lifetime_is_told_and_kept() {
    let world = World::new().await;
    world
        .control(
            "PATCH",
            "/auth/switches",
            &json!({"accessTokenLifetimeSeconds": 1}),
        )
        .await;
    let answer = world.exchange_with(&json!({})).await.json();
    assert_eq!(answer["expires_in"], 1);
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(world.get(DEVICE_LIST, token).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(world.get(DEVICE_LIST, token).await.status, 401);
}

#[tokio::test]
async fn tokens_can_be_made_and_ended_from_behind() {
    let world = World::new().await;
    let minted = world
        .control(
            "POST",
            "/auth/tokens",
            &json!({"account": world.admin(), "scopes": [DEVICES_READ_ONLY]}),
        )
        .await;
    let token = minted["access_token"].as_str().unwrap();
    assert_eq!(world.get(DEVICE_LIST, token).await.status, 200);
    let counts = world.control("GET", "/auth/tokens", &json!({})).await;
    assert_eq!(counts["accessTokens"], 1);
    let revoked = world
        .control("POST", "/auth/tokens/revoke", &json!({"account": world.admin()}))
        .await;
    assert_eq!(revoked["revoked"], 1);
    assert_eq!(world.get(DEVICE_LIST, token).await.status, 401);
}

#[tokio::test]
async fn the_log_names_who_asked_for_what_and_no_secret() {
    let world = World::new().await;
    let assertion = world.sign(&world.claims());
    let token = world.exchange(&assertion).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .exchange_with(&json!({"sub": "nobody@school.example"}))
        .await;
    let log = world.control("GET", "/auth/token-requests", &json!({})).await;
    assert_eq!(
        log[0]["accounts"],
        json!([world.service_account(), world.admin()])
    );
    assert_eq!(
        (log[0]["scopes"].as_str(), log[0]["status"].as_u64()),
        (Some(DEVICES), Some(200))
    );
    assert_eq!(
        (log[1]["number"].as_u64(), log[1]["status"].as_u64()),
        (Some(2), Some(400))
    );
    let text = log.to_string();
    assert!(!text.contains(&token) && !text.contains(&assertion));
    let after = world
        .control("GET", "/auth/token-requests?after=1", &json!({}))
        .await;
    assert_eq!(after.as_array().unwrap().len(), 1);
    let state = format!("{:?}", world.simulator.state());
    assert!(!state.contains(&token) && !state.contains("PRIVATE KEY") && !state.contains("GOCSPX"));
}
