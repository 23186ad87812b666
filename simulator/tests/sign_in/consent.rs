//! The consent page, codes with PKCE, refresh tokens, ID tokens, and their end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Answer, DEVICE_LIST, DEVICES, USERS_READ_ONLY, World};

const REDIRECT: &str = "http://localhost:8765/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
}

pub(crate) fn app(world: &World) -> App {
    let file: Value = serde_json::from_str(&world.simulator.client_secret_json().unwrap()).unwrap();
    let text = |name: &str| file["installed"][name].as_str().unwrap().to_owned();
    App {
        id: text("client_id"),
        secret: text("client_secret"),
    }
}

pub(crate) fn page_address(world: &World, app: &App, changes: &[(&str, &str)]) -> Url {
    let scope = format!("openid email {DEVICES} {USERS_READ_ONLY}");
    let usual = [
        ("client_id", app.id.as_str()),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", scope.as_str()),
        ("access_type", "offline"),
        ("state", "s t&1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut address = Url::parse(&world.url("/o/oauth2/v2/auth")).unwrap();
    for (name, value) in usual {
        let value = changes
            .iter()
            .find(|(other, _)| *other == name)
            .map_or(value, |(_, value)| value);
        if !value.is_empty() {
            address.query_pairs_mut().append_pair(name, value);
        }
    }
    for (name, value) in changes
        .iter()
        .filter(|(name, _)| usual.iter().all(|(other, _)| other != name))
    {
        address.query_pairs_mut().append_pair(name, value);
    }
    address
}

pub(crate) async fn open(world: &World, address: Url) -> Answer {
    Answer::of(world.http.get(address).send().await.unwrap()).await
}

/// The parameters with which the browser is sent back.
pub(crate) fn sent_back(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let address = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    assert!(address.as_str().starts_with(REDIRECT));
    address.query_pairs().into_owned().collect()
}

pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(other, _)| other == name)
        .map_or("", |(_, value)| value)
}

pub(crate) async fn code(world: &World, app: &App, changes: &[(&str, &str)]) -> String {
    value(
        &sent_back(&open(world, page_address(world, app, changes)).await),
        "code",
    )
    .to_owned()
}

pub(crate) async fn redeem(world: &World, app: &App, code: &str, changes: &[(&str, &str)]) -> Answer {
    let usual = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let form: Vec<(&str, &str)> = usual
        .iter()
        .map(|(name, value)| {
            (
                *name,
                changes
                    .iter()
                    .find(|(other, _)| other == name)
                    .map_or(*value, |(_, value)| *value),
            )
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    world.post_form("/token", &form).await
}

pub(crate) async fn refresh(world: &World, app: &App, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", app.id.as_str()),
        ("client_secret", app.secret.as_str()),
    ];
    world.post_form("/token", &form).await
}

pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {body}"))
}

#[tokio::test]
async fn from_the_page_to_a_call_and_back_to_nothing() {
    let world = World::new().await;
    let app = app(&world);
    let back = sent_back(&open(&world, page_address(&world, &app, &[])).await);
    assert_eq!(
        (value(&back, "state"), value(&back, "hd")),
        ("s t&1", "school.example")
    );
    let first = redeem(&world, &app, value(&back, "code"), &[]).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let first = first.json();
    let scopes: Vec<&str> = text(&first, "scope").split(' ').collect();
    assert!(scopes.contains(&"https://www.googleapis.com/auth/userinfo.email") && scopes.contains(&"openid"));
    assert_eq!(
        world.get(DEVICE_LIST, text(&first, "access_token")).await.status,
        200
    );

    let second = refresh(&world, &app, text(&first, "refresh_token")).await.json();
    assert!(second.get("refresh_token").is_none());
    assert_eq!(second["scope"], first["scope"]);
    assert_eq!(
        world.get(DEVICE_LIST, text(&second, "access_token")).await.status,
        200
    );

    assert_eq!(
        world
            .post_form("/revoke", &[("token", text(&second, "access_token"))])
            .await
            .status,
        200
    );
    assert_eq!(
        world.get(DEVICE_LIST, text(&first, "access_token")).await.status,
        401,
        "one family"
    );
    let dead = refresh(&world, &app, text(&first, "refresh_token"))
        .await
        .oauth_error();
    assert_eq!(
        dead,
        (
            400,
            "invalid_grant".to_owned(),
            "Token has been expired or revoked.".to_owned()
        )
    );
    let again = world
        .post_form("/revoke", &[("token", text(&first, "refresh_token"))])
        .await
        .oauth_error();
    assert_eq!((again.0, again.1.as_str()), (400, "invalid_token"));
}

