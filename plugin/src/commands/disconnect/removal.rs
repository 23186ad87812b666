//! Following a removal to its end.

use std::ops::ControlFlow;
use std::time::Duration;

use chrome_enterprise_operator::api::connection::ConnectionState;
use chrome_enterprise_operator::api::{CLEANUP_FINALIZER, ChromeEnterpriseConnection};
use kube::ResourceExt as _;

use crate::cluster::Cluster;
use crate::connections::{self, End, Limit, follow, name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::terminal::Progress;

/// A deletion that no operator has taken up by now is most likely seen by none.
const OPERATOR_LIMIT: Duration = Duration::from_secs(10);

/// Waits until the connection is gone.
///
/// # Errors
/// When it takes too long, on Ctrl-C, or when the cluster refuses.
pub(super) async fn wait(
    cluster: &Cluster,
    before: &ChromeEnterpriseConnection,
    timeout: Duration,
) -> Result<(), Failure> {
    let (name, namespace) = (name_of(before), namespace_of(before));
    let total = devices(before);
    let mut progress = Progress::new();
    let mut is_taken_up = false;
    let mut told = false;
    let end = follow(
        cluster,
        &namespace,
        &name,
        Limit::After(timeout),
        |connection, passed| {
            let Some(connection) = connection.filter(|now| now.metadata.uid == before.metadata.uid) else {
                return ControlFlow::Break(());
            };
            is_taken_up |= connections::state(connection) == Some(ConnectionState::Deleting);
            match (devices(connection), total) {
                (Some(left), Some(total)) if is_taken_up && total > 0 => {
                    progress.show_part("Removing device objects", total.saturating_sub(left), total);
                }
                (Some(_) | None, Some(_) | None) => progress.show("Waiting for the operator"),
            }
            if passed >= OPERATOR_LIMIT && !is_taken_up && !told {
                told = true;
                progress.note(&unattended(connection));
            }
            ControlFlow::Continue(())
        },
    )
    .await?;
    progress.finish();
    let look = format!("See how far it is: kubectl chromeos status {name} -n {namespace}");
    match end {
        End::Reached(()) => Ok(()),
        End::TooLong if !is_taken_up => Err(Failure::new(format!(
            "Connection {name} is deleted, but no operator has taken that up, so it waits."
        ))
        .advise("Start the operator: it removes the device objects and lets the connection go. `kubectl chromeos doctor` helps.")
        .exit_with(Exit::StillRunning)),
        End::TooLong => Err(Failure::new(format!("Connection {name} is not gone yet; the removal goes on."))
            .advise(look)
            .exit_with(Exit::StillRunning)),
        End::Interrupted => Err(Failure::new(format!(
            "Connection {name} is deleted, and the removal goes on without this program; it cannot be taken back. Its \
             Secret is left."
        ))
        .advise(look)
        .exit_with(Exit::Interrupted)),
    }
}

fn devices(connection: &ChromeEnterpriseConnection) -> Option<u64> {
    u64::try_from(connection.status.as_ref()?.devices?.synced).ok()
}

/// What holds a deleted connection when nobody works on it.
fn unattended(connection: &ChromeEnterpriseConnection) -> String {
    let others: Vec<_> = connection
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != CLEANUP_FINALIZER)
        .map(String::as_str)
        .collect();
    if others.is_empty() {
        format!(
            "No operator has taken up the deletion yet. Its finalizer {CLEANUP_FINALIZER} holds the connection until one \
             runs and has removed the device objects."
        )
    } else {
        format!(
            "The connection is held by another program's finalizer: {}.",
            others.join(", ")
        )
    }
}
