//! The controllers: each observes, plans, applies and reports.

pub(crate) mod action;
pub mod connection;
mod digest;
mod failures;
pub(crate) mod inventory;
pub mod settings;
pub(crate) mod status_write;
pub(crate) mod tenant;
