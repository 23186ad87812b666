//! What is refused before anything is sent, and how a device is found.

use std::sync::Arc;

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use google_admin_simulator::Simulator;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DevicePatch;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::orders::Order;
use crate::school::{School, from_now, message, spec, told};
use crate::world::run;

fn by_serial(serial: &str, type_: ActionType) -> serde_json::Value {
    json!({ "serialNumber": serial, "type": type_, "notAfter": from_now(600) })
}

#[test]
fn states_that_rule_an_action_out_or_have_it_done_already() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let rows = [
            (
                "DEPROVISIONED",
                ActionType::Wipe,
                "Users",
                "Rejected/StateForbids",
            ),
            ("DEPROVISIONED", ActionType::Restart, "", "Rejected/StateForbids"),
            (
                "DEPROVISIONED",
                ActionType::EnableLostMode,
                "",
                "Rejected/StateForbids",
            ),
            (
                "DEPROVISIONED",
                ActionType::Deprovision,
                "",
                "Succeeded/AlreadyInState",
            ),
            (
                "DISABLED",
                ActionType::EnableLostMode,
                "",
                "Succeeded/AlreadyInState",
            ),
            (
                "ACTIVE",
                ActionType::DisableLostMode,
                "",
                "Succeeded/AlreadyInState",
            ),
            (
                "PRE_PROVISIONED",
                ActionType::Restart,
                "",
                "Rejected/StateForbids",
            ),
            // What only Google knows, Google says.
            ("DELINQUENT", ActionType::Restart, "", "Failed/RefusedByGoogle"),
        ];
        for (number, (state, type_, mode, expected)) in rows.into_iter().enumerate() {
            let device = school.prepared(number, Order::ALL[0]);
            school.set_state(&device, state);
            let name = format!("state-{number}");
            school.create(&name, spec(&device, type_, mode)).await;
            let ended = school.until_done(&name).await;
            assert_eq!(told(&ended), expected, "{type_:?} of {state}");
            assert_eq!(school.done(&device, type_, mode), 0, "{type_:?} of {state}");
            let receipt = school.receipt(&name).await.spec;
            let attempts = if expected.starts_with("Failed") { 1 } else { 0 };
            assert_eq!(receipt.attempts.len(), attempts, "{type_:?} of {state}");
            if expected.starts_with("Rejected") {
                assert!(
                    message(&ended).len() > 60,
                    "it says what would work: {}",
                    message(&ended)
                );
            }
            if expected.starts_with("Failed") {
                assert!(
                    ended.status.unwrap().google_message.is_some(),
                    "in Google's words"
                );
            }
        }
    });
}

#[test]
fn a_serial_number_is_found_in_any_case_and_never_by_a_part() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        let serial = school.serial(&device);
        school
            .create(
                "lower",
                by_serial(&serial.to_lowercase(), ActionType::EnableLostMode),
            )
            .await;
        let ended = school.until_done("lower").await;
        assert_eq!(told(&ended), "Succeeded/ChangedAtGoogle");
        let status = ended.status.unwrap();
        assert_eq!(status.device_id.as_deref(), Some(device.as_str()));
        assert_eq!(
            status.serial_number.as_deref(),
            Some(serial.as_str()),
            "as Google writes it"
        );
        for (name, number) in [
            ("part", &serial[..5]),
            ("none", "NOSUCHDEVICE"),
            ("odd", "a,b=c\\d"),
        ] {
            school
                .create(name, by_serial(number, ActionType::EnableLostMode))
                .await;
            assert_eq!(
                told(&school.until_done(name).await),
                "Rejected/DeviceNotFound",
                "{number}"
            );
        }
        school
            .create(
                "no-id",
                spec("00000000-0000-0000-0000-000000000000", ActionType::Restart, ""),
            )
            .await;
        assert_eq!(told(&school.until_done("no-id").await), "Rejected/DeviceNotFound");
    });
}

