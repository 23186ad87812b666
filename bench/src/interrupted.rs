//! A first sync with a crash in its middle. It also makes the bodies that the raw writes of all rounds send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::cluster::Cluster;
use crate::raw_writes::{self, Body};
use crate::round::{Bench, NAMESPACE};

const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(20);

/// What the crash cost.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interrupted {
    pub(crate) devices: u64,
    /// Objects that were there shortly before the kill.
    pub(crate) created_before: u64,
    /// Objects that the second process created.
    pub(crate) created_after: u64,
    /// From the kill until the connection is `Active`.
    pub(crate) seconds: f64,
}

/// Kills the operator when half of the fleet is there, and lets a new process complete it.
///
/// # Errors
/// When the inventory is not complete afterwards, or the second process created again what was there.
pub(crate) async fn run(bench: &Bench<'_>) -> Result<(Interrupted, Arc<[Body]>)> {
    bench.display.step("SIGKILL in the middle of a first sync");
    let cluster = Cluster::start().await?;
    let devices = bench.google.listed().await?;
    cluster.namespace(NAMESPACE).await?;
    cluster.secret(NAMESPACE, &bench.google.account).await?;
    let mut operator = bench.start(&cluster, "operator.log")?;
    operator.until_started().await?;
    cluster.connect(NAMESPACE, &bench.google.account).await?;
    let waiting = Instant::now();
    let created_before = loop {
        let created = operator.scrape().await?.writes().created;
        if created >= devices / 2 {
            break created;
        }
        ensure!(
            waiting.elapsed() < PATIENCE,
            "the first sync does not get on; the operator said:\n{}",
            operator.tail()
        );
        tokio::time::sleep(LOOK).await;
    };
    let begun = Instant::now();
    operator.kill().await?;
    let mut operator = bench.start(&cluster, "operator-restarted.log")?;
    operator.until_started().await?;
    let active = cluster.until_active(NAMESPACE).await;
    active.with_context(|| format!("the operator said:\n{}", operator.tail()))?;
    let seconds = begun.elapsed().as_secs_f64();
    let created_after = operator.scrape().await?.writes().created;
    let objects = cluster.devices(NAMESPACE).await?;
    ensure!(
        u64::try_from(objects.len())? == devices,
        "after SIGKILL and restart there are {} objects for {devices} devices",
        objects.len()
    );
    ensure!(
        created_before + created_after <= devices,
        "{created_before} of {devices} objects were there before the SIGKILL, but {created_after} more were created"
    );
    let bodies = raw_writes::bodies(&objects)?;
    operator.stop().await?;
    cluster.stop().await;
    let interrupted = Interrupted {
        devices,
        created_before,
        created_after,
        seconds,
    };
    Ok((interrupted, bodies))
}
