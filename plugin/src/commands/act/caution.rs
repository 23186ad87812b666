//! What speaks against an action before it is asked for.
//!
//! What the operator would surely reject is refused here at once. What would let the action wait is said and left to
//! the person, and so is the state of the device: the inventory may be behind, and the operator asks Google itself.

use chrome_enterprise_operator::api::action::ActionType;
use chrome_enterprise_operator::api::conditions;
use chrome_enterprise_operator::api::connection::{Access, ChromeEnterpriseConnection, ConnectionState};
use kube::ResourceExt as _;
use kube::api::ListParams;

use super::order::Order;
use crate::cluster::{Cluster, pages};
use crate::failure::Failure;
use crate::output::clean;

/// What speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caution {
    /// It would be rejected.
    Refused(Failure),
    /// It may wait, or end as another state than hoped for.
    Doubtful(String),
}

/// Looks at the connection of the namespace.
pub(super) async fn of_connection(cluster: &Cluster) -> Option<Caution> {
    let doing = format!("look at the connection {}", cluster.scope(false).words());
    let listed = pages::<ChromeEnterpriseConnection>(cluster.api(), ListParams::default(), doing)
        .all()
        .await;
    match listed {
        Ok(all) => judge(all, cluster.namespace()),
        // Somebody may have the right to act and not to look. The operator looks for itself.
        Err(failure) => {
            let text = failure.to_string();
            Some(Caution::Doubtful(
                text.lines().next().unwrap_or_default().to_owned(),
            ))
        }
    }
}

fn judge(all: Vec<ChromeEnterpriseConnection>, namespace: &str) -> Option<Caution> {
    // The oldest owns the namespace, as the operator sees it.
    let owner = all
        .into_iter()
        .min_by_key(|one| (one.creation_timestamp(), one.uid()));
    let Some(owner) = owner else {
        return Some(Caution::Doubtful(format!(
            "Namespace {namespace} has no connection to Google. The action waits for one, and ends as Expired without it."
        )));
    };
    let name = owner.name_any();
    if owner.metadata.deletion_timestamp.is_some() {
        return Some(Caution::Refused(
            Failure::new(format!(
                "Connection {name} of namespace {namespace} is being removed, so the action would be rejected."
            ))
            .advise("Make a new connection first: `kubectl chromeos connect`."),
        ));
    }
    if owner.spec.access == Access::ReadOnly {
        return Some(Caution::Refused(
            Failure::new(format!(
                "Connection {name} of namespace {namespace} may only read, so the action would be rejected."
            ))
            .advise(format!(
                "To allow actions, set its spec.access to ReadWrite and grant the scopes that its status then names: \
                 `kubectl -n {namespace} edit cec {name}`."
            )),
        ));
    }
    if owner.spec.sync.suspend {
        return Some(Caution::Doubtful(format!(
            "Connection {name} is suspended. The action waits until `kubectl chromeos resume {name}`."
        )));
    }
    let status = owner.status.as_ref();
    let state = status.and_then(|status| status.state);
    let told = status
        .and_then(|status| conditions::find(&status.conditions, conditions::READY))
        .map(|ready| format!(" {}", clean(&ready.message)))
        .unwrap_or_default();
    match state {
        // A sync that runs holds up no action on a device that it has read already.
        Some(ConnectionState::Active | ConnectionState::Syncing) => None,
        Some(
            other @ (ConnectionState::Connecting
            | ConnectionState::Degraded
            | ConnectionState::Suspended
            | ConnectionState::Conflict
            | ConnectionState::Deleting),
        ) => Some(Caution::Doubtful(format!(
            "Connection {name} is {other:?}, so the action may have to wait.{told}"
        ))),
        None => Some(Caution::Doubtful(format!(
            "No operator has looked at connection {name} yet, so the action waits. `kubectl chromeos doctor` checks \
             whether it runs."
        ))),
    }
}

