//! `kubectl chromeos sync`: asks for a complete pass now, and can wait for its end.

use std::ops::ControlFlow;
use std::time::Duration;

use chrome_enterprise_operator::api::connection::{ConnectionState, SyncPhase, SyncStatus};
use chrome_enterprise_operator::api::{ChromeEnterpriseConnection, SYNC_REQUESTED_ANNOTATION};
use clap::Args;
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::cluster::Cluster;
use crate::connections::{self, End, FIELD_MANAGER, Limit, follow, name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::output::clean;
use crate::terminal::{self, Progress};

/// A request that no operator has taken up by now is most likely seen by none.
const OPERATOR_LIMIT: Duration = Duration::from_secs(15);
/// How long a connection that cannot sign in may stand still before the wait is given up. A pass that starts shows at
/// once.
const STALLED_LIMIT: Duration = Duration::from_secs(10);

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "Devices are read by themselves every few minutes; this is for those who do not want to wait.

Examples:
  kubectl chromeos sync
  kubectl chromeos sync --wait
  kubectl chromeos sync school --namespace school --wait --timeout 5m"
)]
pub struct Arguments {
    /// Connection to read; it can be left out where a namespace has only one
    #[arg(value_name = "CONNECTION")]
    pub name: Option<String>,

    /// Wait until all devices are read
    #[arg(short, long)]
    pub wait: bool,

    /// Longest time to wait; the reading goes on after it
    #[arg(long, value_name = "DURATION", default_value = "30m", requires = "wait", value_parser = connections::duration)]
    pub timeout: Duration,
}

/// Asks for a pass.
///
/// # Errors
/// When there is no such connection, when it cannot read, or when the cluster refuses.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let connection = connections::find(cluster, arguments.name.as_deref()).await?;
    refuse_in_vain(&connection)?;
    let request = ask(cluster, &connection).await?;
    let name = name_of(&connection);
    if arguments.wait {
        return wait(cluster, &connection, &request, arguments.timeout).await;
    }
    terminal::say(&format!(
        "Asked connection {name} to read all devices now. See how it goes: kubectl chromeos status {name} -n {}",
        namespace_of(&connection)
    ));
    Ok(Exit::Done)
}

/// Some connections do not read, whatever they are asked.
fn refuse_in_vain(connection: &ChromeEnterpriseConnection) -> Result<(), Failure> {
    let name = name_of(connection);
    if connection.metadata.deletion_timestamp.is_some() {
        return Err(Failure::new(format!(
            "Connection {name} is being deleted, so it reads nothing any more."
        )));
    }
    if connection.spec.sync.suspend {
        return Err(Failure::new(format!(
            "Connection {name} is suspended, so nothing would be read."
        ))
        .advise(format!("Let it go on first: kubectl chromeos resume {name}")));
    }
    if connections::state(connection) == Some(ConnectionState::Conflict) {
        return Err(Failure::new(format!(
            "Connection {name} reads nothing, because an older connection works in namespace {}.",
            namespace_of(connection)
        ))
        .advise("Name the older one, or remove one of the two: `kubectl chromeos status` lists them."));
    }
    Ok(())
}

/// Writes the request, and returns the value by which it is known again.
async fn ask(cluster: &Cluster, connection: &ChromeEnterpriseConnection) -> Result<String, Failure> {
    // With nanoseconds, so that two requests are never the same.
    let request = format!("{:.9}", Timestamp::now());
    let patch = json!({
        "metadata": {
            "uid": connection.metadata.uid,
            "annotations": { SYNC_REQUESTED_ANNOTATION: request },
        },
    });
    let parameters = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    cluster
        .api::<ChromeEnterpriseConnection>()
        .patch(&name_of(connection), &parameters, &Patch::Merge(&patch))
        .await
        .map_err(|error| {
            let doing = format!(
                "ask connection {} in namespace {} for a sync",
                name_of(connection),
                namespace_of(connection)
            );
            Failure::kubernetes(&doing, &error)
        })?;
    Ok(request)
}

/// How a wait can end before its time.
enum Ended {
    Read(String),
    NotRead(String),
    Gone,
}

