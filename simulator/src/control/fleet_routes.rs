//! Control of devices.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::changes::{BulkChange, ChangeKind};
use super::devices::{DevicePatch, TruthRow};
use super::error::ControlError;
use super::extract::{ControlBody, ControlQuery, ControlReply};
use crate::state::SimulatorState;

type Shared = State<Arc<SimulatorState>>;

/// Rows that are written while the fleet is locked.
const TRUTH_CHUNK: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ListWindow {
    offset: usize,
    limit: usize,
}

impl Default for ListWindow {
    fn default() -> Self {
        Self {
            offset: 0,
            limit: 100,
        }
    }
}

pub(super) async fn list(
    State(state): Shared,
    Path(customer): Path<String>,
    ControlQuery(window): ControlQuery<ListWindow>,
) -> Result<ControlReply, ControlError> {
    let rows = state.truth(&customer, window.offset, window.limit)?;
    let listed = state.require_tenant(&customer)?.device_count();
    Ok(ControlReply::ok(
        &json!({ "listed": listed, "offset": window.offset, "devices": rows }),
    ))
}

pub(super) async fn show(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.device(&customer, &device)?))
}

pub(super) async fn change(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
    ControlBody(patch): ControlBody<DevicePatch>,
) -> Result<ControlReply, ControlError> {
    state.patch_device(&customer, &device, &patch)?;
    Ok(ControlReply::ok(&state.device(&customer, &device)?))
}

pub(super) async fn remove(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    let patch = DevicePatch {
        vanished: Some(true),
        ..DevicePatch::default()
    };
    state
        .patch_device(&customer, &device, &patch)
        .map(|()| StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Connectivity {
    online: bool,
}

pub(super) async fn connectivity(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
    ControlBody(wanted): ControlBody<Connectivity>,
) -> Result<ControlReply, ControlError> {
    let online = state.set_connectivity(&customer, &device, wanted.online)?;
    Ok(ControlReply::ok(&Connectivity { online }))
}

pub(super) async fn bulk_change(
    State(state): Shared,
    Path(customer): Path<String>,
    ControlBody(change): ControlBody<BulkChange>,
) -> Result<ControlReply, ControlError> {
    state
        .change_devices(&customer, &change)
        .map(|report| ControlReply::ok(&report))
}

/// Which devices vanish or come back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Choice {
    percent: Option<f64>,
    count: Option<u32>,
    device_ids: Option<Vec<String>>,
    #[serde(default)]
    seed: u64,
}

impl Choice {
    fn into_change(self, change: ChangeKind) -> BulkChange {
        let Self {
            percent,
            count,
            device_ids,
            seed,
        } = self;
        BulkChange {
            change,
            percent,
            count,
            device_ids,
            seed,
            to: None,
        }
    }
}

pub(super) async fn vanish(
    State(state): Shared,
    Path(customer): Path<String>,
    ControlBody(choice): ControlBody<Choice>,
) -> Result<ControlReply, ControlError> {
    let change = choice.into_change(ChangeKind::Vanish);
    state
        .change_devices(&customer, &change)
        .map(|report| ControlReply::ok(&report))
}

pub(super) async fn restore(
    State(state): Shared,
    Path(customer): Path<String>,
    ControlBody(choice): ControlBody<Choice>,
) -> Result<ControlReply, ControlError> {
    let everything = choice.percent.is_none() && choice.count.is_none() && choice.device_ids.is_none();
    let choice = if everything {
        Choice {
            percent: Some(100.0),
            ..choice
        }
    } else {
        choice
    };
    let change = choice.into_change(ChangeKind::Restore);
    state
        .change_devices(&customer, &change)
        .map(|report| ControlReply::ok(&report))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TruthHead<'a> {
    customer_id: &'a str,
    domain: &'a str,
    now: jiff::Timestamp,
    listed: usize,
}

/// Streams every record, so that 200,000 of them need no memory.
pub(super) async fn truth(
    State(state): Shared,
    Path(customer): Path<String>,
) -> Result<Response, ControlError> {
    let tenant = state.require_tenant(&customer)?;
    let head = TruthHead {
        customer_id: tenant.customer_id(),
        domain: tenant.domain(),
        now: state.clock.now(),
        listed: tenant.device_count(),
    };
    let head = serde_json::to_string(&head).map_err(|error| ControlError::internal(&error))?;
    let opening = format!("{},\"devices\":[\n", head.trim_end_matches('}'));
    let rows = futures::stream::unfold(
        (state, customer, 0_usize),
        |(state, customer, offset)| async move {
            let rows = state
                .truth(&customer, offset, TRUTH_CHUNK)
                .ok()
                .filter(|rows| !rows.is_empty())?;
            let text = rows_text(&rows, offset == 0);
            Some((text, (state, customer, offset + rows.len())))
        },
    );
    let stream = futures::stream::once(async move { opening })
        .chain(rows)
        .chain(futures::stream::once(async { "\n]}\n".to_owned() }))
        .map(|text| Ok::<Bytes, std::convert::Infallible>(Bytes::from(text)));
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        Body::from_stream(stream),
    )
        .into_response())
}

fn rows_text(rows: &[TruthRow], first: bool) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        if !first || index > 0 {
            text.push_str(",\n");
        }
        // A row is made of texts and numbers; writing it cannot fail.
        text.push_str(&serde_json::to_string(row).unwrap_or_default());
    }
    text
}
