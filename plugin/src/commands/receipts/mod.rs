//! `kubectl chromeos receipts`: lists what was done, and tells about one.

#![allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "the flags of a command line, whose doc comments are its help text"
)]

mod columns;
mod one;

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use clap::Args;
use jiff::Timestamp;
use kube::api::ListParams;

use super::act::filter;
use crate::cli::moment::{self, Moment};
use crate::cluster::{Cluster, equals, pages};
use crate::failure::{Exit, Failure};
use crate::output::{ListOutput, Rows};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos receipts --since 30d
  kubectl chromeos receipts --serial 5CD1234XYZ
  kubectl chromeos receipts --type Wipe --since 2026-01-01 --until 2026-07-01 -o csv > wipes.csv
  kubectl chromeos receipts restart-5cd1234xyz-k3f9x0ab

A receipt has the name of its action and stays when the action is deleted. The list is in the order of the
cluster: by namespace and name. Sort a CSV by its column `claimed`. Reading receipts needs the role
chromeenterprise-auditor.")]
pub struct Arguments {
    /// One receipt, by its name, which is that of its action: everything about it
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Only what was done to this device
    #[arg(long, value_name = "SERIAL|ID", conflicts_with = "name")]
    pub device: Option<String>,

    /// Only what was done to devices with this serial number
    #[arg(long, value_name = "SERIAL", conflicts_with_all = ["name", "device"])]
    pub serial: Option<String>,

    /// Only this type: Restart, Wipe, Deprovision, EnableLostMode or DisableLostMode
    #[arg(long = "type", value_name = "TYPE", value_parser = filter::type_, conflicts_with = "name")]
    pub type_: Option<ActionType>,

    /// Only what is in this state; several with commas
    #[arg(long, value_name = "STATE", value_parser = filter::state, value_delimiter = ',', conflicts_with = "name")]
    pub state: Vec<ActionState>,

    /// Only what this user asked for
    #[arg(long, value_name = "USER", conflicts_with = "name")]
    pub requested_by: Option<String>,

    /// Only what was claimed since then: a span such as 30d or a time
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment::moment, conflicts_with = "name")]
    pub since: Option<Moment>,

    /// Only what was claimed before then: a span such as 7d or a time
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment::moment, conflicts_with = "name")]
    pub until: Option<Moment>,

    /// Only what the operator still follows at Google
    #[arg(long, conflicts_with = "name")]
    pub open: bool,

    /// List the receipts of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,

    /// How they are printed.
    #[command(flatten)]
    pub output: ListOutput,
}

/// Lists them, or tells about one.
///
/// # Errors
/// When there is no such receipt, the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.name {
        Some(name) => one::show(cluster, name, arguments.output.output).await,
        None => list(cluster, arguments).await,
    }
}

/// Receipts are kept for ever, so they are written while they are read.
async fn list(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let wanted = Wanted::new(arguments, Timestamp::now());
    let mut rows = Rows::new(arguments.output, columns::COLUMNS, arguments.all_namespaces);
    let mut pages = pages::<DeviceActionReceipt>(
        cluster.api_in(&scope),
        wanted.selected(),
        format!("list receipts {}", scope.words()),
    );
    while let Some(mut page) = pages.next().await? {
        page.retain(|receipt| wanted.has(receipt));
        rows.write(&page)?;
    }
    rows.finish(&format!("There are no such receipts {}.", scope.words()))?;
    Ok(Exit::Done)
}

/// Which receipts are listed.
struct Wanted<'a> {
    arguments: &'a Arguments,
    device: Option<filter::Device>,
    serial: Option<filter::Device>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<'a> Wanted<'a> {
    fn new(arguments: &'a Arguments, now: Timestamp) -> Self {
        Self {
            arguments,
            device: arguments.device.as_deref().map(filter::Device::new),
            serial: arguments.serial.as_deref().map(filter::Device::new),
            since: arguments.since.map(|since| since.before(now)),
            until: arguments.until.map(|until| until.before(now)),
        }
    }

    /// What the API server can select itself. Serial numbers are compared here, without regard to case.
    fn selected(&self) -> ListParams {
        let mut fields = Vec::new();
        if let Some(type_) = self.arguments.type_ {
            fields.push(format!("request.type={}", type_.as_str()));
        }
        if let [state] = self.arguments.state.as_slice() {
            fields.push(format!("state={}", state.as_str()));
        }
        if self.arguments.open {
            fields.push("open=true".to_owned());
        }
        if let Some(requester) = &self.arguments.requested_by {
            fields.push(equals("request.requester", requester));
        }
        ListParams::default().fields(&fields.join(","))
    }

    fn has(&self, receipt: &DeviceActionReceipt) -> bool {
        let (record, request) = (&receipt.spec, &receipt.spec.request);
        let (serial, id) = (request.serial_number.as_deref(), request.device_id.as_deref());
        let claimed = request.created_time.0;
        let (requester, wanted) = (request.requester.as_ref(), self.arguments.requested_by.as_ref());
        self.arguments.type_.is_none_or(|type_| type_ == request.type_)
            && (self.arguments.state.is_empty() || self.arguments.state.contains(&record.state))
            && (!self.arguments.open || record.open)
            && (wanted.is_none() || wanted == requester)
            && self.since.is_none_or(|since| claimed >= since)
            && self.until.is_none_or(|until| claimed < until)
            && self.device.as_ref().is_none_or(|device| device.is(serial, id))
            && self
                .serial
                .as_ref()
                .is_none_or(|device| device.has_serial(serial))
    }
}
