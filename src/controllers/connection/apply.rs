//! Does what the plan says.

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use std::sync::Arc;

use super::Context;
use super::facts::Facts;
use super::jobs;
use super::plan::Act;
use crate::api::connection::ChromeEnterpriseConnection;
use crate::api::{CLEANUP_FINALIZER, FIELD_MANAGER};
use crate::google::Credential;

/// Does what the plan says. Long jobs are only started here.
///
/// # Errors
/// When a finalizer could not be written; a conflict means that somebody else changed the object meanwhile.
pub(super) async fn apply(
    context: &Arc<Context>,
    facts: &Facts,
    credential: Option<Credential>,
    act: &Act,
) -> Result<(), kube::Error> {
    let uid = facts.connection.uid().unwrap_or_default();
    match act {
        Act::Nothing => Ok(()),
        Act::StartPass(start) => {
            // A pass is only planned with usable credentials, and those come with the credential itself.
            if let Some(credential) = credential {
                jobs::start_pass(context, facts, credential, start);
            }
            Ok(())
        }
        Act::StartCleanup => {
            jobs::start_cleanup(context, facts);
            Ok(())
        }
        Act::Stop => {
            context.sessions.stop(&uid);
            Ok(())
        }
        Act::AddFinalizer => set_finalizer(&context.client, &facts.connection, true).await,
        Act::RemoveFinalizer => {
            set_finalizer(&context.client, &facts.connection, false).await?;
            context.forget(&facts.connection);
            Ok(())
        }
    }
}

/// Adds or removes our finalizer and leaves others alone. The resourceVersion makes it a compare-and-swap.
async fn set_finalizer(
    client: &Client,
    connection: &ChromeEnterpriseConnection,
    wanted: bool,
) -> Result<(), kube::Error> {
    let mut finalizers: Vec<&str> = connection
        .finalizers()
        .iter()
        .map(String::as_str)
        .filter(|finalizer| *finalizer != CLEANUP_FINALIZER)
        .collect();
    if wanted {
        finalizers.push(CLEANUP_FINALIZER);
    }
    let api: Api<ChromeEnterpriseConnection> =
        Api::namespaced(client.clone(), &connection.namespace().unwrap_or_default());
    let patch = json!({ "metadata": { "resourceVersion": connection.resource_version(), "uid": connection.uid(), "finalizers": finalizers } });
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api
        .patch_metadata(&connection.name_any(), &params, &Patch::Merge(patch))
        .await
    {
        Ok(_) => Ok(()),
        // Gone is what a removal wants.
        Err(kube::Error::Api(status)) if status.code == 404 && !wanted => Ok(()),
        Err(error) => Err(error),
    }
}
