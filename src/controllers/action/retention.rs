//! Removes what nobody needs any more: actions whose time to live after their end is over, and old receipts.
//!
//! Receipts are what keeps an action from being done twice, so they are kept for ever unless the administrator sets an
//! age, and even then until nothing can repeat the action: its object is gone, `notAfter` has passed, and Google has
//! given the command up.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Preconditions, PropagationPolicy};
use kube::core::DeserializeGuard;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use super::Context;
use super::claim::{bounded, code};
use super::facts::{Clocks, Passed};
use super::flights::Key;
use crate::api::action::{ActionState, DeviceAction, DeviceActionStatus};
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec};

/// How often actions are removed whose end this process has seen.
const TICK: Duration = Duration::from_secs(1);
/// How often everything is looked through: ends that another process has seen, and receipts.
const SCAN_EVERY: Duration = Duration::from_mins(10);
/// Objects a page.
const PAGE: u32 = 500;

/// Actions that are to be removed, by the moment and the name.
#[derive(Debug, Default)]
pub(super) struct Expirations(Mutex<BTreeMap<(Timestamp, Key), String>>);

impl Expirations {
    /// The action with this status is done: removes it when its time is over, if it has one.
    pub(super) fn note(&self, action: &DeviceAction, status: &DeviceActionStatus) {
        if let (Some(when), Some(uid)) = (expiry(action, status), action.uid()) {
            let key = Key {
                namespace: action.namespace().unwrap_or_default(),
                name: action.name_any(),
            };
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert((when, key), uid);
        }
    }

    fn due(&self, now: Timestamp) -> Vec<(Key, String)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        while let Some(first) = all.first_entry() {
            if first.key().0 > now {
                break;
            }
            let ((_, key), uid) = first.remove_entry();
            due.push((key, uid));
        }
        due
    }
}

/// When an action may be removed: so long after its end as its spec says.
fn expiry(action: &DeviceAction, status: &DeviceActionStatus) -> Option<Timestamp> {
    let seconds = action.spec.ttl_seconds_after_finished?;
    let finished = status.finished_time.as_ref()?;
    if !status.state.is_some_and(ActionState::is_final) {
        return None;
    }
    finished
        .0
        .checked_add(SignedDuration::from_secs(seconds.into()))
        .ok()
}

/// Runs until the operator ends.
pub(super) async fn run(context: &Context) {
    let mut since_scan = SCAN_EVERY;
    loop {
        if since_scan >= SCAN_EVERY {
            since_scan = Duration::ZERO;
            for namespace in context.namespaces() {
                if let Err(error) = scan(context, namespace.as_deref()).await {
                    tracing::warn!(%error, "finished actions could not be looked through");
                }
            }
        }
        for (key, uid) in context.expirations.due(context.clocks().own) {
            remove_action(context, &key, &uid).await;
        }
        tokio::time::sleep(TICK).await;
        since_scan += TICK;
    }
}

async fn remove_action(context: &Context, key: &Key, uid: &str) {
    let api: Api<DeviceAction> = context.actions(&key.namespace);
    match bounded(api.delete(&key.name, &exactly(Some(uid.to_owned()), None))).await {
        Ok(_) => {
            tracing::info!(namespace = %key.namespace, action = %key.name, "removed: its time to live after its end is over");
        }
        // Gone, or another object by now.
        Err(error) if matches!(code(&error), Some(404 | 409)) => {}
        Err(error) => {
            tracing::warn!(namespace = %key.namespace, action = %key.name, %error, "a finished action could not be removed; the next scan does it");
        }
    }
}

fn exactly(uid: Option<String>, resource_version: Option<String>) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(Preconditions {
            uid,
            resource_version,
        }),
        ..DeleteParams::default()
    }
}

/// Looks through actions, and through receipts where they have an age.
async fn scan(context: &Context, namespace: Option<&str>) -> kube::Result<()> {
    let mut pages = Pages::<DeviceAction>::new(&context.client, namespace);
    while let Some(actions) = pages.next().await? {
        for action in &actions {
            if let Some(status) = &action.status {
                context.expirations.note(action, status);
            }
        }
    }
    let Some(age) = context.settings.receipt_retention else {
        return Ok(());
    };
    let mut pages = Pages::<DeviceActionReceipt>::new(&context.client, namespace);
    while let Some(receipts) = pages.next().await? {
        for receipt in &receipts {
            if may_go(&receipt.spec, age, context.clocks()) {
                remove_receipt(context, receipt).await?;
            }
        }
    }
    Ok(())
}

