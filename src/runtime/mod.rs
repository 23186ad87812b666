//! What any operator needs around its controllers: logs, metrics, health, shutdown, waiting. Nothing here knows what a
//! ChromeOS device is.

pub mod backoff;
pub mod clock;
pub mod crd_wait;
pub mod heartbeat;
pub mod kubernetes;
pub mod listed;
pub mod metrics;
pub mod moments;
pub mod readiness;
pub mod server;
pub mod shutdown;
pub mod telemetry;
