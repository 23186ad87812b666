//! The methods that change devices: their checks.
//!
//! A call that passes every check is answered 501 for now: it was valid, and nothing was changed.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::call::{Call, Reply};
use crate::api_error::ApiError;
use crate::device::fields::Field;
use crate::state::SimulatorState;
use crate::switches::UnknownIds;
use crate::tenant::Tenant;

/// At most so many devices in one call.
const MAXIMUM_IDS: usize = 50;

/// Longest texts, in characters.
const LENGTHS: [(&str, usize); 3] = [("annotatedUser", 100), ("annotatedLocation", 200), ("notes", 500)];

const EDITABLE: [&str; 4] = ["annotatedUser", "annotatedLocation", "annotatedAssetId", "notes"];

fn not_simulated(call: &Call) -> ApiError {
    ApiError::not_simulated_yet(call.route.method.id())
}

fn require_device(tenant: &Tenant, call: &Call) -> Result<(), ApiError> {
    let id = &call.route.resource;
    tenant.with_fleet(|fleet| fleet.find(id).map(|_| ()).ok_or_else(|| ApiError::not_found(id)))
}

/// `patch` and `update`: both merge.
pub(super) fn patch(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&["projection"])?;
    require_device(tenant, call)?;
    let fields: Map<String, Value> = call.json()?;
    if let Some(name) = fields.keys().find(|name| Field::find(name).is_none()) {
        return Err(ApiError::invalid_argument(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
        )));
    }
    for name in EDITABLE {
        if fields
            .get(name)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            return Err(ApiError::invalid_argument(format!(
                "Invalid value at '{name}' (TYPE_STRING)"
            )));
        }
    }
    for (name, longest) in LENGTHS {
        let length = fields
            .get(name)
            .and_then(Value::as_str)
            .map_or(0, |text| text.chars().count());
        if length > longest {
            return Err(ApiError::invalid_input(name));
        }
    }
    let unit = fields
        .get("orgUnitId")
        .or_else(|| fields.get("orgUnitPath"))
        .and_then(Value::as_str);
    if let Some(reference) = unit {
        require_org_unit(tenant, reference)?;
    }
    Err(not_simulated(call))
}

