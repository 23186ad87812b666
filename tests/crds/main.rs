//! The resource definitions: what is committed is what the types say, the schema keeps its own rules, and a real
//! API server accepts and refuses what it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails as the test does"
)]

mod action;
mod connection;
mod device;
mod drift;
mod examples;
mod install;
mod receipt;
mod receipt_changes;
mod schema;
mod selectors;
mod server;
mod table;
