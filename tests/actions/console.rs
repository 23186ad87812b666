//! A person in the Admin console changes the device at the worst moment.

use chrome_enterprise_operator::api::action::ActionType;
use chrome_enterprise_operator::runtime::moments::Moment;

use crate::disturbed::Disturbed;
use crate::orders::{Answer, Order};
use crate::school::{spec, told};
use crate::world::run;

const LOST: Order = Order::ALL[4];

/// Lost mode for a device whose state a person changes while the operator stands at this moment.
async fn meanwhile(
    disturbed: &Disturbed,
    number: usize,
    answer: Answer,
    moment: Moment,
    state: &str,
) -> (String, u64, String) {
    let device = disturbed.school.prepared(number, LOST);
    answer.prepare(&disturbed.school, LOST, &device);
    disturbed.stop_at(moment);
    let name = format!("lost-{number}");
    let lost = spec(&device, ActionType::EnableLostMode, "");
    disturbed.school.create(&name, lost).await;
    disturbed.until_stopped().await;
    disturbed.school.set_state(&device, state);
    disturbed.school.world.operator.signal("CONT");
    let ended = disturbed.school.until_done(&name).await;
    let done = LOST.done(&disturbed.school, &device);
    (told(&ended), done, device)
}

#[test]
fn what_a_person_does_between_our_request_and_our_look_is_not_taken_for_ours_and_not_undone() {
    run(async |cluster| {
        let disturbed = Disturbed::start(cluster, 60).await;
        // Google has said yes, and a person says no: the action succeeded, and the inventory shows what is now.
        let (told, done, device) =
            meanwhile(&disturbed, 0, Answer::Done, Moment::BeforeInventory, "ACTIVE").await;
        assert_eq!((told.as_str(), done), ("Succeeded/ChangedAtGoogle", 1));
        let began = std::time::Instant::now();
        while disturbed
            .school
            .object(&device)
            .await
            .status
            .unwrap()
            .state
            .as_deref()
            != Some("ACTIVE")
        {
            assert!(began.elapsed().as_secs() < 30);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }

        // The answer was lost, and a person says no: nobody can know, and it is not sent again.
        let (told, done, _) = meanwhile(&disturbed, 1, Answer::ResetAfter, Moment::BeforeAsk, "ACTIVE").await;
        assert_eq!((told.as_str(), done), ("OutcomeUnknown/AnswerLost", 1));

        // It never came to Google, and a person does the same: the device is as asked for.
        let (told, done, _) =
            meanwhile(&disturbed, 2, Answer::ResetBefore, Moment::BeforeAsk, "DISABLED").await;
        assert_eq!((told.as_str(), done), ("Succeeded/ObservedInRequestedState", 0));

        // A person is a moment earlier: Google refuses to do it twice, and its words are told.
        let (told, done, _) = meanwhile(&disturbed, 3, Answer::Done, Moment::BeforeSend, "DISABLED").await;
        assert_eq!((told.as_str(), done), ("Failed/RefusedByGoogle", 0));
    });
}
