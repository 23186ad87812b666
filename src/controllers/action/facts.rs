//! What a decision about an action is made from. Plain data: no client, no clock.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::preflight::Target;
use super::record::AttemptEnd;
use crate::api::action::DeviceAction;
use crate::api::receipt::DeviceActionReceipt;
use crate::controllers::inventory::Scope;
use crate::controllers::tenant::problem::Problem;

/// Everything that is known of one action at one moment. Action and receipt of one name belong together.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The action, as the API server has it now; `None` when it is gone.
    pub(super) action: Option<DeviceAction>,
    /// The receipt of the same name.
    pub(super) receipt: Option<DeviceActionReceipt>,
    /// The connection that owns the namespace.
    pub(super) tenant: Option<Tenant>,
    /// The device that the action means.
    pub(super) lookup: Lookup,
    /// Name of an action that comes first on the same device.
    pub(super) rival: Option<String>,
    /// What this process knows beside.
    pub(super) memory: Memory,
    /// What time it is.
    pub(super) clocks: Clocks,
}

/// The connection that owns the namespace.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, in any combination"
)]
pub(super) struct Tenant {
    pub(super) name: String,
    pub(super) uid: String,
    /// Google's ID of the customer, resolved; `my_customer` before the first sign-in.
    pub(super) customer_id: String,
    pub(super) scope: Scope,
    pub(super) deleting: bool,
    pub(super) suspended: bool,
    pub(super) read_only: bool,
    /// Whether the present scope was read completely once.
    pub(super) inventory_complete: bool,
    /// Why its credentials cannot even be tried.
    pub(super) unusable: Option<Problem>,
}

/// What the inventory of the namespace says about the device of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    /// Nobody looked, because it does not matter now.
    NotNeeded,
    /// There is none.
    NotFound,
    /// It has an object, but the sync has not written yet what Google says of it.
    NotRead,
    /// Only deprovisioned devices have this serial number, so many.
    OnlyDeprovisioned(usize),
    /// So many devices have this serial number.
    Ambiguous(usize),
    /// This one.
    Found(Target),
}

impl Lookup {
    /// The device, if it was found.
    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Found(target) => Some(target),
            Self::NotNeeded
            | Self::NotFound
            | Self::NotRead
            | Self::OnlyDeprovisioned(_)
            | Self::Ambiguous(_) => None,
        }
    }
}

/// What this process knows of an action beside what is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Memory {
    /// What it is doing for the action now.
    pub(super) stage: Option<Stage>,
    /// How the last attempt of the receipt ended, if it was this process's and is not recorded yet.
    pub(super) attempt_end: Option<AttemptEnd>,
    /// For how long it has seen the last attempt of the receipt unchanged.
    pub(super) attempt_seen: Duration,
    /// Why the last try came to nothing, and until when to leave it.
    pub(super) trouble: Option<Trouble>,
    /// When it last asked Google what became of the action.
    pub(super) asked: Option<Timestamp>,
}

/// What this process is doing for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Reading the device from Google.
    Checking,
    /// Waiting for a turn under the quota.
    Queued,
    /// Between claim and record.
    Sending,
    /// Asking Google what became of it.
    Asking,
}

/// Why the last try came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    pub(super) problem: Problem,
    pub(super) until: Timestamp,
}

/// Two clocks: a decision that cannot be taken back needs both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clocks {
    /// The clock of this machine.
    pub(super) own: Timestamp,
    /// Google's, where an answer told it.
    pub(super) google: Option<Timestamp>,
}

/// Whether a moment has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// By no clock.
    No,
    /// By every clock that is known.
    Yes,
    /// The clocks disagree.
    Disputed,
}

impl Clocks {
    /// Whether `moment` has passed.
    pub(super) fn passed(self, moment: Timestamp) -> Passed {
        let own = self.own > moment;
        match self.google.map(|google| google > moment) {
            Some(google) if google != own => Passed::Disputed,
            Some(_) | None if own => Passed::Yes,
            Some(_) | None => Passed::No,
        }
    }
}
