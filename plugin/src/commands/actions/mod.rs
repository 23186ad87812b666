//! `kubectl chromeos actions`: lists actions, and tells about one.

#![allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "the flags of a command line, whose doc comments are its help text"
)]

mod columns;
mod one;

use chrome_enterprise_operator::api::action::{ActionState, ActionType, DeviceAction};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use kube::api::ListParams;
use kube::{Resource as _, ResourceExt as _};

pub(crate) use one::object_format;

use super::act::{filter, state};
use crate::cli::moment::{self, Moment};
use crate::cluster::{Cluster, pages};
use crate::failure::{Exit, Failure};
use crate::output::{ListOutput, Rows};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl chromeos actions
  kubectl chromeos actions --device 5CD1234XYZ --since 7d
  kubectl chromeos actions --failed -o wide
  kubectl chromeos actions restart-5cd1234xyz-k3f9x0ab
  kubectl chromeos actions restart-5cd1234xyz-k3f9x0ab --follow

The list has the newest action first. Actions disappear when somebody deletes them or their time is over;
`kubectl chromeos receipts` has all that was ever done.")]
pub struct Arguments {
    /// One action: everything about it
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Look at the action until it has ended, as the command that asked for it does
    #[arg(short, long, visible_alias = "watch", requires = "name")]
    pub follow: bool,

    /// How long to follow; the action goes on afterwards
    #[arg(long, value_name = "SPAN", value_parser = moment::span, default_value = "15m", requires = "follow")]
    pub timeout: SignedDuration,

    /// Only actions on this device
    #[arg(long, value_name = "SERIAL|ID", conflicts_with = "name")]
    pub device: Option<String>,

    /// Only actions of this type: Restart, Wipe, Deprovision, EnableLostMode or DisableLostMode
    #[arg(long = "type", value_name = "TYPE", value_parser = filter::type_, conflicts_with = "name")]
    pub type_: Option<ActionType>,

    /// Only actions in this state; several with commas
    #[arg(long, value_name = "STATE", value_parser = filter::state, value_delimiter = ',', conflicts_with = "name")]
    pub state: Vec<ActionState>,

    /// Only actions that have not ended
    #[arg(long, conflicts_with_all = ["name", "failed"])]
    pub open: bool,

    /// Only actions that ended without success
    #[arg(long, conflicts_with = "name")]
    pub failed: bool,

    /// Only actions created since then: a span such as 24h or a time
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment::moment, conflicts_with = "name")]
    pub since: Option<Moment>,

    /// List the actions of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,

    /// How they are printed.
    #[command(flatten)]
    pub output: ListOutput,
}

/// Lists them, or tells about one.
///
/// # Errors
/// When there is no such action, the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.name {
        Some(name) if arguments.follow => one::follow_again(cluster, name, arguments).await,
        Some(name) => one::show(cluster, name, arguments.output.output).await,
        None => list(cluster, arguments).await,
    }
}

/// The newest come first, so all are read before the first is written. They are bounded: each is removed some time after
/// its end.
async fn list(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let wanted = Wanted::new(arguments, Timestamp::now());
    let mut pages = pages::<DeviceAction>(
        cluster.api_in(&scope),
        wanted.selected(),
        format!("list actions {}", scope.words()),
    );
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        let chosen = page.into_iter().filter(|action| wanted.has(action));
        all.extend(chosen.map(|mut action| {
            action.meta_mut().managed_fields = None;
            action
        }));
    }
    all.sort_by_cached_key(|action| {
        let created = action.creation_timestamp().map(|time| time.0);
        (std::cmp::Reverse(created), action.namespace(), action.name_any())
    });
    let mut rows = Rows::new(arguments.output, columns::COLUMNS, arguments.all_namespaces);
    rows.write(&all)?;
    rows.finish(&format!("There are no such actions {}.", scope.words()))?;
    Ok(Exit::Done)
}

/// Which actions are listed.
struct Wanted<'a> {
    arguments: &'a Arguments,
    device: Option<filter::Device>,
    since: Option<Timestamp>,
}

impl<'a> Wanted<'a> {
    fn new(arguments: &'a Arguments, now: Timestamp) -> Self {
        Self {
            arguments,
            device: arguments.device.as_deref().map(filter::Device::new),
            since: arguments.since.map(|since| since.before(now)),
        }
    }

    /// What the API server can select itself.
    fn selected(&self) -> ListParams {
        let mut fields = Vec::new();
        if let Some(type_) = self.arguments.type_ {
            fields.push(format!("spec.type={}", type_.as_str()));
        }
        if let [state] = self.arguments.state.as_slice() {
            fields.push(format!("status.state={}", state.as_str()));
        }
        ListParams::default().fields(&fields.join(","))
    }

    fn has(&self, action: &DeviceAction) -> bool {
        let (spec, status) = (&action.spec, action.status.as_ref());
        let serial = status.and_then(|status| status.serial_number.as_deref());
        let id = status.and_then(|status| status.device_id.as_deref());
        let state = state(action);
        let created = action.creation_timestamp().map(|time| time.0);
        self.arguments.type_.is_none_or(|type_| type_ == spec.type_)
            && (self.arguments.state.is_empty()
                || state.is_some_and(|state| self.arguments.state.contains(&state)))
            && (!self.arguments.open || !state.is_some_and(ActionState::is_final))
            && (!self.arguments.failed || state.is_some_and(filter::is_failed))
            && self
                .since
                .is_none_or(|since| created.is_some_and(|created| created >= since))
            && self.device.as_ref().is_none_or(|device| {
                device.is(
                    serial.or(spec.serial_number.as_deref()),
                    id.or(spec.device_id.as_deref()),
                )
            })
    }
}
