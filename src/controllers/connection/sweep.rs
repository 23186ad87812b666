//! Removes device objects of namespaces that have no connection: a write that came late, or a connection whose
//! finalizer somebody removed by force.

use kube::api::{Api, DeleteParams, ListParams, Preconditions};
use kube::{Client, ResourceExt};
use std::collections::BTreeSet;

use crate::api::CONNECTION_LABEL;
use crate::api::connection::ChromeEnterpriseConnection;
use crate::api::device::ChromeOSDevice;

/// Objects of metadata a page.
const PAGE: u32 = 2000;

/// Removes labelled device objects of namespaces without a connection, in one namespace or (`None`) in all.
/// Returns how many were removed.
///
/// # Errors
/// When the API server cannot be asked. What was removed stays removed.
pub(super) async fn sweep(client: &Client, namespace: Option<&str>) -> Result<usize, kube::Error> {
    let devices: Api<ChromeOSDevice> = scoped(client, namespace);
    let connections: Api<ChromeEnterpriseConnection> = scoped(client, namespace);
    // Connections are listed first: one that appears afterwards is looked up again before anything is removed.
    let connected: BTreeSet<String> = connections
        .list_metadata(&ListParams::default())
        .await?
        .items
        .iter()
        .filter_map(ResourceExt::namespace)
        .collect();
    let mut removed = 0;
    let mut page = ListParams::default().labels(CONNECTION_LABEL).limit(PAGE);
    loop {
        let list = devices.list_metadata(&page).await?;
        let strays = list.items.iter().filter_map(|device| {
            let namespace = device.namespace()?;
            (!connected.contains(&namespace))
                .then(|| (namespace, device.name_any(), device.metadata.uid.clone()))
        });
        for (namespace, name, uid) in strays {
            removed += usize::from(remove_stray(client, &namespace, &name, uid).await?);
        }
        let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
            return Ok(removed);
        };
        page = page.continue_token(&token);
    }
}

async fn remove_stray(
    client: &Client,
    namespace: &str,
    name: &str,
    uid: Option<String>,
) -> Result<bool, kube::Error> {
    let connections: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), namespace);
    if !connections
        .list_metadata(&ListParams::default().limit(1))
        .await?
        .items
        .is_empty()
    {
        return Ok(false);
    }
    let devices: Api<ChromeOSDevice> = Api::namespaced(client.clone(), namespace);
    let exactly_this = DeleteParams {
        preconditions: Some(Preconditions {
            uid,
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match devices.delete(name, &exactly_this).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
        Err(error) => Err(error),
    }
}

fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
