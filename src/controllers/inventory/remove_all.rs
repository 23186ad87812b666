//! Removes all device objects of a namespace, for a connection that is being deleted.

use futures::{StreamExt, stream};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::PassFailure;
use super::progress::Progress;
use super::write::Writer;
use crate::api::connection::{DeviceCounts, SyncPhase};
use crate::api::device::ChromeOSDevice;

/// Objects listed at a time. Each list begins anew, because the one before has been removed.
const CHUNK: u32 = 500;

/// Removes every device object of the namespace. The namespace is the tenant, so all of them belong to its connection,
/// whatever their label says.
///
/// # Errors
/// When the objects cannot be listed or removed, or when it is stopped. What is gone stays gone; a repetition goes on.
pub(crate) async fn remove_all(
    client: &Client,
    writer: &Writer,
    namespace: &str,
    concurrency: usize,
    progress: &Progress,
    cancel: &CancellationToken,
) -> Result<(), PassFailure> {
    progress.phase(SyncPhase::Removing);
    let api: Api<ChromeOSDevice> = Api::namespaced(client.clone(), namespace);
    loop {
        if cancel.is_cancelled() {
            return Err(PassFailure::Cancelled);
        }
        let list = api.list_metadata(&ListParams::default().limit(CHUNK)).await?;
        let here = i64::try_from(list.items.len()).unwrap_or_default();
        let synced = here + list.metadata.remaining_item_count.unwrap_or_default();
        progress.counts(DeviceCounts {
            synced,
            other: synced,
            ..DeviceCounts::default()
        });
        if list.items.is_empty() {
            return Ok(());
        }
        let names = list.items.iter().map(ResourceExt::name_any);
        let results: Vec<_> = stream::iter(names)
            .map(|name| async move { writer.delete(&name).await })
            .buffer_unordered(concurrency)
            .collect()
            .await;
        let mut failed = results.into_iter().filter_map(Result::err);
        if let Some(first) = failed.next() {
            return Err(PassFailure::Write {
                failed: 1 + failed.count(),
                first: Some(Box::new(first)),
            });
        }
    }
}
