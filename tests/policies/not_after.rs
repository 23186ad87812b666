//! How long an action may wait: `spec.notAfter` against the time of creation that the API server sets.

use std::time::Duration;

use chrome_enterprise_operator::api::action::ActionType;
use serde_json::{Value, json};

use crate::objects::{action, action_at, actions, in_future};
use crate::requests::{accepted, refused};
use crate::server::run;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const WEEK: Duration = Duration::from_hours(7 * 24);
const ALMOST_A_WEEK: Duration = Duration::from_hours(7 * 24 - 1);

const WORDS: [&str; 4] = [
    "ValidatingAdmissionPolicy 'action-creation.chromeenterprise.dev'",
    "spec.notAfter is 20",
    "more than 7 days after the creation of the DeviceAction",
    "Choose a time up to 20",
];

fn restart_until(not_after: &str) -> Value {
    let mut action = action("library-07", ActionType::Restart);
    action["spec"]["notAfter"] = json!(not_after);
    action
}

/// The same moment as `time`, as it is written an hour further east.
fn further_east(time: Duration) -> String {
    in_future(time + HOUR).replace('Z', "+01:00")
}

#[test]
fn a_week_is_the_limit() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let cases = [
            (in_future(WEEK + MINUTE), false),
            (in_future(ALMOST_A_WEEK), true),
            (in_future(ALMOST_A_WEEK + 59 * MINUTE), true),
            (in_future(400 * WEEK), false),
            (further_east(ALMOST_A_WEEK + 59 * MINUTE), true),
            (further_east(WEEK + MINUTE), false),
            (in_future(MINUTE), true),
            // A manifest that is applied again long after its time; the operator ends it without sending anything.
            ("2020-02-29T12:00:00Z".to_owned(), true),
            ("2026-01-01T00:00:00.123456789+14:00".to_owned(), true),
        ];
        for (not_after, allowed) in cases {
            let answer = server
                .admin
                .try_create(&actions(&namespace), &restart_until(&not_after))
                .await;
            if allowed {
                accepted(&not_after, answer);
            } else {
                refused(&not_after, answer, 422, &WORDS);
            }
        }
    });
}

#[test]
fn the_time_of_creation_is_the_servers_and_not_the_clients() {
    run(|server| async move {
        let namespace = server.namespace().await;
        for claimed in ["2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z"] {
            for (not_after, allowed) in [(ALMOST_A_WEEK, true), (WEEK + HOUR, false)] {
                let mut action = restart_until(&in_future(not_after));
                action["metadata"]["creationTimestamp"] = json!(claimed);
                let case = format!("{claimed}, {not_after:?}");
                let answer = server.admin.try_create(&actions(&namespace), &action).await;
                if allowed {
                    accepted(&case, answer);
                } else {
                    refused(&case, answer, 422, &WORDS);
                }
            }
        }
    });
}

#[test]
fn apply_is_no_way_around() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let path = action_at(&namespace, "library-07");
        let late = restart_until(&in_future(WEEK + HOUR));
        refused("apply", server.admin.apply(&path, &late).await, 422, &WORDS);
        let mut in_time = restart_until(&in_future(ALMOST_A_WEEK));
        accepted("apply", server.admin.apply(&path, &in_time).await);
        accepted("the same again", server.admin.apply(&path, &in_time).await);
        // The rule of the resource type takes over from there: the spec never changes.
        in_time["spec"]["notAfter"] = json!(in_future(ALMOST_A_WEEK + MINUTE));
        let answer = server.admin.apply(&path, &in_time).await;
        refused(
            "a later time",
            answer,
            422,
            &["the spec of a DeviceAction never changes"],
        );
    });
}
