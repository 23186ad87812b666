//! Remote commands from behind: what became of them, how they go, and the Admin console's button to cancel one.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::devices::require_slot;
use super::error::ControlError;
use super::extract::{ControlBody, ControlQuery, ControlReply};
use crate::command::{
    Command, CommandBehaviour, CommandId, CommandKey, CommandOutcome, CommandStage, CommandState,
    CommandType, StuckAt,
};
use crate::fleet::Fleet;
use crate::state::SimulatorState;
use crate::witness::{Actor, Cause, WitnessKind};

/// A command: what Google says of it, and what is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandReport {
    /// Id at Google.
    pub command_id: String,
    /// The device.
    pub device_id: String,
    /// Type.
    #[serde(rename = "type")]
    pub command_type: CommandType,
    /// The payload as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// What Google's record says. If `forgotten` is true, `commands.get` answers 404 all the same.
    pub state: CommandState,
    /// How far it has really come.
    pub stage: CommandStage,
    /// When it was issued, by the simulated clock.
    pub issue_time: Timestamp,
    /// When it expires.
    pub expire_time: Timestamp,
    /// What the device has reported; Google's record may lack it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CommandResult>,
    /// Whether Google has forgotten it.
    pub forgotten: bool,
    /// At which state Google's record stays.
    pub stuck_at: StuckAt,
    /// The account that issued it.
    pub issued_by: Actor,
    /// The request that issued it, as the request log numbers them.
    pub request: Option<u64>,
}

/// What a device has reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandResult {
    /// How it ended.
    pub outcome: CommandOutcome,
    /// When, by the simulated clock.
    pub execute_time: Timestamp,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// `commandResultPayload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// Which commands to show.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandFilter {
    /// Only those of this device.
    pub device: Option<String>,
    /// Only those of this type.
    #[serde(rename = "type")]
    pub command_type: Option<CommandType>,
    /// Only those of which Google's record says this.
    pub state: Option<CommandState>,
}

impl CommandReport {
    fn new(command: &Command, fleet: &Fleet, now: Timestamp) -> Self {
        let device = fleet.device(command.slot);
        Self {
            command_id: command.id.to_string(),
            device_id: device.map(|device| device.id.to_string()).unwrap_or_default(),
            command_type: command.kind,
            payload: command.payload.clone(),
            state: command.record(now),
            stage: command.stage,
            issue_time: command.issued,
            expire_time: command.expires,
            result: command.done.as_ref().map(|done| CommandResult {
                outcome: done.outcome,
                execute_time: done.at,
                error_message: done.error_message.clone(),
                payload: done.payload.clone(),
            }),
            forgotten: command.course.forgotten,
            stuck_at: command.course.stuck_at,
            issued_by: command.cause.by.clone(),
            request: command.cause.request,
        }
    }
}

impl CommandFilter {
    fn matches(&self, report: &CommandReport) -> bool {
        self.device
            .as_deref()
            .is_none_or(|device| report.device_id.eq_ignore_ascii_case(device))
            && self.command_type.is_none_or(|kind| report.command_type == kind)
            && self.state.is_none_or(|state| report.state == state)
    }
}

