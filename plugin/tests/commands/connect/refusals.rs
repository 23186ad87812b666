//! What keeps anything from being changed.

use devcluster::DevCluster;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::support::{Google, Running};
use crate::world::{World, run};

/// The arguments of the way with a key.
const KEY: [&str; 5] = ["connect", "--key-file", "key.json", "--admin", "a@school.example"];

async fn refused(world: &World, google: &Google, more: &[&str], said: &[&str]) {
    let arguments: Vec<&str> = KEY.iter().chain(more).copied().collect();
    let printed = Running::start(world, google, &arguments).end().await;
    assert_eq!(printed.code, Some(1), "{}", printed.stderr);
    for said in said {
        assert!(printed.stderr.contains(said), "{said:?} in: {}", printed.stderr);
    }
}

#[test]
fn nothing_is_changed_where_something_is_in_the_way() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        refused(
            &world,
            &google,
            &["--as", "anna@school.example"],
            &[
                "You may not connect a customer in namespace",
                "get chromeenterpriseconnections",
                "patch secrets",
                "role edit or admin",
            ],
        )
        .await;
        refused(
            &world,
            &google,
            &["--customer-id", "nonsense!"],
            &["spec.customerId"],
        )
        .await;
        assert!(world.objects().await.is_empty());

        let spec = |admin: &str| {
            json!({
                "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
                "metadata": { "name": "google" },
                "spec": { "adminEmail": admin,
                    "credentials": { "serviceAccountKey": { "secretRef": { "name": "google-service-account" } } } },
            })
        };
        let by_argo = PatchParams::apply("argocd-controller");
        let connections = world.connections();
        connections
            .patch("google", &by_argo, &Patch::Apply(spec("other@school.example")))
            .await
            .unwrap();
        refused(
            &world,
            &google,
            &[],
            &[
                "The connection google is kept by somebody else: spec.adminEmail belongs to argocd-controller.",
                "--dry-run=client -o yaml",
            ],
        )
        .await;
        let (arguments, said) = (["connect", "second"], "has the connection google already");
        let other: Vec<&str> = arguments.iter().chain(&KEY[1..]).copied().collect();
        let printed = Running::start(&world, &google, &other).end().await;
        assert_eq!(printed.code, Some(1));
        assert!(printed.stderr.contains(said), "{}", printed.stderr);
        assert_eq!(world.objects().await, ["google"]);
    });
}

#[test]
fn a_namespace_is_made_only_when_that_is_wanted() {
    run(|cluster| async {
        let mut world = World::start(cluster).await;
        let google = Google::start(&world).await;
        world.namespace.push_str("-new");
        refused(
            &world,
            &google,
            &[],
            &["does not exist", "Add --create-namespace"],
        )
        .await;
        let arguments: Vec<&str> = KEY
            .iter()
            .chain(&["--create-namespace", "--no-wait"])
            .copied()
            .collect();
        let printed = Running::start(&world, &google, &arguments).end().await;
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        assert_eq!(world.objects().await, ["google-service-account", "google"]);
    });
}

#[test]
fn a_cluster_without_the_resource_types_is_told_apart() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let bare = DevCluster::builder().start().await.unwrap();
        std::fs::write(world.kubeconfig(), bare.kubeconfig()).unwrap();
        refused(
            &world,
            &google,
            &[],
            &[
                "this cluster does not know that resource type",
                "chrome-enterprise-operator crds",
            ],
        )
        .await;
    });
}

#[test]
fn files_that_are_something_else_are_told_apart() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        for (arguments, code, said) in [
            (
                &["--key-file", "client_secret.json", "--admin", "a@school.example"][..],
                1,
                "no usable service account key",
            ),
            (
                &["--key-file", "none.json", "--admin", "a@school.example"][..],
                1,
                "cannot be read",
            ),
            (
                &["--consent", "--client-file", "key.json"][..],
                1,
                "no OAuth client",
            ),
            (&["--key-file", "key.json"][..], 2, "--admin"),
            (&["--consent"][..], 2, "--client-file"),
            (&[][..], 2, "--key-file"),
        ] {
            let all: Vec<&str> = ["connect"].iter().chain(arguments).copied().collect();
            let printed = Running::start(&world, &google, &all).end().await;
            assert_eq!(printed.code, Some(code), "{arguments:?} {}", printed.stderr);
            assert!(printed.stderr.contains(said), "{said:?} in: {}", printed.stderr);
        }
        assert!(world.objects().await.is_empty());
    });
}
