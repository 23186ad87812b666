//! The witness: what really happened to each device, whatever was answered.
//!
//! A client that loses an answer cannot know whether its call took effect. The witness knows, and it also tells
//! what a client did from what a person did in the Admin console (which the control API plays).

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::command::{CommandId, CommandType};
use crate::device::DeviceStatus;
use crate::fleet::Slot;

/// So many events of one device are kept, the latest ones; the counts go on.
pub const MAXIMUM_EVENTS: usize = 200;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The account for which the API was called.
    Account(Arc<str>),
    /// The control API: a test, or a person in the Admin console as the test plays it.
    Control,
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account(account) => account,
            Self::Control => "control",
        })
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// When something happens, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) at: Timestamp,
    pub(crate) by: Actor,
    /// Number of the request in the request log.
    pub(crate) request: Option<u64>,
    /// The remote command, if one did it.
    pub(crate) command: Option<(CommandId, CommandType)>,
}

impl Cause {
    /// The control API at this time.
    pub(crate) fn control(at: Timestamp) -> Self {
        Self {
            at,
            by: Actor::Control,
            request: None,
            command: None,
        }
    }

    /// The same cause at another time.
    pub(crate) fn at(&self, at: Timestamp) -> Self {
        Self { at, ..self.clone() }
    }

    /// Seconds since 1970, as devices count them.
    pub(crate) fn second(&self) -> i64 {
        self.at.as_second()
    }
}

/// How often things were done to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deeds {
    /// It restarted for a command.
    pub reboots: u64,
    /// Its user profiles were removed.
    pub user_wipes: u64,
    /// It was set back to its factory state.
    pub powerwashes: u64,
    /// It was released from management.
    pub deprovisions: u64,
    /// It was disabled.
    pub disables: u64,
    /// It was enabled again.
    pub reenables: u64,
}

impl Deeds {
    fn count(&mut self, kind: WitnessKind) {
        match kind {
            WitnessKind::Rebooted => self.reboots += 1,
            WitnessKind::UsersWiped => self.user_wipes += 1,
            WitnessKind::Powerwashed => self.powerwashes += 1,
            WitnessKind::Deprovisioned => self.deprovisions += 1,
            WitnessKind::Disabled => self.disables += 1,
            WitnessKind::Reenabled => self.reenables += 1,
            WitnessKind::StatusSet
            | WitnessKind::EnrolledAgain
            | WitnessKind::CommandAccepted
            | WitnessKind::CommandCancelled
            | WitnessKind::CommandDone => {}
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            reboots: self.reboots + other.reboots,
            user_wipes: self.user_wipes + other.user_wipes,
            powerwashes: self.powerwashes + other.powerwashes,
            deprovisions: self.deprovisions + other.deprovisions,
            disables: self.disables + other.disables,
            reenables: self.reenables + other.reenables,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WitnessKind {
    /// Google took a remote command.
    CommandAccepted,
    /// A remote command was cancelled.
    CommandCancelled,
    /// The device restarted for a command.
    Rebooted,
    /// The device removed its user profiles.
    UsersWiped,
    /// The device set itself back to its factory state.
    Powerwashed,
    /// The device carried out a command that changes nothing: a screenshot, logs, a volume, a remote session.
    CommandDone,
    /// The device enrolled again after it was wiped or set up anew.
    EnrolledAgain,
    /// It was released from management.
    Deprovisioned,
    /// It was disabled.
    Disabled,
    /// It was enabled again.
    Reenabled,
    /// It got another state in a way that is none of the above.
    StatusSet,
}

/// One thing that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessEvent {
    /// Simulated time.
    pub time: Timestamp,
    /// What.
    pub kind: WitnessKind,
    /// Who: the account that called the API, also for what its command did later; or `control`.
    pub by: Actor,
    /// The command that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// Type of that command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_type: Option<CommandType>,
    /// The request that asked for it, as the request log numbers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The new state, for changes of the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DeviceStatus>,
}

/// Everything that is known of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessRow {
    /// The customer.
    pub customer_id: String,
    /// The device.
    pub device_id: String,
    /// Its serial number.
    pub serial_number: String,
    /// What was done through the API, and by commands that came through it.
    pub api: Deeds,
    /// What was done by the control API.
    pub control: Deeds,
    /// How many requests for each command type were accepted; more than one is a duplicate to a client that
    /// meant one.
    pub accepted_commands: BTreeMap<CommandType, u64>,
    /// The latest events, oldest first; at most [`MAXIMUM_EVENTS`].
    pub events: Vec<WitnessEvent>,
    /// How many older events were dropped.
    pub dropped_events: u64,
}

impl WitnessRow {
    /// What was done, by whomever.
    #[must_use]
    pub const fn total(&self) -> Deeds {
        self.api.plus(self.control)
    }

