//! A name is good once: what is deleted, applied again, restored or renamed is not done twice.

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::orders::Order;
use crate::school::{School, from_now, message, spec, state, told};
use crate::world::run;

#[test]
fn a_manifest_that_is_deleted_and_applied_a_hundred_times_is_done_once() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        for (number, order) in [Order::ALL[1], Order::ALL[4]].into_iter().enumerate() {
            let device = school.prepared(number, order);
            let (name, manifest) = (format!("again-{number}"), order.spec(&device));
            school.apply(&name, manifest.clone()).await;
            for round in 0..100 {
                // Now and then it comes to its end in between, and now and then it does not even begin.
                if round % 25 == 0 {
                    school.until_done(&name).await;
                }
                school.delete(&name).await;
                school.apply(&name, manifest.clone()).await;
            }
            let ended = school.until_done(&name).await;
            assert_eq!(told(&ended), "Succeeded/AlreadyExecuted");
            assert!(
                message(&ended).contains("Nothing was done for this object"),
                "{}",
                message(&ended)
            );
            assert_eq!(order.done(&school, &device), 1, "{order:?}");
        }
    });
}

#[test]
fn another_content_under_a_used_name_is_rejected() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .create("used", spec(&device, ActionType::Restart, ""))
            .await;
        school.until_done("used").await;
        school.delete("used").await;
        let other = school.device(1);
        school
            .create("used", spec(&other, ActionType::Wipe, "Powerwash"))
            .await;
        let ended = school.until_done("used").await;
        assert_eq!(told(&ended), "Rejected/NameAlreadyUsed");
        assert_eq!(
            ended.status.unwrap().device_id,
            None,
            "it shows nothing of the other one"
        );
        assert_eq!(school.done(&other, ActionType::Wipe, "Powerwash"), 0);
        assert_eq!(school.done(&device, ActionType::Restart, ""), 1);
        // Under another name it is done.
        school.delete("used").await;
        school
            .create("renamed", spec(&other, ActionType::Wipe, "Powerwash"))
            .await;
        school.until_state("renamed", ActionState::Succeeded).await;
        assert_eq!(school.done(&other, ActionType::Wipe, "Powerwash"), 1);
    });
}

#[test]
fn after_not_after_the_old_result_is_shown_and_a_new_name_expires() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        let mut manifest = spec(&device, ActionType::EnableLostMode, "");
        manifest["notAfter"] = json!(from_now(4));
        school.apply("late", manifest.clone()).await;
        assert_eq!(
            told(&school.until_done("late").await),
            "Succeeded/ChangedAtGoogle"
        );
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        school.delete("late").await;
        school.apply("late", manifest.clone()).await;
        assert_eq!(
            told(&school.until_done("late").await),
            "Succeeded/AlreadyExecuted"
        );
        school.apply("later", manifest).await;
        let expired = school.until_done("later").await;
        assert_eq!(told(&expired), "Expired/NotAfterPassed");
        assert_eq!(school.witness(&device).api.disables, 1);
    });
}

/// An object as a backup without status restores it.
fn restored(object: &impl serde::Serialize) -> Value {
    let mut object = serde_json::to_value(object).unwrap();
    object.as_object_mut().unwrap().remove("status");
    let meta = object["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
    ] {
        meta.remove(field);
    }
    meta.remove("annotations");
    object
}

