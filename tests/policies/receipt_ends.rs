//! How receipts go: with their namespace, and when a permitted deletion waits for the garbage collector. In this
//! cluster each controller acts under its own service account, as in production, and none has the verb of receipts.

use chrome_enterprise_operator::api::action::ActionType::Restart;
use serde_json::{Value, json};

use crate::objects::{action, action_at, actions, receipt, receipt_at, receipts};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requests::{Answer, User, accepted, forbidden_by};
use crate::server::{Server, eventually, run};

const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";
const GARBAGE_COLLECTOR: &str = "system:serviceaccount:kube-system:generic-garbage-collector";

async fn until_gone(server: &Server, path: &str) {
    eventually(&format!("{path} is gone"), || async {
        match server.admin.get(path).await {
            Ok(_) => None,
            Err(refusal) => (refusal.code == 404).then_some(()),
        }
    })
    .await;
}

#[test]
fn a_deleted_namespace_takes_its_receipts_and_actions_with_it() {
    run(|server| async move {
        let namespace = server.namespace().await;
        for name in ["library-07", "library-08"] {
            let created = server.admin.create(&receipts(&namespace), &receipt(name)).await;
            accepted("a receipt", created);
            let created = server
                .admin
                .create(&actions(&namespace), &action(name, Restart))
                .await;
            accepted("an action", created);
        }
        let path = format!("/api/v1/namespaces/{namespace}");
        accepted("the deletion", server.admin.delete(&path).await);
        until_gone(server, &path).await;
    });
}

/// Deletes as `kubectl delete --cascade=…` does, and waits for the end. Foreground and orphan put a finalizer on the
/// object, which the garbage collector takes away.
async fn delete_with(server: &Server, user: &User, path: &str, propagation: &str) -> Answer {
    let answer = user
        .delete(&format!("{path}?propagationPolicy={propagation}"))
        .await;
    if answer.is_ok() {
        until_gone(server, path).await;
    }
    answer
}

#[test]
fn a_permitted_deletion_ends_whatever_becomes_of_dependents() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let backup = server.user("backup@school.example").await;
        server
            .bind(&namespace, &backup.name, "chromeenterprise-restore")
            .await;
        for propagation in ["Background", "Foreground", "Orphan"] {
            let created = backup.create(&receipts(&namespace), &receipt("library-07")).await;
            accepted("a receipt", created);
            let path = receipt_at(&namespace, "library-07");
            accepted(
                propagation,
                delete_with(server, &backup, &path, propagation).await,
            );
        }
    });
}

/// The garbage collector deletes an action whose owner is gone: no policy keeps it from that.
#[test]
fn an_action_goes_with_its_owner() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
        let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart-7"}});
        let owner = accepted("an owner", server.admin.create(&maps, &owner).await);
        let mut belonging = action("library-07", Restart);
        belonging["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "cart-7", "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": true
        }]);
        accepted(
            "an action",
            server.admin.create(&actions(&namespace), &belonging).await,
        );
        let deleted = server
            .admin
            .delete(&format!("{maps}/cart-7?propagationPolicy=Foreground"))
            .await;
        accepted("the owner's end", deleted);
        until_gone(server, &action_at(&namespace, "library-07")).await;
        until_gone(server, &format!("{maps}/cart-7")).await;
    });
}

/// What the controllers are let through for, and nothing beyond it. They have no verb of their own.
#[test]
fn controllers_are_let_through_for_their_own_task_only() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let path = receipt_at(&namespace, "library-07");
        let finalizers =
            |value: Value| json!([{"op": "add", "path": "/metadata/finalizers", "value": value}]);
        let (hold, release) = (finalizers(json!(["school.example/kept"])), finalizers(json!([])));
        let created = server
            .admin
            .create(&receipts(&namespace), &receipt("library-07"))
            .await;
        accepted("a receipt", created);
        accepted("a finalizer", server.admin.json_patch(&path, &hold).await);
        let collector = server.user(GARBAGE_COLLECTOR).await;
        let controller = server.user(NAMESPACE_CONTROLLER).await;
        let common = [rule("deviceactionreceipts", &ALL_COMMON_VERBS)];
        let editor = server.user("editor@school.example").await;
        for user in [&collector, &controller, &editor] {
            server.allow(&namespace, &user.name, &common).await;
            let updated = user.json_patch(&path, &release).await;
            forbidden_by(
                "receipt-writers",
                "update",
                updated,
                &[&user.name, "may not update"],
            );
            let created = user.create(&receipts(&namespace), &receipt("library-08")).await;
            forbidden_by(
                "receipt-writers",
                "create",
                created,
                &[&user.name, "may not create"],
            );
        }
        for user in [&collector, &editor] {
            let deleted = user.delete(&path).await;
            forbidden_by(
                "receipt-writers",
                "delete",
                deleted,
                &[&user.name, "may not delete"],
            );
        }
        // Now it is being deleted and waits for its finalizer.
        accepted(
            "the end of the namespace",
            controller.delete(&receipts(&namespace)).await,
        );
        for user in [&controller, &editor] {
            let updated = user.json_patch(&path, &release).await;
            forbidden_by(
                "receipt-writers",
                "update",
                updated,
                &[&user.name, "may not update"],
            );
        }
        accepted("the last finalizer", collector.json_patch(&path, &release).await);
        until_gone(server, &path).await;
    });
}
