//! `chromeenterprise.dev/requested-by` where the cluster writes it: on creation and on every kind of update.
//! `requester_apply.rs` has server-side apply, `older_cluster.rs` a cluster that cannot write it.

use chrome_enterprise_operator::api::action::ActionType::Restart;
use serde_json::{Value, json};

use crate::objects::{REQUESTED_BY, action, action_at, action_by, actions, requester};
use crate::people::unique;
use crate::requests::{User, accepted, forbidden_by};
use crate::server::{Server, run};

pub(crate) const ANNA: &str = "anna@school.example";
pub(crate) const BERT: &str = "bert@school.example";

/// A namespace in which these two do everything with devices.
pub(crate) async fn two_administrators(server: &Server) -> (String, User, User) {
    let namespace = server.namespace().await;
    for name in [ANNA, BERT] {
        let role = "chromeenterprise-device-administrator";
        server.bind(&namespace, name, role).await;
    }
    (namespace, server.user(ANNA).await, server.user(BERT).await)
}

#[test]
fn creation_records_the_user_whatever_the_client_says() {
    run(|server| async move {
        let (namespace, anna, _) = two_administrators(server).await;
        let cases = [
            ("nothing", Value::Null),
            ("no annotation", json!({})),
            ("another annotation", json!({"school.example/ticket": "1234"})),
            ("her own name", json!({REQUESTED_BY: ANNA})),
            ("somebody else", json!({REQUESTED_BY: BERT})),
            ("nobody", json!({REQUESTED_BY: ""})),
            ("a long name", json!({REQUESTED_BY: "x".repeat(100_000)})),
        ];
        for (case, annotations) in cases {
            let mut object = action(&unique("restart"), Restart);
            if !annotations.is_null() {
                object["metadata"]["annotations"] = annotations.clone();
            }
            for path in [format!("{}?dryRun=All", actions(&namespace)), actions(&namespace)] {
                let stored = accepted(case, anna.create(&path, &object).await);
                assert_eq!(requester(&stored), Some(ANNA), "{case}");
                let other = &stored["metadata"]["annotations"]["school.example/ticket"];
                assert_eq!(other, &annotations["school.example/ticket"], "{case}");
            }
        }
    });
}

/// Also an administrator of the whole cluster is recorded as who they are.
#[test]
fn no_right_lets_anybody_record_another_name() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let forged = action_by("library-07", ANNA);
        let stored = server.admin.create(&actions(&namespace), &forged).await;
        assert_eq!(requester(&accepted("forged", stored)), Some("admin"));
        let backup = server.user("backup@school.example").await;
        server
            .bind(&namespace, &backup.name, "chromeenterprise-restore")
            .await;
        let stored = backup
            .create(&actions(&namespace), &action_by("library-08", ANNA))
            .await;
        assert_eq!(
            requester(&accepted("restored", stored)),
            Some("backup@school.example")
        );
    });
}

const NEVER_CHANGES: [&str; 3] = [
    "The annotation chromeenterprise.dev/requested-by of a DeviceAction never changes",
    "user 'anna@school.example' created this one",
    "Leave it out of the manifest or keep it as it is",
];

#[test]
fn no_update_changes_the_recorded_user() {
    run(|server| async move {
        let (namespace, anna, bert) = two_administrators(server).await;
        let path = action_at(&namespace, "library-07");
        let restart = action("library-07", Restart);
        let stored = accepted("a restart", anna.create(&actions(&namespace), &restart).await);
        let mut changed = stored.clone();
        changed["metadata"]["annotations"][REQUESTED_BY] = json!(BERT);
        for user in [&anna, &bert, &server.admin] {
            let forged = json!({"metadata": {"annotations": {REQUESTED_BY: user.name.clone() + "!"}}});
            let pointer = "/metadata/annotations/chromeenterprise.dev~1requested-by";
            let forged_in_place = json!([{"op": "replace", "path": pointer, "value": BERT}]);
            let answers = [
                ("edit", user.merge(&path, &forged).await),
                ("JSON patch", user.json_patch(&path, &forged_in_place).await),
                ("replace", user.replace(&path, &changed).await),
            ];
            for (way, answer) in answers {
                let case = format!("{way} by {}", user.name);
                forbidden_by("action-requester", &case, answer, &NEVER_CHANGES);
            }
        }
        let stored = accepted("the action", anna.get(&path).await);
        assert_eq!(requester(&stored), Some(ANNA));
    });
}