/// Compares the state of the device, as the inventory has it, with the order.
pub(super) fn of_state(order: &Order, state: Option<&str>) -> Option<Caution> {
    let state = state?;
    let already = match order.type_() {
        ActionType::Deprovision => state == "DEPROVISIONED",
        ActionType::EnableLostMode => state == "DISABLED",
        ActionType::DisableLostMode => state == "ACTIVE",
        ActionType::Restart | ActionType::Wipe => false,
    };
    if already {
        return Some(Caution::Doubtful(format!(
            "The device already is {state} by the inventory. If Google says the same, nothing is sent."
        )));
    }
    let forbids = match order.type_() {
        ActionType::Restart | ActionType::Wipe => matches!(state, "DEPROVISIONED" | "PRE_PROVISIONED"),
        ActionType::Deprovision => state == "PRE_PROVISIONED",
        ActionType::EnableLostMode | ActionType::DisableLostMode => matches!(
            state,
            "DEPROVISIONED" | "PRE_PROVISIONED" | "INACTIVE" | "DELINQUENT"
        ),
    };
    forbids.then(|| {
        Caution::Doubtful(format!(
            "The device is {state} by the inventory. If Google says the same, the action is rejected."
        ))
    })
}

#[cfg(test)]
mod tests {
    use chrome_enterprise_operator::api::action::RestartParameters;
    use serde_json::{Value, json};

    use super::*;

    fn connection(name: &str, created: &str, spec: &Value, status: &Value) -> ChromeEnterpriseConnection {
        let mut object = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": name, "creationTimestamp": created, "uid": name },
            "spec": { "adminEmail": "admin@school.example", "credentials": {} }, "status": status,
        });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    fn judged(spec: &Value, status: &Value) -> Option<Caution> {
        judge(
            vec![connection("main", "2026-01-01T00:00:00Z", spec, status)],
            "school",
        )
    }

    #[test]
    fn what_would_be_rejected_is_refused_and_what_waits_is_said() {
        assert_eq!(judged(&json!({}), &json!({ "state": "Active" })), None);
        assert_eq!(judged(&json!({}), &json!({ "state": "Syncing" })), None);
        let refused = judged(&json!({ "access": "ReadOnly" }), &json!({ "state": "Active" }));
        assert!(matches!(refused, Some(Caution::Refused(_))), "{refused:?}");
        for (spec, status, says) in [
            (json!({}), json!({}), "No operator has looked"),
            (
                json!({ "sync": { "suspend": true } }),
                json!({ "state": "Suspended" }),
                "suspended",
            ),
            (json!({}), json!({ "state": "Degraded" }), "is Degraded"),
        ] {
            match judged(&spec, &status) {
                Some(Caution::Doubtful(text)) => assert!(text.contains(says), "{text}"),
                other => panic!("{says}: {other:?}"),
            }
        }
        assert!(matches!(judge(Vec::new(), "school"), Some(Caution::Doubtful(_))));
    }

    #[test]
    fn the_oldest_connection_counts() {
        let old = connection(
            "old",
            "2026-01-01T00:00:00Z",
            &json!({ "access": "ReadOnly" }),
            &json!({}),
        );
        let new = connection(
            "new",
            "2026-01-02T00:00:00Z",
            &json!({}),
            &json!({ "state": "Active" }),
        );
        assert!(matches!(
            judge(vec![new, old], "school"),
            Some(Caution::Refused(_))
        ));
    }

    #[test]
    fn states_are_judged_as_the_operator_does() {
        let restart = Order::Restart(RestartParameters::default());
        assert_eq!(of_state(&restart, Some("ACTIVE")), None);
        assert_eq!(of_state(&restart, Some("DISABLED")), None);
        assert_eq!(of_state(&restart, None), None);
        assert!(of_state(&restart, Some("DEPROVISIONED")).is_some());
        assert!(of_state(&Order::EnableLostMode, Some("DISABLED")).is_some());
        assert!(of_state(&Order::EnableLostMode, Some("DELINQUENT")).is_some());
        assert!(of_state(&Order::DisableLostMode, Some("ACTIVE")).is_some());
        assert_eq!(of_state(&Order::DisableLostMode, Some("DISABLED")), None);
    }
}
