//! `kubectl chromeos devices`: lists devices, a page at a time.

mod columns;
mod filters;

use std::fmt::Write as _;
use std::io::{IsTerminal as _, stderr};

use chrome_enterprise_operator::api::ChromeOSDevice;
use clap::Args;
use jiff::Timestamp;

use crate::cluster::{Cluster, Scope, pages};
use crate::failure::{Exit, Failure};
use crate::inventory;
use crate::output::{ListFormat, ListOutput, Rows, clean};
use crate::terminal;

use columns::COLUMNS;
use filters::{Filter, Filters};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos devices                                      all devices of the namespace
  kubectl chromeos devices library                              those with this word in any field
  kubectl chromeos devices --serial 5cd1234xyz
  kubectl chromeos devices --org-unit '/South/Oak School' --state active
  kubectl chromeos devices --not-seen-for 30d --state active    missing for a month
  kubectl chromeos devices --os-older-than 120 -o csv           a list for a spreadsheet

A device has to pass all filters. Capital and small letters are the same unless a flag says otherwise.
The list comes in the order of the device IDs; `-o csv` sorts well in a spreadsheet.")]
pub struct Arguments {
    /// What is wanted.
    #[command(flatten)]
    pub filters: Filters,

    /// List the devices of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// How they are printed.
    #[command(flatten)]
    pub output: ListOutput,
}

/// Lists them.
///
/// # Errors
/// When the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let mut filter = Filter::new(&arguments.filters, Timestamp::now());
    let mut rows = Rows::new(arguments.output, COLUMNS, arguments.all_namespaces);
    let mut pages = pages::<ChromeOSDevice>(
        cluster.api_in(&scope),
        filter.on_server(),
        format!("list devices {}", scope.words()),
    );
    while let Some(mut page) = pages.next().await? {
        page.retain(|device| filter.passes(device));
        rows.write(&page)?;
    }
    let written = rows.written();
    rows.finish(&nothing(&arguments.filters, &scope))?;
    let format = arguments.output.output;
    let for_people = matches!(format, ListFormat::Table | ListFormat::Wide);
    if for_people && written > 0 && stderr().is_terminal() {
        let written = u64::try_from(written).unwrap_or(u64::MAX);
        terminal::say(&inventory::devices(written));
    }
    if let Some(note) = filter.uncomparable() {
        terminal::say(&note);
    }
    Ok(Exit::Done)
}

fn nothing(filters: &Filters, scope: &Scope) -> String {
    if filters.is_empty() {
        return format!("There are no devices {}.", scope.words());
    }
    let mut text = format!("No device {} passes the filters.", scope.words());
    if filters.exact_org_unit || filters.exact_model {
        text.push_str(" An exact filter tells capital from small letters.");
    }
    if let Some(serial) = &filters.serial {
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            " `kubectl chromeos device {}` looks further.",
            clean(serial)
        );
    }
    text
}
