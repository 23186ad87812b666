//! `kubectl chromeos device`: everything about one device, with its actions.

mod actions;
mod facts;
mod page;

use chrome_enterprise_operator::api::{CONNECTION_LABEL, ChromeEnterpriseConnection, ChromeOSDevice};
use clap::Args;
use jiff::Timestamp;
use kube::ResourceExt as _;

use crate::cluster::{Cluster, Scope, find_device_in};
use crate::failure::{Exit, Failure};
use crate::output::{ObjectFormat, ObjectOutput, print_object};

use page::Page;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos device 5CD1234XYZ
  kubectl chromeos device 5cd1234xyz -A              wherever it is
  kubectl chromeos device 5CD1234XYZ -o yaml

Of several devices with the same serial number, deprovisioned ones do not count when another is there.")]
pub struct Arguments {
    /// Serial number, in capital or small letters, or the ID of the device
    #[arg(value_name = "SERIAL|ID")]
    pub device: String,

    /// Look in all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// How it is printed.
    #[command(flatten)]
    pub output: ObjectOutput,
}

/// Shows it.
///
/// # Errors
/// When it is not found, the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let device = find_device_in(cluster, &scope, &arguments.device).await?;
    if arguments.output.output != ObjectFormat::Text {
        print_object(&device, arguments.output.output, String::new)?;
        return Ok(Exit::Done);
    }
    let home = device
        .namespace()
        .map_or_else(|| cluster.scope(false), Scope::Namespace);
    let (actions, connection) = futures::join!(
        actions::of_device(cluster, &home, &device),
        connection(cluster, &home, &device),
    );
    let page = Page {
        device: &device,
        connection: connection.as_ref(),
        actions,
        names_namespace: home != cluster.scope(false),
        now: Timestamp::now(),
    };
    print_object(&device, ObjectFormat::Text, || page.text())?;
    Ok(Exit::Done)
}

/// The connection that mirrors the device. Without it the page still tells everything about the device.
async fn connection(
    cluster: &Cluster,
    home: &Scope,
    device: &ChromeOSDevice,
) -> Option<ChromeEnterpriseConnection> {
    let name = device.labels().get(CONNECTION_LABEL)?;
    cluster.api_in(home).get_opt(name).await.ok().flatten()
}
