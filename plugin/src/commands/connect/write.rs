//! How objects get into the cluster, and out again when the second one cannot be written.

use std::fmt::Debug;

use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, SYNC_REQUESTED_ANNOTATION};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::manifest::Manifest;
use super::preflight::Before;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::clean;

/// Who writes, for the bookkeeping of the API server.
const FIELD_MANAGER: &str = "kubectl-chromeos";

/// What the wait has to know of what was written.
#[derive(Debug)]
pub(super) struct Written {
    /// The generation that the operator has to see.
    pub(super) generation: i64,
    /// The request to look at Google again that the operator has to handle, if the connection was there before.
    pub(super) request: Option<String>,
}

/// Asks the API server whether it would take both objects, and changes nothing.
///
/// # Errors
/// When it would not.
pub(super) async fn rehearse(cluster: &Cluster, manifest: &Manifest, admin: &str) -> Result<(), Failure> {
    let parameters = PatchParams::apply(FIELD_MANAGER).dry_run();
    if let Some((name, secret)) = secret(manifest, b"rehearsal") {
        apply::<Secret>(&cluster.api(), "Secret", name, &parameters, &secret).await?;
    }
    let connection = manifest.connection(admin);
    let api = cluster.api::<ChromeEnterpriseConnection>();
    apply(&api, "connection", manifest.name(), &parameters, &connection).await?;
    Ok(())
}

/// Writes the Secret and the connection, or neither.
///
/// # Errors
/// When one of them cannot be written; the Secret is then as it was before, or the sentence says that it is not.
pub(super) async fn both(
    cluster: &Cluster,
    manifest: &Manifest,
    before: &Before,
    content: Option<&[u8]>,
    admin: &str,
) -> Result<Written, Failure> {
    let parameters = PatchParams::apply(FIELD_MANAGER);
    let secret = content.and_then(|content| secret(manifest, content));
    if let Some((name, secret)) = &secret {
        apply::<Secret>(&cluster.api(), "Secret", name, &parameters, secret).await?;
    }
    let connection = manifest.connection(admin);
    let api = cluster.api::<ChromeEnterpriseConnection>();
    match apply(&api, "connection", manifest.name(), &parameters, &connection).await {
        Ok(connection) => written(&api, manifest.name(), before, &connection).await,
        Err(failure) => match &secret {
            Some((name, _)) => Err(undo(cluster, name, before, failure).await),
            None => Err(failure),
        },
    }
}

fn secret<'a>(manifest: &'a Manifest, content: &[u8]) -> Option<(&'a str, Value)> {
    let name = manifest.secret_key()?.name.as_str();
    Some((name, manifest.secret(content)?))
}

async fn written(
    api: &Api<ChromeEnterpriseConnection>,
    name: &str,
    before: &Before,
    connection: &ChromeEnterpriseConnection,
) -> Result<Written, Failure> {
    // A new connection is looked at anyway. Of an old one only the Secret may be new, and the operator would be in no hurry.
    let request = match before.connection {
        Some(_) => Some(ask_to_look_again(api, name).await?),
        None => None,
    };
    Ok(Written {
        generation: connection.metadata.generation.unwrap_or_default(),
        request,
    })
}

/// Asks the operator to look at Google now; gives the request's name.
///
/// # Errors
/// When the annotation cannot be written.
pub(super) async fn ask_to_look_again(
    api: &Api<ChromeEnterpriseConnection>,
    name: &str,
) -> Result<String, Failure> {
    let request = Timestamp::now().to_string();
    let patch = json!({ "metadata": { "annotations": { SYNC_REQUESTED_ANNOTATION: request } } });
    // No server-side apply: whoever asks next, with whatever program, must not be refused.
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    api.patch_metadata(name, &parameters, &Patch::Merge(&patch))
        .await
        .map_err(|error| {
            Failure::kubernetes(
                &format!("ask the operator to look at connection {name} again"),
                &error,
            )
        })?;
    Ok(request)
}

/// Puts the Secret back to what it was.
async fn undo(cluster: &Cluster, name: &str, before: &Before, failure: Failure) -> Failure {
    let api = cluster.api::<Secret>();
    let undone = match before.secret.as_ref().and_then(|secret| secret.data.as_ref()) {
        None => api
            .delete(name, &DeleteParams::default())
            .await
            .map(|_| "deleted"),
        Some(data) => api
            .patch(
                name,
                &PatchParams::default(),
                &Patch::Merge(json!({ "data": data })),
            )
            .await
            .map(|_| "as it was before"),
    };
    match undone {
        Ok(state) => failure.and(&format!("Secret {name} is {state}.")),
        Err(error) => failure.and(&format!(
            "Secret {name} holds the credential still: {}",
            Failure::kubernetes(&format!("take Secret {name} back"), &error)
        )),
    }
}

async fn apply<K: Clone + Debug + DeserializeOwned>(
    api: &Api<K>,
    kind: &str,
    name: &str,
    parameters: &PatchParams,
    object: &Value,
) -> Result<K, Failure> {
    api.patch(name, parameters, &Patch::Apply(object))
        .await
        .map_err(|error| refused(kind, name, &error))
}

fn refused(kind: &str, name: &str, error: &kube::Error) -> Failure {
    let doing = format!("write {kind} {name}");
    let kube::Error::Api(status) = error else {
        return Failure::kubernetes(&doing, error);
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let owned: Vec<String> = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| {
            let owner = cause.message.split('"').nth(1).unwrap_or("somebody else");
            format!(
                "{} belongs to {}",
                clean(cause.field.trim_start_matches('.')),
                clean(owner)
            )
        })
        .collect();
    if owned.is_empty() {
        return Failure::kubernetes(&doing, error);
    }
    Failure::new(format!(
        "The {kind} {name} is kept by somebody else: {}.",
        owned.join(", ")
    ))
    .advise(
        "Change it where it is kept, such as in Git: `kubectl chromeos connect ... --dry-run=client -o yaml` prints \
         what belongs there. Or take the fields away from there, or use another NAME or namespace.",
    )
}
