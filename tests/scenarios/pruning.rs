//! What is removed when devices are gone at Google, and what waits for a person.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrome_enterprise_operator::api::conditions;
use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState, PruneHold};
use google_admin_simulator::Simulator;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind, ChangeReport};
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use google_admin_simulator::switches::{BetweenPages, Switches};
use serde_json::json;

use crate::world::{SCHOOL, World, run, state};

const ALLOW_PRUNE: &str = "chromeenterprise.dev/allow-prune";

fn change(world: &World, change: &BulkChange) -> ChangeReport {
    let customer = world.google.customer_id();
    world.google.state().change_devices(&customer, change).unwrap()
}

fn all(kind: ChangeKind) -> BulkChange {
    BulkChange::percent(kind, 100.0, 0)
}

fn hold(connection: &ChromeEnterpriseConnection) -> Option<PruneHold> {
    connection.status.as_ref()?.sync.as_ref()?.prune_hold.clone()
}

async fn names(world: &World) -> BTreeSet<String> {
    world.device_versions().await.into_keys().collect()
}

/// Syncs, and fails unless so many devices are held, all objects are kept, and the connection says how to go on.
async fn sync_and_hold(world: &World, devices: usize) -> PruneHold {
    let before = names(world).await;
    let connection = world.sync().await;
    let hold = hold(&connection).unwrap_or_else(|| panic!("nothing is held: {:?}", connection.status));
    assert_eq!(hold.devices, i64::try_from(devices).unwrap());
    assert_eq!(names(world).await, before, "all are kept");
    assert_eq!(state(&connection), Some(ConnectionState::Active));
    let status = connection.status.unwrap();
    let condition = conditions::find(&status.conditions, "PruneHeld").unwrap();
    assert_eq!(condition.reason, "TooManyDevicesVanished");
    let command = format!(
        "kubectl -n {} annotate --overwrite cec {SCHOOL} {ALLOW_PRUNE}={}",
        world.namespace, hold.id
    );
    assert!(condition.message.contains(&command), "{}", condition.message);
    hold
}

/// Syncs, and fails unless nothing is held and everything is as Google has it.
async fn sync_and_agree(world: &World) {
    let connection = world.sync().await;
    assert_eq!(hold(&connection), None);
    let status = connection.status.unwrap();
    assert!(conditions::find(&status.conditions, "PruneHeld").is_none());
    world.assert_inventory_is_true().await;
}

#[test]
fn a_large_loss_waits_for_a_permission_that_is_good_once() {
    run(async |cluster| {
        let world = World::start(cluster, 603).await;
        world.connect(json!({})).await;
        world.until_active().await;
        change(&world, &BulkChange::count(ChangeKind::Vanish, 3, 1));
        sync_and_agree(&world).await;
        assert_eq!(names(&world).await.len(), 600);

        let gone: BTreeSet<String> = change(&world, &BulkChange::percent(ChangeKind::Vanish, 50.0, 2))
            .device_ids
            .into_iter()
            .collect();
        let first = sync_and_hold(&world, 300).await;
        assert_eq!(
            sync_and_hold(&world, 300).await,
            first,
            "the same set keeps its id"
        );
        world.annotate(ALLOW_PRUNE, "0123456789abcdef").await;
        assert_eq!(
            sync_and_hold(&world, 300).await,
            first,
            "another id permits nothing"
        );
        let before = names(&world).await;
        world.annotate(ALLOW_PRUNE, &first.id).await;
        world
            .until("without a hold", |connection| hold(connection).is_none())
            .await;
        assert_eq!(
            &before - &names(&world).await,
            gone,
            "exactly those that were held"
        );
        world.assert_inventory_is_true().await;

        change(&world, &BulkChange::percent(ChangeKind::Vanish, 50.0, 3));
        let second = sync_and_hold(&world, 150).await;
        assert_ne!(
            second.id, first.id,
            "the annotation is still there and permits nothing more"
        );
        change(&world, &all(ChangeKind::Restore));
        sync_and_agree(&world).await;
        assert_eq!(
            names(&world).await.len(),
            603,
            "they are back, and so are the removed ones"
        );

        change(&world, &all(ChangeKind::Vanish));
        sync_and_hold(&world, 603).await;
        change(&world, &all(ChangeKind::Restore));
        sync_and_agree(&world).await;
    });
}

#[test]
fn small_losses_add_up_even_over_a_restart() {
    run(async |cluster| {
        let mut world = World::start(cluster, 600).await;
        world.connect(json!({})).await;
        world.until_active().await;
        // Nine percent of what is left, five times: the first is believed, and of the others nothing.
        change(&world, &BulkChange::count(ChangeKind::Vanish, 54, 1));
        sync_and_agree(&world).await;
        world.operator.kill();
        world.operator.restart();
        let (mut vanished, mut ids) = (0, BTreeSet::new());
        for (seed, count) in [(2, 49), (3, 44), (4, 40), (5, 37)] {
            change(&world, &BulkChange::count(ChangeKind::Vanish, count, seed));
            vanished += usize::try_from(count).unwrap();
            ids.insert(sync_and_hold(&world, vanished).await.id);
        }
        assert_eq!(ids.len(), 4, "each set of devices has a hold of its own");
        // A held loss is still held by a process that did not see the devices itself.
        world.operator.kill();
        world.operator.restart();
        sync_and_hold(&world, vanished).await;
    });
}

