//! Runs the long jobs of a connection in the background: a pass of the inventory, or the removal of its devices.

use k8s_openapi::jiff::Timestamp;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;

use super::Context;
use super::facts::{Facts, Finished, Job, PassProblem, PassStart};
use super::revocation;
use super::session::{Identity, JobHandle};
use crate::controllers::action;
use crate::controllers::inventory::progress::Progress;
use crate::controllers::inventory::write::Writer;
use crate::controllers::inventory::{self, PassContext, PassFailure, PassReport, PassRequest, PassSettings};
use crate::controllers::tenant::problem::{self, Problem};
use crate::google::Credential;

/// Starts a pass, unless a job is running.
pub(super) fn start_pass(context: &Arc<Context>, facts: &Facts, credential: Credential, start: &PassStart) {
    let who = Identity::of(&facts.connection);
    let Some(handle) = begin(context, &who, Job::Pass(start.clone())) else {
        return;
    };
    let (context, facts, start) = (context.clone(), facts.clone(), start.clone());
    context.tracker.clone().spawn(async move {
        let started = handle.started;
        let run = AssertUnwindSafe(pass(&context, &facts, credential, &start, &handle)).catch_unwind();
        let outcome = match run.await {
            Ok(Ok(report)) => Some(Ok(report)),
            Ok(Err(failure)) => failed(&facts, &failure, &handle),
            Err(_panic) => Some(Err(PassProblem {
                problem: Problem::passing("InternalError", "The operator met a defect of its own in this pass; it tries again. Please report its log."),
                signed_in: handle.progress.snapshot().verified.is_some(),
                pause: None,
            })),
        };
        let ended = Timestamp::now();
        report_metrics(&context, &facts, &start, started, ended, outcome.as_ref());
        context.sessions.pass_ended(&who.uid, outcome.map(|outcome| Finished { start, started, ended, outcome }));
        context.wake(&who.namespace, &who.name);
    });
}

/// Starts to remove the devices of a connection that is being deleted, unless a job is running.
pub(super) fn start_cleanup(context: &Arc<Context>, facts: &Facts) {
    let who = Identity::of(&facts.connection);
    let connection = facts.connection.clone();
    let Some(handle) = begin(context, &who, Job::Cleanup) else {
        return;
    };
    let Identity { uid, namespace, name } = who;
    let context = context.clone();
    context.tracker.clone().spawn(async move {
        let writer = Writer::new(context.client.clone(), &namespace, &name, context.metrics.clone());
        let removal = async {
            action::abandon(&context.client, &context.tenants, &context.metrics, &namespace)
                .await
                .map_err(|error| PassFailure::Actions(Box::new(error)))?;
            inventory::remove_all(
                &context.client, &writer, &namespace, context.settings.write_concurrency, &handle.progress, &handle.cancel,
            )
            .await?;
            // Last, so that a removal that is tried again does not ask Google each time.
            let revocation = revocation::revoke(&context, &connection);
            handle.cancel.run_until_cancelled(revocation).await.ok_or(PassFailure::Cancelled)
        };
        let outcome = match AssertUnwindSafe(removal).catch_unwind().await {
            Ok(Ok(())) => Some(Ok(())),
            Ok(Err(PassFailure::Cancelled)) => None,
            Ok(Err(failure)) => {
                tracing::warn!(%namespace, connection = %name, %failure, "device objects could not be removed; trying again");
                Some(Err("See the operator's log for the answer of the API server.".to_owned()))
            }
            Err(_panic) => Some(Err("The operator met a defect of its own; please report its log.".to_owned())),
        };
        context.sessions.cleanup_ended(&uid, Timestamp::now(), outcome);
        context.wake(&namespace, &name);
    });
}

fn begin(context: &Arc<Context>, who: &Identity, job: Job) -> Option<JobHandle> {
    let (waker, woken) = (Arc::downgrade(context), who.clone());
    let progress = Progress::new(move || {
        if let Some(context) = waker.upgrade() {
            context.wake(&woken.namespace, &woken.name);
        }
    });
    context
        .sessions
        .begin(who, job, progress, context.shutdown.child_token())
}

