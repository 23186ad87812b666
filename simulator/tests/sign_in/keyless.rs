//! Signing without a key file: the workload's own identity has Google sign.

use serde_json::{Value, json};

use crate::support::{Answer, DEVICE_LIST, DEVICES, World, now};

const WORKLOAD: &str = "workload@chromeos-platform.iam.gserviceaccount.com";

async fn metadata(world: &World, path: &str) -> Answer {
    let address = world.url(&format!(
        "/computeMetadata/v1/instance/service-accounts/default/{path}"
    ));
    Answer::of(
        world
            .http
            .get(address)
            .header("metadata-flavor", "Google")
            .send()
            .await
            .unwrap(),
    )
    .await
}

async fn sign(world: &World, token: &str, account: &str, payload: &Value) -> Answer {
    let account = account.replace('@', "%40");
    let address = world.url(&format!("/v1/projects/-/serviceAccounts/{account}:signJwt"));
    let request = world
        .http
        .post(address)
        .bearer_auth(token)
        .json(&json!({ "payload": payload.to_string() }));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn an_ambient_identity_signs_for_the_delegated_account() {
    let world = World::new().await;
    assert_eq!(metadata(&world, "email").await.text, WORKLOAD);
    let token = metadata(&world, "token").await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = sign(
        &world,
        &token,
        world.service_account(),
        &Value::Object(world.claims()),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let signed = answer.json();
    assert_ne!(
        signed["keyId"], world.key_file["private_key_id"],
        "Google signs with a key of its own"
    );
    let exchanged = world.exchange(signed["signedJwt"].as_str().unwrap()).await;
    assert_eq!(exchanged.status, 200, "{}", exchanged.text);
    let access = exchanged.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get(DEVICE_LIST, &access).await.status, 200);
    assert_eq!(
        world.get(DEVICE_LIST, &token).await.status,
        403,
        "the workload itself is no administrator"
    );
}

#[tokio::test]
async fn signing_needs_permission_scope_and_sane_claims() {
    let world = World::new().await;
    let token = metadata(&world, "token").await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let narrow = metadata(
        &world,
        "token?scopes=https://www.googleapis.com/auth/userinfo.email",
    )
    .await;
    let narrow = narrow.json()["access_token"].as_str().unwrap().to_owned();
    let good = Value::Object(world.claims());
    let far = json!({"exp": now() + 13 * 3600});
    let past = json!({"exp": now() - 1});
    let admin = world.token(DEVICES).await;
    let account = world.service_account();
    let rows = [
        ("unknown account", &token, "nobody@x.example", &good, 403),
        ("narrow token", &narrow, account, &good, 403),
        ("token of the administrator", &admin, account, &good, 403),
        ("no token", &String::new(), account, &good, 401),
        ("thirteen hours", &token, account, &far, 400),
        ("past", &token, account, &past, 400),
        ("no object", &token, account, &json!([1]), 400),
    ];
    for (name, token, account, payload, expected) in rows {
        let answer = sign(&world, token, account, payload).await;
        assert_eq!(answer.status, expected, "{name}: {}", answer.text);
    }
    world
        .simulator
        .state()
        .auth
        .set_token_creators(account, [].into())
        .unwrap();
    let denied = sign(&world, &token, account, &good).await;
    assert_eq!(denied.status, 403);
    assert_eq!(
        denied.json()["error"]["details"][0]["reason"],
        "IAM_PERMISSION_DENIED"
    );
    let verb = world
        .http
        .post(world.url(&format!("/v1/projects/-/serviceAccounts/{account}:signBlob")));
    assert_eq!(
        verb.bearer_auth(&token)
            .json(&json!({}))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        404
    );
}

#[tokio::test]
async fn the_metadata_server_wants_its_header() {
    let world = World::new().await;
    let without = world
        .http
        .get(world.url("/computeMetadata/v1/instance/service-accounts/default/token"));
    assert_eq!(without.send().await.unwrap().status().as_u16(), 403);
    let data = metadata(&world, "?recursive=true").await;
    assert_eq!(
        (data.status, data.json()["email"].as_str()),
        (200, Some(WORKLOAD))
    );
    assert_eq!(data.headers["metadata-flavor"], "Google");
}
