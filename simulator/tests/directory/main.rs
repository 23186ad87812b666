//! The Directory API, its quotas, faults and the control API, over real HTTP.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::wildcard_enum_match_arm,
    unused,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]
#![expect(unreachable_pub, reason = "tests")]

mod access;
mod command_life;
mod command_traces;
mod command_trouble;
mod commands;
mod control;
mod documentation;
mod edits;
mod effect_matrix;
mod effects;
mod faults;
mod lists;
mod pages;
mod people;
mod projections;
mod quota;
mod scale;
mod states;
mod support;
mod transport;
mod witness;