#[tokio::test]
async fn the_id_token_is_signed_and_says_who() {
    let world = World::new().await;
    let app = app(&world);
    let code = code(&world, &app, &[("login_hint", "device-admin@school.example")]).await;
    let body = redeem(&world, &app, &code, &[]).await.json();
    let keys = Answer::of(
        world
            .http
            .get(world.url("/oauth2/v3/certs"))
            .send()
            .await
            .unwrap(),
    )
    .await
    .json();
    let key: jsonwebtoken::jwk::Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[&app.id]);
    validation.set_issuer(&["https://accounts.google.com"]);
    let token = text(&body, "id_token");
    let read =
        jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&key).unwrap(), &validation).unwrap();
    assert_eq!(read.claims["email"], "device-admin@school.example");
    assert_eq!(
        (read.claims["hd"].as_str(), read.claims["nonce"].as_str()),
        (Some("school.example"), Some("n-1"))
    );
    assert_eq!(read.header.kid.as_deref(), key.common.key_id.as_deref());
    let certificates = Answer::of(
        world
            .http
            .get(world.url("/oauth2/v1/certs"))
            .send()
            .await
            .unwrap(),
    )
    .await
    .json();
    assert!(text(&certificates, &read.header.kid.unwrap()).starts_with("-----BEGIN CERTIFICATE-----"));

    for path in ["/v1/userinfo", "/oauth2/v3/userinfo"] {
        let person = world.get(path, text(&body, "access_token")).await.json();
        assert_eq!(
            (person["email"].as_str(), &person["sub"]),
            (Some("device-admin@school.example"), &read.claims["sub"])
        );
    }
    let without_identity = world.token(DEVICES).await;
    let refused = world.get("/v1/userinfo", &without_identity).await.oauth_error();
    assert_eq!((refused.0, refused.1.as_str()), (401, "invalid_request"));
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_address_and_verifier() {
    let world = World::new().await;
    let app = app(&world);
    let code = code(&world, &app, &[]).await;
    let rows: [(&str, &str, u16, &str, &str); 7] = [
        (
            "code_verifier",
            "",
            400,
            "invalid_grant",
            "Missing code verifier.",
        ),
        (
            "code_verifier",
            "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong",
            400,
            "invalid_grant",
            "Invalid code verifier.",
        ),
        (
            "code_verifier",
            "short",
            400,
            "invalid_grant",
            "Invalid code verifier.",
        ),
        (
            "redirect_uri",
            "http://localhost:1/",
            400,
            "redirect_uri_mismatch",
            "Bad Request",
        ),
        ("client_secret", "wrong", 401, "invalid_client", "Unauthorized"),
        (
            "client_secret",
            "",
            400,
            "invalid_request",
            "client_secret is missing.",
        ),
        ("code", "4/unknown", 400, "invalid_grant", "Malformed auth code."),
    ];
    for (name, changed, status, error, description) in rows {
        let answer = redeem(&world, &app, &code, &[(name, changed)])
            .await
            .oauth_error();
        assert_eq!(
            answer,
            (status, error.to_owned(), description.to_owned()),
            "{name} = {changed}"
        );
    }
    assert_eq!(redeem(&world, &app, &code, &[]).await.status, 200);
    let again = redeem(&world, &app, &code, &[]).await.oauth_error();
    assert_eq!(again, (400, "invalid_grant".to_owned(), "Bad Request".to_owned()));
}

