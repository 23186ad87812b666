//! Carries out every `DeviceAction` at most once, and tells the truth about how it ended: observe, plan, apply, report.
//!
//! A look is short and never asks Google. What takes long (an attempt to send an action, a question what became of
//! it) runs beside it, at most one thing at a time for each action; a look starts it and tells how it goes.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `plan` | what happens to an action that nobody has claimed, by what is known of it |
//! | `follow` | what happens to one with a receipt |
//! | `preflight` | whether the state of the device allows it |
//! | `rivals` | which action on a device comes first |
//! | `claim` | that only one process sends, and only once |
//! | `attempt` | the steps of one attempt, in the only order that compiles |
//! | `ask`, `news` | what Google's later answers mean |
//! | `record`, `write` | what is in a receipt |
//! | `status`, `events`, `reason` | what people are told |
//! | `retention` | what is removed, and when |
//! | `abandon` | what becomes of actions whose connection is deleted |

mod abandon;
mod ask;
mod attempt;
mod claim;
mod events;
mod facts;
mod flights;
mod follow;
#[cfg(test)]
mod model;
mod news;
mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;
mod preflight;
mod reason;
mod record;
mod request;
mod retention;
mod rivals;
mod status;
#[cfg(test)]
mod testing;
mod verdict;
mod watch;
mod write;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::Api;
use kube::runtime::controller::Action;
use kube::{Client, Resource};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::action::DeviceAction;
use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::failures::{Failures, LOOK_TIMEOUT, LookError};
use crate::controllers::inventory::write::Writer;
use crate::controllers::settings::ActionSettings;
use crate::controllers::tenant::Tenants;
use crate::google::{DirectoryClient, GoogleError};
use crate::runtime::clock;
use crate::runtime::metrics::Metrics;
pub(crate) use abandon::abandon;
use ask::Question;
use attempt::Work;
use claim::{Receipts, bounded};
use facts::{Clocks, Facts, Stage};
use flights::{Flights, Guard, Key};
use observe::{GoogleAccess, Observed};
use plan::{Act, Plan};
pub(crate) use watch::{Inputs, run};

/// After a write to the receipt the action is looked at again at once, so often at most.
const LOOKS_IN_A_ROW: u32 = 3;

/// What every look works with.
struct Context {
    client: Client,
    tenants: Arc<Tenants>,
    settings: ActionSettings,
    metrics: Metrics,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    flights: Arc<Flights>,
    /// Names this process in receipts.
    process: String,
    scopes: Vec<watch::Scope>,
    failures: Failures,
    expirations: retention::Expirations,
}

impl Context {
    fn wake(&self, key: &Key) {
        self.scopes.iter().for_each(|scope| scope.wake(key));
    }

    fn contenders(&self, namespace: &str) -> Vec<rivals::Contender> {
        self.scopes
            .iter()
            .flat_map(|scope| scope.contenders(namespace))
            .collect()
    }

    /// The namespaces that are watched; `None` is all of them.
    fn namespaces(&self) -> Vec<Option<String>> {
        self.scopes.iter().map(watch::Scope::namespace).collect()
    }

    fn clocks(&self) -> Clocks {
        Clocks {
            own: clock::now(),
            google: self.tenants.google().time_at_google(),
        }
    }

    fn receipts(&self, namespace: &str) -> Receipts {
        Receipts::new(self.client.clone(), namespace)
    }

    fn actions(&self, namespace: &str) -> Api<DeviceAction> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn writer(&self, namespace: &str, connection: &str) -> Writer {
        Writer::new(self.client.clone(), namespace, connection, self.metrics.clone())
    }

    async fn action_metadata(&self, namespace: &str, name: &str) -> kube::Result<Option<ObjectMeta>> {
        let found = bounded(self.actions(namespace).get_metadata_opt(name)).await?;
        Ok(found.map(|found| found.metadata))
    }

    async fn connection(
        &self,
        namespace: &str,
        name: &str,
    ) -> kube::Result<Option<ChromeEnterpriseConnection>> {
        let api: Api<ChromeEnterpriseConnection> = Api::namespaced(self.client.clone(), namespace);
        bounded(api.get_opt(name)).await
    }
}

