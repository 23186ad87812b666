//! Reads everything that a decision about a connection needs. Google is not asked here: only passes do that.

use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use super::facts::Facts;
use super::session::Sessions;
use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::tenant::{Tenants, credentials, owner};
use crate::google::Credential;

/// What was observed: the facts to decide from, and the secret that never becomes a fact.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) facts: Facts,
    pub(super) credential: Option<Credential>,
}

/// Reads the connection, its siblings and its Secret; `None` if the connection is gone.
///
/// # Errors
/// When the API server cannot be asked.
pub(super) async fn observe(
    client: &Client,
    tenants: &Tenants,
    sessions: &Sessions,
    namespace: &str,
    name: &str,
) -> Result<Option<Observed>, kube::Error> {
    let api: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), namespace);
    let Some(connection) = api.get_opt(name).await? else {
        return Ok(None);
    };
    let siblings = api.list_metadata(&ListParams::default()).await?;
    let older = owner::oldest(siblings.items.into_iter().map(|sibling| sibling.metadata))
        .filter(|oldest| oldest.uid != connection.metadata.uid)
        .and_then(|oldest| oldest.name);
    let rules = tenants.keyless();
    let (credentials, credential) = credentials::read(client, rules, namespace, &connection.spec).await?;
    let session = sessions.facts(&connection.uid().unwrap_or_default());
    Ok(Some(Observed {
        facts: Facts {
            connection,
            older,
            credentials,
            session,
            last_exchange: None,
        },
        credential,
    }))
}
