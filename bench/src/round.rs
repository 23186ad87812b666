//! One round: in a new cluster, the operator and the bare client do the same in turn.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::cluster::Cluster;
use crate::cpu;
use crate::display::Display;
use crate::google::Google;
use crate::metrics::Writes;
use crate::operator::{Operator, Start};
use crate::raw_writes::{self, Body, RawRun};
use crate::walk::{self, BareReading};

pub(crate) const NAMESPACE: &str = "school";
/// How many writes the bare client keeps going; the one that is fastest over all rounds counts.
pub(crate) const CONCURRENCIES: [usize; 3] = [6, 8, 16];
/// Comparisons of a pass without a change in each round.
pub(crate) const PASSES: u32 = 5;
/// Raw writes at first, so that a new API server is as warm for the first measurement as for the last.
const WARM_UP: usize = 500;

/// With what the rounds work.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) google: &'a Google,
    pub(crate) program: &'a std::path::Path,
    pub(crate) further: &'a [String],
    pub(crate) display: &'a Display,
}

/// A first sync.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FirstSync {
    pub(crate) devices: u64,
    /// From the apply of the connection until it is `Active`.
    pub(crate) seconds: f64,
    /// Processor time meanwhile of operator, Google, API server and its store.
    pub(crate) cpu_seconds: Option<f64>,
    /// The pass alone, by the operator's log.
    pub(crate) pass_seconds: f64,
    /// Memory of the operator afterwards, in bytes.
    pub(crate) memory: Option<u64>,
    /// The most that it was until then.
    pub(crate) memory_peak: Option<u64>,
}

/// A pass without a change, and the bare reading beside it.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unchanged {
    pub(crate) bare: BareReading,
    pub(crate) pass_seconds: f64,
    pub(crate) writes: u64,
}

/// A pass after changes.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed {
    pub(crate) devices: u64,
    pub(crate) writes: u64,
    pub(crate) pass_seconds: f64,
}

/// After SIGKILL.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restart {
    /// From the kill until the new process has completed a pass.
    pub(crate) seconds: f64,
    /// Which kind of pass that was.
    pub(crate) kind: String,
    pub(crate) writes: u64,
}

/// Everything of one round.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Round {
    pub(crate) raw: Vec<RawRun>,
    pub(crate) first_sync: FirstSync,
    pub(crate) unchanged: Vec<Unchanged>,
    pub(crate) changed: Changed,
    pub(crate) restart: Restart,
}

