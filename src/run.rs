//! What `chrome-enterprise-operator run` does, from the first connection to the last goodbye.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use futures::channel::mpsc;
use kube::Client;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::api::{ChromeEnterpriseConnection, ChromeOSDevice, DeviceAction, DeviceActionReceipt};
use crate::controllers::settings::ControllerSettings;
use crate::controllers::tenant::Tenants;
use crate::controllers::{action, connection};
use crate::google::{Endpoints, GoogleContext, HttpSettings, QuotaSettings};
use crate::runtime::crd_wait::{self, RequiredType, Waited};
use crate::runtime::heartbeat::Heartbeat;
use crate::runtime::kubernetes::{self, KubernetesSettings};
use crate::runtime::metrics::Metrics;
use crate::runtime::readiness::{ACTIONS_GATE, CONNECTIONS_GATE, CRDS_GATE, Gate, RUNNING_GATE, Readiness};
use crate::runtime::server::{Health, Server};
use crate::runtime::shutdown::{DRAIN_LIMIT, Drained, Shutdown};

/// Everything that the administrator decides; the command line makes it.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Which cluster.
    pub kubernetes: KubernetesSettings,
    /// Where Google is and how it is spoken to.
    pub google: GoogleSettings,
    /// How the controllers work.
    pub controllers: ControllerSettings,
    /// Address for health and metrics.
    pub listen: SocketAddr,
}

/// Where Google is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct GoogleSettings {
    /// Where Google is.
    pub endpoints: Endpoints,
    /// Proxy, certificate authorities, timeouts and retries.
    pub http: HttpSettings,
    /// How fast it may be asked.
    pub quota: QuotaSettings,
}

/// Runs the operator until it is told to stop by SIGTERM or SIGINT.
///
/// Without its resource types or an API server it waits, and says on `/readyz` and in the log for what. It returns
/// within 5 s of the first signal.
///
/// # Errors
/// When the configuration cannot be used, when a part of the operator ends that should not, or when work in flight
/// had to be cut at the end.
pub async fn run(settings: RunSettings) -> Result<()> {
    let shutdown = Shutdown::new();
    shutdown
        .listen_for_signals()
        .context("the program cannot listen for signals")?;
    let (client, cluster) = kubernetes::client(&settings.kubernetes).await?;
    let metrics = Metrics::new();
    let google = google_context(&settings.google, &metrics)?;
    let gates = Gates::new();
    let mut observation = Observation::start(settings.listen, &metrics, &gates.readiness).await?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        cluster,
        listen = %observation.address,
        "Started. Health and metrics are served at the listen address."
    );
    let parts = Parts {
        client,
        google,
        settings: settings.controllers,
        metrics,
    };
    let outcome = tokio::select! {
        outcome = work(parts, &gates, &shutdown) => outcome,
        ended = &mut observation.server => Err(server_ended(ended)),
    };
    gates.running.close("the operator was told to stop");
    shutdown.request();
    let drained = shutdown.drain(DRAIN_LIMIT).await;
    observation.stop.cancel();
    outcome.and_then(|()| report(drained))
}

/// What the controllers are made from.
struct Parts {
    client: Client,
    google: GoogleContext,
    settings: ControllerSettings,
    metrics: Metrics,
}

/// Waits for what the operator needs and then works, until the shutdown is requested.
async fn work(parts: Parts, gates: &Gates, shutdown: &Shutdown) -> Result<()> {
    let required = [
        RequiredType::of::<ChromeEnterpriseConnection>(),
        RequiredType::of::<ChromeOSDevice>(),
        RequiredType::of::<DeviceAction>(),
        RequiredType::of::<DeviceActionReceipt>(),
    ];
    match crd_wait::wait(&parts.client, &required, &gates.crds, shutdown.token()).await? {
        Waited::Served => {}
        Waited::Stopped => return Ok(()),
    }
    let (mut connections, mut actions) = start_controllers(parts, gates, shutdown);
    let first_to_end = async {
        tokio::select! {
            ended = &mut connections => ("connection", ended),
            ended = &mut actions => ("action", ended),
        }
    };
    match shutdown.unless_requested(first_to_end).await {
        None => Ok(()),
        Some((_, Ok(()))) if shutdown.is_requested() => Ok(()),
        Some((name, Ok(()))) => {
            bail!("the {name} controller ended although nobody stopped it; this is a defect")
        }
        Some((name, Err(error))) => {
            Err(anyhow!(error).context(format!("the {name} controller failed; this is a defect")))
        }
    }
}

