//! Every refusal that the token endpoint decides by itself, with its exact words.

use serde_json::{Value, json};

use crate::support::{Answer, DEVICES, JWT_BEARER, World, now, sign_with};

const UNAUTHORIZED: &str = "Client is unauthorized to retrieve access tokens using this method, or client not \
                            authorized for any of the scopes requested.";
const TIMEFRAME: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
                         Check your iat and exp values in the JWT claim.";

/// Status, `error` and `error_description`.
type Refusal = (u16, String, String);
type Form<'a> = &'a [(&'a str, &'a str)];

fn error(status: u16, error: &str, description: &str) -> Refusal {
    (status, error.to_owned(), description.to_owned())
}

fn grant(description: &str) -> Refusal {
    error(400, "invalid_grant", description)
}

#[tokio::test]
async fn issuer_audience_and_times_are_checked() {
    let world = World::new().await;
    let now = now();
    let account = || grant("Invalid grant: account not found");
    let audience =
        "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token";
    let rows: Vec<(&str, Value, Refusal)> = vec![
        ("issuer unknown", json!({"iss": "nobody@x.example"}), account()),
        ("issuer missing", json!({"iss": null}), account()),
        (
            "audience of another server",
            json!({"aud": "https://sign-in.school.example/token"}),
            grant(audience),
        ),
        ("audience missing", json!({"aud": null}), grant(audience)),
        ("no iat", json!({"iat": null}), grant(TIMEFRAME)),
        (
            "expired",
            json!({"iat": now - 7200, "exp": now - 3600}),
            grant(TIMEFRAME),
        ),
        (
            "from the future",
            json!({"iat": now + 600, "exp": now + 3600}),
            grant(TIMEFRAME),
        ),
        ("too long", json!({"exp": now + 7200}), grant(TIMEFRAME)),
    ];
    for (name, changes, expected) in rows {
        assert_eq!(
            world.exchange_with(&changes).await.oauth_error(),
            expected,
            "{name}"
        );
    }
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);
}

#[tokio::test]
async fn subject_and_scopes_are_checked() {
    let world = World::new().await;
    let group = "https://www.googleapis.com/auth/admin.directory.group";
    let subject = || error(400, "invalid_request", "Invalid impersonation \"sub\" field.");
    let scope = || {
        error(
            400,
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        )
    };
    let delegation = || error(401, "unauthorized_client", UNAUTHORIZED);
    let rows: Vec<(&str, Value, Refusal)> = vec![
        (
            "unknown",
            json!({"sub": "nobody@school.example"}),
            grant("Invalid email or User ID"),
        ),
        ("no address", json!({"sub": "admin"}), grant("Not a valid email")),
        ("empty", json!({"sub": ""}), subject()),
        ("a number", json!({"sub": 7}), subject()),
        (
            "suspended",
            json!({"sub": "former-admin@school.example"}),
            grant("Invalid email or User ID"),
        ),
        ("scope mistyped", json!({"scope": format!("{DEVICES}s")}), scope()),
        ("scope missing", json!({"scope": null}), scope()),
        ("scope empty", json!({"scope": " "}), scope()),
        ("scope not delegated", json!({"scope": group}), delegation()),
        (
            "one of two not delegated",
            json!({"scope": format!("{DEVICES} {group}")}),
            delegation(),
        ),
    ];
    for (name, changes, expected) in rows {
        assert_eq!(
            world.exchange_with(&changes).await.oauth_error(),
            expected,
            "{name}"
        );
    }
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);
}

#[tokio::test]
async fn only_a_live_key_of_the_account_signs() {
    let world = World::new().await;
    let key_id = world.key_file["private_key_id"].as_str().unwrap();
    let account = world.service_account();
    let bad_signature = error(400, "invalid_grant", "Invalid JWT Signature.");

    let new_key = world
        .control(
            "POST",
            &format!("/auth/service-accounts/{account}/keys"),
            &json!({}),
        )
        .await;
    let by_new_key = sign_with(&new_key, &world.claims());
    assert_eq!(world.exchange(&by_new_key).await.status, 200);

    let mut mixed = new_key.clone();
    mixed["private_key_id"] = json!(key_id);
    assert_eq!(
        world
            .exchange(&sign_with(&mixed, &world.claims()))
            .await
            .oauth_error(),
        bad_signature
    );

    let path = format!("/auth/service-accounts/{account}/keys/{key_id}");
    world.control("PATCH", &path, &json!({"enabled": false})).await;
    assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), bad_signature);
    world.control("PATCH", &path, &json!({"enabled": true})).await;
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);
    world.control("DELETE", &path, &json!({})).await;
    assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), bad_signature);
    assert_eq!(world.exchange(&by_new_key).await.status, 200);

    let tampered = world.sign(&world.claims()).rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    assert_eq!(world.exchange(&tampered).await.oauth_error(), bad_signature);
    assert_eq!(
        world.exchange("no.jwt").await.oauth_error(),
        error(400, "invalid_grant", "Bad Request")
    );
}