#[test]
fn no_answer_about_an_absent_device_keeps_it() {
    run(async |cluster| {
        let world = World::start(cluster, 100).await;
        world.connect(json!({})).await;
        world.until_active().await;
        change(&world, &BulkChange::count(ChangeKind::Vanish, 3, 1));
        let before = names(&world).await;
        let html = Fault::Answer {
            status: 404,
            content_type: "text/html".to_owned(),
            body: "<html>Not Found</html>".to_owned(),
        };
        let refusal = Fault::Forbidden {
            reason: ForbiddenReason::Forbidden,
        };
        for fault in [Fault::Internal {}, refusal, Fault::ConnectionReset {}, html] {
            let rule = FaultRule::on(ApiMethod::DevicesGet, fault.clone());
            world.google.state().add_fault(rule).unwrap();
            let connection = world.sync().await;
            assert_eq!(state(&connection), Some(ConnectionState::Active), "{fault:?}");
            assert_eq!(names(&world).await, before, "{fault:?}");
            world.google.state().clear_faults();
        }
        sync_and_agree(&world).await;
    });
}

#[test]
fn a_machine_that_enrols_again_has_two_true_records() {
    run(async |cluster| {
        let world = World::start(cluster, 100).await;
        world.connect(json!({})).await;
        world.until_active().await;
        let report = change(&world, &BulkChange::count(ChangeKind::ReEnrol, 4, 1));
        sync_and_agree(&world).await;
        let objects = world.device_objects().await;
        assert_eq!(objects.len(), 104);
        for (old, new) in report.device_ids.iter().zip(&report.new_device_ids) {
            let [old, new] = [old, new].map(|name| objects[name].status.as_ref().unwrap());
            assert!(old.serial_key.is_some());
            assert_eq!(old.serial_key, new.serial_key);
            assert_eq!(old.state.as_deref(), Some("DEPROVISIONED"));
            assert_eq!(new.state.as_deref(), Some("ACTIVE"));
        }
    });
}

/// What Google has in an org unit and below it.
fn devices_below(world: &World, unit: &str) -> BTreeSet<String> {
    let below = format!("{unit}/");
    let rows = world.truth().into_values();
    rows.filter(|row| row.org_unit_path == unit || row.org_unit_path.starts_with(&below))
        .map(|row| row.device_id)
        .collect()
}

#[test]
fn a_device_that_leaves_the_mirrored_org_unit_goes_and_one_that_hops_inside_stays() {
    const NORTH: &str = "/North District";
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(600).seed(5).start().await.unwrap());
        let world = World::beside(cluster, &google, &["--page-size", "50"]).await;
        world.connect(json!({ "sync": { "orgUnitPath": NORTH } })).await;
        world.until_active().await;
        let inside = devices_below(&world, NORTH);
        assert!(
            inside.len() > 100 && inside.len() < 500,
            "some are outside: {}",
            inside.len()
        );
        assert_eq!(names(&world).await, inside);

        let truth = world.truth();
        let hopper = inside
            .iter()
            .find(|name| truth[*name].org_unit_path.ends_with("/Kiosks"))
            .unwrap();
        let hop = BulkChange::of(ChangeKind::OrgUnit, vec![hopper.clone()]).to(NORTH);
        google.state().set_switches(Switches {
            between_pages: vec![BetweenPages {
                tenant: None,
                after_page: Some(2),
                times: Some(1),
                change: hop,
            }],
            ..Switches::default()
        });
        let connection = world.sync().await;
        google.state().set_switches(Switches::default());
        let read = connection.status.unwrap().sync.unwrap().devices_read;
        assert_eq!(
            read,
            Some(i64::try_from(inside.len() - 1).unwrap()),
            "the walk missed it"
        );
        let objects = world.device_objects().await;
        assert!(objects.keys().eq(&inside), "it is kept");
        let hopped = objects[hopper].status.as_ref().unwrap();
        assert_eq!(hopped.org_unit_path.as_deref(), Some(NORTH));

        let leaving: Vec<String> = inside
            .iter()
            .filter(|name| *name != hopper)
            .take(3)
            .cloned()
            .collect();
        change(
            &world,
            &BulkChange::of(ChangeKind::OrgUnit, leaving.clone()).to("/South District"),
        );
        let connection = world.sync().await;
        assert_eq!(hold(&connection), None);
        let expected: BTreeSet<String> = inside
            .into_iter()
            .filter(|name| !leaving.contains(name))
            .collect();
        assert_eq!(names(&world).await, expected);
    });
}

#[test]
fn with_a_search_a_device_goes_only_after_two_complete_walks_without_it() {
    run(async |cluster| {
        let world = World::start(cluster, 200).await;
        world
            .connect(json!({ "sync": { "query": "status:provisioned" } }))
            .await;
        world.until_active().await;
        let found = world.device_objects().await;
        assert!(
            found.len() > 100 && found.len() < 200,
            "the search narrows: {}",
            found.len()
        );
        let disabled: Vec<String> = found.keys().take(3).cloned().collect();
        change(
            &world,
            &BulkChange::of(ChangeKind::Status, disabled.clone()).to("DISABLED"),
        );

        world.sync().await;
        let once = world.device_objects().await;
        assert!(once.keys().eq(found.keys()), "missed once: kept");
        for name in &disabled {
            let status = once[name].status.as_ref().unwrap();
            assert_eq!(status.state.as_deref(), Some("DISABLED"), "and told as it is");
        }
        world.sync().await;
        let expected: BTreeSet<String> = found
            .into_keys()
            .filter(|name| !disabled.contains(name))
            .collect();
        assert_eq!(names(&world).await, expected, "missed twice");
    });
}
