//! Devices that were read one by one, because an action touched them.
//!
//! A pass may have read its page before the action and write it afterwards: it would put the old state back. So a pass
//! leaves alone what was read later than its page.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::convert;
use super::fingerprint::Fingerprint;
use super::write::{WriteError, Writer};
use crate::google::ChromeOsDevice;

/// No page is older than this when it is written: Google serves the pages of a walk for an hour.
const KEPT: Duration = Duration::from_hours(2);

/// The devices of one namespace that were read one by one, and when.
#[derive(Debug, Default)]
pub(crate) struct TargetedReads(Mutex<HashMap<Box<str>, Read>>);

#[derive(Debug)]
struct Read {
    asked: Instant,
    /// What was written of it, until a pass has taken it into its index.
    written: Option<Written>,
}

/// What was written of a device that was read by itself.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) resource_version: String,
    pub(super) fingerprint: Fingerprint,
}

impl TargetedReads {
    /// Whether the device was read by itself after `page_asked`, the moment at which a page was asked for.
    pub(super) fn is_newer(&self, device: &str, page_asked: Instant) -> bool {
        let reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.get(device).is_some_and(|read| read.asked > page_asked)
    }

    /// What was written since the last call, for the index of a pass.
    pub(super) fn take_written(&self) -> Vec<(Box<str>, Written)> {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = reads
            .iter_mut()
            .filter_map(|(device, read)| Some((device.clone(), read.written.take()?)));
        written.collect()
    }

    fn note(&self, device: &str, asked: Instant, written: Option<Written>) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.retain(|_, read| read.asked.elapsed() < KEPT);
        reads.insert(device.into(), Read { asked, written });
    }
}

/// Records what Google said of one device that has an object, and keeps a running pass from undoing it.
///
/// `asked` is when Google was asked.
///
/// # Errors
/// When the object cannot be written; the next full pass does it.
pub(crate) async fn record(
    writer: &Writer,
    reads: &TargetedReads,
    device: &ChromeOsDevice,
    asked: Instant,
) -> Result<(), WriteError> {
    // Before the write, so that no pass writes its older page after it.
    reads.note(&device.device_id, asked, None);
    let mut status = convert::status(device);
    status.recorded_time = Some(Time(Timestamp::now()));
    let written = writer.update_existing(&device.device_id, &status).await?;
    let written = written.map(|resource_version| Written {
        resource_version,
        fingerprint: Fingerprint::of(&status),
    });
    reads.note(&device.device_id, asked, written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_read_after_the_page_is_newer() {
        let reads = TargetedReads::default();
        let page = Instant::now();
        assert!(!reads.is_newer("a", page));
        let later = page + Duration::from_secs(1);
        reads.note("a", later, None);
        assert!(reads.is_newer("a", page) && !reads.is_newer("b", page));
        assert!(!reads.is_newer("a", later + Duration::from_secs(1)));
    }
}