#[tokio::test]
async fn the_client_may_sign_in_with_http_basic_and_may_be_switched_off() {
    let world = World::new().await;
    let app = app(&world);
    let code = code(&world, &app, &[]).await;
    let basic = STANDARD.encode(format!("{}:{}", app.id, app.secret));
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let request = world
        .http
        .post(world.url("/token"))
        .header("authorization", format!("Basic {basic}"))
        .form(&form);
    let body = Answer::of(request.send().await.unwrap()).await.json();
    let token = text(&body, "refresh_token");
    for (state, error) in [("disabled", "disabled_client"), ("deleted", "deleted_client")] {
        world
            .control(
                "PATCH",
                &format!("/auth/clients/{}", app.id),
                &json!({ "state": state }),
            )
            .await;
        let answer = refresh(&world, &app, token).await.oauth_error();
        assert_eq!((answer.0, answer.1.as_str()), (401, error));
    }
    world
        .control(
            "PATCH",
            &format!("/auth/clients/{}", app.id),
            &json!({"state": "active"}),
        )
        .await;
    assert_eq!(refresh(&world, &app, token).await.status, 200);
}

#[tokio::test]
async fn offline_access_scopes_and_lifetime_are_as_granted() {
    let world = World::new().await;
    let app = app(&world);
    let online = code(&world, &app, &[("access_type", "")]).await;
    assert!(
        redeem(&world, &app, &online, &[])
            .await
            .json()
            .get("refresh_token")
            .is_none()
    );

    let consent =
        json!({"consent": {"withheldScopes": [USERS_READ_ONLY]}, "refreshTokenLifetimeSeconds": 604_800});
    world.control("PATCH", "/auth/switches", &consent).await;
    let less = code(&world, &app, &[]).await;
    let body = redeem(&world, &app, &less, &[]).await.json();
    assert!(!text(&body, "scope").contains(USERS_READ_ONLY));
    assert_eq!(body["refresh_token_expires_in"], 604_800);
    let token = text(&body, "refresh_token");
    let form = |scope| {
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", app.id.as_str()),
            ("client_secret", app.secret.as_str()),
            ("scope", scope),
        ]
    };
    assert_eq!(
        world.post_form("/token", &form(DEVICES)).await.json()["scope"],
        DEVICES
    );
    assert_eq!(
        world
            .post_form("/token", &form(USERS_READ_ONLY))
            .await
            .oauth_error()
            .1,
        "invalid_scope"
    );
}

#[tokio::test]
async fn a_consent_by_the_control_api_is_like_one_of_the_page_until_it_is_revoked() {
    let world = World::new().await;
    let wanted = json!({ "account": world.admin(), "scopes": ["openid", "email", DEVICES] });
    let file = world.control("POST", "/auth/consents", &wanted).await;
    assert_eq!(file["type"], "authorized_user");
    let text = |name: &str| file[name].as_str().unwrap().to_owned();
    let (client, secret, token) = (text("client_id"), text("client_secret"), text("refresh_token"));
    let listed = world.control("GET", "/auth/consents", &json!({})).await;
    assert_eq!(listed[0]["account"], json!(world.admin()));
    assert_eq!(listed[0]["clientId"], json!(client));
    assert!(!listed.to_string().contains(&token));
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", &client),
        ("client_secret", &secret),
        ("refresh_token", &token),
    ];
    let answer = world.post_form("/token", &refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let scopes = answer.json()["scope"].as_str().unwrap().to_owned();
    assert!(
        scopes.contains("userinfo.email") && scopes.contains(DEVICES),
        "{scopes}"
    );
    assert_eq!(world.post_form("/revoke", &[("token", &token)]).await.status, 200);
    assert_eq!(world.post_form("/token", &refresh).await.status, 400);
    assert_eq!(
        world.control("GET", "/auth/consents", &json!({})).await,
        json!([])
    );
}
