//! Whether an operator works. It does not say so anywhere; what it does shows.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::ConnectionState;
use jiff::Timestamp;
use kube::ResourceExt as _;

use super::finding::Findings;
use crate::connections::{self, name_of, namespace_of};
use crate::output::age;

const CHECK: &str = "operator";
/// A change that no operator has looked at by now is seen by none.
const UNSEEN_LIMIT: i64 = 60;
/// A pass that is overdue by this time will not be done. Longer than the operator takes to start anew.
const OVERDUE_LIMIT: i64 = 300;

/// What shows of an operator at one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It has looked at the present settings, and nothing is overdue.
    Works,
    /// It has not looked at the present settings for so many seconds.
    Unseen(i64),
    /// The next look at Google is overdue by so many seconds.
    Overdue(i64),
    /// Too early to tell.
    Unknown,
}

/// Looks for signs of one at the connections.
pub(super) fn look(connections: &[ChromeEnterpriseConnection], findings: &mut Findings) {
    let now = Timestamp::now();
    if connections.is_empty() {
        findings.not_checked(
            CHECK,
            "whether one runs shows at connections only, and there are none",
        );
        return;
    }
    let mut works = 0;
    for connection in connections {
        let object = format!("{}/{}", namespace_of(connection), name_of(connection));
        let message = match sign(connection, now) {
            Sign::Works => {
                works += 1;
                continue;
            }
            Sign::Unknown => {
                findings
                    .not_checked(
                        CHECK,
                        "the connection was changed just now; look again in a minute",
                    )
                    .about(object);
                continue;
            }
            Sign::Unseen(seconds) => {
                format!(
                    "No operator has looked at the settings of this connection for {}.",
                    ago(seconds, now)
                )
            }
            Sign::Overdue(seconds) => {
                format!(
                    "The next look at Google is overdue by {}, so no operator seems to run.",
                    ago(seconds, now)
                )
            }
        };
        findings.problem(CHECK, message).about(object).advise(
            "See whether its Pod runs, that it may read this namespace (--watch-namespace, RBAC), and what its log says.",
        );
    }
    if works > 0 {
        findings.ok(
            CHECK,
            format!(
                "It has looked at the present settings of {works} of {} connections, and is not late.",
                connections.len()
            ),
        );
    }
}

fn ago(seconds: i64, now: Timestamp) -> String {
    let then = Timestamp::from_second(now.as_second().saturating_sub(seconds)).unwrap_or(now);
    age(then, now)
}

fn sign(connection: &ChromeEnterpriseConnection, now: Timestamp) -> Sign {
    let since = |time: Timestamp| now.as_second().saturating_sub(time.as_second());
    let status = connection.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    let is_seen = match connection.metadata.deletion_timestamp {
        // A deletion is taken up by the state, and moves the generation as well.
        Some(_) => connections::state(connection) == Some(ConnectionState::Deleting),
        None => observed == connection.metadata.generation,
    };
    if !is_seen {
        let unseen = since(last_change(connection).unwrap_or(now));
        return if unseen >= UNSEEN_LIMIT {
            Sign::Unseen(unseen)
        } else {
            Sign::Unknown
        };
    }
    let next = status.and_then(|status| status.sync.as_ref()?.next_time.as_ref());
    match next.map(|next| since(next.0)) {
        Some(overdue) if overdue >= OVERDUE_LIMIT => Sign::Overdue(overdue),
        Some(_) | None => Sign::Works,
    }
}

/// When somebody last changed what the operator has to look at.
fn last_change(connection: &ChromeEnterpriseConnection) -> Option<Timestamp> {
    if let Some(deleted) = &connection.metadata.deletion_timestamp {
        return Some(deleted.0);
    }
    let writes = connection.managed_fields().iter();
    let of_settings = writes.filter(|write| write.subresource.as_deref().unwrap_or_default().is_empty());
    let last = of_settings.filter_map(|write| Some(write.time.as_ref()?.0)).max();
    last.or_else(|| connection.creation_timestamp().map(|time| time.0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "made for this one call")]
    fn sign_of(metadata: Value, status: Value) -> Sign {
        let connection = serde_json::from_value(json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": metadata, "status": status,
            "spec": { "adminEmail": "admin@school.example", "credentials": {} },
        }))
        .unwrap();
        sign(&connection, "2026-11-25T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_operator_shows_by_what_it_did_and_did_not() {
        let created = |time: &str| json!({"name": "school", "generation": 2, "creationTimestamp": time});
        let old = created("2026-11-25T08:00:00Z");
        let next = |time: &str| json!({"observedGeneration": 2, "sync": {"nextTime": time}});
        assert_eq!(
            sign_of(old.clone(), json!({"observedGeneration": 2})),
            Sign::Works
        );
        assert_eq!(sign_of(old.clone(), next("2026-11-25T12:10:00Z")), Sign::Works);
        assert_eq!(sign_of(old.clone(), next("2026-11-25T11:59:00Z")), Sign::Works);
        assert_eq!(
            sign_of(old.clone(), next("2026-11-25T11:50:00Z")),
            Sign::Overdue(600)
        );
        assert_eq!(
            sign_of(old.clone(), json!({"observedGeneration": 1})),
            Sign::Unseen(4 * 3_600)
        );
        assert_eq!(sign_of(old, json!({})), Sign::Unseen(4 * 3_600));
        assert_eq!(sign_of(created("2026-11-25T11:59:50Z"), json!({})), Sign::Unknown);
    }

    #[test]
    fn a_change_by_somebody_counts_and_a_status_does_not() {
        let write = |subresource: &str, time: &str| json!({"manager": "x", "operation": "Update", "subresource": subresource, "time": time});
        let metadata = json!({
            "name": "school", "generation": 3, "creationTimestamp": "2026-11-01T00:00:00Z",
            "managedFields": [write("", "2026-11-25T11:59:30Z"), write("status", "2026-11-25T11:00:00Z")],
        });
        assert_eq!(sign_of(metadata, json!({"observedGeneration": 2})), Sign::Unknown);
    }
}
