//! A cluster without mutating admission policies, as all are before Kubernetes 1.36: the API server runs with the
//! interfaces of 1.35. Nobody records the user there, and still nobody can name somebody else.

use chrome_enterprise_operator::api::action::ActionType::{Restart, Wipe};
use devcluster::DevCluster;
use serde_json::{Value, json};

use crate::objects::{REQUESTED_BY, action, action_at, action_by, actions, receipt, receipts, requester};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requester::{ANNA, BERT, two_administrators};
use crate::requests::{Answer, User, accepted, forbidden_by};
use crate::server::{Server, run_with};

#[test]
fn the_other_policies_hold_without_the_one_that_writes() {
    let older = DevCluster::builder().apiserver_args(["--emulated-version=1.35"]);
    run_with(older, async |server| {
        assert_eq!(
            server.unknown_kinds,
            ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"],
            "nothing else is too new"
        );
        let (namespace, anna, bert) = two_administrators(server).await;
        creations(&namespace, &anna).await;
        a_recorded_name(&namespace, &anna, &bert).await;
        no_recorded_name(&namespace, &anna, &bert).await;
        long_names(server, &namespace).await;
        the_rest(server, &namespace).await;
    });
}

async fn creations(namespace: &str, anna: &User) {
    let forged = action_by("forged", BERT);
    let words = [
        "says 'bert@school.example', but it is user 'anna@school.example' who creates this DeviceAction",
        "Leave the annotation out",
    ];
    let applied = anna.apply(&action_at(namespace, "forged"), &forged).await;
    let created = anna.create(&actions(namespace), &forged).await;
    for (case, answer) in [("create", created), ("apply", applied)] {
        forbidden_by("action-requester", case, answer, &words);
    }
    let empty = anna.create(&actions(namespace), &action_by("empty", "")).await;
    assert_eq!(requester(&accepted("an empty name", empty)), Some(""));
}

fn never_changes(case: &str, answer: Answer, words: [&str; 2]) {
    forbidden_by(
        "action-requester",
        case,
        answer,
        &["never changes", words[0], words[1]],
    );
}

/// The client sent the name of its own user; from then on it is kept.
async fn a_recorded_name(namespace: &str, anna: &User, bert: &User) {
    let path = action_at(namespace, "recorded");
    let manifest = action_by("recorded", ANNA);
    for case in ["created", "applied again"] {
        let stored = accepted(case, anna.apply(&path, &manifest).await);
        assert_eq!(requester(&stored), Some(ANNA), "{case}");
    }
    let created = "user 'anna@school.example' created this one";
    let forged = json!({"metadata": {"annotations": {REQUESTED_BY: BERT}}});
    let keep = [created, "keep it as it is"];
    never_changes("an edit", bert.merge(&path, &forged).await, keep);
    never_changes(
        "apply",
        bert.apply(&path, &action_by("recorded", BERT)).await,
        keep,
    );
    let left_out = json!({"metadata": {"annotations": {REQUESTED_BY: null}}});
    let remains = [created, "Do not remove it"];
    never_changes("left out", bert.merge(&path, &left_out).await, remains);
    let bare = json!({"metadata": {"name": "recorded"}, "spec": manifest["spec"],
        "apiVersion": manifest["apiVersion"], "kind": manifest["kind"]});
    never_changes("replaced", bert.replace_latest(&path, &bare).await, remains);
    let label = json!({"metadata": {"labels": {"cart": "7"}}});
    let stored = accepted("a label", bert.merge(&path, &label).await);
    assert_eq!(requester(&stored), Some(ANNA));
}

/// The client sent no name; from then on there is none.
async fn no_recorded_name(namespace: &str, anna: &User, bert: &User) {
    let path = action_at(namespace, "not-recorded");
    let mut manifest = action("not-recorded", Restart);
    for (case, user) in [("created", anna), ("applied again", anna), ("by another", bert)] {
        let stored = accepted(case, user.apply(&path, &manifest).await);
        assert_eq!(requester(&stored), None, "{case}");
    }
    let nobody = [
        "nobody was recorded when this one was created",
        "Leave it out of the manifest",
    ];
    for user in [anna, bert] {
        let own = json!({"metadata": {"annotations": {REQUESTED_BY: user.name}}});
        never_changes("too late", user.merge(&path, &own).await, nobody);
    }
    manifest["metadata"]["annotations"] = json!({"school.example/ticket": "1234"});
    let stored = accepted("another annotation", anna.apply(&path, &manifest).await);
    assert_eq!(requester(&stored), None);
    let bare = json!({"metadata": {"name": "not-recorded"}, "spec": manifest["spec"],
        "apiVersion": manifest["apiVersion"], "kind": manifest["kind"]});
    accepted("replaced", anna.replace_latest(&path, &bare).await);
}

async fn long_names(server: &Server, namespace: &str) {
    for (letters, allowed) in [(1024, true), (1025, false)] {
        let name = "x".repeat(letters);
        let user = server.user(&name).await;
        let role = "chromeenterprise-device-administrator";
        server.bind(namespace, &name, role).await;
        let named = user
            .create(
                &actions(namespace),
                &action_by(&format!("named-{letters}"), &name),
            )
            .await;
        if allowed {
            accepted("the longest name", named);
        } else {
            let words = ["longer than 1024 characters"];
            forbidden_by("action-requester", "too long", named, &words);
        }
        // Where nothing is to be recorded, the length does not matter.
        let unnamed = action(&format!("unnamed-{letters}"), Restart);
        accepted("no name", user.create(&actions(namespace), &unnamed).await);
    }
}

async fn the_rest(server: &Server, namespace: &str) {
    let carl = server.user("carl@school.example").await;
    let rules = ["deviceactions", "deviceactions/status", "deviceactionreceipts"]
        .map(|resource| rule(resource, &ALL_COMMON_VERBS));
    server.allow(namespace, &carl.name, &rules).await;
    let wipe = carl.create(&actions(namespace), &action("a-wipe", Wipe)).await;
    forbidden_by("action-creation", "a wipe", wipe, &["the verb 'wipe'"]);
    let made = carl.create(&receipts(namespace), &receipt("library-07")).await;
    forbidden_by("receipt-writers", "a receipt", made, &["may not create"]);
    let status: Value = json!({"status": {"state": "Succeeded"}});
    let path = format!("{}/status", action_at(namespace, "recorded"));
    let written = carl.merge(&path, &status).await;
    forbidden_by("action-status", "a status", written, &["only the operator does"]);
    accepted("by the administrator", server.admin.merge(&path, &status).await);
}
