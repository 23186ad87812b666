//! What a consent and the metadata server are asked for, word by word, and what odd answers lead to.

use chrome_enterprise_operator::google::{
    Access, CredentialKind, DirectoryClient, Endpoints, GoogleContext, HttpSettings, Keyless, NoObserver,
    QuotaSettings, Reason, parse_authorized_user,
};
use serde_json::{Value, json};
use std::sync::Arc;

use super::fake::{ADMIN, Fake, Reply, context, quick};

/// An authorized-user file, with addresses in it that nobody may ever contact.
pub(crate) fn user_file() -> Vec<u8> {
    let trap = "https://trap.invalid/";
    let file = json!({
        "type": "authorized_user",
        "client_id": "428190012345-abc.apps.googleusercontent.com",
        "client_secret": "GOCSPX-hush-client",
        "refresh_token": "1//hush-refresh",
        "token_uri": trap, "auth_uri": trap, "revoke_uri": trap, "universe_domain": "trap.invalid",
    });
    serde_json::to_vec(&file).unwrap()
}

pub(crate) fn consenting(google: &Fake, access: Access) -> DirectoryClient {
    let user = parse_authorized_user(&user_file()).unwrap();
    DirectoryClient::new(&context(&google.url, quick()), user, ADMIN, access).unwrap()
}

fn granted(scope: &Value) -> Reply {
    let mut body = json!({"access_token": "ya29.hush-access", "expires_in": 3599, "token_type": "Bearer", "id_token": "eyJ.hush.id"});
    if scope.is_string() {
        body["scope"] = scope.clone();
    }
    Reply::json(200, &body)
}

/// Google with an answer about scopes and one about the account.
async fn google(scope: Value, account: Reply) -> Fake {
    Fake::start(move |seen, _| match seen.path.as_str() {
        "/token" => Some(granted(&scope)),
        "/v1/userinfo" => Some(account.clone()),
        _ => Some(Reply::json(200, &json!({"chromeosdevices": []}))),
    })
    .await
}

fn admin() -> Reply {
    Reply::json(200, &json!({"sub": "1", "email": ADMIN, "email_verified": true}))
}

async fn list(client: &DirectoryClient) -> Result<(), Reason> {
    let listed = client.list_devices(&Default::default(), None).await;
    listed.map(|_| ()).map_err(|error| error.reason)
}

#[tokio::test]
async fn a_consent_is_sent_to_our_endpoint_and_its_account_is_asked_for_once() {
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let google = google(Value::Null, admin()).await;
        let client = consenting(&google, access);
        for _ in 0..3 {
            list(&client).await.unwrap();
        }
        let requests = google.token_requests();
        assert_eq!(requests.len(), 1);
        let scopes = CredentialKind::AuthorizedUser.scopes(access).join(" ");
        let expected = [
            ("grant_type", "refresh_token"),
            ("client_id", "428190012345-abc.apps.googleusercontent.com"),
            ("client_secret", "GOCSPX-hush-client"),
            ("refresh_token", "1//hush-refresh"),
            ("scope", scopes.as_str()),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(requests[0].form(), expected);
        let paths: Vec<String> = google.calls().into_iter().map(|call| call.path).collect();
        assert_eq!(paths.iter().filter(|path| *path == "/v1/userinfo").count(), 1);
        assert_eq!(paths[0], "/v1/userinfo", "before anything else");
        assert_eq!(
            google.calls()[0].header("authorization"),
            Some("Bearer ya29.hush-access")
        );
    }
}

#[tokio::test]
async fn odd_answers_let_nobody_in() {
    let mismatch = |account: Option<&str>| Reason::AccountMismatch {
        signed_in_as: account.map(str::to_owned),
    };
    let info = |body: Value| Reply::json(200, &body);
    for (account, expected) in [
        (
            info(json!({"sub": "1", "email": "pupil@school.example"})),
            mismatch(Some("pupil@school.example")),
        ),
        (info(json!({"sub": "1"})), mismatch(None)),
        (
            info(json!({"sub": "1", "email": ADMIN, "email_verified": false})),
            mismatch(None),
        ),
        (info(json!([])), Reason::UnexpectedAnswer),
        (Reply::html(200), Reason::UnexpectedAnswer),
        (Reply::html(404), Reason::UnexpectedAnswer),
        (
            Reply::json(401, &json!({"error": "invalid_request"})),
            Reason::UnexpectedAnswer,
        ),
        (Reply::json(503, &json!({})), Reason::GoogleUnavailable),
    ] {
        let google = google(Value::Null, account).await;
        let client = consenting(&google, Access::ReadWrite);
        assert_eq!(list(&client).await, Err(expected));
        assert!(google.calls().iter().all(|call| call.path == "/v1/userinfo"));
    }
    let google = google(json!("openid"), admin()).await;
    let told = list(&consenting(&google, Access::ReadWrite)).await.unwrap_err();
    let Reason::ConsentIncomplete { missing_scopes } = told else {
        panic!("{told:?}");
    };
    assert_eq!(missing_scopes.len(), 4, "all but openid");
    assert_eq!(google.calls().len(), 0);
}

