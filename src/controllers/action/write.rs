//! Writes receipts, and counts what ended. Every end of an action goes through here before any status tells of it.

use std::time::Duration;

use super::Context;
use super::claim::code;
use super::flights::{Guard, Key};
use super::record::{self, AttemptEnd};
use super::verdict::Verdict;
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec, ReceiptRequest};
use crate::runtime::clock;
use crate::runtime::moments::{Moment, reached};

/// How often the end of an attempt is written anew before the action is looked at from the start.
const RECORD_TRIES: u32 = 5;

/// Ends an action for which nothing was sent, by creating its receipt. If it has one meanwhile, that one decides.
pub(super) async fn refuse(context: &Context, key: &Key, request: ReceiptRequest, verdict: &Verdict) {
    let (type_, state) = (request.type_, verdict.state);
    let tombstone = record::tombstone(request, verdict, clock::now());
    reached(Moment::BeforeRefusal);
    let created = context
        .receipts(&key.namespace)
        .create_tombstone(&key.name, tombstone)
        .await;
    reached(Moment::AfterRefusal);
    match created {
        Ok(true) => {
            context.metrics.action_finished(type_.as_str(), state.as_str());
            tracing::info!(namespace = %key.namespace, action = %key.name, state = state.as_str(), reason = verdict.reason.name(), "ended without anything being sent");
        }
        Ok(false) => {}
        // The namespace is on its way out, and everything in it with it.
        Err(error) if code(&error) == Some(403) && error.to_string().contains("being terminated") => {}
        Err(error) => {
            tracing::warn!(namespace = %key.namespace, action = %key.name, %error, "the receipt of a refused action could not be written; trying again");
        }
    }
}

/// Ends an action in its receipt.
pub(super) async fn end(context: &Context, key: &Key, receipt: &DeviceActionReceipt, verdict: &Verdict) {
    let next = record::ended(receipt.spec.clone(), verdict, clock::now());
    news(context, key, receipt, next).await;
}

/// Writes the next state of a receipt, if nobody was quicker. `false` if it is not stored.
pub(super) async fn news(
    context: &Context,
    key: &Key,
    receipt: &DeviceActionReceipt,
    next: DeviceActionReceiptSpec,
) -> bool {
    if next == receipt.spec {
        return true;
    }
    reached(Moment::BeforeNews);
    let stored = context
        .receipts(&key.namespace)
        .replace(receipt, next.clone())
        .await;
    reached(Moment::AfterNews);
    match stored {
        Ok(Some(_)) => {
            count_end(context, key, &receipt.spec, &next);
            true
        }
        Ok(None) => false,
        Err(error) => {
            tracing::warn!(namespace = %key.namespace, action = %key.name, %error, "a receipt could not be written; trying again");
            false
        }
    }
}

/// Records how the attempt of this process ended. What cannot be recorded now stays in memory, and is tried again.
pub(super) async fn record_end(
    context: &Context,
    guard: &Guard,
    seen: &DeviceActionReceipt,
    attempt_id: &str,
    end: &AttemptEnd,
) -> bool {
    let key = guard.key();
    let receipts = context.receipts(&key.namespace);
    let mut seen = seen.clone();
    for failures in 1..=RECORD_TRIES {
        let next = record::with_end(seen.spec.clone(), attempt_id, end, clock::now());
        if next == seen.spec {
            guard.recorded();
            return true;
        }
        let answer = match receipts.replace(&seen, next.clone()).await {
            Ok(Some(_)) => {
                guard.recorded();
                count_end(context, key, &seen.spec, &next);
                return true;
            }
            // Somebody wrote meanwhile: what this process knows is added to that.
            Ok(None) => receipts.get(&key.name).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Some(stored)) => seen = stored,
            Ok(None) => {
                // A person with the right to do so removed it. There is nothing to record in.
                tracing::error!(namespace = %key.namespace, action = %key.name, "the receipt is gone while its action was being sent");
                guard.recorded();
                return false;
            }
            Err(error) => {
                tracing::warn!(namespace = %key.namespace, action = %key.name, %error, failures, "the end of an attempt could not be recorded; trying again");
                tokio::time::sleep(Duration::from_millis(100) * failures).await;
            }
        }
    }
    false
}

fn count_end(
    context: &Context,
    key: &Key,
    before: &DeviceActionReceiptSpec,
    after: &DeviceActionReceiptSpec,
) {
    if after.state.is_final() && !before.state.is_final() {
        context
            .metrics
            .action_finished(after.request.type_.as_str(), after.state.as_str());
        tracing::info!(
            namespace = %key.namespace, action = %key.name, r#type = after.request.type_.as_str(),
            state = after.state.as_str(), reason = after.reason.as_deref().unwrap_or_default(), "the action ended"
        );
    }
}