#[tokio::test]
async fn delegation_account_and_clock_decide_from_one_request_to_the_next() {
    let world = World::new().await;
    let auth = &world.simulator.state().auth;
    let delegation = format!("/auth/delegations/{}", world.client_id());

    world
        .control(
            "PUT",
            &delegation,
            &json!({"scopes": ["https://www.googleapis.com/auth/admin.directory.group"]}),
        )
        .await;
    assert_eq!(
        world.exchange_with(&json!({})).await.oauth_error(),
        error(401, "unauthorized_client", UNAUTHORIZED)
    );
    world
        .control("PATCH", "/auth/switches", &json!({"olderUnauthorizedText": true}))
        .await;
    let older = error(
        401,
        "unauthorized_client",
        "Unauthorized client or scope in request.",
    );
    assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), older);
    world.control("DELETE", &delegation, &json!({})).await;
    assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), older);
    world
        .control("PUT", &delegation, &json!({"scopes": [DEVICES]}))
        .await;
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);

    world
        .control("PATCH", "/auth/switches", &json!({"clockSkewSeconds": 4200}))
        .await;
    assert_eq!(
        world.exchange_with(&json!({})).await.oauth_error(),
        error(400, "invalid_grant", TIMEFRAME)
    );
    world
        .control("PATCH", "/auth/switches", &json!({"clockSkewSeconds": -600}))
        .await;
    assert_eq!(
        world.exchange_with(&json!({})).await.oauth_error(),
        error(400, "invalid_grant", TIMEFRAME)
    );
    world
        .control("PATCH", "/auth/switches", &json!({"clockSkewSeconds": 0}))
        .await;

    auth.set_account_deleted(world.service_account(), true).unwrap();
    let gone = error(400, "invalid_grant", "Invalid grant: account not found");
    assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), gone);
    auth.set_account_deleted(world.service_account(), false).unwrap();
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);

    world
        .control(
            "PATCH",
            "/auth/switches",
            &json!({"suspendedSubject": "accessDenied"}),
        )
        .await;
    let suspended = json!({"sub": "former-admin@school.example"});
    assert_eq!(
        world.exchange_with(&suspended).await.oauth_error(),
        error(400, "access_denied", "Account restricted")
    );
    world
        .control("PATCH", "/auth/switches", &json!({"suspendedSubject": null}))
        .await;
    assert_eq!(world.exchange_with(&suspended).await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_no_grant_is_named() {
    let world = World::new().await;
    let rows: Vec<(Form<'_>, Refusal)> = vec![
        (
            &[],
            error(
                400,
                "invalid_request",
                "Required parameter is missing: grant_type",
            ),
        ),
        (
            &[("grant_type", "password")],
            error(400, "unsupported_grant_type", "Invalid grant_type: password"),
        ),
        (
            &[("grant_type", JWT_BEARER)],
            error(400, "invalid_request", "Missing required parameter: assertion"),
        ),
        (
            &[("grant_type", "a"), ("grant_type", "b")],
            error(
                400,
                "invalid_request",
                "OAuth 2 parameters can only have a single value: grant_type",
            ),
        ),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            error(
                400,
                "invalid_request",
                "Could not determine client ID from request.",
            ),
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("client_id", "x"),
                ("client_secret", "y"),
            ],
            error(401, "invalid_client", "The OAuth client was not found."),
        ),
    ];
    for (form, expected) in rows {
        assert_eq!(
            world.post_form("/token", form).await.oauth_error(),
            expected,
            "{form:?}"
        );
    }
    let json_body = world
        .http
        .post(world.url("/token"))
        .json(&json!({"grant_type": JWT_BEARER}))
        .send()
        .await;
    let expected = error(
        400,
        "invalid_request",
        "Required parameter is missing: grant_type",
    );
    assert_eq!(Answer::of(json_body.unwrap()).await.oauth_error(), expected);
    let wrong_verb = world.http.get(world.url("/token")).send().await.unwrap();
    assert_eq!(wrong_verb.status().as_u16(), 405);
}

#[tokio::test]
async fn one_customer_cannot_be_reached_through_the_delegation_of_another() {
    let simulator = google_admin_simulator::Simulator::builder()
        .devices(1)
        .tenants(2)
        .start()
        .await
        .unwrap();
    let key_file = serde_json::from_str(&simulator.service_account_json().unwrap()).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let world = World {
        simulator,
        http,
        key_file,
    };
    let other = json!({"sub": "admin@second.example"});
    assert_eq!(
        world.exchange_with(&other).await.oauth_error(),
        error(401, "unauthorized_client", UNAUTHORIZED)
    );
    let second = world.simulator.tenants()[1].customer_id().to_owned();
    world
        .simulator
        .state()
        .auth
        .delegate(world.client_id(), &second, [DEVICES.to_owned()].into());
    assert_eq!(world.exchange_with(&other).await.status, 200);
}
