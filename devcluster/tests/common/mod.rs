//! A small HTTPS client for the tests: it knows a cluster only by its kubeconfig, as any other
//! client does, and so proves that the kubeconfig is enough.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client, Identity, Method, StatusCode};
use serde_json::Value;

/// A client for the user of a kubeconfig.
pub struct Api {
    client: Client,
    url: String,
    token: Option<String>,
}

impl Api {
    /// Reads the few lines that devcluster writes; a full YAML reader is not needed for them.
    pub fn new(kubeconfig: &str) -> Self {
        let value = |name: &str| {
            let line = kubeconfig
                .lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            line.map(|text| text.trim_matches('"').to_owned())
        };
        let decoded = |name: &str| value(name).map(|text| STANDARD.decode(text).unwrap());
        let ca = Certificate::from_pem(&decoded("certificate-authority-data").unwrap()).unwrap();
        let mut builder = Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .timeout(Duration::from_secs(10));
        if let Some(mut pem) = decoded("client-certificate-data") {
            pem.extend(decoded("client-key-data").unwrap());
            builder = builder.identity(Identity::from_pem(&pem).unwrap());
        }
        Self {
            client: builder.build().unwrap(),
            url: value("server").unwrap(),
            token: value("token"),
        }
    }

    /// Sends a request and returns the status and the object that came back.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        // `/readyz` answers with plain text.
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.request(Method::GET, path, None).await.unwrap()
    }

    /// Creates an object and returns it.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.request(Method::POST, path, Some(body)).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer
    }

    pub async fn delete(&self, path: &str) {
        let (status, answer) = self.request(Method::DELETE, path, None).await.unwrap();
        assert!(status.is_success(), "{answer}");
    }
}

/// Waits until `done` says so; fails after a minute.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < Duration::from_mins(1), "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The command lines of all living processes that mention `text`. A zombie has no command line.
pub fn processes_with(text: &Path) -> Vec<String> {
    let text = text.to_str().unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

/// The cluster's own temporary folder, found through the arguments of its programs: it is where
/// etcd keeps its data.
pub fn folder_of(api_url: &str) -> PathBuf {
    let port = api_url.rsplit(':').next().unwrap();
    let lines = processes_with(Path::new(&format!("--secure-port={port}")));
    let etcd = lines[0]
        .split_whitespace()
        .find_map(|word| word.strip_prefix("--etcd-servers=unix://"));
    Path::new(etcd.unwrap()).parent().unwrap().to_path_buf()
}