/// All objects of a kind, page by page. What this version cannot read is left to one that can.
struct Pages<K> {
    api: Api<DeserializeGuard<K>>,
    next: Option<ListParams>,
}

impl<K> Pages<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    fn new(client: &Client, namespace: Option<&str>) -> Self {
        Self {
            api: match namespace {
                Some(namespace) => Api::namespaced(client.clone(), namespace),
                None => Api::all(client.clone()),
            },
            next: Some(ListParams::default().limit(PAGE)),
        }
    }

    async fn next(&mut self) -> kube::Result<Option<Vec<K>>> {
        let Some(page) = self.next.take() else {
            return Ok(None);
        };
        let list = bounded(self.api.list(&page)).await?;
        let token = list.metadata.continue_.filter(|token| !token.is_empty());
        self.next = token.map(|token| page.continue_token(&token));
        let readable = list
            .items
            .into_iter()
            .filter_map(|DeserializeGuard(object)| object.ok());
        Ok(Some(readable.collect()))
    }
}

/// Whether a receipt is old enough and can keep nothing from being repeated any more; its action is looked for apart.
fn may_go(receipt: &DeviceActionReceiptSpec, age: Duration, clocks: Clocks) -> bool {
    let passed = |moment: Timestamp| clocks.passed(moment) == Passed::Yes;
    let Some(finished) = receipt.finished_time.as_ref().map(|time| time.0) else {
        return false;
    };
    let old = SignedDuration::try_from(age)
        .ok()
        .and_then(|age| finished.checked_add(age).ok())
        .is_some_and(passed);
    let google_is_done = matches!(
        receipt.command_state.as_deref(),
        Some("EXECUTED_BY_CLIENT" | "EXPIRED" | "CANCELLED")
    );
    let expires = receipt.command_expire_time.as_ref();
    let command_is_over = google_is_done || expires.is_none_or(|expires| passed(expires.0));
    receipt.state.is_final() && !receipt.open && old && passed(receipt.request.not_after.0) && command_is_over
}

async fn remove_receipt(context: &Context, receipt: &DeviceActionReceipt) -> kube::Result<()> {
    let (namespace, name) = (receipt.namespace().unwrap_or_default(), receipt.name_any());
    if bounded(context.actions(&namespace).get_metadata_opt(&name))
        .await?
        .is_some()
    {
        return Ok(());
    }
    let api: Api<DeviceActionReceipt> = Api::namespaced(context.client.clone(), &namespace);
    let ObjectMeta {
        uid,
        resource_version,
        ..
    } = receipt.metadata.clone();
    match bounded(api.delete(&name, &exactly(uid, resource_version))).await {
        Ok(_) => {
            tracing::info!(%namespace, receipt = %name, "removed: older than --receipt-retention-days");
            Ok(())
        }
        Err(error) if matches!(code(&error), Some(404 | 409)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::action::record::whole;
    use crate::controllers::action::testing::{accepted, at, now, rejected};

    const DAY: i64 = 86_400;

    fn clocks(seconds: i64) -> Clocks {
        Clocks {
            own: at(seconds),
            google: None,
        }
    }

    #[test]
    fn a_receipt_goes_only_when_nothing_can_repeat_its_action() {
        let week = Duration::from_hours(7 * 24);
        let old = rejected();
        assert!(may_go(&old, week, clocks(8 * DAY)));
        assert!(!may_go(&old, week, clocks(6 * DAY)), "too young");
        let mut record = old.clone();
        record.request.not_after = whole(at(9 * DAY));
        assert!(!may_go(&record, week, clocks(8 * DAY)), "notAfter has not passed");
        let mut record = old.clone();
        record.command_expire_time = Some(whole(at(100 * DAY)));
        assert!(
            !may_go(&record, week, clocks(8 * DAY)),
            "Google still has the command"
        );
        record.command_state = Some("EXECUTED_BY_CLIENT".into());
        assert!(may_go(&record, week, clocks(8 * DAY)), "the device has done it");
        let mut record = old.clone();
        record.open = true;
        assert!(!may_go(&record, week, clocks(8 * DAY)), "followed still");
        assert!(!may_go(&accepted(), week, clocks(800 * DAY)), "not done");
        let disputed = Clocks {
            own: at(8 * DAY),
            google: Some(now()),
        };
        assert!(!may_go(&old, week, disputed), "Google's clock disagrees");
    }
}
