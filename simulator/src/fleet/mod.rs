//! The devices and organisational units of one customer.

pub(crate) mod catalogue;
mod change;
pub(crate) mod generate;
pub(crate) mod names;
pub(crate) mod org_units;
mod store;
mod write;

pub(crate) use store::{Fleet, Position, Slot};
pub(crate) use write::{Edit, Write, WriteKind};
