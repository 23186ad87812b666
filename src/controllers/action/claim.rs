//! The claim: who may send an action, and that only one may.
//!
//! Creating the receipt is the claim, and the API server lets one creation of a name win. A further attempt is claimed
//! by replacing the receipt under its resourceVersion. Either write carries a random attempt ID that only this process
//! knows: the client repeats what it thinks was lost, and a conflict that holds our own ID means that we have won.
//!
//! [`Claimed`] is the proof of a winning write; only this file makes one, and without one nothing can be sent.

use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt};

use super::flights::Key;
use super::record;
use crate::api::FIELD_MANAGER;
use crate::api::receipt::{Attempt, DeviceActionReceipt, DeviceActionReceiptSpec};
use crate::runtime::clock;

/// The client repeats a request to a busy API server by itself, for minutes if it were let.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Proof that this process holds the last attempt of the stored receipt.
#[derive(Debug)]
pub(super) struct Claimed {
    receipt: DeviceActionReceipt,
    until: Until,
}

/// The last moment at which an attempt may be sent, by two clocks: one that can be set, and one that may stand still
/// while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    wall: Timestamp,
    monotonic: Instant,
}

impl Until {
    /// So much later than now, but not after `latest`.
    pub(super) fn within(window: Duration, latest: Timestamp) -> Self {
        let now = clock::now();
        Self {
            wall: now.saturating_add(window).unwrap_or(latest).min(latest),
            monotonic: Instant::now() + window,
        }
    }

    /// The moment by the clock on the wall.
    pub(super) fn wall(self) -> Timestamp {
        self.wall
    }

    /// Whether it is not over by either clock.
    pub(super) fn is_open(self) -> bool {
        clock::now() < self.wall && Instant::now() < self.monotonic
    }
}

impl Claimed {
    /// What is stored.
    pub(super) fn receipt(&self) -> &DeviceActionReceipt {
        &self.receipt
    }

    /// Until when it may be sent.
    pub(super) fn until(&self) -> Until {
        self.until
    }

    /// ID of the attempt.
    pub(super) fn attempt_id(&self) -> &str {
        self.receipt
            .spec
            .attempts
            .last()
            .map_or("", |attempt| attempt.id.as_str())
    }
}

/// Why there is no claim.
#[derive(Debug)]
pub(super) enum NotClaimed {
    /// Somebody else holds the name, or the last attempt.
    Taken,
    /// The API server refused; surely nothing is stored.
    Refused(Box<kube::Error>),
    /// The API server gave no clear answer in time. Something may be stored; it was never sent.
    Unclear(Box<kube::Error>),
}

/// A new value that nobody else knows.
pub(super) fn new_attempt_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Receipts of one namespace.
#[derive(Clone)]
pub(super) struct Receipts {
    api: Api<DeviceActionReceipt>,
}

