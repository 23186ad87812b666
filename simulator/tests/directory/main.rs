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
mod control;
mod documentation;
mod faults;
mod lists;
mod pages;
mod people;
mod projections;
mod quota;
mod scale;
mod support;
mod transport;
mod writes;
