//! `kubectl chromeos resume`.

use clap::Args;

use super::suspend;
use crate::cluster::Cluster;
use crate::connections::{self, name_of};
use crate::failure::{Exit, Failure};
use crate::terminal;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kubectl chromeos resume
  kubectl chromeos resume school --namespace school")]
pub struct Arguments {
    /// Connection that goes on; it can be left out where a namespace has only one
    #[arg(value_name = "CONNECTION")]
    pub name: Option<String>,
}

/// Lets it go on.
///
/// # Errors
/// When there is no such connection, or the cluster refuses.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let connection = connections::find(cluster, arguments.name.as_deref()).await?;
    let name = name_of(&connection);
    if suspend::set(cluster, &connection, false).await? {
        terminal::say(&format!(
            "Connection {name} goes on. See how: kubectl chromeos status {name} --watch"
        ));
    } else {
        terminal::say(&format!("Connection {name} is not suspended."));
    }
    Ok(Exit::Done)
}
