//! One attempt, from the check of the device to the record of what came of it.
//!
//! ```text
//! check at Google -> Cleared -> turn under the quota -> claim -> Claimed -> look once more -> Ready -> send -> record
//! ```
//!
//! Each step makes the type that the next one needs, and only that step can make it. Nothing before the claim leaves
//! a trace; everything after it is in the receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::claim::{self, Claimed, NotClaimed, Until};
use super::facts::{Passed, Stage, Tenant};
use super::flights::Guard;
use super::preflight::{self, Cleared, Target};
use super::reason::Reason;
use super::record::{self, AttemptEnd, Why};
use super::request::{self, Order};
use super::verdict::Verdict;
use super::write::{self, refuse};
use crate::api::action::{ActionType, DeviceAction};
use crate::api::connection::{Access, ChromeEnterpriseConnection};
use crate::api::receipt::DeviceActionReceipt;
use crate::controllers::inventory::targeted;
use crate::controllers::tenant::credentials::CredentialFacts;
use crate::controllers::tenant::problem::{self, Problem};
use crate::google::{DirectoryClient, GoogleError, Lane, MaySend, Turn};
use crate::runtime::clock;
use crate::runtime::moments::{Moment, reached};

/// An answer of Google about the device that is older than this is asked for again before the claim.
const FRESH: Duration = Duration::from_secs(5);

/// A turn under the quota that comes within this time is not worth a word in the status.
const AT_ONCE: Duration = Duration::from_millis(300);

/// What an attempt works with.
pub(super) struct Work {
    pub(super) action: DeviceAction,
    pub(super) tenant: Tenant,
    pub(super) connection: ChromeEnterpriseConnection,
    pub(super) credentials: CredentialFacts,
    pub(super) google: DirectoryClient,
    pub(super) target: Target,
    /// The receipt, for a further attempt.
    pub(super) receipt: Option<DeviceActionReceipt>,
}

impl Work {
    /// The reason and the remedy of a refusal of Google.
    fn problem(&self, error: &GoogleError) -> Problem {
        problem::of_google(error, &self.connection, &self.credentials)
    }
}

/// Who goes first at Google.
pub(super) const fn lane(type_: ActionType) -> Lane {
    match type_ {
        ActionType::EnableLostMode => Lane::Urgent,
        ActionType::Restart | ActionType::Wipe | ActionType::Deprovision | ActionType::DisableLostMode => {
            Lane::Interactive
        }
    }
}

/// Why an attempt ended before its claim.
enum Stopped {
    /// The action ends.
    Verdict(Verdict),
    /// Google could not be asked; the action waits.
    Google(GoogleError),
    /// The operator ends.
    Shutdown,
}

/// Makes one attempt. Whatever stops it, the flight's end lets the action be looked at again.
pub(super) async fn run(context: &Arc<Context>, guard: Guard, work: Work) {
    let lane = lane(work.action.spec.type_);
    let google = work.google.in_lane(lane);
    let turn = match approach(context, &guard, &work, &google, lane).await {
        Ok(turn) => turn,
        Err(Stopped::Shutdown) => return,
        Err(Stopped::Verdict(verdict)) => {
            refuse_or_end(context, &guard, &work, &verdict).await;
            return;
        }
        Err(Stopped::Google(error)) => {
            let problem = work.problem(&error);
            tracing::info!(namespace = %guard.key().namespace, action = %guard.key().name, reason = problem.reason, %error, "the device could not be checked; the action waits");
            guard.failed(problem, error.retry_after);
            return;
        }
    };
    guard.stage(Stage::Sending);
    let (cleared, turn) = turn;
    reached(Moment::BeforeClaim);
    let claimed = win(context, &guard, &work, &cleared).await;
    reached(Moment::AfterClaim);
    let Some(claimed) = claimed else { return };
    let began = Instant::now();
    let end = send(context, &work, &google, &turn, &claimed).await;
    drop(turn);
    guard.ended(claimed.attempt_id(), &end);
    reached(Moment::BeforeRecord);
    let stored = write::record_end(context, &guard, claimed.receipt(), claimed.attempt_id(), &end).await;
    reached(Moment::AfterRecord);
    told(context, &guard, &work, &end, began);
    if stored && matches!(end, AttemptEnd::Accepted(None)) {
        show_in_inventory(context, &work, &google).await;
    }
}

