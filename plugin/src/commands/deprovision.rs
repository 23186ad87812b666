//! `kubectl chromeos deprovision`.

use clap::Args;

use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};

/// Flags of the command.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Does it.
///
/// # Errors
/// When it cannot be done.
pub async fn run(_cluster: &Cluster, _arguments: &Arguments) -> Result<Exit, Failure> {
    std::future::ready(Err(Failure::new("Not built yet."))).await
}
