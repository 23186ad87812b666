//! Walks the pages of Google's device list and writes what changed, pages ahead of writes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::diff::{Change, change};
use super::failure::PassFailure;
use super::fingerprint::Fingerprint;
use super::index::Index;
use super::write::{WriteError, Writer};
use super::{PassContext, convert};
use crate::api::device::ChromeOSDeviceStatus;
use crate::google::{ChromeOsDevice, DevicePage, GoogleError, ListRequest, Reason};

/// Pages that may wait for the writer. Each is some hundred kilobytes.
const PAGES_AHEAD: usize = 2;
/// So many writes in a row that fail mean that the cluster is the trouble, not the device.
const HOPELESS_WRITES: usize = 20;
/// How often the counts for the status are taken while writing.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Proof that Google's list was read from its first page to its last without an error, and that everything that
/// changed was written. Only [`walk`] makes one, and only with one may devices be removed.
#[derive(Debug)]
pub(super) struct CompleteWalk {
    /// Distinct devices that Google listed.
    pub(super) listed: usize,
    /// Devices that have no object because their record cannot be read or their ID cannot be a name.
    pub(super) skipped: usize,
    _only_walk_makes_one: (),
}

/// Reads every page of `request` and writes what changed.
///
/// # Errors
/// When a page cannot be had, when writes fail, or when the pass is cancelled. What was read until then is written
/// all the same; nothing is ever removed.
pub(super) async fn walk(
    context: &PassContext<'_>,
    request: ListRequest,
    index: &mut Index,
) -> Result<CompleteWalk, PassFailure> {
    let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
    let mut recorder = Recorder::new(context, index);
    let (read, ()) = tokio::join!(read_pages(context, request, sender), recorder.record(receiver));
    recorder.finish(read)
}

