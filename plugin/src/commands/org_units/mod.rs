//! `kubectl chromeos org-units`: the tree of org units with their devices, counted while they are read.

mod print;

use chrome_enterprise_operator::api::ChromeOSDevice;
use clap::{Args, ValueEnum};
use jiff::{Span, Timestamp};
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::{Cluster, Scope, pages};
use crate::failure::{Exit, Failure};
use crate::inventory::{OrgUnits, State, before, parse_span};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos org-units
  kubectl chromeos org-units --depth 2                only the upper part of the tree
  kubectl chromeos org-units --not-seen-for 2w -o csv

Deprovisioned devices are not counted unless --deprovisioned says so. Org units without devices, here or below, are
not known to the cluster and not shown.")]
pub struct Arguments {
    /// Show so many steps below the top; the counts are those of all devices
    #[arg(long, value_name = "STEPS")]
    pub depth: Option<usize>,

    /// Count as not seen what has not reported for so long, such as 12h, 30d or 2w, or never
    #[arg(long, value_name = "TIME", value_parser = parse_span, default_value = "30d")]
    pub not_seen_for: Span,

    /// Count deprovisioned devices too
    #[arg(long)]
    pub deprovisioned: bool,

    /// Show the trees of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// How the tree is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Format,
}

/// How the tree is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A tree for people; paths where no terminal is
    #[default]
    Table,
    /// A list of objects
    Json,
    /// The same as YAML
    Yaml,
    /// Comma-separated values with a head line
    Csv,
}

/// Counts and shows them.
///
/// # Errors
/// When the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let units = count(cluster, &scope, arguments).await?;
    let depth = arguments.depth.unwrap_or(usize::MAX);
    let tree: Vec<_> = units
        .tree()
        .into_iter()
        .filter(|unit| unit.depth() <= depth)
        .collect();
    print::print(&tree, arguments, &scope)?;
    Ok(Exit::Done)
}

async fn count(cluster: &Cluster, scope: &Scope, arguments: &Arguments) -> Result<OrgUnits, Failure> {
    let limit = before(Timestamp::now(), arguments.not_seen_for);
    let mut units = OrgUnits::default();
    let doing = format!("list devices {}", scope.words());
    let mut pages = pages::<ChromeOSDevice>(cluster.api_in(scope), ListParams::default(), doing);
    while let Some(page) = pages.next().await? {
        for device in &page {
            let state = State::of_device(device);
            if state == State::Deprovisioned && !arguments.deprovisioned {
                continue;
            }
            let Some(status) = &device.status else { continue };
            let last = status.activity.last_sync_time.as_ref().map(|time| time.0);
            let not_seen =
                state.is_in_use() && last.is_none_or(|last| limit.is_some_and(|limit| last < limit));
            let namespace = device.namespace().unwrap_or_default();
            units.add(&namespace, status.org_unit_path.as_deref(), not_seen);
        }
    }
    Ok(units)
}