/// Everything before the claim: the check at Google, and the turn under the quota.
async fn approach(
    context: &Context,
    guard: &Guard,
    work: &Work,
    google: &DirectoryClient,
    lane: Lane,
) -> Result<(Cleared, Turn), Stopped> {
    let (mut cleared, mut checked) = (check(context, work, google).await?, Instant::now());
    guard.stage(Stage::Queued);
    let since = work
        .action
        .creation_timestamp()
        .map_or_else(clock::now, |time| time.0);
    reached(Moment::BeforeTurn);
    let mut turn = Box::pin(google.turn_to_change(lane, since));
    let turn = if let Ok(turn) = tokio::time::timeout(AT_ONCE, &mut turn).await {
        turn
    } else {
        // It takes longer: the status says so.
        context.wake(guard.key());
        unless_shutdown(&context.shutdown, turn).await?
    };
    reached(Moment::AfterTurn);
    if checked.elapsed() > FRESH {
        (cleared, checked) = (check(context, work, google).await?, Instant::now());
    }
    tracing::debug!(action = %guard.key().name, age = ?checked.elapsed(), "checked");
    Ok((cleared, turn))
}

/// Reads the device from Google and judges it.
async fn check(context: &Context, work: &Work, google: &DirectoryClient) -> Result<Cleared, Stopped> {
    reached(Moment::BeforePreflight);
    let read = google.get_device(&work.tenant.customer_id, &work.target.device_id, false);
    let answer = unless_shutdown(&context.shutdown, read)
        .await?
        .map_err(Stopped::Google)?;
    reached(Moment::AfterPreflight);
    let (type_, scope) = (work.action.spec.type_, &work.tenant.scope);
    preflight::check(type_, &work.target, scope, answer.as_ref()).map_err(Stopped::Verdict)
}

async fn unless_shutdown<T>(
    shutdown: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, Stopped> {
    shutdown.run_until_cancelled(work).await.ok_or(Stopped::Shutdown)
}

/// Ends an action for which nothing was sent: by a new receipt, or in the one that it has.
async fn refuse_or_end(context: &Context, guard: &Guard, work: &Work, verdict: &Verdict) {
    match &work.receipt {
        None => {
            let request = request::request_of(&work.action, Some(&work.tenant), Some(&work.target));
            refuse(context, guard.key(), request, verdict).await;
        }
        Some(receipt) => write::end(context, guard.key(), receipt, verdict).await,
    }
}

/// Claims the action. What is not claimed was never sent.
async fn win(context: &Context, guard: &Guard, work: &Work, cleared: &Cleared) -> Option<Claimed> {
    let key = guard.key();
    let receipts = context.receipts(&key.namespace);
    let until = Until::within(context.settings.attempt_window, work.action.spec.not_after.0);
    let before = work
        .receipt
        .as_ref()
        .map_or(0, |receipt| receipt.spec.attempts.len());
    let id = claim::new_attempt_id();
    let attempt = record::attempt(before, &id, &context.process, clock::now(), until.wall());
    let claimed = match &work.receipt {
        None => {
            let request = request::request_of(&work.action, Some(&work.tenant), Some(cleared.target()));
            receipts
                .claim(key, record::claimed(request, attempt), until)
                .await
        }
        Some(receipt) => receipts.claim_again(receipt, attempt, until).await,
    };
    match claimed {
        Ok(claimed) => Some(claimed),
        Err(NotClaimed::Taken) => {
            tracing::debug!(namespace = %key.namespace, action = %key.name, "somebody else was quicker");
            None
        }
        Err(NotClaimed::Refused(error)) => {
            tracing::warn!(namespace = %key.namespace, action = %key.name, %error, "the receipt could not be written, so nothing was sent");
            guard.failed(receipt_trouble(), None);
            None
        }
        Err(NotClaimed::Unclear(error)) => {
            tracing::warn!(namespace = %key.namespace, action = %key.name, %error, "it is not clear whether the receipt was written; nothing was sent");
            // Should it be there after all: this process knows that it sent nothing.
            let why = Why::own("The API server did not confirm the claim in time, so nothing was sent.");
            guard.ended(&id, &AttemptEnd::NotSent(why));
            guard.failed(receipt_trouble(), None);
            None
        }
    }
}

fn receipt_trouble() -> Problem {
    Problem::passing(
        "ReceiptNotWritten",
        "The receipt of the action could not be written to this cluster, and without it nothing is sent. If this stays, check the operator's RBAC role, the admission policies and its log.",
    )
}

/// A claimed action that still stands, as of a moment ago. Only [`look_once_more`] makes one.
struct Ready<'a> {
    claimed: &'a Claimed,
    order: Order,
    device_id: &'a str,
}

