//! The same reading as the operator's by a client that does nothing else: every page of Google's list, and the
//! metadata of every object.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::google::Google;

/// What the bare reading took.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BareReading {
    /// Pages of Google's list.
    pub(crate) pages: u64,
    /// Reading them.
    pub(crate) walk_seconds: f64,
    /// Listing the metadata of the objects.
    pub(crate) list_seconds: f64,
}

impl BareReading {
    /// Both together.
    pub(crate) fn seconds(&self) -> f64 {
        self.walk_seconds + self.list_seconds
    }
}

/// Everything else in a page is passed over, which is the least that any client can do.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default, rename = "nextPageToken")]
    next: Option<String>,
}

/// Reads what a pass without a change reads.
///
/// # Errors
/// When an answer is missing.
pub(crate) async fn run(google: &Google, cluster: &Cluster, namespace: &str) -> Result<BareReading> {
    let first = format!("{}{}", google.account.url, google.last_walk().await?);
    let token = google.token().await?;
    let http = reqwest::Client::builder()
        .user_agent("bench (gzip)")
        .gzip(true)
        .no_proxy()
        .build()?;
    let begun = Instant::now();
    let (mut pages, mut url) = (0, first.clone());
    loop {
        let answer = http.get(&url).bearer_auth(&token).send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "the simulated Google answered {status}");
        pages += 1;
        let page: Page = serde_json::from_slice(&bytes).context("a page is no JSON")?;
        let Some(next) = page.next else { break };
        url = reqwest::Url::parse_with_params(&first, [("pageToken", next)])?.into();
    }
    let walk_seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    cluster.count(namespace).await?;
    Ok(BareReading {
        pages,
        walk_seconds,
        list_seconds: begun.elapsed().as_secs_f64(),
    })
}
