//! The Google client against servers on loopback: a small scripted one for what no well-behaved server does,
//! and the simulator for the rest.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::wildcard_enum_match_arm,
    unused,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]

mod answers;
mod changes;
mod consent;
mod fake;
mod retries;
mod secrecy;
mod simulator;
mod transport;
