//! `action` and `batchChangeStatus`.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{WriteRequest, check_number_of_ids};
use crate::api::call::Reply;
use crate::api_error::ApiError;
use crate::device::DeprovisionReason;
use crate::fleet::{Fleet, Slot, WriteKind};
use crate::status_change::{self, StatusChange};

/// `deprovisionReason` of `action`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionReason {
    DifferentModelReplacement,
    RetiringDevice,
    SameModelReplacement,
    UpgradeTransfer,
}

#[derive(Debug, Clone, Copy, Deserialize)]
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

impl ActionBody {
    fn change(&self) -> Result<StatusChange, ApiError> {
        Ok(match self.action {
            Action::Disable => StatusChange::Disable,
            Action::Reenable => StatusChange::Reenable,
            Action::PreProvisionedDisable => StatusChange::DisablePreProvisioned,
            Action::PreProvisionedReenable => StatusChange::ReenablePreProvisioned,
            Action::Deprovision => StatusChange::Deprovision(match self.deprovision_reason {
                Some(ActionReason::DifferentModelReplacement) => DeprovisionReason::DifferentModelReplacement,
                Some(ActionReason::RetiringDevice) => DeprovisionReason::RetiringDevice,
                Some(ActionReason::SameModelReplacement) => DeprovisionReason::SameModelReplacement,
                Some(ActionReason::UpgradeTransfer) => DeprovisionReason::UpgradeTransfer,
                None => {
                    return Err(ApiError::invalid_argument(
                        "deprovisionReason is required to deprovision a device.",
                    ));
                }
            }),
        })
    }
}

/// Answers `action` with nothing, or with 412 if the state of the device does not allow it.
pub(crate) fn action(request: &WriteRequest<'_>) -> Result<Reply, ApiError> {
    let call = request.call;
    call.parameters.check_names(&[])?;
    request.tenant.change_fleet(|fleet, now| {
        let slot = request.device(fleet)?;
        let body: ActionBody = call.json()?;
        let change = body.change()?;
        let device = fleet.device(slot).ok_or_else(ApiError::internal)?;
        let mut licences = fleet.licences;
        status_change::judge(device.status, device.mode, change, &mut licences)
            .map_err(|refusal| ApiError::condition_not_met(refusal.message()))?;
        let slots = vec![slot];
        request.submit(fleet, now, call.orders.when, WriteKind::Status { slots, change });
        Ok(Reply::Empty)
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BatchBody {
    #[serde(default)]
    device_ids: Vec<String>,
    change_chrome_os_device_status_action: BatchAction,
    deprovision_reason: Option<BatchReason>,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq)]
enum BatchAction {
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

impl BatchBody {
    fn change(&self) -> Result<StatusChange, ApiError> {
        let reason = match self.deprovision_reason {
            None | Some(BatchReason::Unspecified) => None,
            Some(BatchReason::SameModelReplacement) => Some(DeprovisionReason::SameModelReplacement),
            Some(BatchReason::DifferentModelReplacement) => {
                Some(DeprovisionReason::DifferentModelReplacement)
            }
            Some(BatchReason::RetiringDevice) => Some(DeprovisionReason::RetiringDevice),
            Some(BatchReason::UpgradeTransfer) => Some(DeprovisionReason::UpgradeTransfer),
            Some(BatchReason::NotRequired) => Some(DeprovisionReason::NotRequired),
            Some(BatchReason::RepairCenter) => {
                return Err(ApiError::invalid_argument(
                    "DEPROVISION_REASON_REPAIR_CENTER can be set by the repair service only.",
                ));
            }
        };
        match (self.change_chrome_os_device_status_action, reason) {
            (BatchAction::Deprovision, Some(reason)) => Ok(StatusChange::Deprovision(reason)),
            (BatchAction::Disable, None) => Ok(StatusChange::Disable),
            (BatchAction::Reenable, None) => Ok(StatusChange::Reenable),
            (BatchAction::Unspecified, _) => Err(ApiError::invalid_argument(
                "changeChromeOsDeviceStatusAction must be specified.",
            )),
            (BatchAction::Deprovision, None) => Err(ApiError::invalid_argument(
                "deprovisionReason is required to deprovision devices.",
            )),
            (BatchAction::Disable | BatchAction::Reenable, Some(_)) => Err(ApiError::invalid_argument(
                "deprovisionReason is only allowed to deprovision devices.",
            )),
        }
    }
}

/// One row of the answer: either `response` or `error`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    device_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RowError<'a>>,
}

/// `google.rpc.Status`.
#[derive(Debug, Serialize)]
struct RowError<'a> {
    code: i32,
    message: std::borrow::Cow<'a, str>,
    details: [Value; 0],
}

/// Answers `batchChangeStatus`: always 200, with a row for each device, in an order of its own.
pub(crate) fn batch_change_status(request: &WriteRequest<'_>) -> Result<Reply, ApiError> {
    let call = request.call;
    call.parameters.check_names(&[])?;
    let body: BatchBody = call.json()?;
    check_number_of_ids(&body.device_ids)?;
    let change = body.change()?;
    request.tenant.change_fleet(|fleet, now| {
        let judged = judge(request, fleet, &body.device_ids, change);
        let whole = json!({ "changeChromeOsDeviceStatusResults": judged.rows });
        let reply = Reply::json(&call.mask()?.prune(&whole), call)?;
        let orders = &call.orders;
        let slots = judged.plain;
        request.submit(fleet, now, orders.when, WriteKind::Status { slots, change });
        if let Some(ordered) = &orders.rows {
            let slots = judged.struck;
            request.submit(fleet, now, ordered.when, WriteKind::Status { slots, change });
        }
        Ok(reply)
    })
}

/// The rows of an answer, and the devices behind those that are not told to have failed and those that are.
struct Judged<'a> {
    rows: Vec<Row<'a>>,
    plain: Vec<Slot>,
    struck: Vec<Slot>,
}

fn judge<'a>(
    request: &'a WriteRequest<'_>,
    fleet: &Fleet,
    ids: &'a [String],
    change: StatusChange,
) -> Judged<'a> {
    let mut licences = fleet.licences;
    let mut seen = FxHashSet::default();
    let mut judged = Judged {
        rows: Vec::new(),
        plain: Vec::new(),
        struck: Vec::new(),
    };
    for id in ids.iter().filter(|id| seen.insert(id.to_ascii_lowercase())) {
        let ordered = request.call.orders.rows.as_ref().filter(|rows| rows.mean(id));
        let error = match (fleet.find(id), ordered) {
            (Some((slot, _)), Some(ordered)) => {
                judged.struck.push(slot);
                Some((ordered.code, ordered.message.as_str().into()))
            }
            (None, Some(ordered)) => Some((ordered.code, ordered.message.as_str().into())),
            (None, None) => Some((NOT_FOUND, format!("Resource Not Found: {id}").into())),
            (Some((slot, device)), None) => {
                judged.plain.push(slot);
                let refusal = status_change::judge(device.status, device.mode, change, &mut licences);
                let refusal = refusal.err();
                refusal.map(|refusal| (FAILED_PRECONDITION, refusal.message().into()))
            }
        };
        judged.rows.push(Row {
            device_id: id,
            response: error.is_none().then(Map::new),
            error: error.map(|(code, message)| RowError {
                code,
                message,
                details: [],
            }),
        });
    }
    let order = fleet.source().of("status rows");
    judged
        .rows
        .sort_by_key(|row| order.of(&row.device_id.to_ascii_lowercase()).bits());
    judged
}

/// `google.rpc.Code`.
const NOT_FOUND: i32 = 5;
const FAILED_PRECONDITION: i32 = 9;
