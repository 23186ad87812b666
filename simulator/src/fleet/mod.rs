//! The devices and organisational units of one customer.

pub(crate) mod catalogue;
pub(crate) mod generate;
pub(crate) mod names;
pub(crate) mod org_units;
mod store;

pub(crate) use store::{Fleet, Position, Slot};
