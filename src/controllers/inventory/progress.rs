//! How far a running pass is, for the status. Written by the pass, read by the reconciler.

use std::sync::{Mutex, PoisonError};

use crate::api::connection::{DeviceCounts, SyncPhase};
use crate::google::Verified;

/// A moment of a running pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// What is being done.
    pub(crate) phase: SyncPhase,
    /// Who is signed in, once that is known.
    pub(crate) verified: Option<Verified>,
    /// Devices read from Google so far.
    pub(crate) devices_read: Option<usize>,
    /// How many Google said there are.
    pub(crate) devices_expected: Option<u64>,
    /// Objects by state, when they were counted last.
    pub(crate) counts: Option<DeviceCounts>,
}

/// The shared side of a running pass.
pub(crate) struct Progress {
    snapshot: Mutex<Snapshot>,
    on_news: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Progress")
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}

impl Progress {
    /// A pass that has just begun. `on_news` is called when something happened that should be told at once; counts
    /// that only grow are told now and then anyway.
    pub(crate) fn new(on_news: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            snapshot: Mutex::default(),
            on_news: Box::new(on_news),
        }
    }

    /// The present moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.snapshot.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What is being done now.
    pub(crate) fn phase(&self, phase: SyncPhase) {
        self.change(|snapshot| snapshot.phase = phase);
    }

    /// Google accepted the credentials.
    pub(super) fn verified(&self, verified: Verified) {
        self.change(|snapshot| snapshot.verified = Some(verified));
        (self.on_news)();
    }

    pub(super) fn read(&self, devices: usize) {
        self.change(|snapshot| snapshot.devices_read = Some(devices));
    }

    pub(super) fn expected(&self, devices: u64) {
        self.change(|snapshot| snapshot.devices_expected = Some(devices));
    }

    pub(crate) fn counts(&self, counts: DeviceCounts) {
        self.change(|snapshot| snapshot.counts = Some(counts));
    }
}
