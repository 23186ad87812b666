//! Lists the device objects of a namespace, page by page, into the index.

use kube::api::{Api, ListParams, ObjectMeta};
use kube::core::DeserializeGuard;
use kube::{Client, ResourceExt};

use super::index::Index;
use crate::api::CONNECTION_LABEL;
use crate::api::device::ChromeOSDevice;

/// Objects a page. A page of full objects is then about a megabyte.
const FULL_PAGE: u32 = 500;
/// Metadata is a tenth of that.
const METADATA_PAGE: u32 = 2000;
/// The API server forgets a list after some minutes and answers 410; then it is begun anew, this often.
const RESTARTS: u32 = 3;

/// Brings the index in step with the cluster: by full objects the first time, by metadata afterwards.
///
/// # Errors
/// When the API server cannot be reached or refuses. The index is then as it was, but for objects that were seen.
pub(super) async fn refresh(
    client: &Client,
    namespace: &str,
    connection: &str,
    index: &mut Index,
) -> Result<(), kube::Error> {
    let mut restarts = 0;
    loop {
        index.begin_list();
        let listed = if index.is_built() {
            list_metadata(client, namespace, connection, index).await
        } else {
            list_objects(client, namespace, connection, index).await
        };
        match listed {
            Ok(()) => {
                index.end_list();
                return Ok(());
            }
            Err(kube::Error::Api(status)) if status.code == 410 && restarts < RESTARTS => restarts += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn list_objects(
    client: &Client,
    namespace: &str,
    connection: &str,
    index: &mut Index,
) -> Result<(), kube::Error> {
    // An object that this version cannot read counts as one without a status: it is written again.
    let api: Api<DeserializeGuard<ChromeOSDevice>> = Api::namespaced(client.clone(), namespace);
    let mut page = ListParams::default().limit(FULL_PAGE);
    loop {
        let list = api.list(&page).await?;
        for DeserializeGuard(object) in list.items {
            match object {
                Ok(object) => {
                    let meta = &object.metadata;
                    index.listed_object(
                        &object.name_any(),
                        version(meta),
                        is_labelled(meta, connection),
                        object.status.as_ref(),
                    );
                }
                Err(unreadable) => {
                    let meta = &unreadable.metadata;
                    let name = meta.name.as_deref().unwrap_or_default();
                    index.listed_object(name, version(meta), is_labelled(meta, connection), None);
                }
            }
        }
        let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
            return Ok(());
        };
        page = page.continue_token(&token);
    }
}

async fn list_metadata(
    client: &Client,
    namespace: &str,
    connection: &str,
    index: &mut Index,
) -> Result<(), kube::Error> {
    let api: Api<ChromeOSDevice> = Api::namespaced(client.clone(), namespace);
    let mut page = ListParams::default().limit(METADATA_PAGE);
    loop {
        let list = api.list_metadata(&page).await?;
        for object in &list.items {
            let meta = &object.metadata;
            index.listed_metadata(&object.name_any(), version(meta), is_labelled(meta, connection));
        }
        let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
            return Ok(());
        };
        page = page.continue_token(&token);
    }
}

fn version(meta: &ObjectMeta) -> &str {
    meta.resource_version.as_deref().unwrap_or_default()
}

fn is_labelled(meta: &ObjectMeta, connection: &str) -> bool {
    meta.labels
        .as_ref()
        .and_then(|labels| labels.get(CONNECTION_LABEL))
        .is_some_and(|label| label == connection)
}
