//! What every answer of Google means, for every type.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use futures::StreamExt;
use google_admin_simulator::Simulator;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::command::{CommandBehaviour, CommandOutcome, StuckAt};
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::faults::{Fault, FaultRule};
use google_admin_simulator::switches::Switches;

use crate::orders::{Answer, Order, assert_true};
use crate::school::{School, message, spec, state, told};
use crate::world::run;

#[test]
fn every_order_and_every_answer() {
    run(async |cluster| every_case(&School::start(cluster, 200).await).await);
}

/// Gives every order, has it answered in every way, and compares what comes of it with the table and the witness.
pub(crate) async fn every_case(school: &School) {
    let cases = Order::ALL
        .into_iter()
        .flat_map(|order| Answer::ALL.map(|answer| (order, answer)));
    let began = Instant::now();
    let checks = cases
        .enumerate()
        .map(|(number, (order, answer))| one_case(school, number, order, answer));
    let count = futures::stream::iter(checks).buffer_unordered(24).count().await;
    println!("{count} cases in {:?}", began.elapsed());
    assert_eq!(count, 108);
}

async fn one_case(school: &School, number: usize, order: Order, answer: Answer) {
    let what = format!("{order:?} {answer:?}");
    let device = school.prepared(number, order);
    answer.prepare(school, order, &device);
    let name = format!("case-{number}");
    school.create(&name, order.spec(&device)).await;
    let ended = school.until_done(&name).await;
    if answer == Answer::Late {
        // The effect comes after the answer, and for a command nobody waits for it.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    let done = order.done(school, &device);
    assert_true(state(&ended).unwrap(), done, &what);
    let (expected, times) = answer.expected(order);
    if answer == Answer::ClosedUnread {
        let (again, once) = Answer::Done.expected(order);
        let told = told(&ended);
        assert!(
            (told.as_str(), done) == (again, once) || expected.starts_with(&told),
            "{what}: {told}"
        );
    } else {
        assert_eq!(
            (told(&ended).as_str(), done),
            (expected, times),
            "{what}: {}\n{:?}\n{:?}",
            message(&ended),
            school.receipt(&name).await.spec,
            school.witness(&device)
        );
    }
    let receipt = school.receipt(&name).await.spec;
    assert_eq!(Some(receipt.state), state(&ended), "{what}");
    assert!(!receipt.open, "{what}: nothing is left to follow");
}

#[test]
fn rows_with_an_error_of_their_own() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let order = Order::ALL[4];
        for (number, (code, effect, expected)) in [
            (9, false, "Failed/RefusedByGoogle"),
            (5, false, "Failed/RefusedByGoogle"),
            (7, false, "Failed/RefusedByGoogle"),
            (13, false, "OutcomeUnknown/AnswerLost"),
            (14, true, "Succeeded/ObservedInRequestedState"),
            (4, true, "Succeeded/ObservedInRequestedState"),
        ]
        .into_iter()
        .enumerate()
        {
            let device = school.prepared(number, order);
            let fault = Fault::RowError {
                code,
                message: Some("the words of Google".to_owned()),
            };
            let mut rule = FaultRule::on(ApiMethod::BatchChangeStatus, fault)
                .times(1)
                .about(vec![device.clone()]);
            if effect {
                rule = rule.taking_effect();
            }
            school.world.google.state().add_fault(rule).unwrap();
            let name = format!("row-{number}");
            school.create(&name, order.spec(&device)).await;
            let ended = school.until_done(&name).await;
            assert_eq!(told(&ended), expected, "code {code}");
            assert_true(state(&ended).unwrap(), order.done(&school, &device), expected);
            let words = ended.status.unwrap().google_message.unwrap();
            assert!(words.contains("the words of Google"), "{words}");
        }
    });
}

/// How a command of one device goes.
fn behave(school: &School, device: &str, behaviour: CommandBehaviour) {
    let google = &school.world.google;
    google
        .state()
        .change_command_behaviour(&google.customer_id(), device, &behaviour)
        .unwrap();
}

#[test]
fn every_end_of_a_command() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let outcome = |outcome| CommandBehaviour {
            outcome: Some(outcome),
            error_message: Some("the words of the device".to_owned()),
            ..CommandBehaviour::default()
        };
        let forgotten = CommandBehaviour {
            forgotten: Some(true),
            ..CommandBehaviour::default()
        };
        for (number, (behaviour, expected)) in [
            (outcome(CommandOutcome::Success), "Succeeded/ExecutedByDevice"),
            (outcome(CommandOutcome::Failure), "Failed/FailedOnDevice"),
            (outcome(CommandOutcome::Ignored), "Failed/IgnoredByDevice"),
            (forgotten, "OutcomeUnknown/CommandForgotten"),
        ]
        .into_iter()
        .enumerate()
        {
            let device = school.prepared(number, Order::ALL[0]);
            behave(&school, &device, behaviour);
            let name = format!("command-{number}");
            school.create(&name, spec(&device, ActionType::Restart, "")).await;
            let ended = school.until_done(&name).await;
            assert_eq!(told(&ended), expected);
            assert_eq!(school.done(&device, ActionType::Restart, ""), 1);
            if expected.starts_with("Failed") {
                let words = ended.status.unwrap().google_message.unwrap();
                assert_eq!(words, "the words of the device");
            }
        }
        // Cancelled by a person in the Admin console.
        let device = school.prepared(10, Order::ALL[0]);
        let sent = school
            .send_offline("cancelled", &device, ActionType::Wipe, "Users")
            .await;
        let google = &school.world.google;
        let command = sent.status.unwrap().command_id.unwrap();
        google
            .state()
            .cancel_command(&google.customer_id(), &command)
            .unwrap();
        assert_eq!(
            told(&school.until_done("cancelled").await),
            "Failed/CancelledInConsole"
        );
        assert_eq!(school.witness(&device).total().user_wipes, 0);
    });
}

