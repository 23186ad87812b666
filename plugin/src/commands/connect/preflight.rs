//! What must be true before anything is changed, and before anybody is sent to Google.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, PostParams};
use serde_json::json;

use super::arguments::Arguments;
use super::manifest::Manifest;
use super::write;
use crate::cluster::{Cluster, pages};
use crate::failure::Failure;
use crate::terminal::say;

/// An account that no connection has, for rehearsals before anybody signed in.
const NOBODY: &str = "nobody@example.invalid";

/// What was there before.
#[derive(Debug)]
pub(super) struct Before {
    /// The connection, if it is updated and not made.
    pub(super) connection: Option<ChromeEnterpriseConnection>,
    /// The Secret, with the credential that is replaced.
    pub(super) secret: Option<Secret>,
}

impl Before {
    /// The account whose consent the connection lives from, if it does from one.
    pub(super) fn consent_of(&self) -> Option<&str> {
        let spec = &self.connection.as_ref()?.spec;
        spec.credentials.authorized_user.as_ref()?;
        Some(&spec.admin_email)
    }
}

/// Finds out everything that could keep the objects from being written later.
///
/// # Errors
/// When something does; the sentence says what to do.
pub(super) async fn check(
    cluster: &Cluster,
    manifest: &Manifest,
    arguments: &Arguments,
) -> Result<Before, Failure> {
    check_rights(cluster, manifest).await?;
    let connection = connection_before(cluster, manifest.name()).await?;
    check_namespace(cluster, arguments.create_namespace).await?;
    let secret = match manifest.secret_key() {
        Some(secret) => {
            let doing = format!("look whether Secret {} exists", secret.name);
            let found = cluster.api::<Secret>().get_opt(&secret.name).await;
            found.map_err(|error| Failure::kubernetes(&doing, &error))?
        }
        None => None,
    };
    let admin = arguments.way.admin.as_deref();
    let known = connection
        .as_ref()
        .map(|connection| connection.spec.admin_email.as_str());
    write::rehearse(cluster, manifest, admin.or(known).unwrap_or(NOBODY)).await?;
    Ok(Before { connection, secret })
}

/// The rights that are needed, all of them at once, before a person does the work of signing in.
async fn check_rights(cluster: &Cluster, manifest: &Manifest) -> Result<(), Failure> {
    let connections = ("chromeenterprise.dev", "chromeenterpriseconnections");
    let mut needed = ["get", "list", "create", "patch"]
        .map(|verb| (connections, verb))
        .to_vec();
    if manifest.secret_key().is_some() {
        needed.extend(["get", "create", "patch"].map(|verb| (("", "secrets"), verb)));
    }
    let mut missing = Vec::new();
    for ((group, resource), verb) in needed {
        if !allowed(cluster, group, resource, verb).await? {
            missing.push(format!("{verb} {resource}"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "You may not connect a customer in namespace {}. You lack the right to {}.",
        cluster.namespace(),
        missing.join(", ")
    ))
    .advise(
        "Ask whoever administers the namespace for the role edit or admin in it: they include it, see \
         docs/permissions.md.",
    ))
}

async fn allowed(cluster: &Cluster, group: &str, resource: &str, verb: &str) -> Result<bool, Failure> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(group.to_owned()),
                resource: Some(resource.to_owned()),
                verb: Some(verb.to_owned()),
                namespace: Some(cluster.namespace().to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client().clone());
    let answer = api
        .create(&PostParams::default(), &review)
        .await
        .map_err(|error| Failure::kubernetes("ask what you may do", &error))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// The connection of this name. A namespace has one connection, so another one is in the way.
async fn connection_before(
    cluster: &Cluster,
    name: &str,
) -> Result<Option<ChromeEnterpriseConnection>, Failure> {
    let namespace = cluster.namespace();
    let doing = format!("list connections in namespace {namespace}");
    let all = pages::<ChromeEnterpriseConnection>(cluster.api(), ListParams::default(), doing)
        .all()
        .await?;
    if let Some(other) = all.iter().find(|connection| connection.name_any() != name) {
        let other = other.name_any();
        return Err(Failure::new(format!(
            "Namespace {namespace} has the connection {other} already, and a namespace has one."
        ))
        .advise(format!(
            "To change it: `kubectl chromeos connect {other} ...`. To connect another customer, use another \
             namespace: `--namespace NAME --create-namespace`."
        )));
    }
    let before = all.into_iter().next();
    if before
        .as_ref()
        .is_some_and(|connection| connection.metadata.deletion_timestamp.is_some())
    {
        return Err(Failure::new(format!(
            "The connection {name} in namespace {namespace} is being deleted."
        ))
        .advise(format!(
            "Wait until it is gone, then try again: `kubectl -n {namespace} wait cec {name} --for=delete`."
        )));
    }
    Ok(before)
}

async fn check_namespace(cluster: &Cluster, create: bool) -> Result<(), Failure> {
    let name = cluster.namespace();
    let api: Api<Namespace> = Api::all(cluster.client().clone());
    let found = match api.get_opt(name).await {
        Ok(found) => found,
        // Who works in one namespace may not look at namespaces. The rehearsal finds out the same.
        Err(kube::Error::Api(status)) if status.code == 403 => return Ok(()),
        Err(error) => return Err(Failure::kubernetes(&format!("look at namespace {name}"), &error)),
    };
    match found {
        Some(namespace) if namespace.metadata.deletion_timestamp.is_some() => {
            Err(Failure::new(format!("Namespace {name} is being deleted."))
                .advise("Wait until it is gone, or use another one with --namespace."))
        }
        Some(_) => Ok(()),
        None if create => {
            let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } }))
                .map_err(|error| Failure::new(format!("Namespace {name} cannot be made: {error}.")))?;
            let made = api.create(&PostParams::default(), &namespace).await;
            made.map_err(|error| Failure::kubernetes(&format!("make namespace {name}"), &error))?;
            say(&format!("Namespace {name} was made."));
            Ok(())
        }
        None => Err(Failure::new(format!("Namespace {name} does not exist."))
            .advise("Add --create-namespace to make it, or name another one with --namespace.")),
    }
}