/// Names this process: the machine or Pod, and a random part.
fn process_name() -> String {
    let host = hostname::get().unwrap_or_default();
    let host: String = host.to_string_lossy().chars().take(200).collect();
    format!("{host}/{}", uuid::Uuid::new_v4().simple())
}

/// One look at one action. It can be given up at any moment: every write in it is whole by itself.
async fn reconcile<K>(watched: Arc<K>, context: Arc<Context>) -> Result<Action, LookError>
where
    K: Resource<DynamicType = ()>,
{
    let began = Instant::now();
    let key = key_of(watched.as_ref());
    let look = tokio::time::timeout(LOOK_TIMEOUT, Box::pin(look(&context, &key)));
    let Some(result) = context.shutdown.run_until_cancelled(look).await else {
        return Ok(Action::await_change());
    };
    let result = result
        .map_err(|_| LookError::Silent)
        .and_then(|looked| Ok(looked?));
    let outcome = if result.is_ok() { "success" } else { "error" };
    context.metrics.reconcile("action", outcome, began.elapsed());
    let look_again = result?;
    context.failures.clear(&key.namespace, &key.name);
    Ok(look_again.map_or_else(Action::await_change, Action::requeue))
}

fn key_of<K: Resource>(object: &K) -> Key {
    Key {
        namespace: object.meta().namespace.clone().unwrap_or_default(),
        name: object.meta().name.clone().unwrap_or_default(),
    }
}

/// The API server could not be asked, or somebody else was quicker.
#[allow(clippy::needless_pass_by_value, reason = "the controller hands both over")]
fn on_error<K>(watched: Arc<K>, error: &LookError, context: Arc<Context>) -> Action
where
    K: Resource<DynamicType = ()>,
{
    let Key { namespace, name } = key_of(watched.as_ref());
    context.failures.after("DeviceAction", &namespace, &name, error)
}

async fn look(context: &Arc<Context>, key: &Key) -> kube::Result<Option<Duration>> {
    let _alone = context.flights.look(key).await;
    for _ in 0..LOOKS_IN_A_ROW {
        let Observed { facts, access } = observe::observe(context, key).await?;
        let plan = plan::plan(&facts, &context.settings);
        if apply(context, key, &facts, access, &plan).await {
            // The receipt has changed, and it decides.
            continue;
        }
        return finish(context, key, &facts, &plan).await;
    }
    Ok(Some(Duration::from_millis(500)))
}

/// Tells how it goes, and what follows from that.
async fn finish(context: &Context, key: &Key, facts: &Facts, plan: &Plan) -> kube::Result<Option<Duration>> {
    let now = clock::now();
    let written = status::report(context, facts, plan, now).await?;
    if let (Some(action), Some(status)) = (&facts.action, &written) {
        context.expirations.note(action, status);
        events::tell(context, action, status, now).await;
    }
    if plan.look_again.is_none() {
        context.flights.forget(key);
    }
    Ok(plan.look_again)
}

/// Does what the plan says. What takes long is only started. `true` if the receipt may have changed.
async fn apply(
    context: &Arc<Context>,
    key: &Key,
    facts: &Facts,
    access: Option<GoogleAccess>,
    plan: &Plan,
) -> bool {
    match &plan.act {
        Act::Nothing => false,
        Act::Refuse(verdict) => {
            if let Some(action) = &facts.action {
                let request = request::request_of(action, facts.tenant.as_ref(), facts.lookup.target());
                write::refuse(context, key, request, verdict).await;
            }
            true
        }
        Act::End(verdict) => {
            if let Some(receipt) = &facts.receipt {
                write::end(context, key, receipt, verdict).await;
            }
            true
        }
        Act::Record(end) => {
            record(context, key, facts, end).await;
            true
        }
        Act::Attempt(target) | Act::AttemptAgain(target) => {
            start_attempt(context, key, facts, access, target);
            false
        }
        Act::AskCommand { .. } | Act::AskDevice => {
            start_question(context, key, facts, access, &plan.act);
            false
        }
    }
}

