//! The whole operator against a real API server and the simulator: what an administrator sees, whatever happens.
//!
//! All tests share one API server; each has a namespace, a Google and an operator process of its own.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]

mod bad_road;
mod cluster_outage;
mod conflict;
mod credentials;
mod deletion;
mod draw;
mod first_sync;
mod google_failures;
mod healing;
mod kills;
mod pruning;
mod sign_in;
mod tenants;
mod world;
