//! Watches connections and runs a reconcile for each that changed, is due, or has a job that ended.

use futures::StreamExt;
use futures::channel::mpsc;
use kube::api::Api;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{Predicate, PredicateConfig, WatchStreamExt, predicates, watcher};
use kube::{Client, ResourceExt};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::session::{Identity, Sessions};
use super::{Context, Watched, on_error, reconcile, sweep};
use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::failures::Failures;
use crate::controllers::settings::{ControllerSettings, WatchNamespaces};
use crate::controllers::tenant::Tenants;
use crate::runtime::listed::FirstList;
use crate::runtime::metrics::Metrics;
use crate::runtime::readiness::Gate;

/// How often connections that vanished without a word are looked for.
const JANITOR_EVERY: Duration = Duration::from_secs(30);
/// How often device objects of namespaces without a connection are looked for.
const SWEEP_EVERY: Duration = Duration::from_hours(6);
/// Reconciles at a time. Each is short.
const CONCURRENCY: u16 = 16;

/// What the controller is given.
#[allow(missing_debug_implementations, reason = "the client of the cluster has none")]
pub struct Inputs {
    /// The cluster.
    pub client: Client,
    /// What is shared with the other controllers.
    pub(crate) tenants: Arc<Tenants>,
    /// Namespaces and names of connections that another controller has news for.
    pub(crate) news: mpsc::UnboundedReceiver<(String, String)>,
    /// How the operator was told to work.
    pub settings: ControllerSettings,
    /// Where figures go.
    pub metrics: Metrics,
    /// Opened when all connections were listed once.
    pub listed: Gate,
    /// Cancelled when the operator is to end.
    pub shutdown: CancellationToken,
    /// Jobs run in it, so that the end of the operator can wait for them.
    pub tracker: TaskTracker,
}

/// One watch: all namespaces, or one that the operator was told to look at.
#[derive(Debug)]
pub(super) struct Scope {
    namespace: Option<String>,
    store: Store<Watched>,
    list: FirstList,
    wake: mpsc::UnboundedSender<ObjectRef<Watched>>,
}

impl Scope {
    fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    /// Lets a connection be looked at now.
    pub(super) fn wake(&self, namespace: &str, name: &str) {
        if self.covers(namespace) {
            // Nobody listens any more only when the operator is ending.
            let _ = self.wake.unbounded_send(ObjectRef::new(name).within(namespace));
        }
    }

    /// Lets every connection of a namespace be looked at now.
    pub(super) fn wake_namespace(&self, namespace: &str) {
        for connection in self.store.state() {
            if connection.namespace().as_deref() == Some(namespace) {
                self.wake(namespace, &connection.name_any());
            }
        }
    }
}

/// Runs until `shutdown` is cancelled and every running reconcile has ended.
pub async fn run(inputs: Inputs) {
    let Inputs {
        client,
        tenants,
        mut news,
        settings,
        metrics,
        listed,
        shutdown,
        tracker,
    } = inputs;
    let namespaces: Vec<Option<String>> = match &settings.watch_namespaces {
        WatchNamespaces::All => vec![None],
        WatchNamespaces::Only(names) => names.iter().cloned().map(Some).collect(),
    };
    let mut scopes = Vec::new();
    let mut controllers = Vec::new();
    for namespace in namespaces {
        let (scope, controller) = controller(&client, namespace);
        scopes.push(scope);
        controllers.push(controller);
    }
    let context = Arc::new(Context {
        client,
        tenants,
        settings,
        metrics,
        shutdown: shutdown.clone(),
        tracker,
        sessions: Sessions::default(),
        scopes,
        api_failures: Failures::default(),
    });
    let controllers = controllers.into_iter().map(|controller| {
        controller
            .graceful_shutdown_on(shutdown.clone().cancelled_owned())
            .run(reconcile, on_error, context.clone())
            .for_each(|_| std::future::ready(()))
    });
    let background = async {
        for scope in &context.scopes {
            scope.list.complete().await;
        }
        listed.open();
        let pass_on_news = async {
            while let Some((namespace, name)) = news.next().await {
                context.wake(&namespace, &name);
            }
        };
        tokio::join!(janitor(&context), sweeper(&context), pass_on_news);
    };
    tokio::select! {
        _ = futures::future::join_all(controllers) => {}
        () = background => {}
    }
}

fn controller(client: &Client, namespace: Option<String>) -> (Scope, Controller<Watched>) {
    let (store, writer) = reflector::store();
    let (wake, woken) = mpsc::unbounded();
    let api: Api<Watched> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    // Our own status writes must not wake us: the generation covers spec and deletion, the rest is metadata.
    let touched = predicates::generation
        .combine(predicates::annotations)
        .combine(predicates::finalizers);
    let list = FirstList::default();
    let events = watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer);
    let stream = list
        .note(events)
        .applied_objects()
        .predicate_filter(touched, PredicateConfig::default());
    let controller = Controller::for_stream(stream, store.clone())
        .with_config(Config::default().concurrency(CONCURRENCY))
        .reconcile_on(woken);
    (
        Scope {
            namespace,
            store,
            list,
            wake,
        },
        controller,
    )
}

/// Stops the work for connections that are gone without having been let go, and removes what it left behind.
async fn janitor(context: &Context) {
    loop {
        tokio::time::sleep(JANITOR_EVERY).await;
        for Identity { uid, namespace, name } in context.sessions.known() {
            let api: Api<ChromeEnterpriseConnection> = Api::namespaced(context.client.clone(), &namespace);
            match api.get_metadata_opt(&name).await {
                Ok(found) if found.as_ref().and_then(ResourceExt::uid).as_deref() == Some(uid.as_str()) => {}
                Ok(_) => {
                    tracing::info!(%namespace, connection = %name, "the connection is gone; its work is stopped");
                    context.sessions.forget(&uid);
                    context.tenants.forget(&uid, &namespace);
                    context.metrics.remove_connection(&namespace, &name);
                    sweep_and_tell(context, Some(&namespace)).await;
                }
                Err(error) => {
                    tracing::debug!(%namespace, connection = %name, %error, "could not look whether the connection is still there");
                }
            }
        }
    }
}

/// Removes device objects of namespaces without a connection, at the start and then now and again.
async fn sweeper(context: &Context) {
    loop {
        for scope in &context.scopes {
            sweep_and_tell(context, scope.namespace.as_deref()).await;
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

async fn sweep_and_tell(context: &Context, namespace: Option<&str>) {
    match sweep::sweep(&context.client, namespace).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(
            removed,
            "device objects of namespaces without a connection were removed"
        ),
        Err(error) => tracing::warn!(%error, "device objects without a connection could not be looked for"),
    }
}