/// Looks once more whether the action, its connection and its time still hold.
async fn look_once_more<'a>(context: &Context, work: &Work, claimed: &'a Claimed) -> Result<Ready<'a>, Why> {
    let request = &claimed.receipt().spec.request;
    let namespace = work.action.namespace().unwrap_or_default();
    let (action, connection) = tokio::join!(
        context.action_metadata(&namespace, &request.action_name),
        context.connection(&namespace, &work.tenant.name),
    );
    let unclear = |_| Why::own("The API server could not be asked whether the action still stands.");
    let (action, connection) = (action.map_err(unclear)?, connection.map_err(unclear)?);
    let stands = action.is_some_and(|meta| {
        meta.uid.as_deref() == Some(request.action_uid.as_str()) && meta.deletion_timestamp.is_none()
    });
    if !stands {
        return Err(Why::own("The DeviceAction was deleted."));
    }
    let connected = connection.is_some_and(|connection| {
        connection.metadata.uid == request.connection_uid
            && connection.metadata.deletion_timestamp.is_none()
            && connection.spec.access == Access::ReadWrite
            && !connection.spec.sync.suspend
    });
    if !connected {
        return Err(Why::own(
            "The connection was deleted, suspended or made read-only.",
        ));
    }
    if context.clocks().passed(request.not_after.0) != Passed::No {
        return Err(Why::own("notAfter passed."));
    }
    let device_id = request.device_id.as_deref();
    match (Order::of(request), device_id) {
        (Some(order), Some(device_id)) => Ok(Ready {
            claimed,
            order,
            device_id,
        }),
        (None, _) | (_, None) => Err(Why::own("The request has no device or lacks its details.")),
    }
}

/// Sends the action, unless something spoke against it meanwhile.
async fn send(
    context: &Context,
    work: &Work,
    google: &DirectoryClient,
    turn: &Turn,
    claimed: &Claimed,
) -> AttemptEnd {
    reached(Moment::BeforeRecheck);
    let looked = look_once_more(context, work, claimed).await;
    reached(Moment::AfterRecheck);
    let ready = match looked {
        Ok(ready) => ready,
        Err(why) => return AttemptEnd::NotSent(why),
    };
    let (until, shutdown) = (ready.claimed.until(), context.shutdown.clone());
    reached(Moment::BeforeSend);
    // Asked when the bytes are about to go out, after connecting: a process that was stopped meanwhile sends nothing.
    let may_send: MaySend = Box::new(move || until.is_open() && !shutdown.is_cancelled());
    let customer = &work.tenant.customer_id;
    let sent = match ready.order {
        Order::State(change) => google
            .change_state(turn, customer, ready.device_id, change, may_send)
            .await
            .map(|()| None),
        Order::Command(command) => google
            .issue_command(turn, customer, ready.device_id, command, may_send)
            .await
            .map(Some),
    };
    reached(Moment::AfterSend);
    AttemptEnd::from(sent)
}

/// Metrics, the connection's last check-in, and trouble for the next attempt.
fn told(context: &Context, guard: &Guard, work: &Work, end: &AttemptEnd, began: Instant) {
    let key = guard.key();
    match end {
        AttemptEnd::Accepted(_) => {
            guard.went_well();
            guard.asked();
            let waited = work
                .action
                .creation_timestamp()
                .and_then(|created| Duration::try_from(clock::now().duration_since(created.0)).ok());
            context
                .metrics
                .action_accepted(work.action.spec.type_.as_str(), waited.unwrap_or_default());
            context
                .tenants
                .exchanged(&key.namespace, &work.tenant.name, clock::now());
        }
        AttemptEnd::NotSent(why) => {
            guard.failed(
                Problem::passing(Reason::RetryLater.name(), &why.explanation),
                None,
            );
        }
        AttemptEnd::Refused(_) | AttemptEnd::Unknown(_) => {}
    }
    tracing::info!(
        namespace = %key.namespace, action = %key.name, r#type = work.action.spec.type_.as_str(),
        device = %work.target.device_id, end = end.label(), seconds = began.elapsed().as_secs_f64(),
        "an attempt ended"
    );
}

/// Reads the device once more, so that its object shows the new state now and not after the next sync.
async fn show_in_inventory(context: &Context, work: &Work, google: &DirectoryClient) {
    reached(Moment::BeforeInventory);
    let (namespace, asked) = (work.action.namespace().unwrap_or_default(), Instant::now());
    let read = google
        .get_device(
            &work.tenant.customer_id,
            &work.target.device_id,
            work.connection.spec.sync.include_recent_users,
        )
        .await;
    match read {
        Ok(Some(device)) => {
            let writer = context.writer(&namespace, &work.tenant.name);
            let reads = context.tenants.targeted_reads(&namespace);
            if let Err(error) = targeted::record(&writer, &reads, &device, asked).await {
                tracing::info!(%error, "the new state of a device could not be recorded; the next sync does it");
            }
        }
        Ok(None) => {}
        Err(error) => {
            tracing::info!(device = %work.target.device_id, %error, "a device could not be read after its change; the next sync does it");
        }
    }
    reached(Moment::AfterInventory);
}

impl AttemptEnd {
    /// One word for logs.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "NotSent",
            Self::Accepted(_) => "Accepted",
            Self::Refused(_) => "Refused",
            Self::Unknown(_) => "Unknown",
        }
    }
}
