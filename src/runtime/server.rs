//! Health and metrics over HTTP: `/healthz`, `/livez`, `/readyz` and `/metrics`. Nothing there is secret, and nothing
//! can be changed there.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::heartbeat::Heartbeat;
use super::metrics::{CONTENT_TYPE, Metrics};
use super::readiness::Readiness;

/// What the answers are made from.
#[derive(Debug, Clone)]
pub struct Health {
    /// `/metrics`
    pub metrics: Metrics,
    /// `/readyz`
    pub readiness: Readiness,
    /// `/healthz`
    pub heartbeat: Heartbeat,
}

/// Why the server could not be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for health and metrics: {problem}. Choose another address with --listen."
)]
pub struct ListenError {
    address: SocketAddr,
    problem: std::io::Error,
}

/// A server whose address is taken, but that answers nothing before [`Server::serve`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the address. With port 0 the system chooses one; see [`Server::address`].
    ///
    /// # Errors
    /// When the address is in use or not of this machine.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let wrong = |problem| ListenError { address, problem };
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        Ok(Self { listener, address })
    }

    /// The address that was really taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled.
    ///
    /// # Errors
    /// When the listening socket fails.
    pub async fn serve(self, health: Health, stop: CancellationToken) -> std::io::Result<()> {
        let router = router(health);
        // Dropping the future in place of a graceful end: a scraper with an open connection must not hold the process.
        stop.run_until_cancelled(async move { axum::serve(self.listener, router).await })
            .await
            .unwrap_or(Ok(()))
    }
}

fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(live))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn live(State(health): State<Health>) -> Response {
    if health.heartbeat.is_alive() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let seconds = health.heartbeat.age().as_secs();
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("the program has been stuck for {seconds} seconds\n"),
    )
        .into_response()
}

async fn ready(State(health): State<Health>) -> Response {
    let report = health.readiness.report();
    let code = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, report.text).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    match health.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be written as text\n",
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::readiness::CRDS_GATE;
    use std::time::Duration;

    struct Running {
        base: String,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<std::io::Result<()>>,
    }

    async fn start(heartbeat: Heartbeat) -> (Running, Health) {
        let health = Health {
            metrics: Metrics::new(),
            readiness: Readiness::new(),
            heartbeat,
        };
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", server.address());
        let stop = CancellationToken::new();
        let task = tokio::spawn(server.serve(health.clone(), stop.clone()));
        (Running { base, stop, task }, health)
    }

    async fn get(running: &Running, path: &str) -> (u16, String, String) {
        let answer = reqwest::get(format!("{}{path}", running.base)).await.unwrap();
        let content_type = answer.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        (
            answer.status().as_u16(),
            content_type,
            answer.text().await.unwrap(),
        )
    }

    #[tokio::test]
    async fn answers_health_readiness_and_metrics() {
        let (running, health) = start(Heartbeat::new()).await;
        let gate = health.readiness.gate(CRDS_GATE);
        assert_eq!(get(&running, "/healthz").await.0, 200);
        assert_eq!(get(&running, "/livez").await.0, 200);
        gate.close("waiting for chromeosdevices");
        let (code, _, text) = get(&running, "/readyz").await;
        assert_eq!(
            (code, text.as_str()),
            (503, "[-] crds: waiting for chromeosdevices\nnot ready\n")
        );
        gate.open();
        assert_eq!(get(&running, "/readyz").await.0, 200);
        health.metrics.device_write("create", "success");
        let (code, content_type, text) = get(&running, "/metrics").await;
        assert_eq!((code, content_type.as_str()), (200, CONTENT_TYPE));
        assert!(
            text.contains(
                "chrome_enterprise_device_writes_total{operation=\"create\",outcome=\"success\"} 1\n"
            )
        );
        let missing = reqwest::get(format!("{}/secrets", running.base)).await.unwrap();
        assert_eq!(missing.status().as_u16(), 404);
    }

    #[tokio::test]
    async fn a_stuck_runtime_is_not_healthy() {
        let heartbeat = Heartbeat::stopped_for(Duration::from_secs(40)).unwrap();
        let (running, _health) = start(heartbeat).await;
        let (code, _, text) = get(&running, "/healthz").await;
        assert_eq!(code, 503);
        assert!(text.contains("stuck for 40 seconds"), "{text}");
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_the_flag_to_change_it() {
        let first = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let error = Server::bind(first.address()).await.unwrap_err().to_string();
        assert!(
            error.contains(&first.address().to_string()) && error.contains("--listen"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn stops_although_a_client_keeps_its_connection_open() {
        let (running, _health) = start(Heartbeat::new()).await;
        let client = reqwest::Client::new();
        client
            .get(format!("{}/healthz", running.base))
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        running.stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), running.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(
            client
                .get(format!("{}/healthz", running.base))
                .send()
                .await
                .is_err()
        );
    }
}
