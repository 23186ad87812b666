//! The credential files.

use serde_json::Value;

use crate::support::{Answer, World};

#[tokio::test]
async fn the_files_look_like_those_of_the_cloud_console() {
    let world = World::new().await;
    let mut names: Vec<&String> = world.key_file.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "auth_provider_x509_cert_url",
            "auth_uri",
            "client_email",
            "client_id",
            "client_x509_cert_url",
            "private_key",
            "private_key_id",
            "project_id",
            "token_uri",
            "type",
            "universe_domain"
        ]
    );
    assert_eq!(world.key_file["type"], "service_account");
    assert_eq!(world.key_file["token_uri"], world.url("/token"));
    assert!(
        world.key_file["private_key"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    let client_id = world.client_id();
    assert!(
        client_id.len() == 21 && client_id.bytes().all(|byte| byte.is_ascii_digit()),
        "{client_id}"
    );
    let again: Value = serde_json::from_str(&world.simulator.service_account_json().unwrap()).unwrap();
    assert_eq!(again, world.key_file, "asking again makes no new key");

    let client: Value = serde_json::from_str(&world.simulator.client_secret_json().unwrap()).unwrap();
    let id = client["installed"]["client_id"].as_str().unwrap();
    assert!(
        id.starts_with("428190012345-") && id.ends_with(".apps.googleusercontent.com"),
        "{id}"
    );

    let certificates = world.key_file["client_x509_cert_url"].as_str().unwrap();
    let certificates = Answer::of(world.http.get(certificates).send().await.unwrap())
        .await
        .json();
    assert!(
        certificates
            .get(world.key_file["private_key_id"].as_str().unwrap())
            .is_some()
    );
}

#[tokio::test]
async fn ids_are_a_function_of_the_seed_and_files_can_be_fetched() {
    let (one, two) = (World::new().await, World::new().await);
    assert_eq!(one.client_id(), two.client_id());
    assert_ne!(
        one.key_file["private_key_id"], two.key_file["private_key_id"],
        "keys are always new"
    );
    let path = format!(
        "/auth/customers/{}/service-account-file",
        one.simulator.customer_id()
    );
    assert_eq!(one.control("GET", &path, &Value::Null).await, one.key_file);
}