#[test]
fn the_inventory_shows_the_new_state_at_once() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let before = school.world.connection().await.status.unwrap();
        let device = school.device(3);
        // Times in a status have whole seconds.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        school
            .create("lost", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        school.until_done("lost").await;
        let object = school.object(&device).await;
        assert_eq!(object.status.unwrap().state.as_deref(), Some("DISABLED"));
        let after = school
            .world
            .until("checked in", |connection| {
                let status = connection.status.as_ref().unwrap();
                status.last_check_in_time > before.last_check_in_time
            })
            .await;
        let sync = |status: &Option<_>| -> Option<_> {
            let status: &chrome_enterprise_operator::api::connection::ChromeEnterpriseConnectionStatus =
                status.as_ref()?;
            status.sync.as_ref()?.last_complete_time.clone()
        };
        assert_eq!(sync(&after.status), sync(&Some(before)), "without a sync");
        let versions = school.world.device_versions().await;
        school.world.sync().await;
        assert_eq!(
            school.world.device_versions().await,
            versions,
            "and the next sync knows what was written"
        );
    });
}

#[test]
fn a_running_sync_does_not_put_the_old_state_back() {
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(150).seed(7).start().await.unwrap());
        let school = School::beside(cluster, &google, &["--page-size", "30"]).await;
        let google = school.world.google.state();
        let device = school.device(120);
        // Everything changes, so that the sync writes every device, and slowly.
        let change = BulkChange::percent(ChangeKind::Notes, 100.0, 5);
        google
            .change_devices(&school.world.google.customer_id(), &change)
            .unwrap();
        google.set_switches(Switches {
            latency_per_page_milliseconds: 700,
            ..Switches::default()
        });
        let request = school.world.request_sync().await;
        tokio::time::sleep(Duration::from_millis(1000)).await;
        school
            .create("lost", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        school.until_done("lost").await;
        school
            .world
            .until("synced as requested", |connection| {
                let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
                sync.and_then(|sync| sync.handled_request.as_deref()) == Some(&request)
            })
            .await;
        let object = school.object(&device).await;
        assert_eq!(object.status.unwrap().state.as_deref(), Some("DISABLED"));
    });
}

#[test]
fn an_endless_powerwash_is_followed_beyond_the_patience_and_lost_mode_does_not_wait_for_it() {
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(60).seed(7).start().await.unwrap());
        let school = School::beside(cluster, &google, &["--action-patience-seconds", "3"]).await;
        let device = school.device(5);
        school
            .send_offline("powerwash", &device, ActionType::Wipe, "Powerwash")
            .await;
        school
            .create("lost", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        assert_eq!(
            told(&school.until_done("lost").await),
            "Succeeded/ChangedAtGoogle"
        );
        let tired = school.until_done("powerwash").await;
        assert_eq!(told(&tired), "OutcomeUnknown/StillPendingAtGoogle");
        assert!(message(&tired).contains("Admin console"), "{}", message(&tired));
        assert!(tired.status.unwrap().command_expire_time.is_some());
        let receipt = school.receipt("powerwash").await;
        assert!(receipt.spec.open, "it is followed");
        school.online(&device, true);
        school.delete("powerwash").await;
        let began = Instant::now();
        let closed = loop {
            let receipt = school.receipt("powerwash").await;
            if !receipt.spec.open {
                break receipt;
            }
            assert!(began.elapsed().as_secs() < 60, "{receipt:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(
            closed.spec.state,
            ActionState::OutcomeUnknown,
            "an end never changes"
        );
        assert_eq!(closed.spec.command_result.as_deref(), Some("SUCCESS"));
        assert_eq!(school.witness(&device).api.powerwashes, 1);
    });
}

#[test]
fn a_stuck_record_of_google_ends_as_unknown_although_the_device_did_it() {
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(60).seed(7).start().await.unwrap());
        let school = School::beside(cluster, &google, &["--action-patience-seconds", "4"]).await;
        let device = school.device(5);
        behave(
            &school,
            &device,
            CommandBehaviour {
                stuck_at: Some(StuckAt::Pending),
                ..CommandBehaviour::default()
            },
        );
        school
            .create("stuck", spec(&device, ActionType::Restart, ""))
            .await;
        let ended = school.until_done("stuck").await;
        assert_eq!(told(&ended), "OutcomeUnknown/StillPendingAtGoogle");
        assert_eq!(school.witness(&device).api.reboots, 1);
    });
}
