//! Every command as a person runs it: the real program, a real API server, a simulated Google, the real operator.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers may panic"
)]
// Helpers of `world` that only some of the coming tests use.
#![allow(dead_code)]

mod act;
mod act_end_to_end;
mod act_faults;
mod act_people;
mod actions;
mod completion;
mod connect;
mod connections;
mod disconnect;
mod doctor;
mod doctor_google;
mod generated;
mod inventory;
mod kubectl;
mod lists;
mod proxy;
mod receipts;
mod report;
mod stage;
mod status;
mod sync;
mod trouble;
mod world;
