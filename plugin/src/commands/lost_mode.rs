//! `kubectl chromeos lost-mode`.

use clap::{Args, Subcommand};

use super::act::{Confirmation, Options, Order, act};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos lost-mode on 5CD1234XYZ
  kubectl chromeos lost-mode off 5CD1234XYZ

Exit codes: 0 done, 3 not done, 4 nobody knows, 5 still running after --timeout.")]
pub struct Arguments {
    /// On or off.
    #[command(subcommand)]
    pub wish: Wish,
}

/// On or off.
#[derive(Debug, Subcommand)]
pub enum Wish {
    /// Lock a lost device: it shows only the message for lost devices
    On(Options),
    /// Let a device that was found be used again; takes a licence
    Off(Options),
}

/// Does it.
///
/// # Errors
/// When the device is not to be found, or the cluster refuses or cannot be asked.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let (order, options) = match &arguments.wish {
        Wish::On(options) => (Order::EnableLostMode, options),
        Wish::Off(options) => (Order::DisableLostMode, options),
    };
    act(cluster, order, options, &Confirmation::default()).await
}
