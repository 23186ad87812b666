//! Actions: how long until Google has accepted one, while the operator is idle and while it syncs a fleet for the first
//! time; and what one costs the API server.
//!
//! The time begins before the client sends the creation of the `DeviceAction`, and ends where the simulated Google does
//! what was asked for, by its own witness: a watch would add its own delay, and `acceptedTime` has whole seconds only.
//! Each is for a device that is in the inventory already: before, an action waits, and the sync would be measured.
//! Actions come at a fixed rate, whether earlier ones were accepted or not, so that a slow one delays no measurement.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrome_enterprise_operator::api::action::{ActionState, ActionType, DeviceAction};
use chrome_enterprise_operator::api::connection::ConnectionState;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, PostParams};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::api_writes::{self, ApiWrites};
use crate::cluster::Cluster;
use crate::google::Accepted;
use crate::latency::Latency;
use crate::operator::Operator;
use crate::round::{Bench, NAMESPACE};

/// The time between two actions: two a second, twice what Google's quota lets through for a connection. Much faster, and
/// two busy cores are all that is measured: an action takes some 70 ms of processor time, most of it the API server's.
const PACE: Duration = Duration::from_millis(500);
/// Actions of each type while the operator is idle.
const IDLE: usize = 100;
/// One that is a command, and one that changes the state of the device.
const TYPES: [ActionType; 2] = [ActionType::Restart, ActionType::EnableLostMode];
/// Device objects that one look at the inventory finds.
const TAKEN_AT_ONCE: u32 = 5_000;
/// Steps that the display counts in [`run`].
pub(crate) const STEPS: u64 = 1 + TYPES.len() as u64;
/// How long all may take until they have ended, after the last was made.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(500);
/// What follows the end of an action, such as its event, is written by then.
const QUIET: Duration = Duration::from_secs(3);

/// What was measured.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Actions {
    pub(crate) devices: u64,
    /// From the apply of the connection until it was `Active`, with the actions.
    pub(crate) first_sync_seconds: f64,
    pub(crate) syncing: Vec<Measured>,
    pub(crate) idle: Vec<Measured>,
}

/// Actions of one type.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    #[serde(rename = "type")]
    pub(crate) type_: ActionType,
    /// From the creation by a client until Google has accepted it.
    pub(crate) accepted: Latency,
    /// What the operator wrote to the API server for all of them; only counted while nothing else is written.
    #[serde(skip_serializing_if = "ApiWrites::is_empty")]
    pub(crate) writes: ApiWrites,
}

/// An action that was made.
#[derive(Debug, Clone)]
struct Made {
    device: String,
    type_: ActionType,
    begun: Timestamp,
}

/// Measures both, in a cluster of its own.
///
/// # Errors
/// When something fails, an action does not succeed, or it was done more than once.
pub(crate) async fn run(bench: &Bench<'_>) -> Result<Actions> {
    let cluster = Cluster::start().await?;
    let devices = bench.google.listed().await?;
    let mut pool = Pool {
        unused: bench.google.reachable().await?,
        ready: Vec::new(),
    };
    cluster.namespace(NAMESPACE).await?;
    cluster.secret(NAMESPACE, &bench.google.account).await?;
    let mut operator = bench.start(&cluster, "operator.log")?;
    operator.until_started().await?;
    bench
        .display
        .step(&format!("actions in the first sync of {devices} devices"));
    let begun = Instant::now();
    cluster.connect(NAMESPACE, &bench.google.account).await?;
    let measured = while_syncing(bench, &cluster, &mut pool, begun).await;
    let (first_sync_seconds, syncing) = measured.with_context(|| said(&operator))?;
    let mut idle = Vec::new();
    for type_ in TYPES {
        bench
            .display
            .step(&format!("{IDLE} actions {}, idle", type_.as_str()));
        let measured = while_idle(bench, &cluster, &mut pool, type_).await;
        idle.push(measured.with_context(|| said(&operator))?);
    }
    operator.stop().await?;
    cluster.stop().await;
    Ok(Actions {
        devices,
        first_sync_seconds,
        syncing,
        idle,
    })
}

