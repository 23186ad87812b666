//! `moveDevicesToOu`.

use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::{WriteRequest, check_number_of_ids};
use crate::api::call::Reply;
use crate::api_error::ApiError;
use crate::fleet::WriteKind;
use crate::switches::UnknownIds;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    #[serde(default)]
    device_ids: Vec<String>,
}

/// Answers with nothing.
pub(crate) fn move_devices(request: &WriteRequest<'_>) -> Result<Reply, ApiError> {
    let call = request.call;
    call.parameters.check_names(&["orgUnitPath"])?;
    let target = call
        .parameters
        .text("orgUnitPath")
        .ok_or_else(|| ApiError::required_parameter("orgUnitPath"))?;
    let body: Body = call.json()?;
    check_number_of_ids(&body.device_ids)?;
    let unknown_ids = request.state.switches().unknown_ids_in_moves;
    request.tenant.change_fleet(|fleet, now| {
        let unit = fleet.units.find(target);
        let unit = unit.ok_or_else(|| ApiError::invalid_input("INVALID_OU_ID"))?.key;
        let mut slots = Vec::new();
        let mut seen = FxHashSet::default();
        for id in &body.device_ids {
            match (fleet.find(id), unknown_ids) {
                (Some((slot, _)), _) if seen.insert(slot) => slots.push(slot),
                (Some(_), _) | (None, UnknownIds::Ignore) => {}
                (None, UnknownIds::Error) => return Err(ApiError::not_found(id)),
            }
        }
        request.submit(fleet, now, call.orders.when, WriteKind::Move { slots, unit });
        Ok(Reply::Empty)
    })
}
