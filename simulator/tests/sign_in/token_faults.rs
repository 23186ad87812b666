//! Refusals of the token endpoint on request.

use google_admin_simulator::auth::TokenErrorKind;
use serde_json::{Value, json};

use crate::support::{Answer, World};

#[tokio::test]
async fn every_kind_of_refusal_can_be_asked_for() {
    let world = World::new().await;
    let kinds = world.control("GET", "/auth/token-faults/kinds", &json!({})).await;
    let kinds = kinds.as_array().unwrap();
    assert_eq!(kinds.len(), TokenErrorKind::ALL.len());
    for row in kinds {
        world
            .control(
                "POST",
                "/auth/token-faults",
                &json!({"kind": row["kind"], "times": 1}),
            )
            .await;
        let (status, error, description) = world.exchange_with(&json!({})).await.oauth_error();
        assert_eq!(
            json!([status, error, description]),
            json!([row["status"], row["error"], row["description"]])
        );
    }
    assert_eq!(
        world.exchange_with(&json!({})).await.status,
        200,
        "each struck once"
    );
}

#[tokio::test]
async fn a_rule_strikes_whom_and_as_often_as_it_says() {
    let world = World::new().await;
    let rule = json!({"status": 503, "error": "server_error", "description": "Try later", "account": world.admin(),
                      "grantType": "urn:ietf:params:oauth:grant-type:jwt-bearer"});
    let fault = world.control("POST", "/auth/token-faults", &rule).await;
    for _ in 0..3 {
        let expected = (503, "server_error".to_owned(), "Try later".to_owned());
        assert_eq!(world.exchange_with(&json!({})).await.oauth_error(), expected);
    }
    let other = json!({"sub": "device-admin@school.example"});
    assert_eq!(world.exchange_with(&other).await.status, 200);
    let list = world.control("GET", "/auth/token-faults", &json!({})).await;
    assert_eq!(list[0]["struck"], 3);
    world
        .control(
            "DELETE",
            &format!("/auth/token-faults/{}", fault["id"]),
            &json!({}),
        )
        .await;
    assert_eq!(world.exchange_with(&json!({})).await.status, 200);
}

#[tokio::test]
async fn contradictory_rules_and_unknown_names_are_refused_with_a_reason() {
    let world = World::new().await;
    let rows: Vec<(&str, &str, Value, &str)> = vec![
        ("POST", "/auth/token-faults", json!({}), "either kind"),
        (
            "POST",
            "/auth/token-faults",
            json!({"kind": "nonsense"}),
            "nonsense",
        ),
        (
            "POST",
            "/auth/token-faults",
            json!({"status": 200, "error": "x"}),
            "status 200",
        ),
        (
            "POST",
            "/auth/token-faults",
            json!({"kind": "serverError", "times": 0}),
            "times",
        ),
        ("PATCH", "/auth/switches", json!({"clockSkew": 3}), "clockSkew"),
        (
            "PATCH",
            "/auth/switches",
            json!({"expireTokensBy": "moon"}),
            "moon",
        ),
        ("PATCH", "/auth/switches", json!([]), "object"),
        ("DELETE", "/auth/token-faults/99", json!({}), "99"),
        (
            "PATCH",
            "/auth/projects/none",
            json!({"apiEnabled": true}),
            "none",
        ),
        ("PATCH", "/auth/clients/none", json!({"state": "deleted"}), "none"),
        (
            "PATCH",
            "/auth/service-accounts/none",
            json!({"deleted": true}),
            "none",
        ),
        ("PUT", "/auth/delegations/none", json!({"scopes": []}), "none"),
        (
            "POST",
            "/auth/tokens",
            json!({"account": "none@x", "scopes": []}),
            "none@x",
        ),
        ("POST", "/auth/customers/C0none", json!({}), "C0none"),
        ("PATCH", "/batch", json!({"shufle": true}), "shufle"),
    ];
    for (verb, path, body, named) in rows {
        let request = world
            .http
            .request(verb.parse().unwrap(), world.url(&format!("/sim/v1{path}")))
            .json(&body);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert!(
            (400..=404).contains(&answer.status),
            "{verb} {path} {body}: {}",
            answer.status
        );
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(message.contains(named), "{verb} {path} {body}: {message}");
    }
}
