//! `kubectl chromeos wipe`.

use chrome_enterprise_operator::api::action::WipeMode;
use clap::{Args, ValueEnum};

use super::act::{Confirmation, Options, Order, act};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};

/// What is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// All user profiles with their files; the device stays enrolled
    Users,
    /// Everything: back to factory state
    Powerwash,
}

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos wipe 5CD1234XYZ --mode users
  kubectl chromeos wipe 5CD1234XYZ --mode powerwash --confirm 5CD1234XYZ    # without a terminal

Exit codes: 0 done, 3 not done, 4 nobody knows, 5 still running after --timeout.")]
pub struct Arguments {
    /// What all actions have.
    #[command(flatten)]
    pub options: Options,

    /// What is removed
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Mode,

    /// Which device is meant, once more.
    #[command(flatten)]
    pub confirmation: Confirmation,
}

/// Does it.
///
/// # Errors
/// When it is not confirmed, the device is not to be found, or the cluster refuses or cannot be asked.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let mode = match arguments.mode {
        Mode::Users => WipeMode::Users,
        Mode::Powerwash => WipeMode::Powerwash,
    };
    act(
        cluster,
        Order::Wipe(mode),
        &arguments.options,
        &arguments.confirmation,
    )
    .await
}
