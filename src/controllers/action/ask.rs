//! Asks Google what became of an action that it may have accepted, and writes what it says.

use std::sync::Arc;
use std::time::Instant;

use super::Context;
use super::facts::Tenant;
use super::flights::Guard;
use super::news;
use super::write;
use crate::api::action::ActionState;
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec};
use crate::controllers::inventory::targeted;
use crate::controllers::tenant::problem::Problem;
use crate::google::{ChromeOsDevice, DirectoryClient, GoogleError, Lane};
use crate::runtime::clock;
use crate::runtime::moments::{Moment, reached};

/// What is asked with.
pub(super) struct Question {
    pub(super) receipt: DeviceActionReceipt,
    pub(super) tenant: Tenant,
    pub(super) google: DirectoryClient,
    pub(super) include_recent_users: bool,
}

/// Asks about the command of the receipt.
pub(super) async fn about_command(
    context: &Arc<Context>,
    guard: Guard,
    question: Question,
    command_id: &str,
) {
    let Some(device_id) = question.receipt.spec.request.device_id.clone() else {
        return;
    };
    let google = question.google.in_lane(Lane::Follow);
    reached(Moment::BeforeAsk);
    let read = google.get_command(&question.tenant.customer_id, &device_id, command_id);
    let Some(answer) = context.shutdown.run_until_cancelled(read).await else {
        return;
    };
    reached(Moment::AfterAsk);
    guard.asked();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return trouble(&guard, &error),
    };
    guard.went_well();
    let patience = context.settings.command_patience;
    let record = question.receipt.spec.clone();
    let next = news::of_command(record, answer.as_ref(), patience, clock::now());
    let ended = next.state == ActionState::Succeeded;
    if write::news(context, guard.key(), &question.receipt, next).await && ended {
        // A wipe empties the list of users, a powerwash enrols anew: the object shows it now.
        if let Some((device, asked)) = read_device(context, &guard, &question, &device_id).await {
            show(context, &guard, &question.tenant, &device, asked).await;
        }
    }
}

/// Looks whether the device is as asked for, because the answer to a state change was lost.
pub(super) async fn about_device(context: &Arc<Context>, guard: Guard, question: Question) {
    let Some(device_id) = question.receipt.spec.request.device_id.clone() else {
        return;
    };
    reached(Moment::BeforeAsk);
    let read = read_device(context, &guard, &question, &device_id).await;
    reached(Moment::AfterAsk);
    let Some((device, asked)) = read else { return };
    let record: &DeviceActionReceiptSpec = &question.receipt.spec;
    if let Some(next) = news::of_device(record, Some(&device), clock::now())
        && write::news(context, guard.key(), &question.receipt, next).await
    {
        show(context, &guard, &question.tenant, &device, asked).await;
    }
}

/// The device as Google has it now, and when it was asked for.
async fn read_device(
    context: &Context,
    guard: &Guard,
    question: &Question,
    device_id: &str,
) -> Option<(ChromeOsDevice, Instant)> {
    let asked = Instant::now();
    let google = question.google.in_lane(Lane::Follow);
    let read = google.get_device(
        &question.tenant.customer_id,
        device_id,
        question.include_recent_users,
    );
    let answer = context.shutdown.run_until_cancelled(read).await?;
    guard.asked();
    match answer {
        Ok(device) => {
            guard.went_well();
            Some((device?, asked))
        }
        Err(error) => {
            trouble(guard, &error);
            None
        }
    }
}

fn trouble(guard: &Guard, error: &GoogleError) {
    let key = guard.key();
    tracing::info!(namespace = %key.namespace, action = %key.name, %error, "Google gave no answer about an action; it is asked again");
    let problem = Problem::passing(error.reason.name(), error.reason.explanation());
    guard.failed(problem, error.retry_after);
}

async fn show(context: &Context, guard: &Guard, tenant: &Tenant, device: &ChromeOsDevice, asked: Instant) {
    let namespace = &guard.key().namespace;
    let writer = context.writer(namespace, &tenant.name);
    let reads = context.tenants.targeted_reads(namespace);
    if let Err(error) = targeted::record(&writer, &reads, device, asked).await {
        tracing::info!(%error, "the new state of a device could not be recorded; the next sync does it");
    }
}
