//! Ends the actions of a namespace whose connection is being deleted, as far as nothing was sent for them.
//!
//! The action controller does the same when it looks, but the connection may be gone by then, and an action that waits
//! for a connection would be carried out by the next one.

use kube::api::{Api, ListParams};
use kube::core::DeserializeGuard;
use kube::{Client, ResourceExt};

use super::claim::{Receipts, bounded, code};
use super::reason::Reason;
use super::record;
use super::request;
use super::verdict::Verdict;
use super::watch::not_done;
use crate::api::action::{ActionState, DeviceAction};
use crate::controllers::tenant::Tenants;
use crate::runtime::clock;
use crate::runtime::metrics::Metrics;

/// Actions a page.
const PAGE: u32 = 500;

/// Creates the receipt "the connection was deleted" for every action that has none yet.
///
/// # Errors
/// When the API server refuses or gives no answer; a repetition goes on where it was. A namespace that is being
/// terminated takes no receipts, and needs none.
pub(crate) async fn abandon(
    client: &Client,
    tenants: &Tenants,
    metrics: &Metrics,
    namespace: &str,
) -> kube::Result<()> {
    let api: Api<DeserializeGuard<DeviceAction>> = Api::namespaced(client.clone(), namespace);
    let receipts = Receipts::new(client.clone(), namespace);
    let verdict = Verdict::new(ActionState::Rejected, Reason::ConnectionDeleted);
    let mut page = ListParams::default().fields(&not_done()).limit(PAGE);
    loop {
        let list = bounded(api.list(&page)).await?;
        let readable = list
            .items
            .into_iter()
            .filter_map(|DeserializeGuard(action)| action.ok());
        for action in readable {
            let request = request::request_of(&action, None, None);
            let tombstone = record::tombstone(request, &verdict, clock::now());
            match receipts.create_tombstone(&action.name_any(), tombstone).await {
                Ok(true) => {
                    metrics.action_finished(action.spec.type_.as_str(), verdict.state.as_str());
                    tenants.has_news_for_action(namespace, &action.name_any());
                }
                Ok(false) => {}
                Err(error) if code(&error) == Some(403) && error.to_string().contains("being terminated") => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
            return Ok(());
        };
        page = page.continue_token(&token);
    }
}
