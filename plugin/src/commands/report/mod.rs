//! `kubectl chromeos report`: one page about the fleet. Devices are counted while they are read.

mod attention;
mod chart;
mod file;
mod page;
mod tally;

use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;

use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, ChromeOSDevice};
use clap::Args;
use jiff::Timestamp;
use kube::api::ListParams;

use crate::cluster::{Cluster, Scope, pages};
use crate::failure::{Exit, Failure};
use crate::inventory;
use crate::terminal::{self, Progress};

use file::Target;
use page::Page;
use tally::Tally;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos report -o fleet.html
  kubectl chromeos report -o fleet.html --overwrite           every week to the same place
  kubectl chromeos report -o - -A > all.html

The page is one file. It needs no network and runs no script. Users, locations and notes stay out of it unless
--include-users says so; it names the Google account of each connection, and serial numbers.")]
pub struct Arguments {
    /// File to write; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,

    /// Name the users of the devices that need attention, their locations and notes; this is personal data
    #[arg(long)]
    pub include_users: bool,

    /// Report on all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
}

/// Writes it.
///
/// # Errors
/// When the cluster refuses or cannot be asked, or the file exists already or cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    // First, so that nobody waits for a page that cannot be written.
    let target = Target::open(&arguments.output, arguments.overwrite)?;
    let now = Timestamp::now();
    let connections = connections(cluster, &scope).await;
    let tally = count(cluster, &scope, now, arguments.include_users).await?;
    let devices = tally.devices();
    target.write(&Page::new(
        &tally,
        connections,
        &scope,
        arguments.include_users,
        now,
    ))?;
    if arguments.output.as_os_str() != "-" {
        let place = arguments.output.display().to_string();
        let place = crate::output::clean(&place);
        terminal::say(&format!("Wrote {place}: {}.", inventory::devices(devices)));
    }
    Ok(Exit::Done)
}

/// A person may be allowed to read devices and not connections: then the page says so.
async fn connections(cluster: &Cluster, scope: &Scope) -> Result<Vec<ChromeEnterpriseConnection>, Failure> {
    let doing = format!("list connections {}", scope.words());
    pages(cluster.api_in(scope), ListParams::default(), doing)
        .all()
        .await
}

async fn count(
    cluster: &Cluster,
    scope: &Scope,
    now: Timestamp,
    include_users: bool,
) -> Result<Tally, Failure> {
    let mut tally = Tally::new(now, include_users);
    let mut progress = Progress::new();
    let doing = format!("list devices {}", scope.words());
    let mut pages = pages::<ChromeOSDevice>(cluster.api_in(scope), ListParams::default(), doing);
    while let Some(page) = pages.next().await? {
        for device in &page {
            tally.add(device);
        }
        if stderr().is_terminal() {
            progress.show(&format!("Reading: {}", inventory::devices(tally.devices())));
        }
    }
    Ok(tally)
}