/// Devices for actions; each is used once.
#[derive(Debug)]
struct Pool {
    /// Those that Google can reach and that were not taken yet.
    unused: BTreeSet<String>,
    /// Those of them that are taken, and in the inventory.
    ready: Vec<String>,
}

impl Pool {
    async fn next(&mut self, cluster: &Cluster) -> Result<Option<String>> {
        if self.ready.is_empty() {
            let synced = cluster
                .devices_in_state(NAMESPACE, "ACTIVE", Some(TAKEN_AT_ONCE))
                .await?;
            self.ready = synced
                .into_iter()
                .filter(|device| self.unused.remove(device))
                .collect();
        }
        Ok(self.ready.pop())
    }
}

fn said(operator: &Operator) -> String {
    format!("the operator said:\n{}", operator.tail())
}

/// Actions of both types in turn, from the beginning of the first sync to its end.
async fn while_syncing(
    bench: &Bench<'_>,
    cluster: &Cluster,
    pool: &mut Pool,
    begun: Instant,
) -> Result<(f64, Vec<Measured>)> {
    cluster.until_state(NAMESPACE, ConnectionState::Syncing).await?;
    let mut active = pin!(cluster.until_state(NAMESPACE, ConnectionState::Active));
    let (mut ticks, mut making) = (tokio::time::interval(PACE), JoinSet::new());
    let mut turns = TYPES.into_iter().cycle();
    loop {
        tokio::select! {
            ended = &mut active => break ended?,
            _ = ticks.tick() => {
                if let Some(device) = pool.next(cluster).await? {
                    let type_ = turns.next().context("no type of action is left")?;
                    making.spawn(make(cluster.actions(NAMESPACE), device, type_));
                }
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let made = all(making).await?;
    let latencies = judge(bench, cluster, &made).await?;
    inventory_shows(cluster, &made).await?;
    let measured = latencies.into_iter().map(|(type_, accepted)| Measured {
        type_,
        accepted,
        writes: ApiWrites::new(),
    });
    Ok((seconds, measured.collect()))
}

/// Actions of one type while nothing else happens, and what they write.
async fn while_idle(
    bench: &Bench<'_>,
    cluster: &Cluster,
    pool: &mut Pool,
    type_: ActionType,
) -> Result<Measured> {
    tokio::time::sleep(QUIET).await;
    let before = api_writes::read(&cluster.client).await?;
    let (mut ticks, mut making) = (tokio::time::interval(PACE), JoinSet::new());
    for _ in 0..IDLE {
        let device = pool
            .next(cluster)
            .await?
            .context("no device is left that is active, online and unused; give more with --devices")?;
        ticks.tick().await;
        making.spawn(make(cluster.actions(NAMESPACE), device, type_));
    }
    let made = all(making).await?;
    let latencies = judge(bench, cluster, &made).await?;
    tokio::time::sleep(QUIET).await;
    let now = api_writes::read(&cluster.client).await?;
    let mut writes = api_writes::since(&before, &now);
    let own = writes.remove("POST deviceactions");
    ensure!(
        own == Some(u64::try_from(made.len())?),
        "the API server counts {own:?} created actions, not {}",
        made.len()
    );
    let (_, accepted) = latencies.into_iter().next().context("no action was made")?;
    Ok(Measured {
        type_,
        accepted,
        writes,
    })
}

async fn make(api: Api<DeviceAction>, device: String, type_: ActionType) -> Result<Made> {
    let name = format!("{}-{device}", type_.verb());
    let not_after = Timestamp::now() + SignedDuration::from_hours(1);
    let action = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
        "metadata": { "name": name },
        "spec": { "deviceId": device, "type": type_, "notAfter": not_after.to_string() },
    });
    let action: DeviceAction = serde_json::from_value(action)?;
    let begun = Timestamp::now();
    api.create(&PostParams::default(), &action)
        .await
        .with_context(|| format!("DeviceAction {name} cannot be created"))?;
    Ok(Made { device, type_, begun })
}

async fn all(mut making: JoinSet<Result<Made>>) -> Result<Vec<Made>> {
    let mut made = Vec::new();
    while let Some(ended) = making.join_next().await {
        made.push(ended.context("an action was not made")??);
    }
    Ok(made)
}

/// Waits until all have succeeded, and asks the witness when Google accepted each.
async fn judge(bench: &Bench<'_>, cluster: &Cluster, made: &[Made]) -> Result<BTreeMap<ActionType, Latency>> {
    until_succeeded(&cluster.actions(NAMESPACE)).await?;
    latencies(made, &bench.google.accepted().await?)
}

/// From the creation until Google accepted it, by type.
fn latencies(
    made: &[Made],
    accepted: &BTreeMap<String, Vec<Accepted>>,
) -> Result<BTreeMap<ActionType, Latency>> {
    let mut seconds: BTreeMap<ActionType, Vec<f64>> = BTreeMap::new();
    for Made { device, type_, begun } in made {
        match accepted.get(device).map(Vec::as_slice) {
            Some([once]) if once.type_ == *type_ => {
                let took = once.at.duration_since(*begun).as_secs_f64();
                seconds.entry(*type_).or_default().push(took);
            }
            other => bail!(
                "{} was asked for once for device {device}, but Google accepted {other:?}",
                type_.as_str()
            ),
        }
    }
    Ok(seconds
        .into_iter()
        .filter_map(|(type_, seconds)| Some((type_, Latency::of(seconds)?)))
        .collect())
}

async fn until_succeeded(api: &Api<DeviceAction>) -> Result<()> {
    let waiting = Instant::now();
    let everything = ListParams::default();
    loop {
        let actions = api.list(&everything).await?.items;
        let state = |action: &DeviceAction| action.status.as_ref().and_then(|status| status.state);
        let other = |action: &&DeviceAction| state(action) != Some(ActionState::Succeeded);
        let Some(open) = actions.iter().find(other) else {
            return Ok(());
        };
        let ended = state(open).is_some_and(ActionState::is_final);
        ensure!(
            !ended && waiting.elapsed() < PATIENCE,
            "DeviceAction {} did not succeed in time: {}",
            open.name_any(),
            serde_json::to_string(&open.status)?
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// Checks that no page of the sync, read before an action and written after it, hides what the action did.
async fn inventory_shows(cluster: &Cluster, made: &[Made]) -> Result<()> {
    let waiting = Instant::now();
    loop {
        let disabled: BTreeSet<String> = cluster.devices_in_state(NAMESPACE, "DISABLED", None).await?;
        let lost = made
            .iter()
            .filter(|made| made.type_ == ActionType::EnableLostMode);
        let stale: Vec<&str> = lost
            .map(|made| made.device.as_str())
            .filter(|device| !disabled.contains(*device))
            .collect();
        if stale.is_empty() {
            return Ok(());
        }
        ensure!(
            waiting.elapsed() < QUIET,
            "{} devices are in lost mode, but their objects do not show it, such as {}",
            stale.len(),
            stale[0]
        );
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_google_accepted_must_be_what_was_asked_for_once() {
        let made = [Made {
            device: "a".to_owned(),
            type_: ActionType::Restart,
            begun: second(10),
        }];
        let accepted = |type_, times: &[i64]| {
            let rows = times.iter().map(|at| Accepted {
                type_,
                at: second(*at),
            });
            BTreeMap::from([("a".to_owned(), rows.collect::<Vec<_>>())])
        };
        let measured = latencies(&made, &accepted(ActionType::Restart, &[12])).unwrap();
        assert!((measured[&ActionType::Restart].p99 - 2.0).abs() < 1e-9);
        assert!(latencies(&made, &accepted(ActionType::Restart, &[12, 13])).is_err());
        assert!(latencies(&made, &accepted(ActionType::EnableLostMode, &[12])).is_err());
        assert!(latencies(&made, &BTreeMap::new()).is_err());
    }
}
