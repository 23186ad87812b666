//! Two customers in two namespaces with one operator: the trouble of one is not the trouble of the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState};
use google_admin_simulator::Simulator;
use google_admin_simulator::auth::service_account_json;
use google_admin_simulator::faults::{Fault, FaultMatch, FaultRule};
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::world::{Cluster, Operator, PATIENCE, SCHOOL, World, create_namespace, run, state, unique};

/// A second customer in a namespace of its own, next to the one of a [`World`].
struct Neighbour {
    connections: Api<ChromeEnterpriseConnection>,
    customer: String,
    email: String,
}

impl Neighbour {
    /// Applies the connection, and asks for a sync should it be there already.
    async fn connect(&self) {
        let request = unique("request");
        let connection = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection", "metadata": { "name": SCHOOL, "annotations": { "chromeenterprise.dev/sync-requested-at": request } },
            "spec": { "adminEmail": self.email, "credentials": { "serviceAccountKey": { "secretRef": { "name": "google" } } } },
        });
        let params = PatchParams::apply("tests").force();
        self.connections
            .patch(SCHOOL, &params, &Patch::Apply(&connection))
            .await
            .unwrap();
    }

    async fn until(&self, world: &World, wanted: impl Fn(&ChromeEnterpriseConnection) -> bool) {
        let began = Instant::now();
        while !wanted(&self.connections.get(SCHOOL).await.unwrap()) {
            assert!(began.elapsed() < PATIENCE, "{}", world.operator.log_tail());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// One operator for two namespaces.
async fn two_schools(cluster: &Cluster) -> (World, Neighbour) {
    let google = Simulator::builder().devices(300).seed(7).tenants(2);
    let google = Arc::new(google.start().await.unwrap());
    let mut world = World::beside(cluster, &google, &[]).await;
    let namespace = unique("neighbour");
    create_namespace(&cluster.client, &namespace).await;
    let tenant = google.tenants().remove(1);
    let key = service_account_json(google.state(), &google.url(), tenant.customer_id()).unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "google" }, "stringData": { "service-account.json": key },
    });
    Api::<k8s_openapi::api::core::v1::Secret>::namespaced(cluster.client.clone(), &namespace)
        .patch("google", &PatchParams::apply("tests"), &Patch::Apply(&secret))
        .await
        .unwrap();
    let namespaces = [world.namespace.as_str(), namespace.as_str()];
    world.operator = Operator::start(cluster, &namespaces, &google.url());
    let neighbour = Neighbour {
        connections: Api::namespaced(cluster.client.clone(), &namespace),
        customer: tenant.customer_id().to_owned(),
        email: tenant.admin_email(),
    };
    (world, neighbour)
}

fn only(customer: &str, fault: Fault) -> FaultRule {
    FaultRule {
        matches: FaultMatch {
            tenant: Some(customer.to_owned()),
            ..FaultMatch::default()
        },
        ..FaultRule::everywhere(fault)
    }
}

#[test]
fn a_broken_or_slow_google_of_one_customer_does_not_hold_up_another() {
    run(async |cluster| {
        let (world, neighbour) = two_schools(cluster).await;
        world.connect(json!({})).await;
        world.until_active().await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
        let began = Instant::now();
        world.connect(json!({})).await;
        world.until_active().await;
        let alone = began.elapsed();

        let unavailable = Fault::Unavailable {
            retry_after_seconds: None,
        };
        let slow = Fault::Delay { milliseconds: 5000 };
        for fault in [unavailable, slow] {
            world.delete_connection(SCHOOL).await;
            world.until_gone(SCHOOL).await;
            let described = format!("{fault:?}");
            let rule = only(&neighbour.customer, fault);
            let rule = world.google.state().add_fault(rule).unwrap();
            neighbour.connect().await;
            let began = Instant::now();
            while world
                .google
                .state()
                .list_faults()
                .iter()
                .all(|fault| fault.struck == 0)
            {
                assert!(began.elapsed() < PATIENCE, "rule {rule} strikes");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let began = Instant::now();
            world.connect(json!({})).await;
            let connection = world
                .until("Active without a word of the neighbour", |connection| {
                    let state = state(connection);
                    assert_ne!(state, Some(ConnectionState::Degraded));
                    let text = serde_json::to_string(connection).unwrap();
                    for other in [&neighbour.customer, &neighbour.email] {
                        assert!(!text.contains(other.as_str()), "{text}");
                    }
                    assert!(!text.contains("Unavailable"), "{text}");
                    state == Some(ConnectionState::Active)
                })
                .await;
            let together = began.elapsed();
            println!("alone {alone:?}; beside {described} {together:?}");
            assert!(together < alone * 2 + Duration::from_secs(5));
            assert_eq!(
                connection.status.unwrap().customer_id,
                Some(world.google.customer_id())
            );
            world.assert_inventory_is_true().await;
            world.google.state().clear_faults();
        }
        neighbour
            .until(&world, |connection| {
                state(connection) == Some(ConnectionState::Active)
                    && connection.status.as_ref().unwrap().customer_id.as_deref()
                        == Some(neighbour.customer.as_str())
            })
            .await;
    });
}