#[test]
fn a_device_that_the_sync_is_about_to_write_is_waited_for() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        // As between the creation of an object and the write of its status.
        let empty = Patch::Merge(json!({ "status": null }));
        let api = school.world.devices();
        api.patch_status(&device, &PatchParams::default(), &empty)
            .await
            .unwrap();
        assert_eq!(school.object(&device).await.status, None);
        school
            .create("waits", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        school.until_reason("waits", "InventoryIncomplete").await;
        school.world.sync().await;
        assert_eq!(
            told(&school.until_done("waits").await),
            "Succeeded/ChangedAtGoogle"
        );
    });
}

#[test]
fn a_deprovisioned_twin_does_not_count_and_a_second_one_is_ambiguous() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let google = &school.world.google;
        let change = BulkChange::count(ChangeKind::ReEnrol, 1, 3);
        let report = google
            .state()
            .change_devices(&google.customer_id(), &change)
            .unwrap();
        school.world.sync().await;
        let (old, new) = (&report.device_ids[0], &report.new_device_ids[0]);
        school.online(new, true);
        let serial = school.serial(new);
        school
            .create("twin", by_serial(&serial, ActionType::Restart))
            .await;
        school.until_state("twin", ActionState::Succeeded).await;
        assert_eq!(school.done(new, ActionType::Restart, ""), 1);
        assert_eq!(school.done(old, ActionType::Restart, ""), 0);
        // The old record is in use again.
        school.set_state(old, "ACTIVE");
        school.world.sync().await;
        school
            .create("both", by_serial(&serial, ActionType::Restart))
            .await;
        let ended = school.until_done("both").await;
        assert_eq!(told(&ended), "Rejected/AmbiguousSerial");
        assert!(message(&ended).contains("deviceId"), "{}", message(&ended));
        // Only released ones.
        for device in [old, new] {
            school.set_state(device, "DEPROVISIONED");
        }
        school.world.sync().await;
        school
            .create("released", by_serial(&serial, ActionType::Restart))
            .await;
        assert_eq!(
            told(&school.until_done("released").await),
            "Rejected/DeviceNotFound"
        );
    });
}

#[test]
fn a_device_that_is_another_by_now_or_outside_the_org_unit_is_left_alone() {
    const NORTH: &str = "/North District";
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(200).seed(5).start().await.unwrap());
        let school = School::beside(cluster, &google, &[]).await;
        let inside: Vec<String> = school
            .world
            .truth()
            .into_values()
            .filter(|row| row.org_unit_path.starts_with("/North District/") && json!(row.status) == "ACTIVE")
            .map(|row| row.device_id)
            .collect();
        school
            .world
            .connect(json!({ "sync": { "orgUnitPath": NORTH } }))
            .await;
        school
            .world
            .until("narrowed", |connection| {
                let status = connection.status.as_ref().unwrap();
                let sync = status.sync.as_ref().unwrap();
                status.observed_generation == connection.metadata.generation && sync.prune_hold.is_some()
            })
            .await;
        let move_out = BulkChange::of(ChangeKind::OrgUnit, vec![inside[0].clone()]).to("/South District");
        google
            .state()
            .change_devices(&google.customer_id(), &move_out)
            .unwrap();
        school
            .create("outside", spec(&inside[0], ActionType::EnableLostMode, ""))
            .await;
        assert_eq!(
            told(&school.until_done("outside").await),
            "Rejected/DeviceOutsideConnection"
        );
        let renumbered = DevicePatch {
            serial_number: Some("ANOTHER1".to_owned()),
            ..DevicePatch::default()
        };
        google
            .state()
            .patch_device(&google.customer_id(), &inside[1], &renumbered)
            .unwrap();
        school
            .create("another", spec(&inside[1], ActionType::EnableLostMode, ""))
            .await;
        assert_eq!(
            told(&school.until_done("another").await),
            "Rejected/DeviceChanged"
        );
        for device in &inside[..2] {
            assert_eq!(school.witness(device).api.disables, 0);
        }
    });
}
