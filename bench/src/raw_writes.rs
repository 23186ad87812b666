//! The same writes as the operator's by a client that does nothing else: the fastest that the API server allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use chrome_enterprise_operator::api::{CONNECTION_LABEL, ChromeOSDevice, FIELD_MANAGER};
use http::{Method, Request, header};
use kube::{Client, Resource as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::cpu;

const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// A device that is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    name: String,
    status: String,
}

/// A run of raw writes.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawRun {
    pub(crate) concurrency: usize,
    pub(crate) seconds: f64,
    /// Processor time of the bare client, the API server and its store.
    pub(crate) cpu_seconds: Option<f64>,
}

/// The bodies that the operator sent, taken from the objects that it made.
///
/// # Errors
/// When an object has no name or no status.
pub(crate) fn bodies(objects: &[Value]) -> Result<Arc<[Body]>> {
    let body = |object: &Value| {
        let name = object["metadata"]["name"]
            .as_str()
            .context("an object has no name")?;
        ensure!(object["status"].is_object(), "device {name} has no status");
        Ok(Body {
            name: name.to_owned(),
            status: object["status"].to_string(),
        })
    };
    objects.iter().map(body).collect()
}

/// The first `count` of them, or all if there are fewer.
pub(crate) fn some(bodies: &Arc<[Body]>, count: usize) -> Arc<[Body]> {
    bodies.iter().take(count).cloned().collect()
}

#[derive(Debug, Deserialize)]
struct Written {
    metadata: WrittenMetadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMetadata {
    resource_version: String,
}

/// Writes every body into a new namespace, `concurrency` at a time; returns what it took.
///
/// # Errors
/// When a write fails, or when not all objects are there afterwards.
pub(crate) async fn run(
    cluster: &Cluster,
    namespace: &str,
    bodies: &Arc<[Body]>,
    concurrency: usize,
) -> Result<RawRun> {
    cluster.namespace(namespace).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    let (begun, cpu) = (Instant::now(), cpu::seconds_used());
    for _ in 0..concurrency {
        let (client, bodies, next) = (cluster.client.clone(), bodies.clone(), next.clone());
        let namespace = namespace.to_owned();
        workers.spawn(async move {
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                write(&client, &namespace, body).await?;
            }
            Ok::<_, kube::Error>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended?.context("a raw write failed")?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu_seconds = cpu::since(cpu);
    let count = cluster.count(namespace).await?;
    ensure!(
        usize::try_from(count)? == bodies.len(),
        "the raw writes made {count} objects of {}",
        bodies.len()
    );
    Ok(RawRun {
        concurrency,
        seconds,
        cpu_seconds,
    })
}

async fn write(client: &Client, namespace: &str, body: &Body) -> Result<(), kube::Error> {
    let collection = ChromeOSDevice::url_path(&(), Some(namespace));
    let name = &body.name;
    let (version, kind) = (ChromeOSDevice::api_version(&()), ChromeOSDevice::kind(&()));
    let mut metadata =
        json!({ "name": name, "namespace": namespace, "labels": { CONNECTION_LABEL: "school" } });
    let create = format!(r#"{{"apiVersion":"{version}","kind":"{kind}","metadata":{metadata},"spec":{{}}}}"#);
    let uri = format!("{collection}?fieldManager={FIELD_MANAGER}");
    let created = send(client, Method::POST, &uri, create).await?;
    metadata["resourceVersion"] = created.metadata.resource_version.into();
    let status = &body.status;
    let replace = format!(
        r#"{{"apiVersion":"{version}","kind":"{kind}","metadata":{metadata},"spec":{{}},"status":{status}}}"#
    );
    let uri = format!("{collection}/{name}/status?fieldManager={FIELD_MANAGER}");
    send(client, Method::PUT, &uri, replace).await?;
    Ok(())
}

async fn send(client: &Client, method: Method, uri: &str, body: String) -> Result<Written, kube::Error> {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::ACCEPT, METADATA_ONLY)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into_bytes());
    client.request(request.map_err(kube::Error::HttpError)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_needs_name_and_status() {
        let whole = json!({ "metadata": { "name": "a" }, "status": { "serialNumber": "1" } });
        let made = bodies(&[whole]).unwrap();
        assert_eq!(
            (made[0].name.as_str(), made[0].status.as_str()),
            ("a", r#"{"serialNumber":"1"}"#)
        );
        assert!(bodies(&[json!({ "metadata": { "name": "a" } })]).is_err());
        assert!(bodies(&[json!({ "status": {} })]).is_err());
    }
}