/// Starts every controller. Each is a tracked task: the process waits for it at its end.
fn start_controllers(parts: Parts, gates: &Gates, shutdown: &Shutdown) -> (JoinHandle<()>, JoinHandle<()>) {
    let (wake_connection, of_connections) = mpsc::unbounded();
    let (wake_action, of_actions) = mpsc::unbounded();
    let tenants = Arc::new(Tenants::new(
        parts.google,
        parts.settings.keyless.clone(),
        wake_connection,
        wake_action,
    ));
    let actions = action::run(action::Inputs {
        client: parts.client.clone(),
        tenants: tenants.clone(),
        news: of_actions,
        settings: parts.settings.actions,
        namespaces: parts.settings.watch_namespaces.clone(),
        metrics: parts.metrics.clone(),
        listed: gates.actions.clone(),
        shutdown: shutdown.token().clone(),
        tracker: shutdown.tracker().clone(),
    });
    let connections = connection::run(connection::Inputs {
        client: parts.client,
        tenants,
        news: of_connections,
        settings: parts.settings,
        metrics: parts.metrics,
        listed: gates.connections.clone(),
        shutdown: shutdown.token().clone(),
        tracker: shutdown.tracker().clone(),
    });
    (
        shutdown.tracker().spawn(connections),
        shutdown.tracker().spawn(actions),
    )
}

fn google_context(settings: &GoogleSettings, metrics: &Metrics) -> Result<GoogleContext> {
    let observer = Arc::new(metrics.clone());
    GoogleContext::new(
        settings.endpoints.clone(),
        &settings.http,
        settings.quota,
        observer,
    )
    .context("the flags about Google cannot be used")
}

/// What must be true for the operator to be ready.
struct Gates {
    readiness: Readiness,
    crds: Gate,
    connections: Gate,
    actions: Gate,
    running: Gate,
}

impl Gates {
    fn new() -> Self {
        let readiness = Readiness::new();
        let gates = Self {
            crds: readiness.gate(CRDS_GATE),
            connections: readiness.gate(CONNECTIONS_GATE),
            actions: readiness.gate(ACTIONS_GATE),
            running: readiness.gate(RUNNING_GATE),
            readiness,
        };
        gates.crds.close("asking the Kubernetes API server for them");
        for gate in [&gates.connections, &gates.actions] {
            gate.close("waiting for the CustomResourceDefinitions");
        }
        gates.running.open();
        gates
    }
}

/// The HTTP server for health and metrics. It outlives the controllers, so that a long goodbye can be watched.
struct Observation {
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Observation {
    async fn start(address: SocketAddr, metrics: &Metrics, readiness: &Readiness) -> Result<Self> {
        let server = Server::bind(address).await?;
        let address = server.address();
        let stop = CancellationToken::new();
        let heartbeat = Heartbeat::new();
        tokio::spawn(heartbeat.clone().keep(stop.clone()));
        let health = Health {
            metrics: metrics.clone(),
            readiness: readiness.clone(),
            heartbeat,
        };
        let server = tokio::spawn(server.serve(health, stop.clone()));
        Ok(Self {
            address,
            stop,
            server,
        })
    }
}

fn server_ended(ended: Result<io::Result<()>, JoinError>) -> anyhow::Error {
    let what = "the server for health and metrics ended";
    match ended {
        Ok(Ok(())) => anyhow!("{what} although nobody stopped it; this is a defect"),
        Ok(Err(error)) => anyhow!(error).context(what),
        Err(error) => anyhow!(error).context(what),
    }
}

fn report(drained: Drained) -> Result<()> {
    match drained {
        Drained::Clean => {
            tracing::info!("Stopped in good order.");
            Ok(())
        }
        Drained::Cut { tasks } => {
            let seconds = DRAIN_LIMIT.as_secs_f64();
            bail!("{tasks} tasks did not end within {seconds} seconds of the signal and were cut")
        }
    }
}
