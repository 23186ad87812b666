//! Reads the credentials that a connection names. The Secret is read by name, never listed or watched.

use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube::{Client, ResourceExt};

use super::problem::{self, Problem};
use crate::api::connection::{Access as ConnectionAccess, Credentials};
use crate::google::{Access, ServiceAccountKey, parse_service_account_key};

/// Key of the Secret when the connection does not name one.
const DEFAULT_SERVICE_ACCOUNT_KEY: &str = "service-account.json";

/// What reading the credentials gave. The key itself is no fact: it must not get to where facts are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CredentialFacts {
    /// They can be tried.
    Usable {
        /// Changes whenever their content may have changed.
        fingerprint: String,
        /// What the admin enters for domain-wide delegation.
        client_id: Option<String>,
    },
    /// They cannot even be tried.
    Unusable(Problem),
}

/// What Google is asked for on behalf of a connection.
pub(crate) const fn google_access(access: ConnectionAccess) -> Access {
    match access {
        ConnectionAccess::ReadWrite => Access::ReadWrite,
        ConnectionAccess::ReadOnly => Access::ReadOnly,
    }
}

/// Reads the credentials of a connection in `namespace`.
///
/// # Errors
/// When the API server cannot be asked. A Secret that is missing or cannot be used is an answer, not an error.
pub(crate) async fn read(
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