#[test]
fn every_other_update_is_accepted_and_keeps_the_recorded_user() {
    run(|server| async move {
        let (namespace, anna, bert) = two_administrators(server).await;
        let path = action_at(&namespace, "library-07");
        let mut restart = action_by("library-07", ANNA);
        restart["metadata"]["annotations"]["school.example/ticket"] = json!("1234");
        let stored = accepted("a restart", anna.create(&actions(&namespace), &restart).await);
        let (mut labelled, mut bare) = (stored.clone(), stored.clone());
        labelled["metadata"]["labels"] = json!({"cart": "8"});
        bare["metadata"] = json!({"name": "library-07"});
        let left_out = json!({"metadata": {"annotations": {REQUESTED_BY: null}}});
        let all_left_out = json!([{"op": "remove", "path": "/metadata/annotations"}]);
        let emptied = json!({"metadata": {"annotations": {REQUESTED_BY: ""}}});
        let same = json!({"metadata": {"annotations": {REQUESTED_BY: ANNA}}});
        let label = json!({"metadata": {"labels": {"cart": "7"}}});
        let finalizer = json!({"metadata": {"finalizers": ["school.example/kept"]}});
        let no_finalizer = json!({"metadata": {"finalizers": null}});
        let answers = [
            ("a label", bert.merge(&path, &label).await),
            ("the same value", bert.merge(&path, &same).await),
            ("a finalizer", bert.merge(&path, &finalizer).await),
            ("no finalizer", bert.merge(&path, &no_finalizer).await),
            ("left out of an edit", bert.merge(&path, &left_out).await),
            ("emptied", bert.merge(&path, &emptied).await),
            ("without annotations", bert.json_patch(&path, &all_left_out).await),
            // `kubectl replace` of a manifest that never had it.
            (
                "left out of a replacement",
                bert.replace_latest(&path, &bare).await,
            ),
        ];
        for (case, answer) in answers {
            assert_eq!(requester(&accepted(case, answer)), Some(ANNA), "{case}");
        }
        let answer = bert.replace_latest(&path, &labelled).await;
        assert_eq!(requester(&accepted("a replacement", answer)), Some(ANNA));
    });
}

/// A write of the status could carry metadata too. The API server ignores them there.
#[test]
fn the_status_is_no_way_around() {
    run(|server| async move {
        let (namespace, anna, _) = two_administrators(server).await;
        let operator = server.user("operator@school.example").await;
        server
            .bind(&namespace, &operator.name, "chromeenterprise-operator")
            .await;
        let path = action_at(&namespace, "library-07");
        let restart = action("library-07", Restart);
        let mut forged = accepted("a restart", anna.create(&actions(&namespace), &restart).await);
        let status = format!("{path}/status");
        forged["metadata"]["annotations"][REQUESTED_BY] = json!(BERT);
        forged["status"] = json!({"state": "Pending"});
        let merged = json!({"metadata": {"annotations": {REQUESTED_BY: BERT}}, "status": {"state": "Sent"}});
        for (case, answer, state) in [
            ("replace", operator.replace(&status, &forged).await, "Pending"),
            ("merge", operator.merge(&status, &merged).await, "Sent"),
        ] {
            let stored = accepted(case, answer);
            assert_eq!(requester(&stored), Some(ANNA), "{case}");
            assert_eq!(stored["status"]["state"], state, "{case}");
        }
    });
}

#[test]
fn a_name_longer_than_a_receipt_can_hold_is_refused() {
    run(|server| async move {
        let namespace = server.namespace().await;
        for (letters, allowed) in [(1024, true), (1025, false), (6000, false)] {
            let name = "x".repeat(letters);
            let user = server.user(&name).await;
            let role = "chromeenterprise-device-administrator";
            server.bind(&namespace, &name, role).await;
            let restart = action(&format!("restart-{letters}"), Restart);
            let answer = user.create(&actions(&namespace), &restart).await;
            if allowed {
                assert_eq!(requester(&accepted("a long name", answer)), Some(name.as_str()));
            } else {
                let words = [
                    "longer than 1024 characters",
                    "Use an account with a shorter name",
                ];
                forbidden_by("action-requester", "too long", answer, &words);
            }
        }
    });
}
