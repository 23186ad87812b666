//! Time passes at the wrong moment, or is wrong.

use std::time::Duration;

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::faults::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::disturbed::MOMENTS;
use crate::school::{School, from_now, spec, state, told};
use crate::world::run;

const OFFSET: &str = "CHROME_ENTERPRISE_OPERATOR_DEBUG_CLOCK_OFFSET_SECONDS";

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn until(device: &str, seconds: i64) -> Value {
    let mut spec = spec(device, ActionType::EnableLostMode, "");
    spec["notAfter"] = json!(from_now(seconds));
    spec
}

#[test]
fn not_after_passes_while_it_waits_while_the_operator_is_down_and_while_google_turns_it_away() {
    run(async |cluster| {
        let mut school = School::start(cluster, 60).await;
        school.world.connect(json!({ "sync": { "suspend": true } })).await;
        let (one, two, three) = (school.device(0), school.device(1), school.device(2));
        school.create("waits", until(&one, 4)).await;
        school.until_reason("waits", "ConnectionSuspended").await;
        assert_eq!(told(&school.until_done("waits").await), "Expired/NotAfterPassed");
        school
            .world
            .connect(json!({ "sync": { "suspend": false } }))
            .await;

        school.world.operator.kill();
        school.create("down", until(&two, 3)).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        school.world.operator.restart();
        assert_eq!(told(&school.until_done("down").await), "Expired/NotAfterPassed");

        let limit = Fault::TooManyRequests {
            retry_after_seconds: None,
        };
        let rule = FaultRule::on(ApiMethod::BatchChangeStatus, limit);
        school.world.google.state().add_fault(rule).unwrap();
        school.create("turned-away", until(&three, 6)).await;
        let ended = school.until_done("turned-away").await;
        assert_eq!(told(&ended), "Expired/NotAfterPassed");
        let attempts = school.receipt("turned-away").await.spec.attempts;
        assert!(!attempts.is_empty(), "it was tried");
        school.world.google.state().clear_faults();
        for device in [one, two, three] {
            assert_eq!(school.witness(&device).api.disables, 0);
        }
    });
}

#[test]
fn not_after_passes_between_claim_and_sending() {
    run(async |cluster| {
        let mut school = School::start(cluster, 60).await;
        school.world.operator.kill();
        school.world.operator.environment = vec![variable(MOMENTS, "after-claim=stop")];
        school.world.operator.restart();
        school.world.until_active().await;
        let device = school.device(0);
        school.create("between", until(&device, 4)).await;
        school.until_receipt("between").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        school.world.operator.signal("CONT");
        let ended = school.until_done("between").await;
        assert_eq!(told(&ended), "Expired/NotAfterPassed");
        assert_eq!(school.witness(&device).api.disables, 0);
    });
}

#[test]
fn an_operator_with_a_wrong_clock_sends_nothing_too_late_and_nothing_twice() {
    run(async |cluster| {
        let mut school = School::start(cluster, 60).await;
        for (number, offset) in [-7200_i64, 7200].into_iter().enumerate() {
            school.world.operator.kill();
            school.world.operator.environment = vec![variable(OFFSET, &offset.to_string())];
            school.world.operator.restart();
            school.world.until_active().await;
            // Google's clock is known once it has answered.
            school.world.sync().await;
            let (passed, ahead) = (school.device(number * 10), school.device(number * 10 + 1));
            let name = |what: &str| format!("{what}-{number}");
            // For an operator that is two hours behind this is far ahead; for one that is ahead it has passed.
            let disputed = if offset < 0 { -5 } else { 600 };
            school.create(&name("disputed"), until(&passed, disputed)).await;
            school.until_reason(&name("disputed"), "ClockDisputed").await;
            assert_eq!(school.witness(&passed).api.disables, 0);
            // By both clocks there is time.
            school.create(&name("ahead"), until(&ahead, 10_000)).await;
            let ended = school.until_done(&name("ahead")).await;
            assert_eq!(told(&ended), "Succeeded/ChangedAtGoogle");
            assert_eq!(school.witness(&ahead).api.disables, 1);
            let waiting = school.action(&name("disputed")).await;
            assert_eq!(state(&waiting), Some(ActionState::Pending));
        }
        school.world.operator.kill();
        school.world.operator.environment.clear();
        school.world.operator.restart();
        assert_eq!(
            told(&school.until_done("disputed-0").await),
            "Expired/NotAfterPassed"
        );
        assert_eq!(
            told(&school.until_done("disputed-1").await),
            "Succeeded/ChangedAtGoogle"
        );
    });
}
