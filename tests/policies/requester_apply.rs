//! `chromeenterprise.dev/requested-by` and server-side apply, which GitOps tools use: who applies a manifest again must
//! not fail for ever, and must not name somebody else.

use chrome_enterprise_operator::api::action::ActionType::Restart;
use serde_json::json;

use crate::objects::{REQUESTED_BY, action, action_at, action_by, requester};
use crate::requester::{ANNA, BERT, two_administrators};
use crate::requests::{accepted, forbidden_by};
use crate::server::run;

#[test]
fn a_manifest_without_the_annotation_can_be_applied_again_and_again() {
    run(|server| async move {
        let (namespace, anna, bert) = two_administrators(server).await;
        let path = action_at(&namespace, "library-07");
        let mut manifest = action("library-07", Restart);
        let mut versions = Vec::new();
        for user in [&anna, &anna, &bert] {
            for path in [format!("{path}?dryRun=All"), path.clone()] {
                let stored = accepted("apply", user.apply(&path, &manifest).await);
                assert_eq!(requester(&stored), Some(ANNA), "by {}", user.name);
                versions.push(stored["metadata"]["resourceVersion"].clone());
            }
        }
        assert_eq!(versions[1], versions[3], "what changes nothing is not a write");
        manifest["metadata"]["labels"] = json!({"cart": "7"});
        let stored = accepted("a label", bert.apply(&path, &manifest).await);
        assert_eq!(requester(&stored), Some(ANNA));
    });
}

/// The cluster writes over what the manifest says, so the second time it would be a change. That is refused, and what
/// the refusal advises works: to leave the annotation out.
#[test]
fn a_manifest_that_names_somebody_else_is_corrected_once_and_then_refused() {
    run(|server| async move {
        let (namespace, anna, _) = two_administrators(server).await;
        let path = action_at(&namespace, "library-07");
        let forged = action_by("library-07", BERT);
        let stored = accepted("created", anna.apply(&path, &forged).await);
        assert_eq!(requester(&stored), Some(ANNA));
        let words = [
            "user 'anna@school.example' created this one",
            "Leave it out of the manifest or keep it as it is",
        ];
        let answer = anna.apply(&path, &forged).await;
        forbidden_by("action-requester", "applied again", answer, &words);
        let honest = action_by("library-07", ANNA);
        let stored = accepted("with the right name", anna.apply(&path, &honest).await);
        assert_eq!(requester(&stored), Some(ANNA));
        // Apply takes away what its manager had set and does not set any more; the cluster puts it back.
        let mut without = forged;
        without["metadata"] = json!({"name": "library-07"});
        for case in ["left out", "left out again"] {
            let stored = accepted(case, anna.apply(&path, &without).await);
            assert_eq!(requester(&stored), Some(ANNA), "{case}");
        }
    });
}

#[test]
fn another_manager_takes_over_nothing_by_force() {
    run(|server| async move {
        let (namespace, anna, bert) = two_administrators(server).await;
        let path = action_at(&namespace, "library-07");
        accepted("created", anna.apply(&path, &action("library-07", Restart)).await);
        let only = |value: &str| {
            json!({
                "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
                "metadata": {"name": "library-07", "annotations": {REQUESTED_BY: value}}
            })
        };
        let words = ["never changes", "user 'anna@school.example' created this one"];
        let answer = bert.apply(&path, &only(BERT)).await;
        forbidden_by("action-requester", "his own name", answer, &words);
        let stored = accepted("her name", bert.apply(&path, &only(ANNA)).await);
        assert_eq!(requester(&stored), Some(ANNA));
    });
}
