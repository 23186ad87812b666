//! `issueCommand`.

use serde::Deserialize;
use serde_json::json;

use super::WriteRequest;
use crate::api::call::Reply;
use crate::api_error::ApiError;
use crate::command::CommandType;
use crate::fleet::WriteKind;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Body {
    command_type: String,
    payload: Option<String>,
}

impl Body {
    fn kind(&self) -> Result<CommandType, ApiError> {
        let wanted = self.command_type.as_str();
        if matches!(wanted, "" | "COMMAND_TYPE_UNSPECIFIED") {
            return Err(ApiError::invalid_argument("commandType must be specified."));
        }
        CommandType::ALL
            .into_iter()
            .find(|kind| kind.as_str() == wanted)
            .ok_or_else(|| {
                let known: Vec<&str> = CommandType::ALL.iter().map(|kind| kind.as_str()).collect();
                ApiError::invalid_argument(format!(
                    "Invalid value at 'command_type', \"{wanted}\". Allowed values: [{}]",
                    known.join(", ")
                ))
            })
    }
}

/// Answers with the id of the command.
pub(crate) fn issue_command(request: &WriteRequest<'_>) -> Result<Reply, ApiError> {
    let call = request.call;
    call.parameters.check_names(&[])?;
    let switches = request.state.switches();
    request.tenant.change_fleet(|fleet, now| {
        let slot = request
            .device(fleet)
            .map_err(|error| error.with_rpc_status("NOT_FOUND", Vec::new()))?;
        let body: Body = call.json()?;
        let payload = body.payload.as_deref().unwrap_or("");
        let new = fleet
            .draft_command(slot, body.kind()?, payload, &switches.commands, now)
            .map_err(ApiError::invalid_argument)?;
        let whole = json!({ "commandId": new.id.to_string() });
        let reply = Reply::json(&call.mask()?.prune(&whole), call)?;
        request.submit(fleet, now, call.orders.when, WriteKind::Command(new));
        Ok(reply)
    })
}
