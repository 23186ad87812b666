//! Very many actions at once: Google's quota is kept, nobody is forgotten, and the oldest go first.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use futures::StreamExt;
use google_admin_simulator::Simulator;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::request_log::LogFilter;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

use crate::school::{School, from_now, spec, state, told};
use crate::world::run;

/// Actions that come at once.
const ACTIONS: usize = 1_000;
/// Seconds of Google for each of ours: 60 changes a minute are 12 a second.
const SCALE: f64 = 12.0;
const MINUTE: &str = "CHROME_ENTERPRISE_OPERATOR_DEBUG_MINUTE_MILLISECONDS";

#[test]
fn a_thousand_actions_at_once_keep_to_the_quota_and_to_their_order() {
    run(async |cluster| {
        let google = Simulator::builder().devices(1_400).seed(7).time_scale(SCALE);
        let google = std::sync::Arc::new(google.start().await.unwrap());
        let flags = [
            "--google-device-changes-per-minute=60",
            "--google-queries-per-minute=2400",
        ];
        let mut school = School::with_the_quota_of(cluster, &google, &flags).await;
        school.world.operator.kill();
        let devices: Vec<String> = school.devices_in_state("ACTIVE");
        assert!(devices.len() > ACTIONS, "{}", devices.len());
        let order = |device: &str, type_| {
            let mut spec = spec(device, type_, "");
            // Time runs quickly at Google, and both clocks count.
            spec["notAfter"] = json!(from_now(5 * 86_400));
            spec
        };
        let all = devices.iter().take(ACTIONS).enumerate();
        let given = all.map(async |(number, device)| {
            let deprovision = order(device, ActionType::Deprovision);
            school.create(&format!("number-{number:04}"), deprovision).await
        });
        let created: Vec<_> = futures::stream::iter(given).buffered(8).collect().await;
        school.world.operator.environment = vec![(MINUTE.to_owned(), "5000".to_owned())];
        google.state().clear_requests();
        let began = Instant::now();
        school.world.operator.restart();
        school.until_done("number-0100").await;
        let (stolen, asked) = (&devices[ACTIONS], Instant::now());
        school
            .create("stolen", order(stolen, ActionType::EnableLostMode))
            .await;
        let lost = school.until_done("stolen").await;
        assert_eq!(told(&lost), "Succeeded/ChangedAtGoogle");
        let overtook = asked.elapsed();
        let still_waiting = waiting(&school).await;
        println!("lost mode overtook {still_waiting} others in {overtook:?}");
        assert!(still_waiting > ACTIONS / 4, "{still_waiting}");

        while waiting(&school).await > 0 {
            assert!(
                began.elapsed() < Duration::from_secs(180),
                "{} wait",
                waiting(&school).await
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        println!("{ACTIONS} actions in {:?}", began.elapsed());
        let ended = school.actions().list(&ListParams::default()).await.unwrap();
        for action in &ended.items {
            assert_eq!(told(action), "Succeeded/ChangedAtGoogle", "{}", action.name_any());
        }
        for device in devices.iter().take(ACTIONS) {
            assert_eq!(school.witness(device).api.deprovisions, 1, "{device}");
        }
        let log = google.state().requests(&LogFilter {
            api: Some(ApiMethod::BatchChangeStatus),
            ..LogFilter::default()
        });
        let refused = log.iter().filter(|entry| entry.status != Some(200)).count();
        println!("{} changes were sent, {refused} of them refused", log.len());
        assert!(refused <= ACTIONS / 50, "{refused} of {} were refused", log.len());

        // Of all that were created at least two seconds later, hardly any goes first.
        let accepted: HashMap<String, _> = ended
            .items
            .iter()
            .map(|action| (action.name_any(), accepted(action)))
            .collect();
        for action in &created {
            let (own, since) = (
                accepted[&action.name_any()],
                action.creation_timestamp().unwrap().0,
            );
            let overtaken = created
                .iter()
                .filter(|other| {
                    other
                        .creation_timestamp()
                        .unwrap()
                        .0
                        .duration_since(since)
                        .as_secs()
                        >= 2
                })
                .filter(|other| accepted[&other.name_any()] < own)
                .count();
            assert!(
                overtaken <= 20,
                "{} was overtaken by {overtaken}",
                action.name_any()
            );
        }
    });
}

fn accepted(action: &chrome_enterprise_operator::api::action::DeviceAction) -> jiff::Timestamp {
    action.status.as_ref().unwrap().accepted_time.as_ref().unwrap().0
}

async fn waiting(school: &School) -> usize {
    let all = school.actions().list(&ListParams::default()).await.unwrap();
    all.items
        .iter()
        .filter(|action| !state(action).is_some_and(ActionState::is_final))
        .count()
}
