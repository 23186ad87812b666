//! What Prometheus is told. Names, units and labels are a public interface: dashboards and alerts depend on them.
//!
//! Labels are bounded: they come from text that is fixed in the program, or name a connection. No label, ever, names
//! a device, a user, a URL or an error text.

mod connections;
mod google;
mod process;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use connections::Connections;
use process::Process;

/// Content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What every name begins with, but for the usual names about the process.
const PREFIX: &str = "chrome_enterprise";

/// Upper bounds in seconds for one HTTP call: a page of 200 devices takes some seconds at Google.
const CALL_BUCKETS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Upper bounds in seconds until an action is accepted: at once, or after a long wait for the quota or the connection.
const ACCEPT_BUCKETS: [f64; 9] = [0.5, 1.0, 2.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 86_400.0];
/// Upper bounds in seconds for one pass of a controller.
const RECONCILE_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];
/// Upper bounds in seconds for one sync of a fleet: a hundred devices, or a hundred thousand.
const SYNC_BUCKETS: [f64; 11] = [0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    lane: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionEndLabels {
    r#type: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    controller: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SyncLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// A family of histograms whose constructor is a plain function.
type Histograms<S> = Family<S, Histogram, fn() -> Histogram>;

/// All metrics of the process. Cheap to clone; clones record into the same series.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    connections: Connections,
    google_requests: Family<CallLabels, Counter>,
    google_seconds: Histograms<MethodLabels>,
    google_bytes: Family<MethodLabels, Counter>,
    google_quota_wait: Histograms<LaneLabels>,
    sync_seconds: Histograms<SyncLabels>,
    device_writes: Family<WriteLabels, Counter>,
    actions: Family<ActionEndLabels, Counter>,
    action_accept_seconds: Histograms<ActionLabels>,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_seconds: Histograms<ControllerLabels>,
}

impl Metrics {
    /// A registry with all metrics and no observation yet.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process::new()));
        let connections = Connections::default();
        let mut metrics = Self {
            registry: Arc::default(),
            connections: connections.clone(),
            google_requests: Family::default(),
            google_seconds: Histograms::new_with_constructor(call_histogram),
            google_bytes: Family::default(),
            google_quota_wait: Histograms::new_with_constructor(call_histogram),
            sync_seconds: Histograms::new_with_constructor(sync_histogram),
            device_writes: Family::default(),
            actions: Family::default(),
            action_accept_seconds: Histograms::new_with_constructor(accept_histogram),
            reconciles: Family::default(),
            reconcile_seconds: Histograms::new_with_constructor(reconcile_histogram),
        };
        metrics.register(registry.sub_registry_with_prefix(PREFIX));
        metrics.registry = Arc::new(registry);
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "build",
            "The program that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "google_requests",
            "Requests to Google by method and outcome",
            self.google_requests.clone(),
        );
        registry.register_with_unit(
            "google_request_duration",
            "Time of one request to Google, retries counted apart",
            Unit::Seconds,
            self.google_seconds.clone(),
        );
        registry.register_with_unit(
            "google_response",
            "Bytes of the answers of Google after decompression",
            Unit::Bytes,
            self.google_bytes.clone(),
        );
        registry.register_with_unit(
            "google_quota_wait",
            "Time that requests to Google waited for their turn under the quota",
            Unit::Seconds,
            self.google_quota_wait.clone(),
        );
        registry.register_with_unit(
            "sync_duration",
            "Time of one sync of a connection's devices",
            Unit::Seconds,
            self.sync_seconds.clone(),
        );
        registry.register(
            "device_writes",
            "Writes of ChromeOSDevice objects by operation and outcome",
            self.device_writes.clone(),
        );
        registry.register(
            "actions",
            "Device actions that ended, by type and final state",
            self.actions.clone(),
        );
        registry.register_with_unit(
            "action_accept_duration",
            "Time from the creation of a device action until Google accepted it",
            Unit::Seconds,
            self.action_accept_seconds.clone(),
        );
        registry.register(
            "reconciles",
            "Passes of a controller over one object",
            self.reconciles.clone(),
        );
        registry.register_with_unit(
            "reconcile_duration",
            "Time of one pass of a controller over one object",
            Unit::Seconds,
            self.reconcile_seconds.clone(),
        );
        registry.register_collector(Box::new(self.connections.clone()));
    }

    /// One request to Google ended: its API method (`chromeosdevices.list`), how (`Success`, or the reason of the failure), how
    /// long it took, and how many bytes came back.
    pub fn google_call(&self, method: &'static str, outcome: &'static str, duration: Duration, bytes: u64) {
        self.google_requests
            .get_or_create(&CallLabels { method, outcome })
            .inc();
        self.google_seconds
            .get_or_create(&MethodLabels { method })
            .observe(duration.as_secs_f64());
        self.google_bytes
            .get_or_create(&MethodLabels { method })
            .inc_by(bytes);
    }

    /// A request to Google of this lane (`urgent`, `interactive`, `follow`, `sync`) waited so long for its turn under the quota.
    pub fn google_quota_wait(&self, lane: &'static str, duration: Duration) {
        self.google_quota_wait
            .get_or_create(&LaneLabels { lane })
            .observe(duration.as_secs_f64());
    }

    /// A sync of this connection ended: its kind (`full`, `incremental`), how, and how long it took.
    pub fn sync_finished(
        &self,
        namespace: &str,
        connection: &str,
        kind: &'static str,
        outcome: &'static str,
        duration: Duration,
    ) {
        self.sync_seconds
            .get_or_create(&SyncLabels { kind, outcome })
            .observe(duration.as_secs_f64());
        self.connections.change(namespace, connection, |series| {
            series.sync_finished(kind, outcome, duration);
        });
    }

    /// How far the running sync is: devices read, and how many are expected (`None` while unknown).
    pub fn sync_progress(&self, namespace: &str, connection: &str, read: u64, expected: Option<u64>) {
        self.connections.change(namespace, connection, |series| {
            series.sync_progress(read, expected);
        });
    }

    /// A `ChromeOSDevice` object was written: `create`, `status`, `label` or `delete`, and how it ended.
    pub fn device_write(&self, operation: &'static str, outcome: &'static str) {
        self.device_writes(operation, outcome, 1);
    }

    /// So many `ChromeOSDevice` objects were written in the same way with the same end.
    pub fn device_writes(&self, operation: &'static str, outcome: &'static str, number: u64) {
        self.device_writes
            .get_or_create(&WriteLabels { operation, outcome })
            .inc_by(number);
    }

    /// How many devices of this connection are in this state (`active`, `disabled`, `deprovisioned`, `other`).
    pub fn devices(&self, namespace: &str, connection: &str, state: &'static str, number: u64) {
        self.connections
            .change(namespace, connection, |series| series.devices(state, number));
    }

    /// The connection's `status.state`. Exactly one state has the value 1.
    pub fn connection_state(&self, namespace: &str, connection: &str, state: &'static str) {
        self.connections
            .change(namespace, connection, |series| series.state(state));
    }

    /// When the last complete sync of this connection ended, in seconds since 1970.
    pub fn last_complete(&self, namespace: &str, connection: &str, timestamp_seconds: i64) {
        self.connections.change(namespace, connection, |series| {
            series.last_complete(timestamp_seconds);
        });
    }

    /// The connection is gone: so are its series.
    pub fn remove_connection(&self, namespace: &str, connection: &str) {
        self.connections.remove(namespace, connection);
    }

    /// An action of this type ended in this final state, by a receipt that this process wrote.
    pub fn action_finished(&self, r#type: &'static str, state: &'static str) {
        self.actions
            .get_or_create(&ActionEndLabels { r#type, state })
            .inc();
    }

    /// Google accepted an action of this type, so long after it was created.
    pub fn action_accepted(&self, r#type: &'static str, waited: Duration) {
        self.action_accept_seconds
            .get_or_create(&ActionLabels { r#type })
            .observe(waited.as_secs_f64());
    }

    /// A controller (`connection`, `action`) ended a pass over one object.
    pub fn reconcile(&self, controller: &'static str, outcome: &'static str, duration: Duration) {
        self.reconciles
            .get_or_create(&ReconcileLabels { controller, outcome })
            .inc();
        self.reconcile_seconds
            .get_or_create(&ControllerLabels { controller })
            .observe(duration.as_secs_f64());
    }

    /// All metrics in the `OpenMetrics` text format ([`CONTENT_TYPE`]).
    ///
    /// # Errors
    /// When a series could not be written as text, which is a defect of the program.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn call_histogram() -> Histogram {
    Histogram::new(CALL_BUCKETS)
}

fn accept_histogram() -> Histogram {
    Histogram::new(ACCEPT_BUCKETS)
}

fn sync_histogram() -> Histogram {
    Histogram::new(SYNC_BUCKETS)
}

fn reconcile_histogram() -> Histogram {
    Histogram::new(RECONCILE_BUCKETS)
}

#[cfg(test)]
mod tests;