impl Bench<'_> {
    /// Measures everything once. Even rounds begin with the operator, odd ones with the bare client.
    ///
    /// # Errors
    /// When a part fails, or the counts are not what they have to be.
    pub(crate) async fn round(&self, number: u32, bodies: &Arc<[Body]>) -> Result<Round> {
        let cluster = Cluster::start().await?;
        self.warm_up(&cluster, bodies).await?;
        let mut raw = Vec::new();
        if !number.is_multiple_of(2) {
            raw = self.raw(&cluster, bodies).await?;
        }
        let (operator, first_sync) = self.first_sync(&cluster).await?;
        let rest = self.kept_in_step(number, &cluster, operator).await;
        let (unchanged, changed, restart) = rest?;
        if raw.is_empty() {
            raw = self.raw(&cluster, bodies).await?;
        }
        cluster.stop().await;
        Ok(Round {
            raw,
            first_sync,
            unchanged,
            changed,
            restart,
        })
    }

    async fn warm_up(&self, cluster: &Cluster, bodies: &Arc<[Body]>) -> Result<()> {
        let some = raw_writes::some(bodies, WARM_UP);
        raw_writes::run(cluster, "warm-up", &some, CONCURRENCIES[0]).await?;
        Ok(())
    }

    async fn raw(&self, cluster: &Cluster, bodies: &Arc<[Body]>) -> Result<Vec<RawRun>> {
        let mut runs = Vec::new();
        for concurrency in CONCURRENCIES {
            self.display.step(&format!("raw writes, {concurrency} at a time"));
            let run = raw_writes::run(cluster, &format!("raw-{concurrency}"), bodies, concurrency).await?;
            self.display.say(&format!("  {:.2} s", run.seconds));
            runs.push(run);
        }
        Ok(runs)
    }

    /// An operator whose log is this file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(&self, cluster: &Cluster, log: &str) -> Result<Operator> {
        Operator::start(Start {
            program: self.program.to_owned(),
            kubeconfig: cluster.kubeconfig(),
            google: self.google.account.url.clone(),
            namespace: NAMESPACE.to_owned(),
            log: cluster.logs().join(log),
            further: self.further.to_vec(),
        })
    }

    /// An operator that has synced the fleet for the first time.
    ///
    /// # Errors
    /// When it does not, or not completely.
    pub(crate) async fn first_sync(&self, cluster: &Cluster) -> Result<(Operator, FirstSync)> {
        self.display.step("first sync by the operator");
        cluster.namespace(NAMESPACE).await?;
        cluster.secret(NAMESPACE, &self.google.account).await?;
        let mut operator = self.start(cluster, "operator.log")?;
        operator.until_started().await?;
        let (begun, cpu) = (Instant::now(), cpu::seconds_used());
        cluster.connect(NAMESPACE, &self.google.account).await?;
        let active = cluster.until_active(NAMESPACE).await;
        active.with_context(|| format!("the operator said:\n{}", operator.tail()))?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu_seconds = cpu::since(cpu);
        let pass = operator.until_pass(Some("full"), 0).await?;
        let scrape = operator.scrape().await?;
        let (listed, objects) = (self.google.listed().await?, cluster.count(NAMESPACE).await?);
        ensure!(
            objects == listed && pass.listed == listed,
            "after the first sync there are {objects} objects, and the operator read {} devices; Google lists {listed}",
            pass.listed
        );
        let wanted = Writes {
            all: 2 * listed,
            created: listed,
            status: listed,
        };
        let writes = scrape.writes();
        ensure!(
            writes == wanted,
            "the first sync of {listed} devices made other writes than one object and one status each: {writes:?}"
        );
        self.display
            .say(&format!("  {seconds:.2} s for {listed} devices"));
        let first_sync = FirstSync {
            devices: listed,
            seconds,
            cpu_seconds,
            pass_seconds: pass.seconds,
            memory: scrape.memory(),
            memory_peak: scrape.memory_peak(),
        };
        Ok((operator, first_sync))
    }

    async fn kept_in_step(
        &self,
        number: u32,
        cluster: &Cluster,
        mut operator: Operator,
    ) -> Result<(Vec<Unchanged>, Changed, Restart)> {
        self.display.step("passes without a change");
        let mut unchanged = Vec::new();
        for pass in 0..PASSES {
            unchanged.push(self.unchanged(pass, cluster, &mut operator).await?);
        }
        self.display.step("one device in a hundred changed");
        let changed = self.changed(number, cluster, &mut operator).await?;
        self.display.step("SIGKILL and restart");
        let restart = self.restart(cluster, operator).await?;
        Ok((unchanged, changed, restart))
    }

    /// One pass and one bare reading, in changing order.
    async fn unchanged(&self, number: u32, cluster: &Cluster, operator: &mut Operator) -> Result<Unchanged> {
        let request = format!("unchanged-{number}");
        let (bare, (pass_seconds, writes)) = if number.is_multiple_of(2) {
            let bare = walk::run(self.google, cluster, NAMESPACE).await?;
            (bare, sync(cluster, operator, &request).await?)
        } else {
            let pass = sync(cluster, operator, &request).await?;
            (walk::run(self.google, cluster, NAMESPACE).await?, pass)
        };
        ensure!(
            writes == 0,
            "a pass without a change wrote to {writes} devices; it must not write at all"
        );
        Ok(Unchanged {
            bare,
            pass_seconds,
            writes,
        })
    }

    async fn changed(&self, number: u32, cluster: &Cluster, operator: &mut Operator) -> Result<Changed> {
        let notes = format!("Changed in round {number}");
        let devices = self.google.change_one_percent(&notes, number).await?;
        let (pass_seconds, writes) = sync(cluster, operator, "changed").await?;
        ensure!(
            writes == devices,
            "{devices} devices had changed, but the operator made {writes} writes"
        );
        let objects = cluster.devices(NAMESPACE).await?;
        let up_to_date = objects
            .iter()
            .filter(|object| object["status"]["notes"] == notes)
            .count();
        ensure!(
            u64::try_from(up_to_date)? == devices,
            "{devices} devices had new notes at Google, but {up_to_date} objects have them"
        );
        Ok(Changed {
            devices,
            writes,
            pass_seconds,
        })
    }

    async fn restart(&self, cluster: &Cluster, mut operator: Operator) -> Result<Restart> {
        let begun = Instant::now();
        operator.kill().await?;
        let mut operator = self.start(cluster, "operator-restarted.log")?;
        let pass = operator.until_pass(None, 0).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let writes = operator.scrape().await?.writes().all;
        ensure!(
            writes == 0,
            "after SIGKILL and restart the operator wrote to {writes} devices that had not changed"
        );
        operator.stop().await?;
        Ok(Restart {
            seconds,
            kind: pass.kind,
            writes,
        })
    }
}

/// A full pass on request: its own seconds, by the operator's log, and how many device writes it made.
async fn sync(cluster: &Cluster, operator: &mut Operator, request: &str) -> Result<(f64, u64)> {
    let (passes, before) = (operator.passes("full"), operator.scrape().await?.writes());
    cluster.request_sync(NAMESPACE, request).await?;
    let pass = operator.until_pass(Some("full"), passes).await?;
    let writes = operator.scrape().await?.writes().since(before);
    Ok((pass.seconds, writes.all))
}