async fn wait(
    cluster: &Cluster,
    before: &ChromeEnterpriseConnection,
    request: &str,
    timeout: Duration,
) -> Result<Exit, Failure> {
    let (name, namespace) = (name_of(before), namespace_of(before));
    let mut progress = Progress::new();
    let mut told = false;
    let end = follow(cluster, &namespace, &name, Limit::After(timeout), |connection, passed| {
        let Some(connection) = connection.filter(|now| now.metadata.uid == before.metadata.uid) else {
            return ControlFlow::Break(Ended::Gone);
        };
        if let Some(ended) = ended(before, connection, request, passed) {
            return ControlFlow::Break(ended);
        }
        match connections::part(connection) {
            Some(part) => part.show(&mut progress),
            None => progress.show("Waiting for the operator"),
        }
        if passed >= OPERATOR_LIMIT && !told && sync(connection) == sync(before) {
            told = true;
            progress.note("No operator has taken up the request yet. Is one running? `kubectl chromeos doctor` looks.");
        }
        ControlFlow::Continue(())
    })
    .await?;
    progress.finish();
    match end {
        End::Reached(Ended::Read(what)) => {
            terminal::say(&what);
            Ok(Exit::Done)
        }
        End::Reached(Ended::NotRead(why)) => Err(Failure::new(why).exit_with(Exit::NotGood)),
        End::Reached(Ended::Gone) => Err(Failure::new(format!(
            "Connection {name} in namespace {namespace} was deleted meanwhile."
        ))),
        End::TooLong => Err(Failure::new(format!(
            "Connection {name} has not read all devices within the time; it goes on."
        ))
        .advise(format!(
            "See how it goes: kubectl chromeos status {name} -n {namespace} --watch"
        ))
        .exit_with(Exit::StillRunning)),
        End::Interrupted => Err(Failure::new(format!(
            "Connection {name} goes on reading without this program."
        ))
        .exit_with(Exit::Interrupted)),
    }
}

fn ended(
    before: &ChromeEnterpriseConnection,
    connection: &ChromeEnterpriseConnection,
    request: &str,
    passed: Duration,
) -> Option<Ended> {
    let name = name_of(connection);
    let sync = sync(connection);
    if sync.and_then(|sync| sync.handled_request.as_deref()) == Some(request) {
        return Some(Ended::Read(brought(connection)));
    }
    if connection.spec.sync.suspend {
        return Some(Ended::NotRead(format!(
            "Connection {name} was suspended meanwhile."
        )));
    }
    if !connections::needs_a_person(connection) {
        return None;
    }
    let idle = sync.is_none_or(|sync| matches!(sync.phase, Some(SyncPhase::Idle) | None));
    let started = |connection| self::sync(connection).and_then(|sync| sync.started_time.clone());
    // A pass that began and ended since shows by its start; one that cannot even begin by standing still.
    let tried = started(connection) != started(before);
    if idle && (tried || passed >= STALLED_LIMIT) {
        let ready = connections::ready(connection);
        let message = ready.map(|ready| clean(&ready.message)).unwrap_or_default();
        return Some(Ended::NotRead(format!(
            "Connection {name} could not read the devices: {message}"
        )));
    }
    None
}

fn sync(connection: &ChromeEnterpriseConnection) -> Option<&SyncStatus> {
    connection.status.as_ref()?.sync.as_ref()
}

/// What the pass brought.
fn brought(connection: &ChromeEnterpriseConnection) -> String {
    let read = sync(connection).and_then(|sync| sync.devices_read);
    let seconds = sync(connection).and_then(|sync| sync.last_duration_seconds);
    let devices = connection.status.as_ref().and_then(|status| status.devices);
    let read = read.map_or_else(String::new, |read| format!(" {read} devices were read"));
    let took = seconds.map_or_else(String::new, |seconds| format!(" in {seconds} s"));
    let have = devices.map_or_else(String::new, |devices| {
        format!("; {} are mirrored", devices.synced)
    });
    format!(
        "Connection {} is in step with Google:{read}{took}{have}.",
        name_of(connection)
    )
}
