//! What a connection that does not work means for actions: new ones, claimed ones and sent ones.

use std::time::Duration;

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use serde_json::json;

use crate::school::{School, message, spec, state, told};
use crate::world::{SCHOOL, run};

#[test]
fn read_only_refuses_and_follows_what_was_sent() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .send_offline("sent", &device, ActionType::Restart, "")
            .await;
        school.world.connect(json!({ "access": "ReadOnly" })).await;
        let other = school.device(1);
        school
            .create("refused", spec(&other, ActionType::EnableLostMode, ""))
            .await;
        let refused = school.until_done("refused").await;
        assert_eq!(told(&refused), "Rejected/ConnectionReadOnly");
        assert!(message(&refused).contains("ReadWrite"));
        school.online(&device, true);
        assert_eq!(
            told(&school.until_done("sent").await),
            "Succeeded/ExecutedByDevice"
        );
        assert_eq!(school.witness(&other).api.disables, 0);
    });
}

#[test]
fn suspended_and_broken_connections_let_actions_wait() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        school.world.connect(json!({ "sync": { "suspend": true } })).await;
        let device = school.device(0);
        school
            .create("suspended", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        school.until_reason("suspended", "ConnectionSuspended").await;
        assert_eq!(school.witness(&device).api.disables, 0);
        school
            .world
            .connect(json!({ "sync": { "suspend": false } }))
            .await;
        assert_eq!(
            told(&school.until_done("suspended").await),
            "Succeeded/ChangedAtGoogle"
        );

        school
            .world
            .put_secret("google", "service-account.json", "broken")
            .await;
        school
            .create("keyless", spec(&device, ActionType::DisableLostMode, ""))
            .await;
        school.until_reason("keyless", "SecretInvalid").await;
        let key = school.world.google.service_account_json().unwrap();
        school
            .world
            .put_secret("google", "service-account.json", &key)
            .await;
        assert_eq!(
            told(&school.until_done("keyless").await),
            "Succeeded/ChangedAtGoogle"
        );

        let forbidden = Fault::Forbidden {
            reason: ForbiddenReason::Forbidden,
        };
        let google = school.world.google.state();
        google
            .add_fault(FaultRule::on(ApiMethod::DevicesGet, forbidden))
            .unwrap();
        school
            .create("unreadable", spec(&device, ActionType::EnableLostMode, ""))
            .await;
        let waiting = school.until_reason("unreadable", "PrivilegeMissing").await;
        assert_eq!(state(&waiting), Some(ActionState::Pending));
        assert!(message(&waiting).contains(&school.world.google.admin_email()));
        google.clear_faults();
        assert_eq!(
            told(&school.until_done("unreadable").await),
            "Succeeded/ChangedAtGoogle"
        );
    });
}

#[test]
fn a_deleted_connection_ends_what_waits_and_what_was_sent_is_followed_by_its_successor() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let sent_to = school.device(0);
        school
            .send_offline("sent", &sent_to, ActionType::Restart, "")
            .await;
        school.world.connect(json!({ "sync": { "suspend": true } })).await;
        let waiting = school.device(1);
        school
            .create("waiting", spec(&waiting, ActionType::EnableLostMode, ""))
            .await;
        school.until_reason("waiting", "ConnectionSuspended").await;
        school.world.delete_connection(SCHOOL).await;
        school.world.until_gone(SCHOOL).await;
        let ended = school.until_done("waiting").await;
        assert_eq!(told(&ended), "Rejected/ConnectionDeleted");
        school
            .create("orphan", spec(&waiting, ActionType::EnableLostMode, ""))
            .await;
        school.until_reason("orphan", "NoConnection").await;
        assert_eq!(state(&school.action("sent").await), Some(ActionState::Sent));

        school.world.connect(json!({})).await;
        school.world.until_active().await;
        assert_eq!(
            told(&school.until_done("orphan").await),
            "Succeeded/ChangedAtGoogle"
        );
        school.online(&sent_to, true);
        assert_eq!(
            told(&school.until_done("sent").await),
            "Succeeded/ExecutedByDevice"
        );
        assert_eq!(school.witness(&waiting).api.disables, 1, "only the orphan's");
    });
}

#[test]
fn a_namespace_that_goes_takes_its_actions_and_receipts_with_it() {
    run(async |cluster| {
        let school = School::start(cluster, 60).await;
        let device = school.device(0);
        school
            .send_offline("sent", &device, ActionType::Restart, "")
            .await;
        let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> =
            kube::Api::all(school.world.client.clone());
        namespaces
            .delete(&school.world.namespace, &kube::api::DeleteParams::default())
            .await
            .unwrap();
        for _ in 0..600 {
            if namespaces
                .get_opt(&school.world.namespace)
                .await
                .unwrap()
                .is_none()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the namespace stays:\n{}", school.world.operator.log_tail());
    });
}