async fn pass(
    context: &Context,
    facts: &Facts,
    credential: Credential,
    start: &PassStart,
    handle: &JobHandle,
) -> Result<PassReport, PassFailure> {
    let Identity { uid, namespace, name } = Identity::of(&facts.connection);
    let google = context
        .tenants
        .client(&facts.connection, &facts.credentials, credential)?;
    let writer = Writer::new(context.client.clone(), &namespace, &name, context.metrics.clone());
    let sync = facts
        .connection
        .status
        .as_ref()
        .and_then(|status| status.sync.clone())
        .unwrap_or_default();
    // A full pass of this process knows more than the status, should the status not have been written yet.
    let known = facts
        .session
        .last_full
        .as_ref()
        .and_then(|full| full.outcome.as_ref().ok()?.pruning.clone());
    let (hold, peaks) = known.map_or((sync.prune_hold, sync.recent_peaks), |pruning| {
        (pruning.hold, pruning.peaks)
    });
    let request = PassRequest {
        kind: start.kind,
        namespace,
        connection: name,
        connection_uid: uid,
        scope: facts.scope(),
        include_recent_users: facts.connection.spec.sync.include_recent_users,
        peaks,
        hold,
        allowed: start.allowed.clone(),
    };
    let settings = PassSettings {
        page_size: context.settings.page_size,
        write_concurrency: context.settings.write_concurrency,
        freshness_seconds: i64::try_from(context.settings.activity_freshness.as_secs()).unwrap_or(i64::MAX),
    };
    let targeted = context.tenants.targeted_reads(&request.namespace);
    let tools = PassContext {
        client: &context.client,
        google: &google,
        writer: &writer,
        progress: &handle.progress,
        targeted: &targeted,
        cancel: &handle.cancel,
        settings,
    };
    let mut index = handle.index.lock().await;
    inventory::run_pass(&tools, request, &mut index).await
}

/// What a failed pass says about the connection; nothing if it was only stopped.
fn failed(
    facts: &Facts,
    failure: &PassFailure,
    handle: &JobHandle,
) -> Option<Result<PassReport, PassProblem>> {
    let problem = problem_of(failure, facts)?;
    let Identity { namespace, name, .. } = Identity::of(&facts.connection);
    tracing::warn!(%namespace, connection = %name, reason = problem.reason, %failure, "a pass of the inventory failed; devices are kept as they are");
    Some(Err(PassProblem {
        problem,
        signed_in: handle.progress.snapshot().verified.is_some(),
        pause: failure.pause(),
    }))
}

/// The problem behind a failed pass; `None` for a pass that was asked to stop.
fn problem_of(failure: &PassFailure, facts: &Facts) -> Option<Problem> {
    match failure {
        PassFailure::Cancelled => None,
        PassFailure::Google(error) => Some(problem::of_google(error, &facts.connection, &facts.credentials)),
        // Only the removal of a connection meets it.
        PassFailure::Actions(_) | PassFailure::List(_) => Some(Problem::passing(
            "InventoryUnreadable",
            "The device objects in this cluster could not be listed; the operator tries again. If this stays, check the operator's RBAC role and its log.",
        )),
        PassFailure::Write { .. } => Some(Problem::passing(
            "InventoryWriteFailed",
            "Some device objects could not be written to this cluster; the operator tries again. If this stays, check the API server, quotas of the namespace and the operator's log.",
        )),
    }
}

fn report_metrics(
    context: &Context,
    facts: &Facts,
    start: &PassStart,
    started: Timestamp,
    ended: Timestamp,
    outcome: Option<&Result<PassReport, PassProblem>>,
) {
    let Identity { namespace, name, .. } = Identity::of(&facts.connection);
    let label = match outcome {
        None => "stopped",
        Some(Ok(_)) => "success",
        Some(Err(failed)) => failed.problem.reason,
    };
    let duration = ended.duration_since(started).try_into().unwrap_or_default();
    context
        .metrics
        .sync_finished(&namespace, &name, start.kind.label(), label, duration);
    if let Some(Ok(report)) = outcome {
        let counts = report.counts;
        for (state, count) in [
            ("active", counts.active),
            ("disabled", counts.disabled),
            ("deprovisioned", counts.deprovisioned),
            ("other", counts.other),
        ] {
            context
                .metrics
                .devices(&namespace, &name, state, u64::try_from(count).unwrap_or_default());
        }
        if report.pruning.is_some() {
            context
                .metrics
                .last_complete(&namespace, &name, ended.as_second());
        }
        tracing::info!(
            %namespace, connection = %name, kind = start.kind.label(), listed = report.listed, removed = report.removed,
            skipped = report.skipped, seconds = ended.duration_since(started).as_secs_f64(), "a pass of the inventory is complete"
        );
    }
}