fn require_org_unit(tenant: &Tenant, reference: &str) -> Result<(), ApiError> {
    tenant.with_fleet(|fleet| {
        fleet
            .units
            .find(reference)
            .map(|_| ())
            .ok_or_else(|| ApiError::invalid_input("INVALID_OU_ID"))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MoveBody {
    #[serde(default)]
    device_ids: Vec<String>,
}

fn check_number_of_ids(ids: &[String]) -> Result<(), ApiError> {
    match ids.len() {
        0 => Err(ApiError::invalid_argument("deviceIds must not be empty.")),
        1..=MAXIMUM_IDS => Ok(()),
        count => Err(ApiError::invalid_argument(format!(
            "deviceIds holds {count} ids; at most {MAXIMUM_IDS} are allowed in one request."
        ))),
    }
}

/// `moveDevicesToOu`.
pub(super) fn move_devices(state: &SimulatorState, tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&["orgUnitPath"])?;
    let target = call
        .parameters
        .text("orgUnitPath")
        .ok_or_else(|| ApiError::required_parameter("orgUnitPath"))?;
    let body: MoveBody = call.json()?;
    check_number_of_ids(&body.device_ids)?;
    require_org_unit(tenant, target)?;
    if state.switches().unknown_ids_in_moves == UnknownIds::Error {
        tenant.with_fleet(
            |fleet| match body.device_ids.iter().find(|id| fleet.find(id).is_none()) {
                None => Ok(()),
                Some(id) => Err(ApiError::not_found(id)),
            },
        )?;
    }
    Err(not_simulated(call))
}

/// Reasons of `action`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionReason {
    DifferentModelReplacement,
    RetiringDevice,
    SameModelReplacement,
    UpgradeTransfer,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Action {
    Deprovision,
    Disable,
    Reenable,
    PreProvisionedDisable,
    PreProvisionedReenable,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ActionBody {
    action: Action,
    deprovision_reason: Option<ActionReason>,
}

/// `action`.
pub(super) fn action(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    require_device(tenant, call)?;
    let body: ActionBody = call.json()?;
    if body.action == Action::Deprovision && body.deprovision_reason.is_none() {
        return Err(ApiError::invalid_argument(
            "deprovisionReason is required to deprovision a device.",
        ));
    }
    Err(not_simulated(call))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BatchBody {
    #[serde(default)]
    device_ids: Vec<String>,
    change_chrome_os_device_status_action: StatusAction,
    deprovision_reason: Option<BatchReason>,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
enum StatusAction {
    #[serde(rename = "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_UNSPECIFIED")]
    Unspecified,
    #[serde(rename = "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DEPROVISION")]
    Deprovision,
    #[serde(rename = "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_DISABLE")]
    Disable,
    #[serde(rename = "CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_REENABLE")]
    Reenable,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
enum BatchReason {
    #[serde(rename = "DEPROVISION_REASON_UNSPECIFIED")]
    Unspecified,
    #[serde(rename = "DEPROVISION_REASON_SAME_MODEL_REPLACEMENT")]
    SameModelReplacement,
    #[serde(rename = "DEPROVISION_REASON_DIFFERENT_MODEL_REPLACEMENT")]
    DifferentModelReplacement,
    #[serde(rename = "DEPROVISION_REASON_RETIRING_DEVICE")]
    RetiringDevice,
    #[serde(rename = "DEPROVISION_REASON_UPGRADE_TRANSFER")]
    UpgradeTransfer,
    #[serde(rename = "DEPROVISION_REASON_NOT_REQUIRED")]
    NotRequired,
    #[serde(rename = "DEPROVISION_REASON_REPAIR_CENTER")]
    RepairCenter,
}

/// `batchChangeStatus`.
pub(super) fn batch_change_status(call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    let body: BatchBody = call.json()?;
    check_number_of_ids(&body.device_ids)?;
    let reason = body
        .deprovision_reason
        .filter(|reason| *reason != BatchReason::Unspecified);
    match (body.change_chrome_os_device_status_action, reason) {
        (StatusAction::Unspecified, _) => Err(ApiError::invalid_argument(
            "changeChromeOsDeviceStatusAction must be specified.",
        )),
        (StatusAction::Deprovision, None) => Err(ApiError::invalid_argument(
            "deprovisionReason is required to deprovision devices.",
        )),
        (StatusAction::Deprovision, Some(BatchReason::RepairCenter)) => Err(ApiError::invalid_argument(
            "DEPROVISION_REASON_REPAIR_CENTER can be set by the repair service only.",
        )),
        (StatusAction::Disable | StatusAction::Reenable, Some(_)) => Err(ApiError::invalid_argument(
            "deprovisionReason is only allowed to deprovision devices.",
        )),
        (StatusAction::Deprovision, Some(_)) | (StatusAction::Disable | StatusAction::Reenable, None) => {
            Err(not_simulated(call))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CommandBody {
    command_type: CommandType,
    payload: Option<String>,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CommandType {
    #[serde(rename = "COMMAND_TYPE_UNSPECIFIED")]
    Unspecified,
    Reboot,
    TakeAScreenshot,
    SetVolume,
    WipeUsers,
    RemotePowerwash,
    DeviceStartCrdSession,
    CaptureLogs,
    FetchCrdAvailabilityInfo,
    FetchSupportPacket,
}

/// `issueCommand`.
pub(super) fn issue_command(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    require_device(tenant, call)?;
    let body: CommandBody = call.json()?;
    check_payload(body.command_type, body.payload.as_deref().unwrap_or(""))?;
    Err(not_simulated(call))
}

/// A payload is a text that holds a JSON object.
fn check_payload(command: CommandType, payload: &str) -> Result<(), ApiError> {
    let fields: Map<String, Value> = if payload.is_empty() {
        Map::new()
    } else {
        serde_json::from_str(payload)
            .map_err(|_| ApiError::invalid_argument("payload is not a JSON object."))?
    };
    let number = |name: &str| fields.get(name).map(Value::as_i64);
    match command {
        CommandType::Unspecified => Err(ApiError::invalid_argument("commandType must be specified.")),
        CommandType::SetVolume => match number("volume") {
            Some(Some(0..=100)) => Ok(()),
            Some(_) | None => Err(ApiError::invalid_argument(
                "SET_VOLUME needs a volume from 0 to 100.",
            )),
        },
        CommandType::Reboot => match number("user_session_delay_seconds") {
            None | Some(Some(0..=300)) => Ok(()),
            Some(_) => Err(ApiError::invalid_argument(
                "user_session_delay_seconds must be from 0 to 300.",
            )),
        },
        CommandType::TakeAScreenshot
        | CommandType::WipeUsers
        | CommandType::RemotePowerwash
        | CommandType::DeviceStartCrdSession
        | CommandType::CaptureLogs
        | CommandType::FetchCrdAvailabilityInfo
        | CommandType::FetchSupportPacket => Ok(()),
    }
}

/// `commands.get`: no command was ever accepted, so none is known.
pub(super) fn command(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    require_device(tenant, call)?;
    Err(ApiError::not_found(&call.route.command).with_rpc_status("NOT_FOUND", Vec::new()))
}
