//! `customer.devices.chromeos.commands.get`.

use jiff::Timestamp;
use serde::Serialize;

use crate::api::call::{Call, Reply};
use crate::api_error::ApiError;
use crate::command::{Command, CommandId, CommandOutcome, CommandState, CommandType};
use crate::tenant::Tenant;

/// `DirectoryChromeosdevicesCommand`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CommandView<'a> {
    command_id: String,
    #[serde(rename = "type")]
    kind: CommandType,
    issue_time: String,
    state: CommandState,
    command_expire_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_result: Option<ResultView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultView<'a> {
    result: CommandOutcome,
    execute_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_result_payload: Option<&'a str>,
}

impl<'a> CommandView<'a> {
    fn new(command: &'a Command, now: Timestamp) -> Self {
        Self {
            command_id: command.id.to_string(),
            kind: command.kind,
            issue_time: time_text(command.issued),
            state: command.record(now),
            command_expire_time: time_text(command.expires),
            payload: command.payload.as_deref(),
            command_result: command.recorded_result(now).map(|done| ResultView {
                result: done.outcome,
                execute_time: time_text(done.at),
                error_message: done.error_message.as_deref(),
                command_result_payload: done.payload.as_deref(),
            }),
        }
    }
}

fn time_text(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Answers `commands.get`.
pub(crate) fn get(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    let mask = call.mask()?;
    let (device, wanted) = (&call.route.resource, &call.route.command);
    let unknown = |id: &str| ApiError::not_found(id).with_rpc_status("NOT_FOUND", Vec::new());
    let id = CommandId::parse(wanted).ok_or_else(|| {
        ApiError::invalid_argument(format!(
            "Invalid value at 'command_id' (TYPE_INT64), \"{wanted}\""
        ))
    })?;
    tenant.with_fleet(|fleet, now| {
        let (slot, _) = fleet.find(device).ok_or_else(|| unknown(device))?;
        let command = fleet
            .commands
            .find(id)
            .and_then(|key| fleet.commands.get(key))
            .filter(|command| command.slot == slot && !command.course.forgotten)
            .ok_or_else(|| unknown(wanted))?;
        let view = serde_json::to_value(CommandView::new(command, now)).map_err(|_| ApiError::internal())?;
        Reply::json(&mask.prune(&view), call)
    })
}
