//! The admission policies and roles on a real API server: who may do what, and what is said to who may not.
//!
//! All tests share one API server with the resource types, the policies and the controllers; `older_cluster.rs` has
//! one more, which lacks what Kubernetes 1.36 brought.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test fails as the test does"
)]

mod documentation;
mod manifests;
mod not_after;
mod objects;
mod older_cluster;
mod operator;
mod people;
mod receipt_ends;
mod receipts;
mod requester;
mod requester_apply;
mod requests;
mod roles;
mod server;
mod status;
mod type_checks;