impl Receipts {
    /// Those of this namespace.
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
        }
    }

    /// The receipt of this name, as the API server has it now.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) async fn get(&self, name: &str) -> kube::Result<Option<DeviceActionReceipt>> {
        bounded(self.api.get_opt(name)).await
    }

    /// Claims an action for its first attempt, by creating its receipt.
    ///
    /// # Errors
    /// [`NotClaimed`] says whether something may be stored all the same.
    pub(super) async fn claim(
        &self,
        key: &Key,
        record: DeviceActionReceiptSpec,
        until: Until,
    ) -> Result<Claimed, NotClaimed> {
        let wanted = DeviceActionReceipt::new(DeviceActionReceipt::name_for(&key.name), record);
        let params = params();
        self.win(&wanted, until, || self.api.create(&params, &wanted))
            .await
    }

    /// Claims an action for a further attempt, by replacing the receipt that `seen` is.
    ///
    /// # Errors
    /// [`NotClaimed`] says whether something may be stored all the same.
    pub(super) async fn claim_again(
        &self,
        seen: &DeviceActionReceipt,
        next: Attempt,
        until: Until,
    ) -> Result<Claimed, NotClaimed> {
        let mut wanted = seen.clone();
        wanted.spec = record::with_attempt(seen.spec.clone(), next);
        wanted.metadata.managed_fields = None;
        let params = params();
        let name = seen.name_any();
        self.win(&wanted, until, || self.api.replace(&name, &params, &wanted))
            .await
    }

    /// Repeats a write until it is known who won, or until the attempt could not be sent any more.
    async fn win<W, F>(
        &self,
        wanted: &DeviceActionReceipt,
        until: Until,
        write: W,
    ) -> Result<Claimed, NotClaimed>
    where
        W: Fn() -> F,
        F: Future<Output = kube::Result<DeviceActionReceipt>>,
    {
        let own = |stored: &DeviceActionReceipt| holds_same_attempt(&stored.spec, &wanted.spec);
        loop {
            let error = match bounded(write()).await {
                Ok(receipt) if own(&receipt) => return Ok(Claimed { receipt, until }),
                Ok(_) => return Err(NotClaimed::Taken),
                Err(error) => error,
            };
            let error = match code(&error) {
                // Somebody was quicker: maybe our own request, whose answer was lost.
                Some(409) => match self.get(&wanted.name_any()).await {
                    Ok(Some(receipt)) if own(&receipt) => return Ok(Claimed { receipt, until }),
                    Ok(_) => return Err(NotClaimed::Taken),
                    Err(error) => error,
                },
                Some(404) => return Err(NotClaimed::Taken),
                Some(400..=499) if code(&error) != Some(429) => {
                    return Err(NotClaimed::Refused(Box::new(error)));
                }
                Some(_) | None => error,
            };
            if !until.is_open() {
                return Err(NotClaimed::Unclear(Box::new(error)));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Creates the receipt of an action that ends before anything is sent. `false` if the name has a receipt already.
    ///
    /// # Errors
    /// When the API server refuses, or gives no clear answer.
    pub(super) async fn create_tombstone(
        &self,
        name: &str,
        record: DeviceActionReceiptSpec,
    ) -> kube::Result<bool> {
        let wanted = DeviceActionReceipt::new(DeviceActionReceipt::name_for(name), record);
        match bounded(self.api.create(&params(), &wanted)).await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some(409) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Replaces what `seen` is, if nobody was quicker. `None` if somebody was, or if the receipt is gone.
    ///
    /// # Errors
    /// When the API server refuses, or gives no clear answer.
    pub(super) async fn replace(
        &self,
        seen: &DeviceActionReceipt,
        record: DeviceActionReceiptSpec,
    ) -> kube::Result<Option<DeviceActionReceipt>> {
        let mut wanted = seen.clone();
        wanted.spec = record;
        wanted.metadata.managed_fields = None;
        match bounded(self.api.replace(&seen.name_any(), &params(), &wanted)).await {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if code(&error) == Some(409) => {
                // Our own request may have won, and its answer was lost.
                let stored = self.get(&seen.name_any()).await?;
                Ok(stored.filter(|stored| stored.spec == wanted.spec))
            }
            Err(error) if code(&error) == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether the last attempt of both is the same: its ID is known to one process only.
fn holds_same_attempt(stored: &DeviceActionReceiptSpec, wanted: &DeviceActionReceiptSpec) -> bool {
    match (stored.attempts.last(), wanted.attempts.last()) {
        (Some(stored), Some(wanted)) => stored.id == wanted.id && stored.outcome.is_none(),
        (Some(_) | None, _) => false,
    }
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

pub(super) fn code(error: &kube::Error) -> Option<u16> {
    if let kube::Error::Api(status) = error {
        Some(status.code)
    } else {
        None
    }
}

/// A request to the API server with an end.
pub(super) async fn bounded<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    match tokio::time::timeout(WRITE_TIMEOUT, request).await {
        Ok(result) => result,
        Err(_) => Err(kube::Error::Service(
            "no answer from the Kubernetes API server in time".into(),
        )),
    }
}
