//! One namespace, one connection; and what an administrator may change about it while it works.

use std::sync::Arc;

use chrome_enterprise_operator::api::conditions;
use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState};
use google_admin_simulator::Simulator;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::request_log::LogFilter;
use google_admin_simulator::switches::Switches;
use serde_json::json;
use std::time::{Duration, Instant};

use crate::world::{SCHOOL, World, ready_message, ready_reason, run, state};

fn is_stalled(connection: &ChromeEnterpriseConnection) -> bool {
    let status = connection.status.as_ref().unwrap();
    conditions::find(&status.conditions, conditions::STALLED).is_some_and(|stalled| stalled.status == "True")
}

fn devices_read(connection: &ChromeEnterpriseConnection) -> i64 {
    let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
    sync.and_then(|sync| sync.devices_read).unwrap_or_default()
}

/// Creation times have whole seconds, and the older connection must be older.
async fn next_second() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

#[test]
fn the_older_connection_keeps_the_namespace_and_the_younger_takes_over() {
    run(async |cluster| {
        let world = World::start(cluster, 150).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let devices = world.device_versions().await;
        next_second().await;

        let in_conflict =
            |connection: &ChromeEnterpriseConnection| state(connection) == Some(ConnectionState::Conflict);
        world.connect_as("newer", json!({})).await;
        let newer = world.until_named("newer", "Conflict", in_conflict).await;
        assert_eq!(ready_reason(&newer), "AnotherConnectionExists");
        assert!(is_stalled(&newer));
        assert!(
            ready_message(&newer).contains(SCHOOL),
            "{}",
            ready_message(&newer)
        );
        let began = Instant::now();
        world.delete_connection("newer").await;
        world.until_gone("newer").await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(
            world.device_versions().await,
            devices,
            "a connection in conflict touches no device"
        );
        assert_eq!(state(&world.connection().await), Some(ConnectionState::Active));

        world.connect_as("newer", json!({})).await;
        world.until_named("newer", "Conflict", in_conflict).await;
        world.delete_connection(SCHOOL).await;
        world.until_gone(SCHOOL).await;
        let newer = world
            .until_named("newer", "Active", |connection| {
                state(connection) == Some(ConnectionState::Active)
            })
            .await;
        assert!(!is_stalled(&newer));
        let objects = world.device_objects().await;
        assert_eq!(objects.len(), 150);
        for (name, device) in &objects {
            let label = device.metadata.labels.as_ref().unwrap();
            assert_eq!(label["chromeenterprise.dev/connection"], "newer", "{name}");
        }
    });
}

#[test]
fn suspending_stops_a_running_sync_and_keeps_devices() {
    run(async |cluster| {
        let switches = Switches {
            latency_per_page_milliseconds: 500,
            ..Switches::default()
        };
        let google = Simulator::builder().devices(400).seed(7).switches(switches);
        let google = Arc::new(google.start().await.unwrap());
        let world = World::beside(cluster, &google, &["--page-size", "50"]).await;
        world.connect(json!({})).await;
        world
            .until("some devices are read", |connection| devices_read(connection) > 0)
            .await;
        world.connect(json!({ "sync": { "suspend": true } })).await;
        let suspended = world
            .until("Suspended and idle", |connection| {
                let status = connection.status.as_ref();
                let sync = status.and_then(|status| status.sync.as_ref());
                state(connection) == Some(ConnectionState::Suspended)
                    && sync.is_some_and(|sync| json!(sync.phase) == json!("Idle"))
            })
            .await;
        assert_eq!(ready_reason(&suspended), "Suspended");
        assert!(!is_stalled(&suspended), "an administrator's wish is no failure");
        let devices = world.device_versions().await;
        assert!(
            !devices.is_empty() && devices.len() < 400,
            "{} devices: it stopped in the middle",
            devices.len()
        );
        let asked = google.state().request_counts();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(google.state().request_counts(), asked, "Google is left alone");
        assert_eq!(world.device_versions().await, devices, "devices are kept");
        google.state().set_switches(Switches::default());
        world.connect(json!({ "sync": { "suspend": false } })).await;
        world.until_active().await;
        world.assert_inventory_is_true().await;

        let devices = world.device_versions().await;
        world.connect(json!({ "sync": { "suspend": true } })).await;
        world.until_reason("Suspended").await;
        assert_eq!(world.device_versions().await, devices);
        world.connect(json!({ "sync": { "suspend": false } })).await;
        world.until_active().await;
        assert_eq!(
            world.device_versions().await,
            devices,
            "nothing changed meanwhile, so nothing is written"
        );
    });
}

