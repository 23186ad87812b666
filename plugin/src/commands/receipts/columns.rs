//! The columns of a list of receipts. CSV has everything, for auditors.

use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::commands::act::{details, filter};
use crate::output::{Cell, Column, Shown};

macro_rules! column {
    ($title:literal, $shown:ident, $value:expr) => {
        Column {
            title: $title,
            shown: Shown::$shown,
            value: $value,
        }
    };
}

fn time(time: Option<&Time>) -> Cell<'static> {
    Cell::time(time.map(|time| time.0))
}

/// What else was asked for.
pub(super) fn more(receipt: &DeviceActionReceipt) -> Option<String> {
    let request = &receipt.spec.request;
    details(
        request
            .restart
            .as_ref()
            .map(|restart| restart.user_session_delay_seconds),
        request.wipe.as_ref().map(|wipe| wipe.mode),
        request.deprovision.as_ref().map(|deprovision| deprovision.reason),
    )
}

pub(super) const COLUMNS: &[Column<DeviceActionReceipt>] = &[
    column!("NAMESPACE", AllNamespaces, |receipt| Cell::text(
        receipt.metadata.namespace.as_deref()
    )),
    column!("NAME", Always, |receipt| Cell::text(
        receipt.metadata.name.as_deref()
    )),
    column!("DEVICE", Always, |receipt| Cell::text(
        receipt.spec.request.serial_number.as_deref()
    )),
    column!("TYPE", Always, |receipt| Cell::text(Some(
        receipt.spec.request.type_.as_str()
    ))),
    column!("DETAILS", CsvOnly, |receipt| more(receipt)
        .map_or(Cell::Missing, |text| Cell::Text(text.into()))),
    column!("STATE", Always, |receipt| Cell::Word(
        receipt.spec.state.as_str().into(),
        filter::tone(receipt.spec.state)
    )),
    column!("REASON", Wide, |receipt| Cell::text(
        receipt.spec.reason.as_deref()
    )),
    column!("REQUESTED BY", Always, |receipt| Cell::text(
        receipt.spec.request.requester.as_deref()
    )),
    column!("AGE", PeopleOnly, |receipt| Cell::Time(
        receipt.spec.request.created_time.0
    )),
    column!("CLAIMED", CsvOnly, |receipt| Cell::Time(
        receipt.spec.request.created_time.0
    )),
    column!("ACCEPTED", CsvOnly, |receipt| time(
        receipt.spec.accepted_time.as_ref()
    )),
    column!("FINISHED", CsvOnly, |receipt| time(
        receipt.spec.finished_time.as_ref()
    )),
    column!("NOT AFTER", CsvOnly, |receipt| Cell::Time(
        receipt.spec.request.not_after.0
    )),
    column!("OPEN", Wide, |receipt| Cell::Text(
        if receipt.spec.open { "true" } else { "false" }.into()
    )),
    column!("ATTEMPTS", CsvOnly, |receipt| Cell::number(
        i64::try_from(receipt.spec.attempts.len()).ok()
    )),
    column!("DEVICE ID", Wide, |receipt| Cell::text(
        receipt.spec.request.device_id.as_deref()
    )),
    column!("COMMAND", Wide, |receipt| Cell::text(
        receipt.spec.command_id.as_deref()
    )),
    column!("COMMAND STATE", CsvOnly, |receipt| Cell::text(
        receipt.spec.command_state.as_deref()
    )),
    column!("COMMAND RESULT", CsvOnly, |receipt| Cell::text(
        receipt.spec.command_result.as_deref()
    )),
    column!("COMMAND EXPIRES", CsvOnly, |receipt| time(
        receipt.spec.command_expire_time.as_ref()
    )),
    column!("CONNECTION", CsvOnly, |receipt| Cell::text(
        receipt.spec.request.connection_name.as_deref()
    )),
    column!("CUSTOMER", CsvOnly, |receipt| Cell::text(
        receipt.spec.request.customer_id.as_deref()
    )),
    column!("ACTION UID", CsvOnly, |receipt| Cell::text(Some(
        receipt.spec.request.action_uid.as_str()
    ))),
    column!("DIGEST", CsvOnly, |receipt| Cell::text(Some(
        receipt.spec.request.digest.as_str()
    ))),
    column!("MESSAGE", Wide, |receipt| Cell::text(
        receipt.spec.message.as_deref()
    )),
    column!("GOOGLE SAYS", Wide, |receipt| Cell::text(
        receipt.spec.google_message.as_deref()
    )),
];
