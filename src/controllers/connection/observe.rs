//! Reads everything that a decision about a connection needs. Google is not asked here: only passes do that.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use super::facts::{CredentialFacts, Facts};
use super::problem::{self, Problem};
use super::session::Sessions;
use crate::api::connection::{ChromeEnterpriseConnection, Credentials};
use crate::google::{ServiceAccountKey, parse_service_account_key};

/// Key of the Secret when the connection does not name one.
const DEFAULT_SERVICE_ACCOUNT_KEY: &str = "service-account.json";

/// What was observed: the facts to decide from, and the secret that never becomes a fact.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) facts: Facts,
    pub(super) key: Option<ServiceAccountKey>,
}

/// Reads the connection, its siblings and its Secret; `None` if the connection is gone.
///
/// # Errors
/// When the API server cannot be asked.
pub(super) async fn observe(
    client: &Client,
    sessions: &Sessions,
    namespace: &str,
    name: &str,
) -> Result<Option<Observed>, kube::Error> {
    let api: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), namespace);
    let Some(connection) = api.get_opt(name).await? else {
        return Ok(None);
    };
    let siblings = api.list_metadata(&ListParams::default()).await?;
    let older = siblings
        .items
        .iter()
        .map(|sibling| &sibling.metadata)
        .filter(|sibling| {
            (&sibling.creation_timestamp, &sibling.uid)
                < (&connection.metadata.creation_timestamp, &connection.metadata.uid)
        })
        .min_by_key(|sibling| (sibling.creation_timestamp.clone(), sibling.uid.clone()))
        .and_then(|sibling| sibling.name.clone());
    let (credentials, key) = read_credentials(client, namespace, &connection.spec.credentials).await?;
    let session = sessions.facts(&connection.uid().unwrap_or_default());
    Ok(Some(Observed {
        facts: Facts {
            connection,
            older,
            credentials,
            session,
        },
        key,
    }))
}

async fn read_credentials(
    client: &Client,
    namespace: &str,
    credentials: &Credentials,
) -> Result<(CredentialFacts, Option<ServiceAccountKey>), kube::Error> {
    let unusable = |problem| Ok((CredentialFacts::Unusable(problem), None));
    let Some(source) = &credentials.service_account_key else {
        return unusable(Problem::stalled(
            "CredentialsNotSupported",
            "This version signs in with spec.credentials.serviceAccountKey only. Use a service account key with domain-wide delegation.",
        ));
    };
    let secret_name = &source.secret_ref.name;
    let key_name = source
        .secret_ref
        .key
        .as_deref()
        .unwrap_or(DEFAULT_SERVICE_ACCOUNT_KEY);
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = match secrets.get_opt(secret_name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            return unusable(Problem::stalled(
                "SecretNotFound",
                format!(
                    "There is no Secret {secret_name} in this namespace. Create it with the service account key under {key_name}."
                ),
            ));
        }
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            return unusable(Problem::stalled(
                "SecretForbidden",
                format!(
                    "The operator may not read Secret {secret_name}. Grant its ServiceAccount get on secrets in this namespace."
                ),
            ));
        }
        Err(error) => return Err(error),
    };
    let Some(content) = secret.data.as_ref().and_then(|data| data.get(key_name)) else {
        return unusable(Problem::stalled(
            "SecretInvalid",
            format!(
                "Secret {secret_name} has no key {key_name}. Put the service account key under it, or name the right key in secretRef.key."
            ),
        ));
    };
    match parse_service_account_key(&content.0) {
        Ok(key) => {
            let fingerprint = format!(
                "{}/{}/{key_name}",
                secret.uid().unwrap_or_default(),
                secret.resource_version().unwrap_or_default()
            );
            let client_id = Some(key.client_id().to_owned()).filter(|id| !id.is_empty());
            Ok((
                CredentialFacts::Usable {
                    fingerprint,
                    client_id,
                },
                Some(key),
            ))
        }
        Err(error) => unusable(problem::of_key(secret_name, key_name, &error)),
    }
}
