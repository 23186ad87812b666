//! What becomes of the Secret with the credentials.

use chrome_enterprise_operator::api::connection::{Credentials, SecretReference};
use chrome_enterprise_operator::api::{CREATED_BY_CONNECT, CREATED_BY_LABEL, ChromeEnterpriseConnection};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, Preconditions};
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt as _};

use super::Arguments;
use crate::cluster::{Cluster, pages};
use crate::connections::{name_of, namespace_of};
use crate::failure::Failure;
use crate::terminal;

/// What becomes of it, and why.
#[derive(Debug)]
pub(super) enum Fate {
    /// The connection names none.
    None,
    /// It stays.
    Kept { name: String, why: String },
    /// This program made it, so it goes with the connection.
    Removed(Box<PartialObjectMeta<Secret>>),
}

/// Decides it. Only what describes the Secret is read, never its content.
pub(super) async fn of(
    cluster: &Cluster,
    connection: &ChromeEnterpriseConnection,
    arguments: &Arguments,
) -> Fate {
    let Some(reference) = reference(&connection.spec.credentials) else {
        return Fate::None;
    };
    let kept = |why: &str| Fate::Kept {
        name: reference.name.clone(),
        why: why.to_owned(),
    };
    if arguments.keep_secret {
        return kept("--keep-secret");
    }
    if !arguments.wait {
        return kept("nobody waits for the end of the removal");
    }
    let secrets: Api<Secret> = cluster.api();
    let secret = match secrets.get_metadata(&reference.name).await {
        Ok(secret) => secret,
        Err(kube::Error::Api(status)) if status.code == 404 => return Fate::None,
        Err(kube::Error::Api(status)) if status.code == 403 => return kept("you may not look at it"),
        Err(_) => return kept("it could not be looked at"),
    };
    let maker = secret.labels().get(CREATED_BY_LABEL).map(String::as_str);
    if maker != Some(CREATED_BY_CONNECT) {
        return kept("`kubectl chromeos connect` did not make it");
    }
    match is_used_by_another(cluster, connection, &reference.name).await {
        Ok(false) => Fate::Removed(Box::new(secret)),
        Ok(true) => kept("another connection uses it"),
        Err(_) => kept("whether another connection uses it could not be found out"),
    }
}

fn reference(credentials: &Credentials) -> Option<&SecretReference> {
    let key = credentials
        .service_account_key
        .as_ref()
        .map(|source| &source.secret_ref);
    key.or_else(|| {
        credentials
            .authorized_user
            .as_ref()
            .map(|source| &source.secret_ref)
    })
}

async fn is_used_by_another(
    cluster: &Cluster,
    connection: &ChromeEnterpriseConnection,
    secret: &str,
) -> Result<bool, Failure> {
    let all = pages::<ChromeEnterpriseConnection>(cluster.api(), ListParams::default(), "list connections");
    Ok(all.all().await?.iter().any(|other| {
        other.metadata.uid != connection.metadata.uid
            && reference(&other.spec.credentials).is_some_and(|reference| reference.name == secret)
    }))
}

impl Fate {
    /// The line that tells it before anything is done.
    pub(super) fn words(&self) -> String {
        match self {
            Self::None => "- There is no Secret to remove.".to_owned(),
            Self::Kept { name, why } => format!("- Secret {name} will stay: {why}."),
            Self::Removed(secret) => format!(
                "- Secret {} will be removed, because `kubectl chromeos connect` made it. --keep-secret leaves it.",
                secret.name_any()
            ),
        }
    }

    /// Removes it if that was decided, unless a connection has come to use it since.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(super) async fn remove(
        self,
        cluster: &Cluster,
        connection: &ChromeEnterpriseConnection,
    ) -> Result<(), Failure> {
        let Self::Removed(secret) = self else {
            return Ok(());
        };
        let name = secret.name_any();
        if is_used_by_another(cluster, connection, &name).await? {
            terminal::say(&format!(
                "Secret {name} is left: another connection uses it by now."
            ));
            return Ok(());
        }
        let parameters = DeleteParams {
            // The very Secret that was told about, with the content that it had then.
            preconditions: Some(Preconditions {
                uid: secret.metadata.uid.clone(),
                resource_version: secret.metadata.resource_version.clone(),
            }),
            ..DeleteParams::default()
        };
        match cluster.api::<Secret>().delete(&name, &parameters).await {
            Ok(_) => {
                terminal::say(&format!("Secret {name} is removed."));
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                terminal::say(&format!("Secret {name} is left: somebody changed it meanwhile."));
                Ok(())
            }
            Err(error) => {
                let doing = format!(
                    "remove Secret {name} in namespace {} after connection {} is gone",
                    namespace_of(connection),
                    name_of(connection)
                );
                Err(Failure::kubernetes(&doing, &error))
            }
        }
    }
}
