//! A connection becomes Active and the fleet appears; afterwards only what changed is written.

use std::time::Instant;

use chrome_enterprise_operator::api::connection::ConnectionState;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use serde_json::json;

use crate::world::{World, ready_reason, run, state};

#[test]
fn the_fleet_of_a_school_appears() {
    run(async |cluster| {
        let world = World::start(cluster, 1200).await;
        world.connect(json!({})).await;
        world
            .until("Syncing", |connection| {
                state(connection) == Some(ConnectionState::Syncing)
            })
            .await;
        let connection = world.until_active().await;
        let status = connection.status.unwrap();
        let counts = status.devices.unwrap();
        assert_eq!(counts.synced, 1200);
        assert_eq!(
            counts.active + counts.disabled + counts.deprovisioned + counts.other,
            1200
        );
        assert_eq!(status.connected_account, Some(world.google.admin_email()));
        assert_eq!(status.customer_id, Some(world.google.customer_id()));
        assert!(status.last_check_in_time.is_some());
        assert_eq!(status.sync.unwrap().devices_expected, Some(1200));
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn a_school_without_devices_is_active_too() {
    run(async |cluster| {
        let world = World::start(cluster, 0).await;
        world.connect(json!({})).await;
        let connection = world.until_active().await;
        assert_eq!(connection.status.unwrap().devices.unwrap().synced, 0);
    });
}

#[test]
fn nothing_is_written_when_nothing_changed_and_only_what_changed_otherwise() {
    run(async |cluster| {
        let world = World::start(cluster, 600).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let before = world.device_versions().await;
        let connection = world.sync().await;
        assert_eq!(ready_reason(&connection), "Synced");
        assert_eq!(
            world.device_versions().await,
            before,
            "a sync without change writes no device"
        );

        let customer = world.google.customer_id();
        let report = world
            .google
            .state()
            .change_devices(&customer, &BulkChange::percent(ChangeKind::Notes, 1.0, 3))
            .unwrap();
        world.sync().await;
        let after = world.device_versions().await;
        let mut changed: Vec<String> = report.device_ids;
        changed.sort();
        let written: Vec<String> = after
            .into_iter()
            .filter(|(name, version)| before[name] != *version)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(written, changed, "exactly the changed devices are written");
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn ten_thousand_devices() {
    run(async |cluster| {
        let world = World::start(cluster, 10_000).await;
        let began = Instant::now();
        world.connect(json!({})).await;
        let status = world.until_active().await.status.unwrap();
        println!("10,000 devices are in the cluster after {:?}", began.elapsed());
        let (counts, truth) = (status.devices.unwrap(), world.truth());
        let of = |state: &str| {
            let rows = truth.values().filter(|row| json!(row.status) == state);
            i64::try_from(rows.count()).unwrap()
        };
        assert_eq!(counts.synced, 10_000);
        assert_eq!(counts.active, of("ACTIVE"));
        assert_eq!(counts.disabled, of("DISABLED"));
        assert_eq!(counts.deprovisioned, of("DEPROVISIONED"));
        assert_eq!(
            counts.other,
            10_000 - counts.active - counts.disabled - counts.deprovisioned
        );
        world.assert_inventory_is_true().await;
    });
}
