//! Watches actions that are not done and receipts that are open, and runs a look for each that changed or is due.
//!
//! Receipts are watched beside the actions because what was sent is followed to its end even when its action is
//! deleted. Both watches select at the API server, so what is done costs nothing.

use futures::StreamExt;
use futures::channel::mpsc;
use kube::api::Api;
use kube::core::DeserializeGuard;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::flights::{Flights, Key};
use super::observe;
use super::retention::{self, Expirations};
use super::rivals::Contender;
use super::{Context, on_error, reconcile};
use crate::api::action::{ActionState, DeviceAction};
use crate::api::receipt::DeviceActionReceipt;
use crate::controllers::failures::Failures;
use crate::controllers::settings::{ActionSettings, WatchNamespaces};
use crate::controllers::tenant::Tenants;
use crate::runtime::listed::FirstList;
use crate::runtime::metrics::Metrics;
use crate::runtime::readiness::Gate;

/// Looks at a time. Each is short; what takes long runs beside them.
const CONCURRENCY: u16 = 32;

/// What the controller is given.
pub(crate) struct Inputs {
    /// The cluster.
    pub(crate) client: Client,
    /// What is shared with the other controllers.
    pub(crate) tenants: Arc<Tenants>,
    /// Namespaces and names of actions that another controller has news for.
    pub(crate) news: mpsc::UnboundedReceiver<(String, String)>,
    /// How actions are carried out.
    pub(crate) settings: ActionSettings,
    /// Where they are looked for.
    pub(crate) namespaces: WatchNamespaces,
    /// Where figures go.
    pub(crate) metrics: Metrics,
    /// Opened when all actions and open receipts were listed once.
    pub(crate) listed: Gate,
    /// Cancelled when the operator is to end.
    pub(crate) shutdown: CancellationToken,
    /// Attempts run in it, so that the end of the operator can wait for them.
    pub(crate) tracker: TaskTracker,
}

pub(super) type Actions = DeserializeGuard<DeviceAction>;
pub(super) type OpenReceipts = DeserializeGuard<DeviceActionReceipt>;

/// The watches of all namespaces, or of one that the operator was told to look at.
pub(super) struct Scope {
    namespace: Option<String>,
    actions: Watch<Actions>,
    receipts: Watch<OpenReceipts>,
}

struct Watch<K: Resource<DynamicType = ()> + 'static> {
    store: Store<K>,
    list: FirstList,
    wake: mpsc::UnboundedSender<ObjectRef<K>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Watch<K> {
    fn wake(&self, key: &Key) {
        // Nobody listens any more only when the operator is ending.
        let _ = self
            .wake
            .unbounded_send(ObjectRef::new(&key.name).within(&key.namespace));
    }
}

impl Scope {
    /// The namespace that is watched; `None` is all of them.
    pub(super) fn namespace(&self) -> Option<String> {
        self.namespace.clone()
    }

    fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// Lets an action be looked at now. Whichever of action and receipt is watched brings it about.
    pub(super) fn wake(&self, key: &Key) {
        if self.covers(&key.namespace) {
            self.actions.wake(key);
            self.receipts.wake(key);
        }
    }

    /// The actions of a namespace that are not done, and how far they are.
    pub(super) fn contenders(&self, namespace: &str) -> Vec<Contender> {
        if !self.covers(namespace) {
            return Vec::new();
        }
        let here = |meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| {
            meta.namespace.as_deref() == Some(namespace)
        };
        let receipts = self.receipts.store.state();
        let mut contenders: Vec<Contender> = receipts
            .iter()
            .filter_map(|receipt| receipt.0.as_ref().ok())
            .filter(|receipt| here(&receipt.metadata))
            .map(observe::claimed)
            .collect();
        let claimed: std::collections::HashSet<String> = contenders
            .iter()
            .map(|contender| contender.name.clone())
            .collect();
        let actions = self.actions.store.state();
        let waiting = actions
            .iter()
            .filter_map(|action| action.0.as_ref().ok())
            .filter(|action| here(&action.metadata) && !claimed.contains(&action.name_any()))
            .filter(|action| action.metadata.deletion_timestamp.is_none())
            .map(observe::waiting);
        contenders.extend(waiting);
        contenders
    }
}

/// Runs until `shutdown` is cancelled and every running look has ended.
pub(crate) async fn run(inputs: Inputs) {
    let namespaces: Vec<Option<String>> = match &inputs.namespaces {
        WatchNamespaces::All => vec![None],
        WatchNamespaces::Only(names) => names.iter().cloned().map(Some).collect(),
    };
    let (mut scopes, mut controllers) = (Vec::new(), Vec::new());
    for namespace in namespaces {
        let (actions, of_actions) = watch(&inputs.client, namespace.as_deref(), &not_done());
        let (receipts, of_receipts) = watch(&inputs.client, namespace.as_deref(), "open=true");
        scopes.push(Scope {
            namespace,
            actions,
            receipts,
        });
        controllers.push((of_actions, of_receipts));
    }
    let (mut news, listed, shutdown) = (inputs.news, inputs.listed, inputs.shutdown.clone());
    let context = Arc::new(Context {
        client: inputs.client,
        tenants: inputs.tenants,
        settings: inputs.settings,
        metrics: inputs.metrics,
        shutdown: inputs.shutdown,
        tracker: inputs.tracker,
        flights: Arc::new(Flights::default()),
        process: super::process_name(),
        scopes,
        failures: Failures::default(),
        expirations: Expirations::default(),
    });
    let mut running = Vec::new();
    for (of_actions, of_receipts) in controllers {
        running.push(tokio::spawn(drive(of_actions, context.clone(), shutdown.clone())));
        running.push(tokio::spawn(drive(
            of_receipts,
            context.clone(),
            shutdown.clone(),
        )));
    }
    let background = async {
        for scope in &context.scopes {
            scope.actions.list.complete().await;
            scope.receipts.list.complete().await;
        }
        listed.open();
        let pass_on_news = async {
            while let Some((namespace, name)) = news.next().await {
                context.wake(&Key { namespace, name });
            }
        };
        tokio::join!(retention::run(&context), pass_on_news);
    };
    tokio::select! {
        _ = futures::future::join_all(running) => {}
        () = background => {}
    }
}

async fn drive<K>(controller: Controller<K>, context: Arc<Context>, shutdown: CancellationToken)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    controller
        .graceful_shutdown_on(shutdown.cancelled_owned())
        .run(reconcile::<K>, on_error::<K>, context)
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Everything but what is final: an action without a state too.
pub(super) fn not_done() -> String {
    let finals = ActionState::ALL.iter().filter(|state| state.is_final());
    let terms: Vec<String> = finals
        .map(|state| format!("status.state!={}", state.as_str()))
        .collect();
    terms.join(",")
}

fn watch<K>(client: &Client, namespace: Option<&str>, fields: &str) -> (Watch<K>, Controller<K>)
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let (wake, woken) = mpsc::unbounded();
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let list = FirstList::default();
    let events = watcher(api, watcher::Config::default().fields(fields))
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer);
    let stream = list.note(events).applied_objects();
    let controller = Controller::for_stream(stream, store.clone())
        .with_config(Config::default().concurrency(CONCURRENCY))
        .reconcile_on(woken);
    (Watch { store, list, wake }, controller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watch_leaves_out_exactly_what_is_final() {
        assert_eq!(
            not_done(),
            "status.state!=Succeeded,status.state!=Failed,status.state!=Expired,status.state!=Rejected,status.state!=OutcomeUnknown"
        );
    }
}
