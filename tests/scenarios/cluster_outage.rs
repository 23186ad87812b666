//! The API server goes away, hangs, refuses and loses answers: the operator stays, and the end is the truth.

use std::sync::Arc;
use std::time::Duration;

use chrome_enterprise_operator::api::connection::ConnectionState;
use google_admin_simulator::Simulator;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::switches::Switches;
use serde_json::json;

use crate::bad_road::BadRoad;
use crate::world::{Operator, World, run, run_alone, state};

/// Waits until some devices are in the cluster, but not all.
async fn until_in_the_middle(world: &World, all: usize) {
    loop {
        let devices = world.device_versions().await.len();
        assert!(devices < all, "the outage falls into the sync");
        if devices > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn an_api_server_that_restarts_or_hangs_during_a_sync() {
    run_alone(async |cluster| {
        let slow = Switches {
            latency_per_page_milliseconds: 400,
            ..Switches::default()
        };
        let google = Simulator::builder().devices(600).seed(7).switches(slow.clone());
        let google = Arc::new(google.start().await.unwrap());
        let mut world = World::beside(cluster, &google, &["--page-size", "50"]).await;
        let process = world.operator.id();
        world.connect(json!({})).await;
        until_in_the_middle(&world, 600).await;
        cluster.server.stop_apiserver();
        tokio::time::sleep(Duration::from_secs(4)).await;
        cluster.server.start_apiserver().await.unwrap();
        world.until_active().await;
        world.assert_inventory_is_true().await;
        assert!(world.operator.is_running() && world.operator.id() == process);

        let customer = google.customer_id();
        let change = BulkChange::percent(ChangeKind::Notes, 50.0, 4);
        google.state().change_devices(&customer, &change).unwrap();
        google
            .state()
            .change_devices(&customer, &BulkChange::count(ChangeKind::Vanish, 4, 4))
            .unwrap();
        let request = world.request_sync().await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cluster.server.pause_apiserver().unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        cluster.server.resume_apiserver().unwrap();
        world
            .until("synced as requested", |connection| {
                let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
                sync.and_then(|sync| sync.handled_request.as_deref()) == Some(&request)
            })
            .await;
        world.until_active().await;
        world.assert_inventory_is_true().await;
        assert!(world.operator.is_running() && world.operator.id() == process);
    });
}

#[test]
fn an_api_server_that_refuses_and_loses_answers() {
    run(async |cluster| {
        let road = BadRoad::start(cluster.client.clone(), 11).await;
        let mut world = World::start(cluster, 300).await;
        world.operator =
            Operator::start_with(&road.kubeconfig(), &[&world.namespace], &world.google.url(), &[]);
        world.connect(json!({})).await;
        world.until_active().await;
        world.assert_inventory_is_true().await;
        let customer = world.google.customer_id();
        for (kind, count) in [
            (ChangeKind::Notes, 60),
            (ChangeKind::Vanish, 8),
            (ChangeKind::ReEnrol, 5),
        ] {
            let change = BulkChange::count(kind, count, 9);
            world.google.state().change_devices(&customer, &change).unwrap();
        }
        world.sync().await;
        world
            .until("Active", |connection| {
                state(connection) == Some(ConnectionState::Active)
            })
            .await;
        world.assert_inventory_is_true().await;
        world.delete_connection("school").await;
        world.until_gone("school").await;
        assert_eq!(world.device_objects().await.len(), 0);
        assert!(world.operator.is_running());
        let struck = road.struck();
        println!("{struck:?}");
        assert!(
            struck.conflicts > 0
                && struck.throttled > 0
                && struck.lost_answers > 0
                && struck.ended_watches > 0,
            "{struck:?}"
        );
    });
}
