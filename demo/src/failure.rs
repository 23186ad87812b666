//! What to show when it did not work: what the connection says, and what the operator said last.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use kube::Client;
use kube::api::Api;

use crate::operator::Operator;
use crate::setup::{CONNECTION, NAMESPACE};

/// Prints it on standard error.
pub(crate) async fn explain(client: &Client, operator: &Operator) {
    let api: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), NAMESPACE);
    match api.get_opt(CONNECTION).await {
        Ok(Some(connection)) => eprintln!("\n{}", describe(&connection)),
        Ok(None) => eprintln!("\nThere is no connection in the cluster yet."),
        Err(error) => eprintln!("\nThe connection cannot be read: {error}"),
    }
    let lines = operator.last_lines();
    if lines.is_empty() {
        eprintln!("The operator's log is empty.");
        return;
    }
    eprintln!("The last lines of the operator's log:");
    for line in lines {
        eprintln!("  {line}");
    }
}

fn describe(connection: &ChromeEnterpriseConnection) -> String {
    let Some(status) = &connection.status else {
        return "The operator has not written a status of the connection.".to_owned();
    };
    let state = status
        .state
        .map_or_else(|| "unknown".to_owned(), |state| format!("{state:?}"));
    let mut lines = vec![format!("The connection is in state {state}. Its conditions:")];
    lines.extend(status.conditions.iter().map(|condition| {
        format!(
            "  {}={} {}: {}",
            condition.type_, condition.status, condition.reason, condition.message
        )
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_shown_with_reason_and_message() {
        let mut connection: ChromeEnterpriseConnection = serde_json::from_value(json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1",
            "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "school" },
            "spec": { "adminEmail": "it-admin@school.example", "credentials": {} },
            "status": {
                "state": "Connecting",
                "conditions": [{
                    "type": "Ready", "status": "False", "reason": "SecretNotFound", "message": "There is none.",
                    "lastTransitionTime": "2026-03-02T10:00:00Z",
                }],
            },
        }))
        .unwrap();
        assert_eq!(
            describe(&connection),
            "The connection is in state Connecting. Its conditions:\n  Ready=False SecretNotFound: There is none."
        );
        connection.status = None;
        assert!(describe(&connection).contains("has not written a status"));
    }
}