/// A metadata server, `signJwt` and a token endpoint.
async fn cloud(sign: Reply) -> Fake {
    Fake::start(move |seen, _| match seen.path.as_str() {
        path if path.starts_with("/computeMetadata/") => Some(Reply::json(
            200,
            &json!({"access_token": "ya29.hush-ambient", "expires_in": 3599, "token_type": "Bearer"}),
        )),
        path if path.starts_with("/v1/projects/") => Some(sign.clone()),
        "/token" => Some(granted(&Value::Null)),
        _ => Some(Reply::json(200, &json!({"chromeosdevices": []}))),
    })
    .await
}

fn keyless(context: &GoogleContext) -> DirectoryClient {
    let keyless = Keyless::new("fleet@project.iam.gserviceaccount.com", Vec::new());
    DirectoryClient::new(context, keyless, ADMIN, Access::ReadOnly).unwrap()
}

#[tokio::test]
async fn without_a_key_google_signs_what_a_key_would_sign() {
    let google = cloud(Reply::json(
        200,
        &json!({"keyId": "k", "signedJwt": "eyJ.hush.jwt"}),
    ))
    .await;
    list(&keyless(&context(&google.url, quick()))).await.unwrap();
    let requests = google.requests();
    let paths: Vec<&str> = requests.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(
        paths[..3],
        [
            "/computeMetadata/v1/instance/service-accounts/default/token",
            "/v1/projects/-/serviceAccounts/fleet@project.iam.gserviceaccount.com:signJwt",
            "/token",
        ]
    );
    assert_eq!(requests[0].header("metadata-flavor"), Some("Google"));
    assert_eq!(
        requests[0].parameter("scopes"),
        Some("https://www.googleapis.com/auth/iam")
    );
    assert_eq!(
        requests[1].header("authorization"),
        Some("Bearer ya29.hush-ambient")
    );
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    let claims: Value = serde_json::from_str(body["payload"].as_str().unwrap()).unwrap();
    assert_eq!(claims["iss"], "fleet@project.iam.gserviceaccount.com");
    assert_eq!(claims["sub"], ADMIN);
    assert_eq!(claims["aud"], json!(google.url.join("/token").unwrap()));
    assert_eq!(
        claims["scope"],
        CredentialKind::Keyless.scopes(Access::ReadOnly).join(" ")
    );
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, 3600);
    let form = requests[2].form();
    assert!(
        form.contains(&("assertion".to_owned(), "eyJ.hush.jwt".to_owned())),
        "{form:?}"
    );
}

#[tokio::test]
async fn odd_answers_about_signing_have_their_reasons() {
    for (sign, expected) in [
        (
            Reply::error(403, "forbidden", "Permission denied"),
            Reason::SigningForbidden,
        ),
        (
            Reply::error(403, "accessNotConfigured", "has not been used in project 1"),
            Reason::SigningForbidden,
        ),
        (
            Reply::error(404, "notFound", "Not found"),
            Reason::SigningForbidden,
        ),
        (
            Reply::error(401, "authError", "Invalid Credentials"),
            Reason::IdentityUnavailable,
        ),
        (
            Reply::error(429, "rateLimitExceeded", "slow down"),
            Reason::QuotaExhausted,
        ),
        (
            Reply::error(500, "backendError", "Backend Error"),
            Reason::GoogleUnavailable,
        ),
        (Reply::html(403), Reason::UnexpectedAnswer),
        (Reply::json(200, &json!({"keyId": "k"})), Reason::UnexpectedAnswer),
        (
            Reply::json(200, &json!({"signedJwt": ""})),
            Reason::UnexpectedAnswer,
        ),
    ] {
        let google = cloud(sign).await;
        let told = list(&keyless(&context(&google.url, quick()))).await;
        assert_eq!(told, Err(expected));
        assert_eq!(google.token_requests().len(), 0);
    }
}

#[tokio::test]
async fn the_metadata_server_is_asked_without_the_proxy() {
    let metadata = cloud(Reply::html(404)).await;
    let proxy = Fake::start(|_, _| Some(Reply::html(502))).await;
    let http = HttpSettings {
        proxy: Some(proxy.url.clone()),
        ..quick()
    };
    let endpoints =
        Endpoints::all_at(&"http://google.invalid/".parse().unwrap()).with_metadata_at(&metadata.url);
    let context =
        GoogleContext::new(endpoints, &http, QuotaSettings::default(), Arc::new(NoObserver)).unwrap();
    assert!(list(&keyless(&context)).await.is_err());
    assert_eq!(metadata.requests().len(), 1, "the metadata server itself");
    let asked = proxy.requests();
    assert!(
        asked
            .iter()
            .all(|seen| seen.target.starts_with("http://google.invalid/v1/projects/"))
    );
    assert!(!asked.is_empty(), "Google is behind the proxy");
}