#[test]
fn a_smaller_org_unit_is_a_new_first_sync_and_lets_the_others_go() {
    run(async |cluster| {
        let world = World::start(cluster, 300).await;
        let paths = world.truth().into_values().map(|row| row.org_unit_path);
        let path = paths.max_by_key(String::len).unwrap();
        let customer = world.google.customer_id();
        let change = BulkChange::percent(ChangeKind::OrgUnit, 96.0, 5).to(path.clone());
        world.google.state().change_devices(&customer, &change).unwrap();
        world.connect(json!({})).await;
        let whole = world.until_active().await;
        assert_eq!(whole.status.unwrap().devices.unwrap().synced, 300);

        let slow = Switches {
            latency_per_page_milliseconds: 700,
            ..Switches::default()
        };
        world.google.state().set_switches(slow);
        world.connect(json!({ "sync": { "orgUnitPath": path } })).await;
        world
            .until("Syncing", |connection| {
                state(connection) == Some(ConnectionState::Syncing)
            })
            .await;
        world.google.state().set_switches(Switches::default());
        let smaller = world.until_active().await;
        let inside = world
            .truth()
            .into_values()
            .filter(|row| row.org_unit_path == path);
        let inside = inside.count();
        assert!((280..300).contains(&inside), "{inside}");
        let status = smaller.status.unwrap();
        assert_eq!(status.devices.unwrap().synced, i64::try_from(inside).unwrap());
        let objects = world.device_objects().await;
        assert_eq!(objects.len(), inside);
        for (name, device) in &objects {
            let status = device.status.as_ref().unwrap();
            assert_eq!(status.org_unit_path.as_deref(), Some(path.as_str()), "{name}");
        }
        world.connect(json!({ "sync": { "orgUnitPath": "/" } })).await;
        world
            .until("all devices again", |connection| {
                let status = connection.status.as_ref().unwrap();
                state(connection) == Some(ConnectionState::Active)
                    && status.devices.is_some_and(|devices| devices.synced == 300)
            })
            .await;
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn a_sync_is_made_when_asked_for_and_told_when_done() {
    run(async |cluster| {
        let world = World::start(cluster, 60).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let lists = |world: &World| world.google.state().request_counts()["directory.chromeosdevices.list"];
        for _ in 0..2 {
            let before = lists(&world);
            let connection = world.sync().await;
            assert_eq!(state(&connection), Some(ConnectionState::Active));
            assert_eq!(lists(&world), before + 1, "one request, one pass");
        }
        let (before, devices) = (lists(&world), world.device_versions().await);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(lists(&world), before, "a request is answered once");
        assert_eq!(world.device_versions().await, devices);
    });
}

#[test]
fn read_only_access_asks_for_reading_only() {
    run(async |cluster| {
        let world = World::start(cluster, 20).await;
        world.connect(json!({ "access": "ReadOnly" })).await;
        let connection = world.until_active().await;
        let prefix = "https://www.googleapis.com/auth/";
        let mut wanted = [
            "admin.directory.device.chromeos.readonly",
            "admin.directory.orgunit.readonly",
            "admin.directory.user.readonly",
        ]
        .map(|scope| format!("{prefix}{scope}"))
        .to_vec();
        let mut told = connection.status.unwrap().oauth.unwrap().scopes;
        told.sort();
        wanted.sort();
        assert_eq!(told, wanted);
        let requests = world.google.state().requests(&LogFilter::default());
        let signed_in: Vec<_> = requests
            .into_iter()
            .filter(|request| request.call.account.is_some())
            .collect();
        assert!(!signed_in.is_empty());
        for request in signed_in {
            let mut scopes = request.call.scopes.clone();
            scopes.sort();
            assert_eq!(scopes, wanted, "{}", request.path);
        }
    });
}
