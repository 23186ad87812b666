//! A real etcd and kube-apiserver on loopback: for tests that should not believe in a mock, and
//! for trying things out without a cluster.
//!
//! - [`Assets`] finds the programs, or builds them once with Go.
//! - [`DevCluster`] runs them, and leaves nothing behind however the process ends.
//! - [`Leashed`] is how it runs each: a child process that never outlives this one.
//!
//! ```no_run
//! # async fn example() -> Result<(), devcluster::Error> {
//! use devcluster::DevCluster;
//!
//! let cluster = DevCluster::builder().controller_manager(true).start().await?;
//! // Any client can use `cluster.kubeconfig()` or the file `cluster.kubeconfig_path()`.
//! cluster.stop_apiserver(); // an outage
//! cluster.start_apiserver().await?;
//! cluster.stop().await;
//! # Ok(()) }
//! ```

mod apiserver;
mod assets;
mod builder;
mod certificates;
mod cluster;
mod controller_manager;
mod error;
mod etcd;
mod go_build;
mod home;
mod keeper;
mod kubeconfig;
mod leash;
mod log_tail;
mod ports;
mod program;
mod progress;
mod readiness;
mod running;

pub use assets::Assets;
pub use builder::DevClusterBuilder;
pub use cluster::DevCluster;
pub use error::Error;
pub use leash::Leashed;
pub use program::Program;
