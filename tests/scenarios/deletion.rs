//! A deleted connection takes its devices with it, whatever is broken, and makes room for a new one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::connection::ConnectionState;
use google_admin_simulator::Simulator;
use google_admin_simulator::switches::Switches;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::world::{Cluster, PATIENCE, SCHOOL, World, run, run_alone, state};

/// A school whose Google takes so long for each page of 50 devices.
async fn slow_school(cluster: &Cluster, devices: u32, milliseconds: u64, flags: &[&str]) -> World {
    let switches = Switches {
        latency_per_page_milliseconds: milliseconds,
        ..Switches::default()
    };
    let google = Simulator::builder().devices(devices).seed(7).switches(switches);
    let flags: Vec<&str> = ["--page-size", "50"].iter().chain(flags).copied().collect();
    World::beside(cluster, &Arc::new(google.start().await.unwrap()), &flags).await
}

async fn until_some_devices(world: &World) {
    let began = Instant::now();
    while world.device_versions().await.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{}", world.operator.log_tail());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Creates the connection as soon as the API server takes it.
async fn create_as_soon_as_possible(world: &World, connection: &Value) {
    let connection = serde_json::from_value(connection.clone()).unwrap();
    let began = Instant::now();
    while let Err(error) = world
        .connections()
        .create(&PostParams::default(), &connection)
        .await
    {
        assert!(
            matches!(&error, kube::Error::Api(status) if status.code == 409),
            "{error}"
        );
        assert!(began.elapsed() < PATIENCE, "{}", world.operator.log_tail());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn assert_no_devices(world: &World) {
    assert_eq!(world.device_objects().await.len(), 0, "all devices are gone");
}

#[test]
fn devices_go_with_their_connection_and_a_new_one_of_the_same_name_starts_at_once() {
    run(async |cluster| {
        let world = slow_school(cluster, 800, 0, &["--write-concurrency", "1"]).await;
        let connection = world.connect(json!({})).await;
        world.until_active().await;
        world.delete_connection(SCHOOL).await;
        let again = json!({ "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection", "metadata": { "name": SCHOOL }, "spec": connection.spec });
        let deleting = world
            .until("Deleting", |connection| {
                state(connection) == Some(ConnectionState::Deleting)
            })
            .await;
        assert!(deleting.metadata.deletion_timestamp.is_some());
        let status = deleting.status.unwrap();
        assert!(status.devices.unwrap().synced <= 800, "progress is told");
        create_as_soon_as_possible(&world, &again).await;
        let new = world.until_active().await;
        assert_ne!(new.metadata.uid, connection.metadata.uid);
        assert_eq!(new.status.unwrap().devices.unwrap().synced, 800);
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn a_connection_that_is_deleted_while_it_syncs_stops_and_leaves_nothing() {
    run(async |cluster| {
        let world = slow_school(cluster, 400, 400, &[]).await;
        world.connect(json!({})).await;
        until_some_devices(&world).await;
        world.delete_connection(SCHOOL).await;
        let began = Instant::now();
        world.until_gone(SCHOOL).await;
        println!("gone after {:?}", began.elapsed());
        assert_no_devices(&world).await;
        let pages = world.google.state().request_counts();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_no_devices(&world).await;
        assert_eq!(
            world.google.state().request_counts(),
            pages,
            "Google is not asked any more"
        );
        world.connect(json!({})).await;
        world.until_active().await;
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn a_connection_goes_while_google_is_down_or_its_secret_is_gone_or_was_never_there() {
    run(async |cluster| {
        let world = World::start(cluster, 200).await;
        world.connect(json!({})).await;
        world.until_active().await;
        world.google.go_offline().await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
        assert_no_devices(&world).await;
        world.google.go_online().await.unwrap();

        world.connect(json!({})).await;
        world.until_active().await;
        let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
        secrets.delete("google", &DeleteParams::default()).await.unwrap();
        world.until_reason("SecretNotFound").await;
        world.assert_inventory_is_true().await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
        assert_no_devices(&world).await;

        world.connect(json!({})).await;
        world.until_reason("SecretNotFound").await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
        world
            .connect(json!({ "credentials": { "serviceAccountKey": { "secretRef": { "name": "google", "key": "missing" } } } }))
            .await;
        world
            .put_secret(
                "google",
                "service-account.json",
                &world.google.service_account_json().unwrap(),
            )
            .await;
        world.until_reason("SecretInvalid").await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
    });
}

#[test]
fn what_a_connection_leaves_whose_finalizer_was_removed_by_force_is_swept() {
    run(async |cluster| {
        let world = slow_school(cluster, 50, 0, &[]).await;
        world.connect(json!({ "sync": { "intervalSeconds": 60 } })).await;
        world.until_active().await;
        // The operator must not be quicker than the force.
        world.operator.signal("STOP");
        world.delete_connection(SCHOOL).await;
        let patch = json!({ "metadata": { "finalizers": null } });
        world
            .connections()
            .patch(SCHOOL, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
        world.operator.signal("CONT");
        world.until_gone(SCHOOL).await;
        let began = Instant::now();
        while !world.device_versions().await.is_empty() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{}",
                world.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("swept after {:?}", began.elapsed());
        world.connect(json!({})).await;
        world.until_active().await;
        world.assert_inventory_is_true().await;
    });
}

/// Lines of the log that are warnings or errors.
fn complaints(log: &str) -> usize {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| matches!(line["level"].as_str(), Some("WARN" | "ERROR")))
        .count()
}

#[test]
fn a_deleted_namespace_goes_and_the_operator_does_not_mind() {
    run_alone(async |cluster| {
        let mut active = slow_school(cluster, 200, 0, &[]).await;
        let mut syncing = slow_school(cluster, 400, 300, &["--write-concurrency", "2"]).await;
        active.connect(json!({})).await;
        active.until_active().await;
        syncing.connect(json!({})).await;
        until_some_devices(&syncing).await;
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        for world in [&mut active, &mut syncing] {
            namespaces
                .delete(&world.namespace, &DeleteParams::default())
                .await
                .unwrap();
        }
        for world in [&mut active, &mut syncing] {
            let began = Instant::now();
            while namespaces.get_opt(&world.namespace).await.unwrap().is_some() {
                assert!(began.elapsed() < PATIENCE, "{}", world.operator.log_tail());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            assert!(world.operator.is_running(), "{}", world.operator.log_tail());
        }
        let before = [&active, &syncing].map(|world| complaints(&world.operator.log()));
        tokio::time::sleep(Duration::from_secs(5)).await;
        for (world, before) in [&mut active, &mut syncing].into_iter().zip(before) {
            assert!(world.operator.is_running());
            let new = complaints(&world.operator.log()) - before;
            assert!(
                new <= 2,
                "{new} complaints after the end:\n{}",
                world.operator.log_tail()
            );
        }
        // The same namespace again is a new beginning.
        crate::world::create_namespace(&cluster.client, &active.namespace).await;
        let key = active.google.service_account_json().unwrap();
        active.put_secret("google", "service-account.json", &key).await;
        active.connect(json!({})).await;
        active.until_active().await;
        active.assert_inventory_is_true().await;
    });
}
