//! Reads the credentials that a connection names. The Secret is read by name, never listed or watched.

use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;
use kube::{Client, ResourceExt};

use super::keyless;
use super::problem::{self, Problem};
use crate::api::connection::{
    Access as ConnectionAccess, ChromeEnterpriseConnectionSpec, Credentials, SecretReference,
};
use crate::controllers::settings::KeylessRule;
use crate::google::{
    Access, AuthorizedUser, Credential, CredentialError, CredentialKind, parse_authorized_user,
    parse_service_account_key,
};

/// Keys of the Secret when the connection does not name one.
const DEFAULT_SERVICE_ACCOUNT_KEY: &str = "service-account.json";
const DEFAULT_AUTHORIZED_USER: &str = "authorized-user.json";

/// What reading the credentials gave. The credential itself is no fact: it must not get to where facts are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CredentialFacts {
    /// They can be tried.
    Usable {
        /// Changes whenever their content may have changed.
        fingerprint: String,
        /// By what the customer's admin console knows them, if they tell it.
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

/// Which way of signing in the connection asks for.
pub(crate) const fn kind_of(credentials: &Credentials) -> CredentialKind {
    match credentials {
        Credentials {
            authorized_user: Some(_),
            ..
        } => CredentialKind::AuthorizedUser,
        Credentials { keyless: Some(_), .. } => CredentialKind::Keyless,
        // The definition requires one of the three.
        Credentials {
            service_account_key: Some(_) | None,
            ..
        } => CredentialKind::ServiceAccountKey,
    }
}

/// Everything that Google is asked for on behalf of a connection.
pub(crate) fn scopes(spec: &ChromeEnterpriseConnectionSpec) -> Vec<&'static str> {
    kind_of(&spec.credentials).scopes(google_access(spec.access))
}

/// Reads the credentials of a connection in `namespace`. Nothing is asked of Google.
///
/// # Errors
/// When the API server cannot be asked. Credentials that are missing or cannot be used are an answer, not an error.
pub(crate) async fn read(
    client: &Client,
    rules: &[KeylessRule],
    namespace: &str,
    spec: &ChromeEnterpriseConnectionSpec,
) -> Result<(CredentialFacts, Option<Credential>), kube::Error> {
    let credentials = &spec.credentials;
    if let Some(wanted) = &credentials.keyless {
        let permitted = keyless::permit(rules, namespace, spec, &wanted.service_account_email);
        return Ok(match permitted {
            Ok(keyless) => usable(format!("keyless/{keyless:?}"), keyless.into()),
            Err(problem) => unusable(problem),
        });
    }
    let Some(place) = Place::of(credentials) else {
        return Ok(unusable(Problem::stalled(
            "SecretNotFound",
            "spec.credentials names no way to sign in. Name one.",
        )));
    };
    let file = match read_file(client, namespace, place).await? {
        Ok(file) => file,
        Err(problem) => return Ok(unusable(problem)),
    };
    Ok(match place.parse(&file.content) {
        Ok(credential) => usable(file.fingerprint, credential),
        Err(error) => unusable(problem::of_file(place, &error)),
    })
}

fn usable(fingerprint: String, credential: Credential) -> (CredentialFacts, Option<Credential>) {
    let client_id = credential.client_id().map(str::to_owned);
    let facts = CredentialFacts::Usable {
        fingerprint,
        client_id: client_id.filter(|id| !id.is_empty()),
    };
    (facts, Some(credential))
}

fn unusable(problem: Problem) -> (CredentialFacts, Option<Credential>) {
    (CredentialFacts::Unusable(problem), None)
}

/// Where in a namespace a credential is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// What is kept there. Never without a key.
    pub(crate) kind: CredentialKind,
    /// Name of the Secret.
    pub(crate) secret: &'a str,
    /// Key in the Secret.
    pub(crate) key: &'a str,
}

impl<'a> Place<'a> {
    /// The place that the credentials name, if they are kept in a Secret.
    pub(crate) fn of(credentials: &'a Credentials) -> Option<Self> {
        let place = |kind, reference: &'a SecretReference, default: &'a str| Self {
            kind,
            secret: &reference.name,
            key: reference.key.as_deref().unwrap_or(default),
        };
        let key = credentials.service_account_key.as_ref().map(|key| {
            place(
                CredentialKind::ServiceAccountKey,
                &key.secret_ref,
                DEFAULT_SERVICE_ACCOUNT_KEY,
            )
        });
        key.or_else(|| Self::of_consent(credentials))
    }

    /// The place of a consent, if that is how the connection signs in.
    pub(crate) fn of_consent(credentials: &'a Credentials) -> Option<Self> {
        let reference = &credentials.authorized_user.as_ref()?.secret_ref;
        Some(Self {
            kind: CredentialKind::AuthorizedUser,
            secret: &reference.name,
            key: reference.key.as_deref().unwrap_or(DEFAULT_AUTHORIZED_USER),
        })
    }

    fn parse(self, content: &[u8]) -> Result<Credential, CredentialError> {
        match self.kind {
            CredentialKind::AuthorizedUser => parse_authorized_user(content).map(Into::into),
            CredentialKind::ServiceAccountKey | CredentialKind::Keyless => {
                parse_service_account_key(content).map(Into::into)
            }
        }
    }
}

/// What lies at a place.
struct StoredFile {
    content: Vec<u8>,
    /// Changes whenever the content may have changed.
    fingerprint: String,
    labels: std::collections::BTreeMap<String, String>,
}

async fn read_file(
    client: &Client,
    namespace: &str,
    place: Place<'_>,
) -> Result<Result<StoredFile, Problem>, kube::Error> {
    let Place {
        secret: name, key, ..
    } = place;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let mut secret = match secrets.get_opt(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Ok(Err(problem::no_secret(place))),
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            return Ok(Err(Problem::stalled(
                "SecretForbidden",
                format!(
                    "The operator may not read Secret {name}. Grant its ServiceAccount get on secrets in this namespace."
                ),
            )));
        }
        Err(error) => return Err(error),
    };
    let Some(content) = secret.data.as_mut().and_then(|data| data.remove(key)) else {
        return Ok(Err(problem::no_key(place)));
    };
    Ok(Ok(StoredFile {
        content: content.0,
        fingerprint: format!(
            "{}/{}/{key}",
            secret.uid().unwrap_or_default(),
            secret.resource_version().unwrap_or_default()
        ),
        labels: secret.metadata.labels.unwrap_or_default(),
    }))
}

/// A consent as it is kept, and the labels of its Secret.
pub(crate) struct StoredConsent {
    pub(crate) user: AuthorizedUser,
    pub(crate) labels: std::collections::BTreeMap<String, String>,
}

/// Reads the consent at this place.
///
/// # Errors
/// When the API server cannot be asked; inside, what keeps the consent from being read.
pub(crate) async fn read_consent(
    client: &Client,
    namespace: &str,
    place: Place<'_>,
) -> Result<Result<StoredConsent, Problem>, kube::Error> {
    Ok(match read_file(client, namespace, place).await? {
        Ok(file) => parse_authorized_user(&file.content)
            .map(|user| StoredConsent {
                user,
                labels: file.labels,
            })
            .map_err(|error| problem::of_file(place, &error)),
        Err(problem) => Err(problem),
    })
}
