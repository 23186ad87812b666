//! Watches the connection until it is Active, shows how far it is, and notices what goes wrong meanwhile.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use futures::StreamExt as _;
use kube::Client;
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};

use crate::display::{Display, Progress};
use crate::inventory::count_objects;
use crate::journey::{self, Journey, arrived};
use crate::setup::{CONNECTION, NAMESPACE};

const TICK: Duration = Duration::from_millis(250);
/// In a demo nobody repairs what only a person can repair.
const STALLED_AT_MOST: Duration = Duration::from_secs(20);

/// Returns the way and the connection when it has become Active.
///
/// # Errors
/// When it is not Active after `timeout`, or waits for a person.
pub(crate) async fn until_active(
    client: &Client,
    devices: u32,
    timeout: Duration,
    display: &mut Display,
) -> Result<(Journey, ChromeEnterpriseConnection)> {
    let api: Api<ChromeEnterpriseConnection> = Api::namespaced(client.clone(), NAMESPACE);
    let only = watcher::Config::default().fields(&format!("metadata.name={CONNECTION}"));
    // The watch gives every change, also those that are over in a moment.
    let mut changes = pin!(watcher(api, only).default_backoff().applied_objects());
    let mut ticks = tokio::time::interval(TICK);
    let mut deadline = pin!(tokio::time::sleep(timeout));
    let mut journey = Journey::default();
    let mut stalled_since: Option<Instant> = None;
    let mut progress = Progress {
        state: "Waiting".to_owned(),
        expected: i64::from(devices),
        ..Progress::default()
    };
    loop {
        tokio::select! {
            Some(change) = changes.next() => {
                // The watch starts again by itself after an error.
                let Ok(connection) = change else { continue };
                if let Some(line) = journey.observe(&connection) {
                    display.say(&line);
                }
                note(&mut progress, &connection);
                let stalled = journey::is_stalled(&connection);
                stalled_since = stalled.then(|| stalled_since.unwrap_or_else(Instant::now));
                if arrived(&connection).is_some() {
                    return Ok((journey, connection));
                }
            }
            _ = ticks.tick() => {
                if let Ok(objects) = count_objects(client).await {
                    progress.objects = objects;
                }
                display.progress(&progress);
                if stalled_since.is_some_and(|since| since.elapsed() > STALLED_AT_MOST) {
                    bail!("The connection waits for a person to repair something.");
                }
            }
            () = &mut deadline => {
                bail!("The connection did not become Active within {} s.", timeout.as_secs());
            }
        }
    }
}

fn note(progress: &mut Progress, connection: &ChromeEnterpriseConnection) {
    let Some(status) = &connection.status else { return };
    if let Some(state) = status.state {
        progress.state = format!("{state:?}");
    }
    if let Some(read) = status.sync.as_ref().and_then(|sync| sync.devices_read) {
        progress.read = read;
    }
}
