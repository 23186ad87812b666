//! Several operators at once, without a leader.

use std::time::Duration;

use chrome_enterprise_operator::runtime::moments::Moment;

use crate::answers::every_case;
use crate::disturbed::Disturbed;
use crate::orders::Order;
use crate::school::{PLENTY, QUICK, School, told};
use crate::world::{Cluster, Operator, run};

/// One more operator for the same namespace.
fn another(cluster: &Cluster, school: &School) -> Operator {
    let namespaces = [school.world.namespace.as_str()];
    Operator::start_with(
        cluster.server.kubeconfig(),
        &namespaces,
        &school.world.google.url(),
        &[QUICK.as_slice(), PLENTY.as_slice()].concat(),
    )
}

#[test]
fn two_operators_do_together_what_one_does() {
    run(async |cluster| {
        let school = School::start(cluster, 200).await;
        let _second = another(cluster, &school);
        every_case(&school).await;
        school.world.sync().await;
        school.world.assert_inventory_is_true().await;
    });
}

/// The winner of the claim stands still at `moment` until another process has ended the action; then it goes on.
async fn paused_winner(cluster: &Cluster, order: Order) {
    let disturbed = Disturbed::start(cluster, 60).await;
    for (number, moment) in [Moment::AfterClaim, Moment::AfterRecheck, Moment::BeforeSend]
        .into_iter()
        .enumerate()
    {
        let what = format!("{order:?} {moment:?}");
        let device = disturbed.school.prepared(number, order);
        disturbed.stop_at(moment);
        let name = format!("paused-{number}");
        disturbed.school.create(&name, order.spec(&device)).await;
        disturbed.until_stopped().await;
        let second = another(cluster, &disturbed.school);
        let ended = disturbed.school.until_done(&name).await;
        let receipt = disturbed.school.receipt(&name).await;
        assert_eq!(told(&ended), "OutcomeUnknown/SenderLost", "{what}: {receipt:?}");
        drop(second);
        disturbed.school.world.operator.signal("CONT");
        // It notices that it did not send, and may say so in the record; the end stays.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(
            order.done(&disturbed.school, &device),
            0,
            "{what}: it was sent after all"
        );
        let after = disturbed.school.receipt(&name).await;
        assert_eq!(after.spec.state, receipt.spec.state, "{what}");
        assert_eq!(
            told(&disturbed.school.action(&name).await),
            "OutcomeUnknown/SenderLost"
        );
    }
}

#[test]
fn a_winner_that_was_paused_until_others_ended_the_action_sends_nothing() {
    run(async |cluster| {
        let orders = Order::ALL.map(|order| paused_winner(cluster, order));
        futures::future::join_all(orders).await;
    });
}
