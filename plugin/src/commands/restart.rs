//! `kubectl chromeos restart`.

use chrome_enterprise_operator::api::action::RestartParameters;
use clap::Args;

use super::act::{Confirmation, Options, Order, act};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos restart 5CD1234XYZ
  kubectl chromeos restart 5CD1234XYZ --delay 120    # a signed-in user gets two minutes
  kubectl chromeos restart 5CD1234XYZ --no-wait -o name

Exit codes: 0 done, 3 not done, 4 nobody knows, 5 still running after --timeout.")]
pub struct Arguments {
    /// What all actions have.
    #[command(flatten)]
    pub options: Options,

    /// Seconds that a signed-in user gets before the restart, 0 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=300))]
    pub delay: i32,
}

/// Does it.
///
/// # Errors
/// When the device is not to be found, or the cluster refuses or cannot be asked.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let order = Order::Restart(RestartParameters {
        user_session_delay_seconds: arguments.delay,
    });
    act(cluster, order, &arguments.options, &Confirmation::default()).await
}
