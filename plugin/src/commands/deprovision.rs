//! `kubectl chromeos deprovision`.

use chrome_enterprise_operator::api::action::DeprovisionReason;
use clap::{Args, ValueEnum};

use super::act::{Confirmation, Options, Order, act};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};

/// Why the device leaves management, as in the Admin console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reason {
    /// A device of the same model takes its place
    SameModelReplacement,
    /// A device of another model takes its place
    DifferentModelReplacement,
    /// It is given up, sold or donated
    RetiringDevice,
    /// The upgrade moves to a device that was converted to ChromeOS Flex
    UpgradeTransfer,
}

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos deprovision 5CD1234XYZ --reason retiring-device
  kubectl chromeos deprovision 5CD1234XYZ --reason retiring-device --confirm 5CD1234XYZ    # without a terminal

Exit codes: 0 done, 3 not done, 4 nobody knows, 5 still running after --timeout.")]
pub struct Arguments {
    /// What all actions have.
    #[command(flatten)]
    pub options: Options,

    /// Why the device leaves management; it decides what becomes of a perpetual licence
    #[arg(long, value_enum, value_name = "REASON")]
    pub reason: Reason,

    /// Which device is meant, once more.
    #[command(flatten)]
    pub confirmation: Confirmation,
}

/// Does it.
///
/// # Errors
/// When it is not confirmed, the device is not to be found, or the cluster refuses or cannot be asked.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let reason = match arguments.reason {
        Reason::SameModelReplacement => DeprovisionReason::SameModelReplacement,
        Reason::DifferentModelReplacement => DeprovisionReason::DifferentModelReplacement,
        Reason::RetiringDevice => DeprovisionReason::RetiringDevice,
        Reason::UpgradeTransfer => DeprovisionReason::UpgradeTransfer,
    };
    let order = Order::Deprovision(reason);
    act(cluster, order, &arguments.options, &arguments.confirmation).await
}
