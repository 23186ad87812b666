//! The columns of a list of actions.

use chrome_enterprise_operator::api::REQUESTED_BY_ANNOTATION;
use chrome_enterprise_operator::api::action::{DeviceAction, DeviceActionStatus};
use kube::ResourceExt as _;

use crate::commands::act::{filter, state, told};
use crate::output::{Cell, Column, Shown};

fn status(action: &DeviceAction) -> Option<&DeviceActionStatus> {
    action.status.as_ref()
}

/// The serial number of its device; before the operator has looked, what the action was asked for.
pub(super) fn device(action: &DeviceAction) -> Option<&str> {
    let spec = &action.spec;
    status(action)
        .and_then(|status| status.serial_number.as_deref())
        .or(spec.serial_number.as_deref())
        .or(spec.device_id.as_deref())
}

/// Who asked for it, where the cluster records it.
pub(super) fn requester(action: &DeviceAction) -> Option<&str> {
    action
        .annotations()
        .get(REQUESTED_BY_ANNOTATION)
        .map(String::as_str)
}

macro_rules! column {
    ($title:literal, $shown:ident, $value:expr) => {
        Column {
            title: $title,
            shown: Shown::$shown,
            value: $value,
        }
    };
}

pub(super) const COLUMNS: &[Column<DeviceAction>] = &[
    column!("NAMESPACE", AllNamespaces, |action| Cell::text(
        action.metadata.namespace.as_deref()
    )),
    column!("NAME", Always, |action| Cell::text(
        action.metadata.name.as_deref()
    )),
    column!("DEVICE", Always, |action| Cell::text(device(action))),
    column!("TYPE", Always, |action| Cell::text(Some(
        action.spec.type_.as_str()
    ))),
    column!("STATE", Always, |action| state(action)
        .map_or(Cell::Missing, |state| {
            Cell::Word(state.as_str().into(), filter::tone(state))
        })),
    column!("REASON", Wide, |action| Cell::text(
        told(action).map(|(reason, _)| reason)
    )),
    column!("REQUESTED BY", Always, |action| Cell::text(requester(action))),
    column!("AGE", PeopleOnly, |action| Cell::time(
        action.creation_timestamp().map(|time| time.0)
    )),
    column!("CREATED", CsvOnly, |action| Cell::time(
        action.creation_timestamp().map(|time| time.0)
    )),
    column!("NOT AFTER", CsvOnly, |action| Cell::Time(action.spec.not_after.0)),
    column!("ACCEPTED", CsvOnly, |action| Cell::time(
        status(action).and_then(|status| Some(status.accepted_time.as_ref()?.0))
    )),
    column!("FINISHED", CsvOnly, |action| Cell::time(
        status(action).and_then(|status| Some(status.finished_time.as_ref()?.0))
    )),
    column!("DEVICE ID", Wide, |action| Cell::text(
        status(action)
            .and_then(|status| status.device_id.as_deref())
            .or(action.spec.device_id.as_deref())
    )),
    column!("COMMAND", CsvOnly, |action| Cell::text(
        status(action).and_then(|status| status.command_id.as_deref())
    )),
    column!("COMMAND STATE", CsvOnly, |action| Cell::text(
        status(action).and_then(|status| status.command_state.as_deref())
    )),
    column!("COMMAND EXPIRES", CsvOnly, |action| Cell::time(
        status(action).and_then(|status| Some(status.command_expire_time.as_ref()?.0))
    )),
    column!("MESSAGE", Wide, |action| Cell::text(
        told(action).map(|(_, message)| message)
    )),
    column!("GOOGLE SAYS", Wide, |action| Cell::text(
        status(action).and_then(|status| status.google_message.as_deref())
    )),
];