impl SimulatorState {
    /// The commands of a customer that meet the filter, oldest first.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer.
    pub fn commands(
        &self,
        customer_id: &str,
        filter: &CommandFilter,
    ) -> Result<Vec<CommandReport>, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        Ok(tenant.with_fleet(|fleet, now| {
            let reports = fleet.commands.iter();
            reports
                .map(|command| CommandReport::new(command, fleet, now))
                .filter(|report| filter.matches(report))
                .collect()
        }))
    }

    /// One command.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or command.
    pub fn command(&self, customer_id: &str, command_id: &str) -> Result<CommandReport, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.with_fleet(|fleet, now| report(fleet, require_command(fleet, command_id)?, command_id, now))
    }

    /// Cancels a command, as the Admin console does: possible as long as Google's record says `PENDING`. A device
    /// that has fetched the command already carries it out all the same.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or command, and for one that is not pending.
    pub fn cancel_command(&self, customer_id: &str, command_id: &str) -> Result<CommandReport, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, now| {
            let key = require_command(fleet, command_id)?;
            let command = fleet
                .commands
                .get_mut(key)
                .ok_or_else(|| no_command(command_id))?;
            if !command.cancel(now) {
                return Err(ControlError::conflict(format!(
                    "command {command_id} is not pending any more; only a pending one can be cancelled"
                )));
            }
            let (slot, kind, id) = (command.slot, command.kind, command.id);
            let cause = Cause {
                command: Some((id, kind)),
                ..Cause::control(now)
            };
            fleet.witness.record(slot, WitnessKind::CommandCancelled, &cause);
            fleet.re_appoint(key, now);
            report(fleet, key, command_id, now)
        })
    }

    /// Changes how one command goes from now on.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or command, and for a value out of its range.
    pub fn change_command(
        &self,
        customer_id: &str,
        command_id: &str,
        behaviour: &CommandBehaviour,
    ) -> Result<CommandReport, ControlError> {
        behaviour.check()?;
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, now| {
            let key = require_command(fleet, command_id)?;
            if let Some(command) = fleet.commands.get_mut(key) {
                command.course.amend(behaviour);
            }
            fleet.re_appoint(key, now);
            report(fleet, key, command_id, now)
        })
    }

    /// How the commands of a device go, as far as that differs from the switches.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn command_behaviour(
        &self,
        customer_id: &str,
        device_id: &str,
    ) -> Result<CommandBehaviour, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.with_fleet(|fleet, _| {
            let slot = require_slot(fleet, device_id)?;
            Ok(fleet.commands.behaviour(slot).cloned().unwrap_or_default())
        })
    }

    /// Changes how the commands of a device go that are issued from now on; what is left out stays.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device, and for a value out of its range.
    pub fn change_command_behaviour(
        &self,
        customer_id: &str,
        device_id: &str,
        behaviour: &CommandBehaviour,
    ) -> Result<CommandBehaviour, ControlError> {
        behaviour.check()?;
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, _| {
            let slot = require_slot(fleet, device_id)?;
            let before = fleet.commands.behaviour(slot).cloned().unwrap_or_default();
            let behaviour = behaviour.clone().or(before);
            fleet.commands.set_behaviour(slot, Some(behaviour.clone()));
            Ok(behaviour)
        })
    }

    /// The commands of a device go as the switches say again.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or device.
    pub fn reset_command_behaviour(&self, customer_id: &str, device_id: &str) -> Result<(), ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_fleet(|fleet, _| {
            let slot = require_slot(fleet, device_id)?;
            fleet.commands.set_behaviour(slot, None);
            Ok(())
        })
    }
}

fn require_command(fleet: &Fleet, command_id: &str) -> Result<CommandKey, ControlError> {
    CommandId::parse(command_id)
        .and_then(|id| fleet.commands.find(id))
        .ok_or_else(|| no_command(command_id))
}

fn no_command(command_id: &str) -> ControlError {
    ControlError::not_found(format!(
        "no command {command_id} in this customer; see its commands for all ids"
    ))
}

fn report(
    fleet: &Fleet,
    key: CommandKey,
    command_id: &str,
    now: Timestamp,
) -> Result<CommandReport, ControlError> {
    let command = fleet.commands.get(key).ok_or_else(|| no_command(command_id))?;
    Ok(CommandReport::new(command, fleet, now))
}

type Shared = State<Arc<SimulatorState>>;

pub(super) async fn list(
    State(state): Shared,
    Path(customer): Path<String>,
    ControlQuery(filter): ControlQuery<CommandFilter>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(
        &json!({ "commands": state.commands(&customer, &filter)? }),
    ))
}

pub(super) async fn show(
    State(state): Shared,
    Path((customer, command)): Path<(String, String)>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.command(&customer, &command)?))
}

pub(super) async fn change(
    State(state): Shared,
    Path((customer, command)): Path<(String, String)>,
    ControlBody(behaviour): ControlBody<CommandBehaviour>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(
        &state.change_command(&customer, &command, &behaviour)?,
    ))
}

pub(super) async fn cancel(
    State(state): Shared,
    Path((customer, command)): Path<(String, String)>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.cancel_command(&customer, &command)?))
}

pub(super) async fn behaviour(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.command_behaviour(&customer, &device)?))
}

pub(super) async fn change_behaviour(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
    ControlBody(behaviour): ControlBody<CommandBehaviour>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(
        &state.change_command_behaviour(&customer, &device, &behaviour)?,
    ))
}

pub(super) async fn reset_behaviour(
    State(state): Shared,
    Path((customer, device)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    state
        .reset_command_behaviour(&customer, &device)
        .map(|()| StatusCode::NO_CONTENT)
}
