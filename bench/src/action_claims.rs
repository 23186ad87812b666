//! What is claimed of actions.

use crate::actions::{Actions, Measured};
use crate::report::Claim;

/// Until Google has accepted an action, also while a fleet is synced.
const GOAL_SECONDS: f64 = 1.0;

/// The rows of one measurement.
pub(crate) fn of_actions(actions: &Actions) -> Vec<Claim> {
    let while_syncing = format!("in the first sync of {} devices", actions.devices);
    let syncing = actions
        .syncing
        .iter()
        .map(|measured| accepted(measured, &while_syncing));
    let idle = actions.idle.iter().map(|measured| accepted(measured, "idle"));
    let writes = actions.idle.iter().map(writes);
    syncing.chain(idle).chain(writes).collect()
}

fn accepted(measured: &Measured, meanwhile: &str) -> Claim {
    let (type_, latency) = (measured.type_.as_str(), measured.accepted);
    Claim {
        goal: format!("p99 below {GOAL_SECONDS} s"),
        reached: Some(latency.p99 < GOAL_SECONDS),
        ..Claim::plain(
            format!(
                "{type_}, apply until accepted by Google, {meanwhile}, {} actions (p50, p99, longest)",
                latency.count
            ),
            format!(
                "{:.3} s, {:.3} s, {:.3} s",
                latency.p50, latency.p99, latency.longest
            ),
        )
    }
}

/// Writes per action, and by what is written.
fn writes(measured: &Measured) -> Claim {
    let per_action = |count: u64| as_float(count) / as_float(measured.accepted.count as u64);
    let parts: Vec<String> = measured
        .writes
        .iter()
        .map(|(what, count)| format!("{what} {:.2}", per_action(*count)))
        .collect();
    Claim::plain(
        format!(
            "{}, writes to the API server per action: {}",
            measured.type_.as_str(),
            parts.join(", ")
        ),
        format!("{:.2}", per_action(measured.writes.values().sum())),
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^53"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_writes::ApiWrites;
    use crate::latency::Latency;
    use chrome_enterprise_operator::api::action::ActionType;

    #[test]
    fn latency_is_judged_by_the_99th_percentile() {
        let measured = |p99| Measured {
            type_: ActionType::Restart,
            accepted: Latency {
                count: 200,
                p50: 0.02,
                p99,
                longest: 2.0,
            },
            writes: ApiWrites::from([
                ("POST events".to_owned(), 300),
                ("PUT deviceactionreceipts".to_owned(), 100),
            ]),
        };
        let claims = of_actions(&Actions {
            devices: 10_000,
            first_sync_seconds: 9.0,
            syncing: vec![measured(1.5)],
            idle: vec![measured(0.5)],
        });
        assert_eq!(claims.len(), 3);
        assert_eq!(
            (claims[0].reached, claims[1].reached, claims[2].reached),
            (Some(false), Some(true), None)
        );
        assert_eq!(claims[0].operator, "0.020 s, 1.500 s, 2.000 s");
        assert!(
            claims[2]
                .what
                .ends_with("POST events 1.50, PUT deviceactionreceipts 0.50"),
            "{}",
            claims[2].what
        );
        assert_eq!(claims[2].operator, "2.00");
    }
}
