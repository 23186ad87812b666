//! `kubectl chromeos suspend`, and what `resume` shares with it.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use clap::Args;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::cluster::Cluster;
use crate::connections::{self, FIELD_MANAGER, name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::terminal;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing changes at Google. The device objects stay, and actions wait until `resume`.

Examples:
  kubectl chromeos suspend
  kubectl chromeos suspend school --namespace school"
)]
pub struct Arguments {
    /// Connection to stop; it can be left out where a namespace has only one
    #[arg(value_name = "CONNECTION")]
    pub name: Option<String>,
}

/// Stops it.
///
/// # Errors
/// When there is no such connection, or the cluster refuses.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let connection = connections::find(cluster, arguments.name.as_deref()).await?;
    if set(cluster, &connection, true).await? {
        terminal::say(&format!(
            "Connection {} is suspended: nothing is read from Google and no action is sent. Go on with: kubectl \
             chromeos resume {} -n {}",
            name_of(&connection),
            name_of(&connection),
            namespace_of(&connection)
        ));
    } else {
        terminal::say(&format!(
            "Connection {} is suspended already.",
            name_of(&connection)
        ));
    }
    Ok(Exit::Done)
}

/// Stops a connection or lets it go on. False if that is so already.
///
/// # Errors
/// When the cluster refuses.
pub(super) async fn set(
    cluster: &Cluster,
    connection: &ChromeEnterpriseConnection,
    suspend: bool,
) -> Result<bool, Failure> {
    if connection.spec.sync.suspend == suspend {
        return Ok(false);
    }
    if connection.metadata.deletion_timestamp.is_some() {
        return Err(Failure::new(format!(
            "Connection {} is being deleted; that cannot be stopped.",
            name_of(connection)
        )));
    }
    // With the UID the patch reaches this very connection, and not a new one of the same name.
    let patch = json!({
        "metadata": { "uid": connection.metadata.uid },
        "spec": { "sync": { "suspend": suspend } },
    });
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    cluster
        .api::<ChromeEnterpriseConnection>()
        .patch(&name_of(connection), &parameters, &Patch::Merge(&patch))
        .await
        .map_err(|error| {
            let doing = format!(
                "change connection {} in namespace {}",
                name_of(connection),
                namespace_of(connection)
            );
            Failure::kubernetes(&doing, &error)
        })?;
    if let Some(hint) = connections::gitops_hint(connection) {
        terminal::say(&format!("note: {hint}"));
    }
    Ok(true)
}
