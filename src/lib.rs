//! The Chrome Enterprise operator: it mirrors the ChromeOS devices of a Google customer into Kubernetes.
//!
//! - [`api`]: the resource types, and nothing else.
//! - [`google`]: Google's Admin API as a typed client, without Kubernetes.
//! - [`controllers`]: what keeps the objects true: observe, plan, apply, report.
//! - [`policies`]: who may do what, as manifests for the cluster.
//! - [`runtime`], [`cli`], [`run`]: the program around them.

pub mod api;
pub mod cli;
pub mod controllers;
pub mod google;
pub mod policies;
pub mod run;
pub mod runtime;