#[test]
fn a_namespace_that_is_restored_from_a_backup_without_status_does_nothing_again() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let mut devices = Vec::new();
        for (number, order) in Order::ALL.into_iter().enumerate() {
            let device = school.prepared(number, order);
            school
                .create(&format!("saved-{number}"), order.spec(&device))
                .await;
            devices.push((order, device));
        }
        for number in 0..devices.len() {
            school.until_done(&format!("saved-{number}")).await;
        }
        let mut saved = Vec::new();
        for number in 0..devices.len() {
            let name = format!("saved-{number}");
            saved.push((
                restored(&school.receipt(&name).await),
                restored(&school.action(&name).await),
            ));
        }
        // Everything is lost.
        for number in 0..devices.len() {
            let name = format!("saved-{number}");
            school.delete(&name).await;
            school
                .receipts()
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
        }
        // Receipts come first, as the documentation says.
        for (receipt, _) in &saved {
            let receipt = serde_json::from_value(receipt.clone()).unwrap();
            school
                .receipts()
                .create(&PostParams::default(), &receipt)
                .await
                .unwrap();
        }
        for (_, action) in &saved {
            let action = serde_json::from_value(action.clone()).unwrap();
            school
                .actions()
                .create(&PostParams::default(), &action)
                .await
                .unwrap();
        }
        for (number, (order, device)) in devices.iter().enumerate() {
            let ended = school.until_done(&format!("saved-{number}")).await;
            assert_eq!(told(&ended), "Succeeded/AlreadyExecuted", "{order:?}");
            assert_eq!(order.done(&school, device), 1, "{order:?}");
        }
    });
}

#[test]
fn an_emptied_status_is_written_again_and_nothing_else_is_done() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .create("emptied", spec(&device, ActionType::Restart, ""))
            .await;
        let before = school.until_done("emptied").await;
        let empty = json!({ "status": null });
        school
            .actions()
            .patch_status("emptied", &PatchParams::default(), &Patch::Merge(empty))
            .await
            .unwrap();
        let after = school.until_done("emptied").await;
        assert_eq!(told(&after), told(&before));
        assert_eq!(
            after.status.unwrap().command_id,
            before.status.unwrap().command_id
        );
        assert_eq!(school.done(&device, ActionType::Restart, ""), 1);
    });
}

#[test]
fn a_receipt_that_was_removed_does_not_arm_its_action() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .send_offline("pending", &device, ActionType::Wipe, "Users")
            .await;
        school
            .receipts()
            .delete("pending", &DeleteParams::default())
            .await
            .unwrap();
        // Whatever makes the operator look again.
        let patch = json!({ "metadata": { "labels": { "touched": "yes" } } });
        school
            .actions()
            .patch("pending", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
        let ended = school.until_done("pending").await;
        assert_eq!(told(&ended), "OutcomeUnknown/ReceiptMissing");
        assert_eq!(school.done(&device, ActionType::Wipe, "Users"), 1);
    });
}

#[test]
fn two_actions_for_one_device_go_one_after_the_other_and_the_oldest_first() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        for (name, type_) in [
            ("1-lost", ActionType::EnableLostMode),
            ("2-found", ActionType::DisableLostMode),
            ("3-lost", ActionType::EnableLostMode),
        ] {
            school.create(name, spec(&device, type_, "")).await;
            // Creation times have whole seconds.
            tokio::time::sleep(std::time::Duration::from_millis(1050)).await;
        }
        for name in ["1-lost", "2-found", "3-lost"] {
            assert_eq!(
                told(&school.until_done(name).await),
                "Succeeded/ChangedAtGoogle",
                "{name}"
            );
        }
        let witness = school.witness(&device).api;
        assert_eq!((witness.disables, witness.reenables), (2, 1));
        // Twice the same at once: one of them finds it done.
        let other = school.device(1);
        for name in ["twin-a", "twin-b"] {
            school
                .create(name, spec(&other, ActionType::EnableLostMode, ""))
                .await;
        }
        let mut ends = Vec::new();
        for name in ["twin-a", "twin-b"] {
            ends.push(told(&school.until_done(name).await));
        }
        ends.sort();
        assert_eq!(ends, ["Succeeded/AlreadyInState", "Succeeded/ChangedAtGoogle"]);
        assert_eq!(school.witness(&other).api.disables, 1);
    });
}

#[test]
fn names_of_receipts_are_those_of_their_actions_and_nothing_ties_them() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .create("tied", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        let ended = school.until_done("tied").await;
        let receipt = school.receipt("tied").await;
        assert_eq!(receipt.name_any(), ended.name_any());
        assert!(receipt.metadata.owner_references.is_none() && receipt.metadata.labels.is_none());
        assert!(receipt.metadata.finalizers.is_none() && ended.metadata.finalizers.is_none());
        assert_eq!(state(&ended), Some(receipt.spec.state));
    });
}
