//! Device actions end to end: the real operator program, a real API server with the admission policies, and the
//! simulator, whose witness knows what really happened to each device.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]

mod answers;
mod clocks;
mod connections;
mod console;
mod disturbed;
#[path = "../scenarios/draw.rs"]
mod draw;
mod histories;
mod kill_points;
mod names;
mod orders;
mod preflight;
mod quota;
mod replicas;
mod retention;
mod school;
#[path = "../scenarios/world.rs"]
#[allow(dead_code, reason = "shared with the scenarios of the inventory")]
mod world;
