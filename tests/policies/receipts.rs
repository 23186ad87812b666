//! Receipts: every way to write or delete one, for those who have all common rights, and for those who have the verb.
//! `receipt_ends.rs` has what the controllers of the cluster do to them.

use serde_json::{Value, json};

use crate::objects::{receipt, receipt_at, receipts};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requests::{Answer, User, accepted, forbidden_by, refused};
use crate::server::{Server, run};

/// Every way to write or delete a receipt, tried without keeping the result, and the word that the policy has for it.
async fn tries(user: &User, namespace: &str, stored: &Value) -> Vec<(&'static str, &'static str, Answer)> {
    let path = receipt_at(namespace, "stored");
    let mut changed = stored.clone();
    changed["message"] = json!("Nothing to see here.");
    changed["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    changed["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    let message = json!({"message": "Nothing to see here."});
    let finalizer = json!([{"op": "add", "path": "/metadata/finalizers", "value": ["school.example/kept"]}]);
    vec![
        (
            "create",
            "create",
            user.create(&format!("{}?dryRun=All", receipts(namespace)), &receipt("new"))
                .await,
        ),
        (
            "create by apply",
            "create",
            user.apply(
                &format!("{}?dryRun=All", receipt_at(namespace, "new")),
                &receipt("new"),
            )
            .await,
        ),
        (
            "replace",
            "update",
            user.replace(&format!("{path}?dryRun=All"), &with_version(stored, &changed))
                .await,
        ),
        (
            "edit",
            "update",
            user.merge(&format!("{path}?dryRun=All"), &message).await,
        ),
        (
            "a label",
            "update",
            user.merge(
                &format!("{path}?dryRun=All"),
                &json!({"metadata": {"labels": {"a": "b"}}}),
            )
            .await,
        ),
        (
            "a finalizer",
            "update",
            user.json_patch(&format!("{path}?dryRun=All"), &finalizer).await,
        ),
        (
            "apply",
            "update",
            user.apply(&format!("{path}?dryRun=All"), &changed).await,
        ),
        (
            "delete",
            "delete",
            user.delete(&format!("{path}?dryRun=All")).await,
        ),
    ]
}

fn with_version(stored: &Value, changed: &Value) -> Value {
    let mut changed = changed.clone();
    changed["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
    changed
}

async fn stored(server: &Server, namespace: &str) -> Value {
    let answer = server
        .admin
        .create(&receipts(namespace), &receipt("stored"))
        .await;
    accepted("a receipt", answer)
}

/// What each refusal says.
fn denial<'a>(user: &'a User, verb: &'a str, namespace: &'a str) -> Vec<&'a str> {
    let ask = "ask the cluster administrator for the role chromeenterprise-restore, which has the verb 'restore' on \
               deviceactionreceipts.chromeenterprise.dev";
    vec![
        &user.name,
        "may not",
        verb,
        "DeviceActionReceipt '",
        namespace,
        ask,
    ]
}

#[test]
fn all_common_rights_without_the_verb_are_not_enough() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let stored = stored(server, &namespace).await;
        let editor = server.user("editor@school.example").await;
        let rules = [rule("deviceactionreceipts", &ALL_COMMON_VERBS)];
        server.allow(&namespace, &editor.name, &rules).await;
        // The verb counts on this resource only, and in this namespace only.
        let elsewhere = [rule("deviceactionreceipts", &["claim", "restore"])];
        server
            .allow(&server.namespace().await, &editor.name, &elsewhere)
            .await;
        let other_resource = [rule("deviceactions", &["claim", "restore"])];
        server.allow(&namespace, &editor.name, &other_resource).await;
        for (way, verb, answer) in tries(&editor, &namespace, &stored).await {
            forbidden_by("receipt-writers", way, answer, &denial(&editor, verb, &namespace));
        }
        // Not as a dry run: nothing of it may come through.
        let collection = editor.delete(&receipts(&namespace)).await;
        let words = denial(&editor, "delete", &namespace);
        forbidden_by("receipt-writers", "the collection", collection, &words);
        let one = editor.delete(&receipt_at(&namespace, "stored")).await;
        forbidden_by("receipt-writers", "one", one, &words);
        let after = accepted("the receipt", editor.get(&receipt_at(&namespace, "stored")).await);
        assert_eq!(after, stored);
    });
}

#[test]
fn with_either_verb_every_way_is_open() {
    run(|server| async move {
        for verb in ["claim", "restore"] {
            let namespace = server.namespace().await;
            let stored = stored(server, &namespace).await;
            let writer = server.user(&format!("{verb}@school.example")).await;
            let verbs: Vec<_> = ALL_COMMON_VERBS.into_iter().chain([verb]).collect();
            let rules = [rule("deviceactionreceipts", &verbs)];
            server.allow(&namespace, &writer.name, &rules).await;
            for (way, _, answer) in tries(&writer, &namespace, &stored).await {
                accepted(&format!("{way} with {verb}"), answer);
            }
            accepted("the collection", writer.delete(&receipts(&namespace)).await);
            let left = accepted("the list", writer.get(&receipts(&namespace)).await);
            assert_eq!(left["items"], json!([]), "{verb}");
        }
    });
}

#[test]
fn the_roles_that_write_receipts_and_those_that_do_not() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let stored = stored(server, &namespace).await;
        for role in [
            "chromeenterprise-operator",
            "chromeenterprise-restore",
            "cluster-admin",
        ] {
            let writer = server.user(&format!("{role}@school.example")).await;
            server.bind(&namespace, &writer.name, role).await;
            for (way, _, answer) in tries(&writer, &namespace, &stored).await {
                accepted(&format!("{way} by {role}"), answer);
            }
        }
        for role in [
            "chromeenterprise-auditor",
            "chromeenterprise-device-administrator",
            "chromeenterprise-help-desk",
            "admin",
        ] {
            let reader = server.user(&format!("{role}@school.example")).await;
            server.bind(&namespace, &reader.name, role).await;
            for (way, _, answer) in tries(&reader, &namespace, &stored).await {
                let case = format!("{way} by {role}");
                refused(
                    &case,
                    answer,
                    403,
                    &["resource \"deviceactionreceipts\" in API group"],
                );
            }
            let read = reader.get(&receipt_at(&namespace, "stored")).await;
            if role == "chromeenterprise-auditor" {
                accepted("an auditor reads", read);
            } else {
                refused(role, read, 403, &["cannot get resource \"deviceactionreceipts\""]);
            }
        }
    });
}
