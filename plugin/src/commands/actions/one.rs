//! Everything about one action.

use std::pin::pin;

use chrome_enterprise_operator::api::DeviceAction;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt as _;
use kube::api::ListParams;

use super::Arguments;
use super::columns::{device, requester};
use crate::cluster::{Cluster, pages};
use crate::commands::act::{Sheet, details, follow, moment_text, named, report, state, told};
use crate::failure::{Exit, Failure};
use crate::output::{ListFormat, ObjectFormat, age, clean, print_object};
use crate::terminal::{self, Progress};

/// Shows it.
pub(super) async fn show(cluster: &Cluster, name: &str, format: ListFormat) -> Result<Exit, Failure> {
    let format = object_format(format)?;
    let action = read(cluster, name).await?;
    let events = if format == ObjectFormat::Text {
        events(cluster, &action).await
    } else {
        Vec::new()
    };
    print_object(&action, format, || {
        text(&action, &events, terminal::width(), Timestamp::now())
    })?;
    Ok(Exit::Done)
}

/// Follows it once more.
pub(super) async fn follow_again(
    cluster: &Cluster,
    name: &str,
    arguments: &Arguments,
) -> Result<Exit, Failure> {
    let format = object_format(arguments.output.output)?;
    let mut progress = Progress::new();
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    let action = tokio::select! {
        biased;
        _ = &mut interrupt => return Ok(Exit::Interrupted),
        action = read(cluster, name) => action?,
    };
    let patience = arguments.timeout.unsigned_abs();
    let end = follow(cluster, action, patience, interrupt, &mut progress).await?;
    progress.finish();
    report(cluster, name, end, format).await
}

async fn read(cluster: &Cluster, name: &str) -> Result<DeviceAction, Failure> {
    let scope = cluster.scope(false).words();
    let shown = clean(name).into_owned();
    let found = named::<DeviceAction>(cluster, name, &format!("read action {shown} {scope}")).await?;
    found.ok_or_else(|| {
        Failure::new(format!("There is no action {shown} {scope}.")).advise(format!(
            "An action disappears when it is deleted or its time is over; its receipt stays: `kubectl chromeos \
             receipts {shown}`."
        ))
    })
}

/// How one object is printed when a list's flag was given.
pub(crate) fn object_format(format: ListFormat) -> Result<ObjectFormat, Failure> {
    match format {
        ListFormat::Table | ListFormat::Wide => Ok(ObjectFormat::Text),
        ListFormat::Json => Ok(ObjectFormat::Json),
        ListFormat::Yaml => Ok(ObjectFormat::Yaml),
        ListFormat::Name => Ok(ObjectFormat::Name),
        ListFormat::Csv => Err(Failure::usage("One object cannot be printed as CSV.")
            .advise("Use -o json or yaml, or list with filters and -o csv.")),
    }
}

/// What happened to it; nothing where the person may not see events.
async fn events(cluster: &Cluster, action: &DeviceAction) -> Vec<Event> {
    let fields = format!("involvedObject.uid={}", action.uid().unwrap_or_default());
    let listed = pages::<Event>(
        cluster.api(),
        ListParams::default().fields(&fields),
        "list events",
    )
    .all()
    .await;
    let mut events = listed.unwrap_or_default();
    events.sort_by_key(when);
    events
}

fn when(event: &Event) -> Option<Timestamp> {
    let seen = event.event_time.as_ref().map(|time| time.0);
    seen.or_else(|| event.last_timestamp.as_ref().map(|time| time.0))
        .or_else(|| event.creation_timestamp().map(|time| time.0))
}

fn text(action: &DeviceAction, events: &[Event], width: usize, now: Timestamp) -> String {
    let (spec, name) = (&action.spec, action.name_any());
    let time = |time: Option<Timestamp>| time.map(|time| moment_text(time, now));
    let status = action.status.clone().unwrap_or_default();
    let told = told(action);
    let mut sheet = Sheet::new();
    sheet
        .add("Name", name.as_str())
        .add("Namespace", action.metadata.namespace.as_deref())
        .add("Device", device(action))
        .add(
            "Device ID",
            status.device_id.as_deref().or(spec.device_id.as_deref()),
        )
        .add("Type", spec.type_.as_str())
        .add(
            "Details",
            details(
                spec.restart
                    .as_ref()
                    .map(|restart| restart.user_session_delay_seconds),
                spec.wipe.as_ref().map(|wipe| wipe.mode),
                spec.deprovision.as_ref().map(|deprovision| deprovision.reason),
            )
            .as_deref(),
        )
        .add(
            "State",
            state(action).map_or("no operator has looked at it yet", |state| state.as_str()),
        )
        .add("Reason", told.map(|(reason, _)| reason))
        .add("Message", told.map(|(_, message)| message))
        .add("Google says", status.google_message.as_deref())
        .add("Requested by", requester(action))
        .add(
            "Created",
            time(action.creation_timestamp().map(|time| time.0)).as_deref(),
        )
        .add("Not after", time(Some(spec.not_after.0)).as_deref())
        .add("Claimed", time(status.started_time.map(|time| time.0)).as_deref())
        .add(
            "Accepted",
            time(status.accepted_time.map(|time| time.0)).as_deref(),
        )
        .add(
            "Finished",
            time(status.finished_time.map(|time| time.0)).as_deref(),
        )
        .add("Command", status.command_id.as_deref())
        .add("Command state", status.command_state.as_deref())
        .add(
            "Google's limit",
            time(status.command_expire_time.map(|time| time.0)).as_deref(),
        )
        .add("Receipt", status.receipt_name.as_deref());
    let mut text = sheet.text(width);
    if !events.is_empty() {
        text.push_str("\nEvents\n");
        let mut sheet = Sheet::new();
        for event in events {
            let ago = when(event).map_or_else(|| "-".to_owned(), |time| age(time, now));
            let reason = event.reason.as_deref().unwrap_or("-");
            let message = event.message.as_deref().unwrap_or_default();
            sheet.add("", format!("{ago}  {reason}: {message}").as_str());
        }
        text.push_str(&sheet.text(width));
    }
    text
}
