//! Keeps every `ChromeEnterpriseConnection` true: observe, plan, apply, report.
//!
//! A reconcile is short and never asks Google. What takes long (a pass of the inventory, the removal of devices) runs
//! as a job of its own, at most one for each connection; a reconcile starts it, stops it and tells how it goes.

mod apply;
mod facts;
mod jobs;
mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;
mod revocation;
mod schedule;
mod session;
mod status;
#[cfg(test)]
mod status_tests;
mod sweep;
#[cfg(test)]
mod testing;
mod watch;

use k8s_openapi::jiff::Timestamp;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Action;
use kube::{Client, ResourceExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::failures::{Failures, LOOK_TIMEOUT, LookError};
use crate::controllers::settings::ControllerSettings;
use crate::controllers::tenant::Tenants;
use crate::runtime::metrics::Metrics;
use plan::{PlanSettings, View};
use schedule::Patience;
use session::Sessions;
pub use watch::{Inputs, run};

/// Connections are watched by their metadata: one whose spec this version cannot read must not stop the others.
type Watched = PartialObjectMeta<ChromeEnterpriseConnection>;

/// What every reconcile works with.
struct Context {
    client: Client,
    tenants: Arc<Tenants>,
    settings: ControllerSettings,
    metrics: Metrics,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    sessions: Sessions,
    scopes: Vec<watch::Scope>,
    api_failures: Failures,
}

impl Context {
    /// Lets a connection be looked at now.
    fn wake(&self, namespace: &str, name: &str) {
        self.scopes.iter().for_each(|scope| scope.wake(namespace, name));
    }

    /// Drops what is remembered of a connection that is gone, and wakes those that waited for it.
    fn forget(&self, connection: &ChromeEnterpriseConnection) {
        let namespace = connection.namespace().unwrap_or_default();
        let uid = connection.uid().unwrap_or_default();
        self.sessions.forget(&uid);
        self.tenants.forget(&uid, &namespace);
        self.metrics.remove_connection(&namespace, &connection.name_any());
        self.scopes
            .iter()
            .for_each(|scope| scope.wake_namespace(&namespace));
    }

    fn plan_settings(&self) -> PlanSettings {
        PlanSettings {
            secret_poll: self.settings.secret_poll,
            patience: Patience {
                initial: self.settings.retry_initial,
                max: self.settings.retry_max,
            },
        }
    }
}

/// One look at one connection. It can be given up at any moment: every write in it is whole by itself.
async fn reconcile(watched: Arc<Watched>, context: Arc<Context>) -> Result<Action, LookError> {
    let began = Instant::now();
    let (namespace, name) = (watched.namespace().unwrap_or_default(), watched.name_any());
    let look = tokio::time::timeout(LOOK_TIMEOUT, Box::pin(look(&context, &namespace, &name)));
    let Some(result) = context.shutdown.run_until_cancelled(look).await else {
        return Ok(Action::await_change());
    };
    let result = result
        .map_err(|_| LookError::Silent)
        .and_then(|looked| Ok(looked?));
    let outcome = if result.is_ok() { "success" } else { "error" };
    context.metrics.reconcile("connection", outcome, began.elapsed());
    let look_again = result?;
    context.api_failures.clear(&namespace, &name);
    Ok(look_again.map_or_else(Action::await_change, Action::requeue))
}

async fn look(context: &Arc<Context>, namespace: &str, name: &str) -> Result<Option<Duration>, kube::Error> {
    let Some(observed) = observe::observe(
        &context.client,
        &context.tenants,
        &context.sessions,
        namespace,
        name,
    )
    .await?
    else {
        return Ok(None);
    };
    let mut facts = observed.facts;
    let now = Timestamp::now();
    let plan = plan::plan(&facts, &context.plan_settings(), now);
    apply::apply(context, &facts, observed.credential, &plan.act).await?;
    if plan.view != View::Silent {
        // What was just started or stopped is part of the story.
        facts.session = context
            .sessions
            .facts(&facts.connection.uid().unwrap_or_default());
        facts.last_exchange = context.tenants.last_exchange(namespace);
        status::report(context, &facts, &plan, now).await?;
    }
    Ok(Some(plan.look_again))
}

/// The API server could not be asked, or somebody else was quicker.
#[allow(clippy::needless_pass_by_value, reason = "the controller hands both over")]
fn on_error(watched: Arc<Watched>, error: &LookError, context: Arc<Context>) -> Action {
    let (namespace, name) = (watched.namespace().unwrap_or_default(), watched.name_any());
    context
        .api_failures
        .after("ChromeEnterpriseConnection", &namespace, &name, error)
}
