//! `kubectl chromeos disconnect`: removes a connection and its device objects, after saying what that means.

mod consequences;
mod removal;
mod secret;

use std::time::Duration;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use clap::{ArgAction, Args};
use kube::api::{DeleteParams, Preconditions};

use crate::cluster::Cluster;
use crate::connections::{self, name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::terminal;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing changes at Google: the devices stay enrolled. Receipts of actions stay as well.

Examples:
  kubectl chromeos disconnect
  kubectl chromeos disconnect school --namespace school --yes
  kubectl chromeos disconnect school --yes --wait=false"
)]
pub struct Arguments {
    /// Connection to remove; it can be left out where a namespace has only one
    #[arg(value_name = "CONNECTION")]
    pub name: Option<String>,

    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,

    /// Leave the Secret with the credentials, also if `connect` made it
    #[arg(long)]
    pub keep_secret: bool,

    /// Wait until it is gone; with --wait=false the Secret is left
    #[arg(
        long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_value_t = true,
        default_missing_value = "true", action = ArgAction::Set
    )]
    pub wait: bool,

    /// Longest time to wait; the removal goes on after it
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = connections::duration)]
    pub timeout: Duration,
}

/// Removes it.
///
/// # Errors
/// When there is no such connection, nobody agrees, or the cluster refuses.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let connection = connections::find(cluster, arguments.name.as_deref()).await?;
    let secret = secret::of(cluster, &connection, arguments).await;
    if connection.metadata.deletion_timestamp.is_none() {
        let consequences = consequences::of(cluster, &connection).await;
        for line in consequences.iter().chain(std::iter::once(&secret.words())) {
            terminal::say(line);
        }
        agree(&connection, arguments.yes)?;
        delete(cluster, &connection).await?;
    } else {
        terminal::say(&format!(
            "Connection {} is being deleted already.",
            name_of(&connection)
        ));
    }
    if !arguments.wait {
        terminal::say("It goes on without this program.");
        return Ok(Exit::Done);
    }
    removal::wait(cluster, &connection, arguments.timeout).await?;
    secret.remove(cluster, &connection).await?;
    terminal::say(&format!(
        "Connection {} is gone. Namespace {} is free for another one.",
        name_of(&connection),
        namespace_of(&connection)
    ));
    Ok(Exit::Done)
}

/// Somebody types the name, or said `--yes`.
fn agree(connection: &ChromeEnterpriseConnection, yes: bool) -> Result<(), Failure> {
    let name = name_of(connection);
    if let Some(hint) = connections::gitops_hint(connection) {
        terminal::say(&format!("note: {hint}"));
    }
    if yes {
        return Ok(());
    }
    if !terminal::can_ask() {
        return Err(
            Failure::usage("There is no terminal to ask on, so nothing was done.")
                .advise("Give --yes if this is wanted."),
        );
    }
    let answer = terminal::ask(&format!("Type the name of the connection ({name}) to remove it:"))?;
    if answer != name {
        return Err(Failure::new("That is not its name, so nothing was done."));
    }
    Ok(())
}

/// Deletes this very object, not one of the same name that somebody made meanwhile.
async fn delete(cluster: &Cluster, connection: &ChromeEnterpriseConnection) -> Result<(), Failure> {
    let name = name_of(connection);
    let parameters = DeleteParams {
        preconditions: Some(Preconditions {
            uid: connection.metadata.uid.clone(),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    let deleted = cluster
        .api::<ChromeEnterpriseConnection>()
        .delete(&name, &parameters)
        .await;
    match deleted {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(Failure::new(format!(
            "Connection {name} was replaced by another one of the same name meanwhile, so nothing was done."
        ))
        .advise("Look at it with `kubectl chromeos status`, and try again.")),
        Err(error) => {
            let doing = format!(
                "delete connection {name} in namespace {}",
                namespace_of(connection)
            );
            Err(Failure::kubernetes(&doing, &error))
        }
    }
}
