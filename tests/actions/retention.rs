//! What goes by itself, and what stays.

use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::ActionType;
use serde_json::json;

use crate::school::{School, spec, told};
use crate::world::run;

#[test]
fn an_action_goes_when_its_time_is_over_and_its_receipt_stays() {
    run(async |cluster| {
        let mut school = School::start(cluster, 60).await;
        let device = school.device(0);
        let mut short = spec(&device, ActionType::EnableLostMode, "");
        short["ttlSecondsAfterFinished"] = json!(2);
        school.apply("short", short.clone()).await;
        school.until_receipt("short").await;
        school
            .apply("kept", spec(&device, ActionType::DisableLostMode, ""))
            .await;
        school.until_done("kept").await;
        school.until_action_is_gone("short").await;
        assert!(!school.receipt("short").await.spec.open);
        // An end that another process saw is found by looking through everything.
        school.world.operator.kill();
        let mut across = spec(&device, ActionType::EnableLostMode, "");
        across["ttlSecondsAfterFinished"] = json!(3);
        school.create("across", across).await;
        school.world.operator.restart();
        school.until_done("across").await;
        school.world.operator.kill();
        school.world.operator.restart();
        school.until_action_is_gone("across").await;
        // Git applies it again: nothing is done, and it goes again.
        school.apply("short", short).await;
        let again = school.until_done("short").await;
        assert_eq!(told(&again), "Succeeded/AlreadyExecuted");
        school.until_action_is_gone("short").await;
        assert_eq!(school.witness(&device).api.disables, 2);
        assert!(school.actions().get_opt("kept").await.unwrap().is_some());
    });
}

#[test]
fn deleting_an_action_in_its_life_leaves_its_receipt_to_be_followed() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .send_offline("gone", &device, ActionType::Restart, "")
            .await;
        school.delete("gone").await;
        school.online(&device, true);
        let began = Instant::now();
        while school.receipt("gone").await.spec.open {
            assert!(began.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let receipt = school.receipt("gone").await.spec;
        assert_eq!(receipt.reason.as_deref(), Some("ExecutedByDevice"));
    });
}