/// Sends page after page; ends early without an error when the recorder has given up.
async fn read_pages(
    context: &PassContext<'_>,
    mut request: ListRequest,
    pages: mpsc::Sender<(DevicePage, Instant)>,
) -> Result<(), PassFailure> {
    let mut token: Option<String> = None;
    loop {
        let asked = Instant::now();
        let page = context
            .unless_cancelled(async {
                Ok::<_, PassFailure>(context.google.list_devices(&request, token.as_deref()).await)
            })
            .await?;
        let page = match page {
            Ok(page) => page,
            Err(GoogleError {
                reason: Reason::PageSizeRange { max, .. },
                ..
            }) if max >= 1 && max < request.page_size => {
                tracing::info!(
                    asked = request.page_size,
                    allowed = max,
                    "Google allows smaller pages only"
                );
                request.page_size = max;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        token.clone_from(&page.next_page_token);
        if pages.send((page, asked)).await.is_err() || token.is_none() {
            return Ok(());
        }
    }
}

/// A write that has ended.
struct Ended {
    device: Box<str>,
    fingerprint: Fingerprint,
    result: Result<String, WriteError>,
}

/// Compares devices with the index and keeps a bounded number of writes going.
struct Recorder<'a> {
    context: &'a PassContext<'a>,
    index: &'a mut Index,
    writes: JoinSet<Ended>,
    listed: usize,
    skipped: usize,
    failed: usize,
    failed_in_a_row: usize,
    first_failure: Option<WriteError>,
    hopeless: bool,
    counted: Instant,
}

impl<'a> Recorder<'a> {
    fn new(context: &'a PassContext<'a>, index: &'a mut Index) -> Self {
        Self {
            context,
            index,
            writes: JoinSet::new(),
            listed: 0,
            skipped: 0,
            failed: 0,
            failed_in_a_row: 0,
            first_failure: None,
            hopeless: false,
            counted: Instant::now(),
        }
    }

    async fn record(&mut self, mut pages: mpsc::Receiver<(DevicePage, Instant)>) {
        while let Some((page, asked)) = pages.recv().await {
            for device in &page.devices {
                self.device(device, asked).await;
                if self.hopeless {
                    break;
                }
            }
            // A record that cannot be read is still a device that is there.
            for id in &page.unreadable_ids {
                self.index.saw(id);
            }
            self.skipped += page.unreadable;
            self.count();
            if self.hopeless {
                break;
            }
        }
        // What was sent is awaited, so that nothing is written after this pass has ended.
        drop(pages);
        while self.one_write_ends().await {}
    }

    async fn device(&mut self, device: &ChromeOsDevice, asked: Instant) {
        let name = device.device_id.as_str();
        if !is_object_name(name) {
            self.skipped += 1;
            return;
        }
        if !self.index.saw(name) {
            return;
        }
        self.listed += 1;
        self.context.progress.read(self.listed);
        if self.context.targeted.is_newer(name, asked) {
            return;
        }
        let now = Timestamp::now();
        let mut status = convert::status(device);
        let fingerprint = Fingerprint::of(&status);
        let change = change(self.index.get(name), &fingerprint, self.context.freshness(), now);
        if change == Change::Nothing {
            return;
        }
        status.recorded_time = Some(Time(now));
        while self.writes.len() >= self.context.settings.write_concurrency {
            self.one_write_ends().await;
        }
        self.start(name.into(), status, change);
    }

    fn start(&mut self, device: Box<str>, status: ChromeOSDeviceStatus, change: Change) {
        let writer = self.context.writer.clone();
        self.writes.spawn(async move {
            let result = write(&writer, &device, &status, change).await;
            Ended {
                device,
                fingerprint: Fingerprint::of(&status),
                result,
            }
        });
    }

    /// Takes in the next write that ends; false when none is going on.
    async fn one_write_ends(&mut self) -> bool {
        let Some(ended) = self.writes.join_next().await else {
            return false;
        };
        // A write task does not panic and is not aborted; were it to, its device keeps its old entry and the pass
        // counts as failed.
        let Ok(Ended {
            device,
            fingerprint,
            result,
        }) = ended
        else {
            self.failed += 1;
            return true;
        };
        match result {
            Ok(version) => {
                self.failed_in_a_row = 0;
                self.index.wrote(&device, &version, fingerprint);
            }
            // One record that the cluster will not take must not keep the whole fleet from being in step.
            Err(error) if error.is_invalid() => {
                tracing::warn!(%error, "the API server does not accept this device; it is skipped");
                self.skipped += 1;
                self.index.write_failed(&device);
            }
            Err(error) => {
                self.failed += 1;
                self.failed_in_a_row += 1;
                self.hopeless |= error.is_refusal() || self.failed_in_a_row >= HOPELESS_WRITES;
                self.index.write_failed(&device);
                self.first_failure.get_or_insert(error);
            }
        }
        true
    }

    fn count(&mut self) {
        if self.counted.elapsed() >= COUNT_EVERY {
            self.counted = Instant::now();
            self.context.progress.counts(self.index.counts());
        }
    }

    fn finish(self, read: Result<(), PassFailure>) -> Result<CompleteWalk, PassFailure> {
        self.context.progress.counts(self.index.counts());
        if self.failed > 0 {
            return Err(PassFailure::Write {
                failed: self.failed,
                first: self.first_failure.map(Box::new),
            });
        }
        read?;
        Ok(CompleteWalk {
            listed: self.listed,
            skipped: self.skipped,
            _only_walk_makes_one: (),
        })
    }
}

/// Does what `change` asks for. Returns the resourceVersion of the last write.
pub(super) async fn write(
    writer: &Writer,
    device: &str,
    status: &ChromeOSDeviceStatus,
    change: Change,
) -> Result<String, WriteError> {
    match change {
        Change::Create => writer.create(device, status).await,
        Change::Update { relabel } => writer.update(device, status, relabel).await,
        Change::Refresh | Change::Nothing => writer.update(device, status, false).await,
    }
}

/// Whether Google's ID can name an object (RFC 1123 subdomain, as Kubernetes asks for).
fn is_object_name(id: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = id.as_bytes();
    !id.is_empty()
        && id.len() <= 253
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
        && bytes.first().copied().is_some_and(inner)
        && bytes.last().copied().is_some_and(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_can_be_names() {
        for id in ["0d2f3a4b-1111-2222-3333-444455556666", "a", "0"] {
            assert!(is_object_name(id), "{id}");
        }
        for id in [
            "",
            "-a",
            "a-",
            "ABC",
            "a/b",
            "a b",
            "../x",
            "a.b?c",
            &"a".repeat(254),
        ] {
            assert!(!is_object_name(id), "{id}");
        }
    }
}
