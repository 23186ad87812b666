//! Who may do what, with the admission policies installed.

use std::time::{Duration, Instant};

use chrome_enterprise_operator::policies;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::discovery::{ApiResource, Scope};
use kube::{Client, Discovery};
use serde_json::{Value, json};

use crate::stage::SERIAL;
use crate::world::{Cluster, PATIENCE, World, run};

/// Applies the roles and policies that belong to the operator.
async fn install(client: &Client) {
    let discovery = Discovery::new(client.clone()).run().await.unwrap();
    for document in policies::stream().split("\n---\n") {
        let Ok(object) = serde_saphyr::from_str::<Value>(document.trim_start_matches("---")) else {
            continue;
        };
        let (version, kind) = (&object["apiVersion"], &object["kind"]);
        let (Some(version), Some(kind)) = (version.as_str(), kind.as_str()) else {
            continue;
        };
        let (group, version) = version.split_once('/').unwrap();
        let gvk = kube::core::GroupVersionKind::gvk(group, version, kind);
        let Some((resource, capabilities)) = discovery.resolve_gvk(&gvk) else {
            continue;
        };
        assert!(capabilities.scope == Scope::Cluster);
        apply(client, &resource, &object).await;
    }
}

async fn apply(client: &Client, resource: &ApiResource, object: &Value) {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), resource);
    let name = object["metadata"]["name"].as_str().unwrap();
    api.patch(name, &PatchParams::apply("tests").force(), &Patch::Apply(object))
        .await
        .unwrap();
}

/// Gives a user a role in the namespace, and waits until the API server knows.
async fn bind(world: &World, user: &str, role: &str, verb: &str) {
    let binding: k8s_openapi::api::rbac::v1::RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": format!("of-{role}") },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
    }))
    .unwrap();
    Api::namespaced(world.client.clone(), &world.namespace)
        .create(&PostParams::default(), &binding)
        .await
        .unwrap();
    let review: SubjectAccessReview = serde_json::from_value(json!({
        "spec": { "user": user, "resourceAttributes": {
            "namespace": world.namespace, "group": "chromeenterprise.dev", "resource": "deviceactions", "verb": verb,
        } },
    }))
    .unwrap();
    let began = Instant::now();
    loop {
        let api: Api<SubjectAccessReview> = Api::all(world.client.clone());
        let answer = api.create(&PostParams::default(), &review).await.unwrap();
        if answer.status.is_some_and(|status| status.allowed) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{user} has no {role}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The policies are active some time after they are installed: until then anybody with `create` may do anything.
async fn until_active(world: &World) {
    let began = Instant::now();
    loop {
        let tried = world
            .plugin(&[
                "wipe",
                SERIAL,
                "--mode",
                "users",
                "--dry-run=server",
                "--as",
                "hilda",
            ])
            .await;
        if tried.code == Some(1) {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "no policy is active: {}",
            tried.stderr
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn the_help_desk_restarts_and_does_not_wipe() {
    run(|_| async {
        // The policies hold for a whole cluster, so it is one of its own.
        let cluster = Cluster::start().await;
        install(&cluster.client).await;
        let world = World::start(&cluster).await;
        world.device_and_connection().await;
        bind(&world, "hilda", "chromeenterprise-help-desk", "restart").await;
        until_active(&world).await;

        let refused = world
            .plugin(&[
                "wipe",
                SERIAL,
                "--mode",
                "users",
                "--confirm",
                SERIAL,
                "--as",
                "hilda",
            ])
            .await;
        assert_eq!(refused.code, Some(1));
        let said = refused.stderr.lines().last().unwrap();
        assert_eq!(
            said,
            format!(
                "error: Cannot remove all users of {SERIAL}: User 'hilda' may not create a DeviceAction of type Wipe in \
                 namespace '{}'. It needs the verb 'wipe' on deviceactions.chromeenterprise.dev there: ask the cluster \
                 administrator for the role chromeenterprise-device-administrator in that namespace.",
                world.namespace
            )
        );
        assert!(world.all_actions().await.is_empty());

        let restarted = world
            .plugin(&["restart", SERIAL, "--timeout", "1s", "--as", "hilda"])
            .await;
        assert_eq!(
            restarted.code,
            Some(5),
            "she may create, list and watch: {}",
            restarted.stderr
        );
        let action = world.only_action().await;
        let annotations = action.metadata.annotations.unwrap();
        assert_eq!(annotations["chromeenterprise.dev/requested-by"], "hilda");

        // With no role at all it is RBAC that refuses, and the role is named.
        let stranger = world.plugin(&["actions", "--as", "stranger"]).await;
        assert_eq!(stranger.code, Some(1));
        bind(&world, "vera", "chromeenterprise-viewer", "list").await;
        let viewer = world.plugin(&["restart", SERIAL, "--as", "vera"]).await;
        assert_eq!(viewer.code, Some(1));
        assert!(
            viewer
                .stderr
                .contains("for the role chromeenterprise-help-desk or"),
            "{}",
            viewer.stderr
        );

        // The help desk may not read receipts; a deleted action says who may.
        let play = async {
            let began = Instant::now();
            loop {
                let all = world.all_actions().await;
                let name =
                    |action: &chrome_enterprise_operator::api::DeviceAction| action.metadata.name.clone();
                if let Some(found) = all
                    .iter()
                    .filter_map(name)
                    .find(|name| name.contains("lost-mode"))
                {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    world.actions().delete(&found, &Default::default()).await.unwrap();
                    return;
                }
                assert!(began.elapsed() < PATIENCE);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let arguments = ["lost-mode", "on", SERIAL, "--as", "hilda"];
        let (deleted, ()) = tokio::join!(world.plugin(&arguments), play);
        assert_eq!(deleted.code, Some(4), "{}", deleted.stderr);
        assert!(
            deleted.stderr.contains("chromeenterprise-auditor"),
            "{}",
            deleted.stderr
        );
    });
}
