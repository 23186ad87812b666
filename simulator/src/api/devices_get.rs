//! `directory.chromeosdevices.get`.

use crate::api::call::{Call, Reply};
use crate::api::devices_list::projection;
use crate::api::mask::DeviceMask;
use crate::api_error::ApiError;
use crate::device::render::DeviceView;
use crate::state::SimulatorState;
use crate::tenant::Tenant;

/// Answers `get`.
pub(crate) fn get(state: &SimulatorState, tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&["projection"])?;
    let fields = projection(&call.parameters)?.fields(state.switches().basic_projection);
    let mask = DeviceMask::new(&call.mask()?, fields)?;
    tenant.with_fleet(|fleet, now| {
        let id = &call.route.resource;
        let (_, device) = fleet.find(id).ok_or_else(|| ApiError::not_found(id))?;
        Reply::json(
            &DeviceView {
                device,
                surroundings: fleet.surroundings(now.as_second()),
                mask: &mask,
            },
            call,
        )
    })
}
