//! Control of the run: clock, switches, faults, quota, request log.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ControlError;
use super::extract::{ControlBody, ControlQuery, ControlReply};
use crate::clock::ClockReading;
use crate::faults::{FaultReport, FaultRule};
use crate::quota::{QuotaLimits, QuotaUsage};
use crate::request_log::{LogEntry, LogFilter};
use crate::state::SimulatorState;

type Shared = State<Arc<SimulatorState>>;

/// A change of the clock; both may be given, the scale is set first.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClockChange {
    /// Moves it forward by so many seconds.
    pub advance_seconds: Option<i64>,
    /// Simulated seconds per real second; 0 freezes it.
    pub scale: Option<f64>,
}

impl SimulatorState {
    /// Changes the clock.
    ///
    /// # Errors
    /// [`ControlError`] for a negative or too large step, or a bad scale.
    pub fn change_clock(&self, change: ClockChange) -> Result<ClockReading, ControlError> {
        let refused = |error: crate::clock::ClockError| ControlError::invalid(error.to_string());
        if let Some(scale) = change.scale {
            self.clock.set_scale(scale).map_err(refused)?;
        }
        if let Some(seconds) = change.advance_seconds {
            self.clock
                .advance(SignedDuration::from_secs(seconds))
                .map_err(refused)?;
        }
        Ok(self.clock.reading())
    }

    /// Adds a fault rule and returns its number.
    ///
    /// # Errors
    /// [`ControlError`] if the rule contradicts itself.
    pub fn add_fault(&self, rule: FaultRule) -> Result<u64, ControlError> {
        self.faults.add(rule, self.clock.now().as_second())
    }

    /// The fault rules with what they have struck.
    #[must_use]
    pub fn list_faults(&self) -> Vec<FaultReport> {
        self.faults.list()
    }

    /// Removes a fault rule; false if there is none with this number.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.faults.remove(id)
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.faults.clear();
    }

    /// The quotas.
    #[must_use]
    pub fn quota_limits(&self) -> QuotaLimits {
        self.quota.limits()
    }

    /// Replaces the quotas; what was used stays used.
    pub fn set_quota_limits(&self, limits: QuotaLimits) {
        self.quota.set_limits(limits);
    }

    /// What was used of the quotas.
    #[must_use]
    pub fn quota_usage(&self) -> Vec<QuotaUsage> {
        self.quota.usage(self.clock.now().as_second())
    }

    /// The remembered requests that meet the filter.
    #[must_use]
    pub fn requests(&self, filter: &LogFilter) -> Vec<LogEntry> {
        self.requests.entries(filter)
    }

    /// Requests per method since the start or the last clearing.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.requests.counts()
    }

    /// Forgets the request log and its counts.
    pub fn clear_requests(&self) {
        self.requests.clear();
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    version: &'static str,
    now: Timestamp,
    tenants: usize,
    devices: usize,
}

pub(super) async fn health(State(state): Shared) -> ControlReply {
    let tenants = state.tenants();
    ControlReply::ok(&Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        now: state.clock.now(),
        devices: tenants.iter().map(|tenant| tenant.device_count()).sum(),
        tenants: tenants.len(),
    })
}

pub(super) async fn clock(State(state): Shared) -> ControlReply {
    ControlReply::ok(&state.clock.reading())
}

pub(super) async fn change_clock(
    State(state): Shared,
    ControlBody(change): ControlBody<ClockChange>,
) -> Result<ControlReply, ControlError> {
    state
        .change_clock(change)
        .map(|reading| ControlReply::ok(&reading))
}

pub(super) async fn switches(State(state): Shared) -> ControlReply {
    ControlReply::ok(&*state.switches())
}

pub(super) async fn change_switches(
    State(state): Shared,
    ControlBody(patch): ControlBody<Map<String, Value>>,
) -> Result<ControlReply, ControlError> {
    state.set_switches(state.switches().merged(&patch)?);
    Ok(ControlReply::ok(&*state.switches()))
}

pub(super) async fn reset_switches(State(state): Shared) -> StatusCode {
    state.set_switches(crate::switches::Switches::default());
    StatusCode::NO_CONTENT
}

pub(super) async fn faults(State(state): Shared) -> ControlReply {
    ControlReply::ok(&json!({ "faults": state.list_faults() }))
}

pub(super) async fn add_fault(
    State(state): Shared,
    ControlBody(rule): ControlBody<FaultRule>,
) -> Result<ControlReply, ControlError> {
    let id = state.add_fault(rule)?;
    Ok(ControlReply::created(&json!({ "id": id })))
}

pub(super) async fn clear_faults(State(state): Shared) -> StatusCode {
    state.clear_faults();
    StatusCode::NO_CONTENT
}

pub(super) async fn remove_fault(
    State(state): Shared,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    if state.remove_fault(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ControlError::not_found(format!("no fault rule {id}")))
    }
}

pub(super) async fn quota(State(state): Shared) -> ControlReply {
    ControlReply::ok(&json!({ "limits": state.quota_limits(), "usage": state.quota_usage() }))
}

pub(super) async fn change_quota(
    State(state): Shared,
    ControlBody(patch): ControlBody<Map<String, Value>>,
) -> Result<ControlReply, ControlError> {
    let mut limits =
        serde_json::to_value(state.quota_limits()).map_err(|error| ControlError::internal(&error))?;
    if let Value::Object(limits) = &mut limits {
        limits.extend(patch);
    }
    let limits = serde_json::from_value(limits).map_err(|error| ControlError::invalid(error.to_string()))?;
    state.set_quota_limits(limits);
    Ok(ControlReply::ok(&json!({ "limits": state.quota_limits() })))
}

pub(super) async fn reset_quota(State(state): Shared) -> StatusCode {
    state.set_quota_limits(QuotaLimits::default());
    state.quota.reset();
    StatusCode::NO_CONTENT
}

pub(super) async fn requests(
    State(state): Shared,
    ControlQuery(filter): ControlQuery<LogFilter>,
) -> ControlReply {
    ControlReply::ok(&json!({ "counts": state.request_counts(), "requests": state.requests(&filter) }))
}

pub(super) async fn clear_requests(State(state): Shared) -> StatusCode {
    state.clear_requests();
    StatusCode::NO_CONTENT
}