/// Records what this process knows of its own attempt.
async fn record(context: &Arc<Context>, key: &Key, facts: &Facts, end: &record::AttemptEnd) {
    let Some(receipt) = &facts.receipt else { return };
    let Some(attempt) = receipt.spec.attempts.last() else {
        return;
    };
    if let Some(guard) = begin(context, key, Stage::Sending, None) {
        write::record_end(context, &guard, receipt, &attempt.id, end).await;
    }
}

fn begin(context: &Arc<Context>, key: &Key, stage: Stage, device_id: Option<&str>) -> Option<Guard> {
    let waker = Arc::downgrade(context);
    context.flights.begin(key, stage, device_id, move |key| {
        if let Some(context) = waker.upgrade() {
            context.wake(key);
        }
    })
}

fn google(
    context: &Context,
    access: GoogleAccess,
) -> Result<(DirectoryClient, GoogleAccessRest), GoogleError> {
    let GoogleAccess {
        connection,
        credentials,
        credential,
    } = access;
    let client = context.tenants.client(&connection, &credentials, credential)?;
    Ok((
        client,
        GoogleAccessRest {
            connection,
            credentials,
        },
    ))
}

/// What is left of the access once the client is made.
struct GoogleAccessRest {
    connection: ChromeEnterpriseConnection,
    credentials: crate::controllers::tenant::credentials::CredentialFacts,
}

fn start_attempt(
    context: &Arc<Context>,
    key: &Key,
    facts: &Facts,
    access: Option<GoogleAccess>,
    target: &preflight::Target,
) {
    let (Some(action), Some(tenant), Some(access)) = (&facts.action, &facts.tenant, access) else {
        return;
    };
    let Some(guard) = begin(context, key, Stage::Checking, Some(&target.device_id)) else {
        return;
    };
    let (google, rest) = match google(context, access) {
        Ok(made) => made,
        Err(error) => {
            let problem = crate::controllers::tenant::problem::Problem::stalled(
                error.reason.name(),
                error.reason.explanation(),
            );
            guard.failed(problem, None);
            return;
        }
    };
    let work = Work {
        action: action.clone(),
        tenant: tenant.clone(),
        connection: rest.connection,
        credentials: rest.credentials,
        google,
        target: target.clone(),
        receipt: facts.receipt.clone(),
    };
    let context = context.clone();
    spawn(&context.clone(), key, async move {
        Box::pin(attempt::run(&context, guard, work)).await;
    });
}

fn start_question(context: &Arc<Context>, key: &Key, facts: &Facts, access: Option<GoogleAccess>, act: &Act) {
    let (Some(receipt), Some(tenant), Some(access)) = (&facts.receipt, &facts.tenant, access) else {
        return;
    };
    let Some(guard) = begin(context, key, Stage::Asking, None) else {
        return;
    };
    let Ok((google, rest)) = google(context, access) else {
        return;
    };
    let question = Question {
        receipt: receipt.clone(),
        tenant: tenant.clone(),
        google,
        include_recent_users: rest.connection.spec.sync.include_recent_users,
    };
    let command_id = match act {
        Act::AskCommand { command_id } => Some(command_id.clone()),
        Act::AskDevice
        | Act::Nothing
        | Act::Refuse(_)
        | Act::Attempt(_)
        | Act::AttemptAgain(_)
        | Act::Record(_)
        | Act::End(_) => None,
    };
    let context = context.clone();
    spawn(&context.clone(), key, async move {
        match command_id {
            Some(command_id) => ask::about_command(&context, guard, question, &command_id).await,
            None => ask::about_device(&context, guard, question).await,
        }
    });
}

/// Runs work beside the looks. A defect in it is told, and ends nothing else.
fn spawn(context: &Context, key: &Key, work: impl Future<Output = ()> + Send + 'static) {
    let key = key.clone();
    context.tracker.spawn(async move {
        if AssertUnwindSafe(work).catch_unwind().await.is_err() {
            tracing::error!(namespace = %key.namespace, action = %key.name, "the operator met a defect of its own in this action; please report this log");
        }
    });
}
