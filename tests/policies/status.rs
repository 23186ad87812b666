//! The status of an action: only who may claim receipts writes it.

use chrome_enterprise_operator::api::action::ActionType::Restart;
use serde_json::{Value, json};

use crate::objects::{action, action_at, actions};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requests::{Answer, User, accepted, forbidden_by};
use crate::server::{Server, run};

/// Every way to write a status.
async fn tries(user: &User, path: &str, stored: &Value) -> [(&'static str, Answer); 4] {
    let status = format!("{path}/status?dryRun=All");
    let outcome = json!({"state": "Succeeded"});
    let mut whole = stored.clone();
    whole["status"] = outcome.clone();
    let in_place = json!([{"op": "add", "path": "/status", "value": outcome}]);
    let applied = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
        "metadata": {"name": stored["metadata"]["name"]}, "status": outcome
    });
    [
        ("replace", user.replace(&status, &whole).await),
        ("merge", user.merge(&status, &json!({"status": outcome})).await),
        ("JSON patch", user.json_patch(&status, &in_place).await),
        ("apply", user.apply(&status, &applied).await),
    ]
}

async fn stored(server: &Server, namespace: &str) -> Value {
    let answer = server
        .admin
        .create(&actions(namespace), &action("library-07", Restart))
        .await;
    accepted("an action", answer)
}

#[test]
fn rights_on_the_status_are_not_enough() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let stored = stored(server, &namespace).await;
        let path = action_at(&namespace, "library-07");
        let rules =
            ["deviceactions/status", "deviceactions"].map(|resource| rule(resource, &ALL_COMMON_VERBS));
        for verb in [None, Some("restore")] {
            let editor = server
                .user(&format!("{}@school.example", verb.unwrap_or("editor")))
                .await;
            server.allow(&namespace, &editor.name, &rules).await;
            if let Some(verb) = verb {
                let rules = [rule("deviceactionreceipts", &[verb])];
                server.allow(&namespace, &editor.name, &rules).await;
            }
            for (way, answer) in tries(&editor, &path, &stored).await {
                let words = [
                    editor.name.as_str(),
                    "may not write the status of DeviceAction 'library-07'",
                    &namespace,
                    "only the operator does",
                    "ask the cluster administrator to bind it to the role chromeenterprise-operator",
                    "the verb 'claim' on deviceactionreceipts.chromeenterprise.dev",
                ];
                forbidden_by("action-status", way, answer, &words);
            }
        }
    });
}

#[test]
fn the_operator_writes_every_way() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let stored = stored(server, &namespace).await;
        let path = action_at(&namespace, "library-07");
        let operator = server.user("operator@school.example").await;
        server
            .bind(&namespace, &operator.name, "chromeenterprise-operator")
            .await;
        let minimal = server.user("minimal@school.example").await;
        let rules = [
            rule("deviceactions/status", &["update", "patch"]),
            rule("deviceactionreceipts", &["claim"]),
        ];
        server.allow(&namespace, &minimal.name, &rules).await;
        for user in [&operator, &minimal] {
            for (way, answer) in tries(user, &path, &stored).await {
                let written = accepted(&format!("{way} by {}", user.name), answer);
                assert_eq!(written["status"]["state"], "Succeeded", "{way}");
            }
        }
    });
}

/// Who creates or changes an action cannot bring a status along: the API server drops it.
#[test]
fn other_writes_carry_no_status() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let anna = server.user("anna@school.example").await;
        let role = "chromeenterprise-device-administrator";
        server.bind(&namespace, &anna.name, role).await;
        let mut faked = action("library-07", Restart);
        faked["status"] = json!({"state": "Succeeded"});
        let created = accepted("create", anna.create(&actions(&namespace), &faked).await);
        assert_eq!(created.get("status"), None);
        let path = action_at(&namespace, "library-07");
        let sent = json!({"status": {"state": "Sent"}});
        accepted(
            "the operator",
            server.admin.merge(&format!("{path}/status"), &sent).await,
        );
        for answer in [
            anna.replace_latest(&path, &faked).await,
            anna.merge(&path, &json!({"status": null})).await,
            anna.apply(&path, &faked).await,
        ] {
            let stored = accepted("a write", answer);
            assert_eq!(stored["status"]["state"], "Sent");
        }
    });
}
