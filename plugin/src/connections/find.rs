//! Which connection a command is about. A namespace usually has one, so its name can be left out.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::{Cluster, pages};
use crate::failure::{Exit, Failure};
use crate::output::clean;

/// The connection of this name, or the only one of the namespace.
///
/// # Errors
/// When there is none, when there are several and none is named, or when the cluster refuses.
pub async fn find(cluster: &Cluster, name: Option<&str>) -> Result<ChromeEnterpriseConnection, Failure> {
    match name {
        Some(name) => named(cluster, name).await,
        None => only(cluster).await,
    }
}

async fn named(cluster: &Cluster, name: &str) -> Result<ChromeEnterpriseConnection, Failure> {
    let namespace = cluster.namespace();
    let connection = cluster.api::<ChromeEnterpriseConnection>().get(name).await;
    connection.map_err(|error| {
        // With a name in the answer it is the object that is missing, not the resource type.
        if let kube::Error::Api(status) = &error
            && status.code == 404
            && status
                .details
                .as_ref()
                .is_some_and(|details| !details.name.is_empty())
        {
            return Failure::new(format!(
                "There is no connection {} in namespace {namespace}.",
                clean(name)
            ))
            .advise("`kubectl chromeos status -A` lists the connections of all namespaces.");
        }
        Failure::kubernetes(
            &format!("read connection {} in namespace {namespace}", clean(name)),
            &error,
        )
    })
}

async fn only(cluster: &Cluster) -> Result<ChromeEnterpriseConnection, Failure> {
    let namespace = cluster.namespace();
    let listed = pages::<ChromeEnterpriseConnection>(
        cluster.api(),
        ListParams::default(),
        format!("list connections in namespace {namespace}"),
    );
    let mut connections = listed.all().await?;
    if connections.len() > 1 {
        let names: Vec<_> = connections.iter().map(name_of).collect();
        return Err(Failure::usage(format!(
            "Namespace {namespace} has {} connections: {}.",
            names.len(),
            names.join(", ")
        ))
        .advise("Name the one that is meant."));
    }
    connections.pop().ok_or_else(|| {
        Failure::new(format!("There is no connection in namespace {namespace}."))
            .advise(
                "Make one with `kubectl chromeos connect`, or choose another namespace with --namespace: `kubectl \
                 chromeos status -A` lists the connections of all namespaces.",
            )
            .exit_with(Exit::Failed)
    })
}

/// Its name.
#[must_use]
pub fn name_of(connection: &ChromeEnterpriseConnection) -> String {
    connection.name_any()
}

/// Its namespace.
#[must_use]
pub fn namespace_of(connection: &ChromeEnterpriseConnection) -> String {
    connection.namespace().unwrap_or_default()
}