    /// How many requests for a command of this type were accepted.
    #[must_use]
    pub fn accepted(&self, command: CommandType) -> u64 {
        self.accepted_commands.get(&command).copied().unwrap_or(0)
    }
}

/// Which rows to show or to forget.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WitnessFilter {
    /// Only this customer (`C0…`).
    pub customer: Option<String>,
    /// Only this device.
    pub device: Option<String>,
}

/// What is kept of one device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) api: Deeds,
    pub(crate) control: Deeds,
    pub(crate) accepted: BTreeMap<CommandType, u64>,
    pub(crate) events: VecDeque<WitnessEvent>,
    pub(crate) dropped: u64,
}

/// The witness of one customer. Only devices to which something happened take room.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    records: BTreeMap<Slot, Record>,
}

impl Witness {
    /// Something happened.
    pub(crate) fn record(&mut self, slot: Slot, kind: WitnessKind, cause: &Cause) {
        self.note(slot, kind, cause, None);
    }

    /// The device left a state for another one.
    pub(crate) fn record_status(&mut self, slot: Slot, from: DeviceStatus, to: DeviceStatus, cause: &Cause) {
        if let Some(kind) = kind_of_change(from, to) {
            self.note(slot, kind, cause, Some(to));
        }
    }

    fn note(&mut self, slot: Slot, kind: WitnessKind, cause: &Cause, status: Option<DeviceStatus>) {
        let record = self.records.entry(slot).or_default();
        match cause.by {
            Actor::Account(_) => record.api.count(kind),
            Actor::Control => record.control.count(kind),
        }
        if let (WitnessKind::CommandAccepted, Some((_, command))) = (kind, cause.command) {
            *record.accepted.entry(command).or_default() += 1;
        }
        if record.events.len() >= MAXIMUM_EVENTS {
            record.events.pop_front();
            record.dropped += 1;
        }
        record.events.push_back(WitnessEvent {
            time: cause.at,
            kind,
            by: cause.by.clone(),
            command_id: cause.command.map(|(id, _)| id.to_string()),
            command_type: cause.command.map(|(_, command)| command),
            request: cause.request,
            status,
        });
    }

    /// The record of one device, if anything happened to it.
    pub(crate) fn of(&self, slot: Slot) -> Option<&Record> {
        self.records.get(&slot)
    }

    /// The devices to which something happened, in the order of the fleet.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.records.keys().copied()
    }

    /// Forgets one device, or all.
    pub(crate) fn clear(&mut self, slot: Option<Slot>) {
        match slot {
            Some(slot) => {
                self.records.remove(&slot);
            }
            None => self.records.clear(),
        }
    }
}

fn kind_of_change(from: DeviceStatus, to: DeviceStatus) -> Option<WitnessKind> {
    if from == to {
        return None;
    }
    Some(match to {
        DeviceStatus::Disabled => WitnessKind::Disabled,
        DeviceStatus::Deprovisioned => WitnessKind::Deprovisioned,
        DeviceStatus::Active if from == DeviceStatus::Disabled => WitnessKind::Reenabled,
        DeviceStatus::Active
        | DeviceStatus::Delinquent
        | DeviceStatus::PreProvisioned
        | DeviceStatus::Inactive
        | DeviceStatus::ReturnRequested
        | DeviceStatus::ReturnArrived
        | DeviceStatus::Shipped
        | DeviceStatus::Unknown => WitnessKind::StatusSet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_state_have_their_names() {
        use DeviceStatus as S;
        use WitnessKind as K;
        for (from, to, kind) in [
            (S::Active, S::Active, None),
            (S::Active, S::Disabled, Some(K::Disabled)),
            (S::Disabled, S::Active, Some(K::Reenabled)),
            (S::Disabled, S::Deprovisioned, Some(K::Deprovisioned)),
            (S::Deprovisioned, S::Active, Some(K::StatusSet)),
            (S::Active, S::Delinquent, Some(K::StatusSet)),
        ] {
            assert_eq!(kind_of_change(from, to), kind, "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn events_are_bounded_and_counts_go_on() {
        let mut witness = Witness::default();
        let cause = Cause::control(Timestamp::UNIX_EPOCH);
        for _ in 0..MAXIMUM_EVENTS + 7 {
            witness.record(Slot(3), WitnessKind::Rebooted, &cause);
        }
        let record = witness.of(Slot(3)).unwrap();
        assert_eq!((record.events.len(), record.dropped), (MAXIMUM_EVENTS, 7));
        assert_eq!(record.control.reboots, MAXIMUM_EVENTS as u64 + 7);
        assert_eq!(record.api, Deeds::default());
    }
}
