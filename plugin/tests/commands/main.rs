//! Every command as a person runs it: the real program, a real API server, a simulated Google, the real operator.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// Helpers of `world` that only some of the coming tests use.
#![allow(dead_code)]

mod lists;
mod world;
