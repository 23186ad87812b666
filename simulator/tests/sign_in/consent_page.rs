//! The consent page: what it refuses, and what a person decides on it.

use serde_json::json;

use crate::consent::{app, code, open, page_address, redeem, refresh, sent_back, text, value};
use crate::support::{Answer, DEVICES, World};

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_no_redirect() {
    let world = World::new().await;
    let app = app(&world);
    let rows: [(&str, &str, u16, &str); 8] = [
        ("client_id", "unknown", 401, "invalid_client"),
        ("client_id", "", 400, "invalid_request"),
        (
            "redirect_uri",
            "https://evil.example/",
            400,
            "redirect_uri_mismatch",
        ),
        (
            "redirect_uri",
            "urn:ietf:wg:oauth:2.0:oob",
            400,
            "redirect_uri_mismatch",
        ),
        ("response_type", "token", 400, "unsupported_response_type"),
        (
            "scope",
            "https://www.googleapis.com/auth/nonsense",
            400,
            "invalid_scope",
        ),
        ("scope", "", 400, "invalid_request"),
        ("code_challenge_method", "S512", 400, "invalid_request"),
    ];
    for (name, changed, status, error) in rows {
        let answer = open(&world, page_address(&world, &app, &[(name, changed)])).await;
        assert_eq!(answer.status, status, "{name} = {changed}");
        assert!(
            answer.text.contains(error) && !answer.headers.contains_key("location"),
            "{name} = {changed}"
        );
    }
    let https = "https://operator.school.example/callback";
    assert_eq!(
        open(&world, page_address(&world, &app, &[("redirect_uri", https)]))
            .await
            .status,
        400
    );
    world
        .control(
            "PATCH",
            &format!("/auth/clients/{}", app.id),
            &json!({"redirectUris": [https]}),
        )
        .await;
    assert_eq!(
        open(&world, page_address(&world, &app, &[("redirect_uri", https)]))
            .await
            .status,
        302
    );
}

#[tokio::test]
async fn a_person_may_refuse_choose_the_account_and_untick_scopes() {
    let world = World::new().await;
    let app = app(&world);
    world
        .control("PATCH", "/auth/switches", &json!({"consent": {"mode": "deny"}}))
        .await;
    let denied = sent_back(&open(&world, page_address(&world, &app, &[])).await);
    assert_eq!(
        (value(&denied, "error"), value(&denied, "state")),
        ("access_denied", "s t&1")
    );

    world
        .control("PATCH", "/auth/switches", &json!({"consent": {"mode": "ask"}}))
        .await;
    let address = page_address(&world, &app, &[]);
    let page = open(&world, address.clone()).await;
    assert!(page.status == 200 && page.text.contains("admin@school.example") && page.text.contains(DEVICES));
    let cancel = world
        .http
        .post(address.clone())
        .form(&[("decision", "deny")])
        .send()
        .await
        .unwrap();
    assert_eq!(
        value(&sent_back(&Answer::of(cancel).await), "error"),
        "access_denied"
    );
    let form = [
        ("decision", "allow"),
        ("account", "device-admin@school.example"),
        ("granted_scope", DEVICES),
        ("granted_scope", "openid"),
    ];
    let allowed = Answer::of(world.http.post(address).form(&form).send().await.unwrap()).await;
    let back = sent_back(&allowed);
    let body = redeem(&world, &app, value(&back, "code"), &[]).await.json();
    assert_eq!(text(&body, "scope"), format!("{DEVICES} openid"));
    let person = world
        .get("/v1/userinfo", text(&body, "access_token"))
        .await
        .json();
    assert!(person.get("email").is_none() && person.get("sub").is_some());
}

#[tokio::test]
async fn a_suspended_account_can_neither_consent_nor_refresh() {
    let world = World::new().await;
    let app = app(&world);
    let body = redeem(&world, &app, &code(&world, &app, &[]).await, &[])
        .await
        .json();
    let user = format!(
        "/tenants/{}/users/{}",
        world.simulator.customer_id(),
        world.admin()
    );
    world.control("PATCH", &user, &json!({"suspended": true})).await;
    assert_eq!(
        refresh(&world, &app, text(&body, "refresh_token"))
            .await
            .oauth_error()
            .1,
        "invalid_grant"
    );
    let denied = sent_back(&open(&world, page_address(&world, &app, &[])).await);
    assert_eq!(value(&denied, "error"), "access_denied");
}
