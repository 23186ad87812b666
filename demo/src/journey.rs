//! The way of the connection, as the watch tells it: Connecting, Syncing, Active. Pure.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::conditions::{self, READY, STALLED};
use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnectionStatus, ConnectionState};

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Journey {
    states: Vec<ConnectionState>,
    told: String,
}

impl Journey {
    /// Takes in what the connection says now; gives a line if that is news for people.
    pub(crate) fn observe(&mut self, connection: &ChromeEnterpriseConnection) -> Option<String> {
        let status = connection.status.as_ref()?;
        let state = status.state?;
        if self.states.last() != Some(&state) {
            self.states.push(state);
        }
        let message = conditions::find(&status.conditions, READY).map_or("", |ready| ready.message.as_str());
        let line = format!("{state:?}: {message}");
        if line == self.told {
            return None;
        }
        self.told.clone_from(&line);
        Some(line)
    }

    /// The states that were seen, in order, such as `Connecting -> Syncing -> Active`.
    pub(crate) fn states(&self) -> String {
        let names: Vec<String> = self.states.iter().map(|state| format!("{state:?}")).collect();
        names.join(" -> ")
    }

    /// Whether the first sync was the whole of the way and nothing went wrong on it.
    pub(crate) fn is_the_plain_way(&self) -> bool {
        self.states
            == [
                ConnectionState::Connecting,
                ConnectionState::Syncing,
                ConnectionState::Active,
            ]
    }
}

/// The status, once the first complete sync of the present spec is over.
pub(crate) fn arrived(connection: &ChromeEnterpriseConnection) -> Option<&ChromeEnterpriseConnectionStatus> {
    let status = connection.status.as_ref()?;
    let current = status.observed_generation == connection.metadata.generation;
    let ready = conditions::find(&status.conditions, READY).is_some_and(|ready| ready.status == "True");
    (current && ready && status.state == Some(ConnectionState::Active)).then_some(status)
}

/// Whether the operator says that only a person can help.
pub(crate) fn is_stalled(connection: &ChromeEnterpriseConnection) -> bool {
    let conditions = connection
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    conditions::find(conditions, STALLED).is_some_and(|stalled| stalled.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn connection(state: &str, ready: &str, message: &str, generation: i64) -> ChromeEnterpriseConnection {
        serde_json::from_value(json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1",
            "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "school", "generation": 2 },
            "spec": { "adminEmail": "it-admin@school.example", "credentials": {} },
            "status": {
                "state": state,
                "observedGeneration": generation,
                "conditions": [{
                    "type": "Ready", "status": ready, "reason": "Any", "message": message,
                    "lastTransitionTime": "2026-03-02T10:00:00Z",
                }],
            },
        }))
        .unwrap()
    }

    #[test]
    fn only_news_is_told() {
        let mut journey = Journey::default();
        let step = |journey: &mut Journey, state: &str, message: &str| {
            journey.observe(&connection(state, "False", message, 2))
        };
        assert_eq!(
            step(&mut journey, "Connecting", "signing in").as_deref(),
            Some("Connecting: signing in")
        );
        assert_eq!(step(&mut journey, "Connecting", "signing in"), None);
        assert!(step(&mut journey, "Syncing", "reading").is_some());
        assert!(!journey.is_the_plain_way());
        assert!(step(&mut journey, "Active", "complete").is_some());
        assert!(journey.is_the_plain_way());
        assert_eq!(journey.states(), "Connecting -> Syncing -> Active");
        assert!(step(&mut journey, "Degraded", "Google is away").is_some());
        assert!(!journey.is_the_plain_way());
    }

    #[test]
    fn a_stalled_connection_is_noticed() {
        let mut stalled = connection("Connecting", "False", "The Secret is missing.", 2);
        assert!(!is_stalled(&stalled));
        let mut condition = stalled.status.as_ref().unwrap().conditions[0].clone();
        condition.type_ = STALLED.to_owned();
        condition.status = "True".to_owned();
        stalled.status.as_mut().unwrap().conditions.push(condition);
        assert!(is_stalled(&stalled));
    }

    #[test]
    fn nothing_is_known_without_a_status() {
        let mut fresh = connection("Active", "True", "complete", 2);
        fresh.status = None;
        assert_eq!(Journey::default().observe(&fresh), None);
        assert!(arrived(&fresh).is_none());
    }

    #[test]
    fn only_a_ready_and_current_active_connection_has_arrived() {
        assert!(arrived(&connection("Active", "True", "complete", 2)).is_some());
        assert!(arrived(&connection("Active", "True", "of an older spec", 1)).is_none());
        assert!(arrived(&connection("Active", "False", "no", 2)).is_none());
        assert!(arrived(&connection("Syncing", "True", "no", 2)).is_none());
    }
}
