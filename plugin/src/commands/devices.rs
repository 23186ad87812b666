//! `kubectl chromeos devices`: lists devices, a page at a time.

use chrome_enterprise_operator::api::ChromeOSDevice;
use chrome_enterprise_operator::api::device::{ActivityStatus, ChromeOSDeviceStatus, SoftwareStatus};
use clap::Args;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::{Cluster, pages};
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, ListOutput, Rows, Shown};

/// Flags of the command.
#[derive(Debug, Args)]
pub struct Arguments {
    /// List the devices of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// How they are printed.
    #[command(flatten)]
    pub output: ListOutput,
}

fn status(device: &ChromeOSDevice) -> Option<&ChromeOSDeviceStatus> {
    device.status.as_ref()
}

fn software(device: &ChromeOSDevice) -> Option<&SoftwareStatus> {
    device.status.as_ref().map(|status| &status.software)
}

fn activity(device: &ChromeOSDevice) -> Option<&ActivityStatus> {
    device.status.as_ref().map(|status| &status.activity)
}

const COLUMNS: &[Column<ChromeOSDevice>] = &[
    Column {
        title: "NAMESPACE",
        shown: Shown::AllNamespaces,
        value: |device| Cell::text(device.metadata.namespace.as_deref()),
    },
    Column {
        title: "SERIAL",
        shown: Shown::Always,
        value: |device| Cell::text(status(device).and_then(|status| status.serial_number.as_deref())),
    },
    Column {
        title: "STATUS",
        shown: Shown::Always,
        value: |device| Cell::text(status(device).and_then(|status| status.state.as_deref())),
    },
    Column {
        title: "MODEL",
        shown: Shown::Always,
        value: |device| Cell::text(status(device).and_then(|status| status.model.as_deref())),
    },
    Column {
        title: "ORG UNIT",
        shown: Shown::Always,
        value: |device| Cell::text(status(device).and_then(|status| status.org_unit_path.as_deref())),
    },
    Column {
        title: "OS VERSION",
        shown: Shown::Wide,
        value: |device| Cell::text(software(device).and_then(|software| software.os_version.as_deref())),
    },
    Column {
        title: "LAST SYNC",
        shown: Shown::Always,
        value: |device| {
            Cell::time(activity(device).and_then(|activity| Some(activity.last_sync_time.as_ref()?.0)))
        },
    },
    Column {
        title: "DEVICE ID",
        shown: Shown::Wide,
        value: |device| Cell::Text(device.name_any().into()),
    },
];

/// Lists them.
///
/// # Errors
/// When the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let mut rows = Rows::new(arguments.output, COLUMNS, arguments.all_namespaces);
    let mut pages = pages::<ChromeOSDevice>(
        cluster.api_in(&scope),
        ListParams::default(),
        format!("list devices {}", scope.words()),
    );
    while let Some(page) = pages.next().await? {
        rows.write(&page)?;
    }
    rows.finish(&format!("There are no devices {}.", scope.words()))?;
    Ok(Exit::Done)
}
