//! The way of an action, as the watch tells it: Pending, Sent, Acknowledged, Succeeded. Pure.

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::api::conditions;

/// The condition whose reason and sentence tell how an action goes.
const SUCCEEDED: &str = "Succeeded";

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Course {
    states: Vec<ActionState>,
    told: String,
}

impl Course {
    /// Takes in what the action says now; gives a line if that is news for people.
    pub(crate) fn observe(&mut self, action: &DeviceAction) -> Option<String> {
        let state = action.status.as_ref()?.state?;
        if self.states.last() != Some(&state) {
            self.states.push(state);
        }
        let line = sentence(action)?;
        if line == self.told {
            return None;
        }
        self.told.clone_from(&line);
        Some(line)
    }

    /// The states that were seen, in order, such as `Pending -> Dispatching -> Succeeded`.
    pub(crate) fn states(&self) -> String {
        let names: Vec<&str> = self.states.iter().map(|state| state.as_str()).collect();
        names.join(" -> ")
    }

    /// The state, once nothing can change it any more.
    pub(crate) fn end(&self) -> Option<ActionState> {
        self.states.last().copied().filter(|state| state.is_final())
    }

    /// State, reason and sentence as they were told last.
    pub(crate) fn told(&self) -> &str {
        if self.told.is_empty() {
            "the operator has not written a status of it"
        } else {
            &self.told
        }
    }
}

/// State, reason and sentence, such as `Sent (AcceptedByGoogle): Google has accepted the command.`, with the words of
/// Google or of the device if there are any.
fn sentence(action: &DeviceAction) -> Option<String> {
    let status = action.status.as_ref()?;
    let state = status.state?.as_str();
    let Some(condition) = conditions::find(&status.conditions, SUCCEEDED) else {
        return Some(state.to_owned());
    };
    let quote = status
        .google_message
        .as_ref()
        .map_or_else(String::new, |message| format!(" (\"{message}\")"));
    Some(format!(
        "{state} ({}): {}{quote}",
        condition.reason, condition.message
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn action(status: &Value) -> DeviceAction {
        serde_json::from_value(json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1",
            "kind": "DeviceAction",
            "metadata": { "name": "lost" },
            "spec": { "serialNumber": "5CD1", "type": "EnableLostMode", "notAfter": "2026-03-02T10:00:00Z" },
            "status": status,
        }))
        .unwrap()
    }

    fn told(state: &str, reason: &str, message: &str) -> Value {
        json!({
            "state": state,
            "conditions": [{
                "type": "Succeeded", "status": "Unknown", "reason": reason, "message": message,
                "lastTransitionTime": "2026-03-02T10:00:00Z",
            }],
        })
    }

    #[test]
    fn only_news_is_told() {
        let mut course = Course::default();
        assert_eq!(course.observe(&action(&Value::Null)), None);
        assert_eq!(course.told(), "the operator has not written a status of it");
        let pending = action(&told("Pending", "CheckingDevice", "It is read."));
        assert_eq!(
            course.observe(&pending).as_deref(),
            Some("Pending (CheckingDevice): It is read.")
        );
        assert_eq!(course.observe(&pending), None);
        let waiting = action(&told("Pending", "WaitingForQuota", "It waits."));
        assert!(course.observe(&waiting).is_some());
        assert_eq!(course.end(), None);
        course.observe(&action(&told("Succeeded", "ChangedAtGoogle", "Done.")));
        assert_eq!(course.states(), "Pending -> Succeeded");
        assert_eq!(course.end(), Some(ActionState::Succeeded));
        assert_eq!(course.told(), "Succeeded (ChangedAtGoogle): Done.");
    }

    #[test]
    fn the_words_of_google_are_quoted() {
        let mut failed = told("Failed", "RefusedByGoogle", "Google refused the action.");
        failed["googleMessage"] = json!("No licenses are available.");
        let mut course = Course::default();
        assert_eq!(
            course.observe(&action(&failed)).as_deref(),
            Some("Failed (RefusedByGoogle): Google refused the action. (\"No licenses are available.\")")
        );
        assert_eq!(course.end(), Some(ActionState::Failed));
    }
}
