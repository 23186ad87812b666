//! Whatever somebody does to the device objects, the next full pass brings them back, and touches no others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::device::ChromeOSDevice;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::world::{Operator, PATIENCE, World, assert_same_devices, create_namespace, run, unique};

const LABEL: &str = "chromeenterprise.dev/connection";

async fn patch(devices: &Api<ChromeOSDevice>, name: &str, patch: Value) {
    devices
        .patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

/// Creates a device object as a user could, with these labels.
async fn create_device(devices: &Api<ChromeOSDevice>, name: &str, labels: Value) {
    let device = json!({
        "apiVersion": "inventory.chromeenterprise.dev/v1alpha1", "kind": "ChromeOSDevice",
        "metadata": { "name": name, "labels": labels }, "spec": {},
    });
    let device = serde_json::from_value(device).unwrap();
    devices.create(&PostParams::default(), &device).await.unwrap();
}

/// Does something else to every fifth name of the first twenty-five, and returns those names.
async fn vandalise(devices: &Api<ChromeOSDevice>, names: &[String]) -> BTreeSet<String> {
    for (number, name) in names.iter().take(25).enumerate() {
        match number % 5 {
            0 => {
                devices.delete(name, &DeleteParams::default()).await.unwrap();
            }
            1 => {
                patch(
                    devices,
                    name,
                    json!({ "metadata": { "labels": { LABEL: "other" } } }),
                )
                .await
            }
            2 => {
                patch(
                    devices,
                    name,
                    json!({ "metadata": { "labels": { LABEL: null } } }),
                )
                .await
            }
            3 => {
                let empty = json!({ "status": null });
                devices
                    .patch_status(name, &PatchParams::default(), &Patch::Merge(empty))
                    .await
                    .unwrap();
            }
            _ => {
                let wrong = json!({ "status": { "notes": "not from Google", "state": "DISABLED" } });
                devices
                    .patch_status(name, &PatchParams::default(), &Patch::Merge(wrong))
                    .await
                    .unwrap();
            }
        }
    }
    names.iter().take(25).cloned().collect()
}

fn written(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeSet<String> {
    after
        .iter()
        .filter(|(name, version)| before.get(*name) != Some(version))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn what_somebody_did_to_device_objects_is_healed_and_nothing_else_is_written() {
    run(async |cluster| {
        let mut world = World::start(cluster, 200).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let (should_be, versions) = (world.device_objects().await, world.device_versions().await);
        let names: Vec<String> = should_be.keys().cloned().collect();

        let harmed = vandalise(&world.devices(), &names).await;
        world.sync().await;
        assert_same_devices(&world.device_objects().await, &should_be, "healed");
        let healed = world.device_versions().await;
        assert_eq!(written(&versions, &healed), harmed);

        // The same while the operator is away: a full pass of a new process knows only what it reads.
        world.operator.kill();
        let others: Vec<String> = names.iter().skip(50).cloned().collect();
        let harmed = vandalise(&world.devices(), &others).await;
        world.operator.restart();
        world.sync().await;
        assert_same_devices(
            &world.device_objects().await,
            &should_be,
            "healed after a restart",
        );
        let written = written(&healed, &world.device_versions().await);
        // Another status is seen by its content, so an object that says the truth needs no write.
        assert_eq!(written, harmed);
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn devices_that_google_never_had_are_removed() {
    run(async |cluster| {
        let world = World::start(cluster, 100).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let versions = world.device_versions().await;
        for name in ["stray-1", "stray-2"] {
            create_device(&world.devices(), name, json!({})).await;
        }
        create_device(&world.devices(), "stray-3", json!({ LABEL: "school" })).await;
        world.sync().await;
        assert_eq!(world.device_versions().await, versions);
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn what_an_administrator_wants_of_a_device_is_kept() {
    run(async |cluster| {
        let world = World::start(cluster, 50).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let before = world.device_objects().await;
        let name = before.keys().next().unwrap();
        let wish = json!({ "spec": { "notes": "in the library" }, "metadata": { "labels": { "room": "12" }, "annotations": { "example.com/owner": "library" } } });
        patch(&world.devices(), name, wish).await;
        let row = &world.truth()[name];
        let changed = google_admin_simulator::control::devices::DevicePatch {
            notes: Some("from the console".to_owned()),
            ..google_admin_simulator::control::devices::DevicePatch::default()
        };
        let customer = world.google.customer_id();
        world
            .google
            .state()
            .patch_device(&customer, &row.device_id, &changed)
            .unwrap();
        world.sync().await;
        let after = world.devices().get(name).await.unwrap();
        assert_eq!(after.spec.notes.as_deref(), Some("in the library"));
        let meta = &after.metadata;
        assert_eq!(meta.labels.as_ref().unwrap()["room"], "12");
        assert_eq!(meta.labels.as_ref().unwrap()[LABEL], "school");
        assert_eq!(meta.annotations.as_ref().unwrap()["example.com/owner"], "library");
        assert_eq!(after.status.unwrap().notes.as_deref(), Some("from the console"));
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn devices_of_a_dead_connection_are_swept_at_the_start_and_others_are_left_alone() {
    run(async |cluster| {
        let mut world = World::start(cluster, 50).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let versions = world.device_versions().await;
        let dead = unique("dead");
        create_namespace(&cluster.client, &dead).await;
        let devices: Api<ChromeOSDevice> = Api::namespaced(cluster.client.clone(), &dead);
        for number in 0..20 {
            create_device(&devices, &format!("orphan-{number}"), json!({ LABEL: "gone" })).await;
        }
        create_device(&devices, "foreign", json!({ "team": "it" })).await;
        world.operator.kill();
        let namespaces = [dead.as_str(), world.namespace.as_str()];
        world.operator = Operator::start(cluster, &namespaces, &world.google.url());
        let began = Instant::now();
        loop {
            let left = devices.list_metadata(&kube::api::ListParams::default()).await;
            let left: Vec<_> = left
                .unwrap()
                .items
                .into_iter()
                .map(|left| left.metadata.name)
                .collect();
            assert!(
                left.contains(&Some("foreign".to_owned())),
                "what has no label of ours is not ours"
            );
            if left.len() == 1 {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{}", world.operator.log_tail());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world.sync().await;
        assert_eq!(
            world.device_versions().await,
            versions,
            "the living connection keeps its devices"
        );
    });
}
