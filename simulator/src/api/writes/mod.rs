//! The methods that change devices: each checks its request, writes its answer, and lets the change happen now,
//! later or never, as a fault rule may have ordered.

mod command;
mod move_devices;
mod patch;
mod status;

use std::sync::Arc;

use jiff::Timestamp;

use crate::agenda::Due;
use crate::api::call::Call;
use crate::api_error::ApiError;
use crate::clock::later;
use crate::faults::When;
use crate::fleet::{Fleet, Slot, Write, WriteKind};
use crate::state::SimulatorState;
use crate::tenant::Tenant;
use crate::witness::{Actor, Cause};

pub(super) use command::issue_command;
pub(super) use move_devices::move_devices;
pub(super) use patch::patch;
pub(super) use status::{action, batch_change_status};

/// At most so many devices in one call.
const MAXIMUM_IDS: usize = 50;

/// A call that may change something, and who makes it.
#[derive(Debug)]
pub(super) struct WriteRequest<'a> {
    pub(super) state: &'a SimulatorState,
    pub(super) tenant: &'a Tenant,
    pub(super) call: &'a Call,
    pub(super) account: &'a str,
}

impl WriteRequest<'_> {
    /// Lets a checked change happen.
    fn submit(&self, fleet: &mut Fleet, now: Timestamp, when: When, kind: WriteKind) {
        let write = Write {
            cause: Cause {
                at: now,
                by: Actor::Account(Arc::from(self.account)),
                request: self.call.number,
                command: None,
            },
            lag_seconds: self.state.switches().replication_lag_seconds,
            kind,
        };
        match when {
            When::Now => fleet.perform(now, &write),
            When::Later(seconds) => {
                fleet.agenda.add(later(now, seconds), Due::Write(Box::new(write)));
            }
            When::Never => {}
        }
    }

    /// The device that the path names.
    fn device(&self, fleet: &Fleet) -> Result<Slot, ApiError> {
        let id = &self.call.route.resource;
        fleet
            .find(id)
            .map(|(slot, _)| slot)
            .ok_or_else(|| ApiError::not_found(id))
    }
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
