//! The controllers: each observes, plans, applies and reports.

pub mod connection;
mod digest;
pub(crate) mod inventory;
pub mod settings;
