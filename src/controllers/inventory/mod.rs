//! One pass of the inventory: read Google's devices, write what changed, remove what is really gone.
//!
//! A pass that dies at any point costs a walk, never a wrong inventory: every write is a whole truth about one
//! device, and removal needs the proof of a [`walk::CompleteWalk`].

mod confirm;
mod convert;
mod diff;
pub(crate) mod failure;
mod fingerprint;
mod index;
mod list;
pub(crate) mod progress;
mod prune;
mod remove_all;
pub(crate) mod targeted;
mod walk;
pub(crate) mod write;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::Client;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::connection::{
    ChromeEnterpriseConnectionSpec, DeviceCounts, DevicePeak, MY_CUSTOMER, PruneHold, SyncPhase,
};
use crate::controllers::digest;
use crate::google::{DirectoryClient, ListRequest, Verified};
pub(crate) use failure::PassFailure;
pub(crate) use index::Index;
use progress::Progress;
use prune::{PruneFacts, PrunePlan};
pub(crate) use remove_all::remove_all;
use targeted::TargetedReads;
use walk::CompleteWalk;
use write::Writer;

/// The zone of `sync:` in Google's searches is not documented, so an incremental pass looks back further by the
/// widest difference there is between two zones.
const INCREMENTAL_OVERLAP: SignedDuration = SignedDuration::from_hours(26);

/// Which devices are mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// As the connection names it; `my_customer` is resolved when the admin account is known.
    pub(crate) customer_id: String,
    /// Org unit with everything below it.
    pub(crate) org_unit_path: String,
    /// Google's search, if one narrows the fleet.
    pub(crate) query: Option<String>,
}

impl Scope {
    /// The scope that a connection asks for.
    pub(crate) fn of(spec: &ChromeEnterpriseConnectionSpec) -> Self {
        Self {
            customer_id: spec.customer_id.clone(),
            org_unit_path: spec.sync.org_unit_path.clone(),
            query: spec.sync.query.clone(),
        }
    }

    /// Names this scope in the status.
    pub(crate) fn digest(&self) -> String {
        digest::short([
            self.customer_id.as_str(),
            &self.org_unit_path,
            self.query.as_deref().unwrap_or_default(),
        ])
    }

    /// Whether a device in this org unit belongs to the scope. Org unit paths are not case-sensitive. A device
    /// whose place is not told belongs to it.
    pub(crate) fn contains(&self, org_unit_path: Option<&str>) -> bool {
        let Some(path) = org_unit_path else { return true };
        let scope = self.org_unit_path.trim_end_matches('/').to_lowercase();
        let path = path.to_lowercase();
        path.strip_prefix(&scope)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// How much a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PassKind {
    /// Everything; the only kind that notices what is gone.
    Full,
    /// Devices that fetched their policy since then.
    Incremental {
        /// Begin of the last pass that was recorded.
        since: Timestamp,
    },
}

impl PassKind {
    /// For logs and metrics.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental { .. } => "incremental",
        }
    }
}

/// What a pass is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PassRequest {
    pub(crate) kind: PassKind,
    pub(crate) namespace: String,
    pub(crate) connection: String,
    pub(crate) connection_uid: String,
    pub(crate) scope: Scope,
    pub(crate) include_recent_users: bool,
    pub(crate) peaks: Vec<DevicePeak>,
    pub(crate) hold: Option<PruneHold>,
    pub(crate) allowed: Option<String>,
}

/// What a pass that ended well found.
#[derive(Debug, Clone)]
pub(crate) struct PassReport {
    pub(crate) verified: Verified,
    pub(crate) counts: DeviceCounts,
    pub(crate) listed: usize,
    pub(crate) skipped: usize,
    pub(crate) removed: usize,
    /// Only after a full pass; an incremental one knows nothing about absence.
    pub(crate) pruning: Option<Pruning>,
}

/// What a full pass decided about absent devices.
#[derive(Debug, Clone)]
pub(crate) struct Pruning {
    pub(crate) hold: Option<PruneHold>,
    pub(crate) peaks: Vec<DevicePeak>,
}

/// How the operator was told to work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PassSettings {
    pub(crate) page_size: u32,
    pub(crate) write_concurrency: usize,
    pub(crate) freshness_seconds: i64,
}

/// What a pass works with.
#[derive(Clone, Copy)]
pub(crate) struct PassContext<'a> {
    pub(crate) client: &'a Client,
    pub(crate) google: &'a DirectoryClient,
    pub(crate) writer: &'a Writer,
    pub(crate) progress: &'a Progress,
    pub(crate) targeted: &'a TargetedReads,
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) settings: PassSettings,
}

impl PassContext<'_> {
    /// Waits for something that can be given up at any moment.
    async fn unless_cancelled<T, E: Into<PassFailure>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, PassFailure> {
        match self.cancel.run_until_cancelled(work).await {
            Some(result) => result.map_err(Into::into),
            None => Err(PassFailure::Cancelled),
        }
    }

    fn freshness(&self) -> diff::Freshness {
        diff::Freshness {
            seconds: self.settings.freshness_seconds,
        }
    }
}

/// Runs one pass to its end.
///
/// # Errors
/// Names what stopped it. What was read until then is recorded; nothing was removed without proof.
pub(crate) async fn run_pass(
    context: &PassContext<'_>,
    request: PassRequest,
    index: &mut Index,
) -> Result<PassReport, PassFailure> {
    let progress = context.progress;
    progress.phase(SyncPhase::Verifying);
    let verified = context.unless_cancelled(context.google.verify()).await?;
    progress.verified(verified.clone());
    let mut scope = request.scope.clone();
    if scope.customer_id == MY_CUSTOMER {
        scope.customer_id.clone_from(&verified.customer_id);
    }

    let list_now = request.kind == PassKind::Full || !index.is_built();
    // Taken before the list: what is written during it is taken by the next pass.
    let written = context.targeted.take_written();
    if list_now {
        progress.phase(SyncPhase::Indexing);
        context
            .unless_cancelled(list::refresh(
                context.client,
                &request.namespace,
                &request.connection,
                index,
            ))
            .await?;
        progress.counts(index.counts());
    }
    for (device, written) in written {
        index.learned(&device, &written.resource_version, written.fingerprint, list_now);
    }

    let list_request = list_request(&request, &scope, context.settings.page_size);
    if request.kind == PassKind::Full {
        expect(context, &list_request).await?;
    }
    progress.phase(SyncPhase::Reading);
    index.begin_pass();
    let complete = walk::walk(context, list_request, index).await?;
    let (pruning, removed) = match request.kind {
        PassKind::Full => {
            let (pruning, removed) = remove(&complete, context, &request, &scope, index).await?;
            (Some(pruning), removed)
        }
        PassKind::Incremental { .. } => (None, 0),
    };
    Ok(PassReport {
        verified,
        counts: index.counts(),
        listed: complete.listed,
        skipped: complete.skipped,
        removed,
        pruning,
    })
}

fn list_request(request: &PassRequest, scope: &Scope, page_size: u32) -> ListRequest {
    let query = match request.kind {
        PassKind::Full => scope.query.clone(),
        PassKind::Incremental { since } => Some(incremental_query(since, scope.query.as_deref())),
    };
    ListRequest {
        customer_id: scope.customer_id.clone(),
        org_unit_path: Some(scope.org_unit_path.clone()),
        include_child_org_units: true,
        query,
        page_size,
        include_recent_users: request.include_recent_users,
        walk_started: Some(Instant::now()),
    }
}

/// Google reads bare words as part of the operator before them, so the time comes first.
fn incremental_query(since: Timestamp, query: Option<&str>) -> String {
    let from = since.saturating_sub(INCREMENTAL_OVERLAP).unwrap_or(since);
    let sync = format!("sync:{}..", from.strftime("%Y-%m-%dT%H:%M:%S"));
    match query {
        Some(query) => format!("{sync} {query}"),
        None => sync,
    }
}

/// Asks how many devices there are, for the progress bar. A living fleet never agrees exactly, so a difference is
/// only worth a line in the log, and no answer is no harm.
async fn expect(context: &PassContext<'_>, request: &ListRequest) -> Result<(), PassFailure> {
    let counted =
        context.unless_cancelled(async { Ok::<_, PassFailure>(context.google.count_devices(request).await) });
    match counted.await? {
        Ok(expected) => context.progress.expected(expected),
        Err(error) => tracing::debug!(%error, "Google did not count the devices"),
    }
    Ok(())
}

async fn remove(
    complete: &CompleteWalk,
    context: &PassContext<'_>,
    request: &PassRequest,
    scope: &Scope,
    index: &mut Index,
) -> Result<(Pruning, usize), PassFailure> {
    let now = Timestamp::now();
    let absent = index.absent();
    let before = index.len();
    let plan = prune::plan(PruneFacts {
        before,
        absent: &absent,
        peaks: &request.peaks,
        hold: request.hold.as_ref(),
        allowed: request.allowed.as_deref(),
        connection_uid: &request.connection_uid,
        now,
    });
    // The devices that were there before the removal are part of the memory, so that many small losses add up.
    let peaks = prune::remember(&request.peaks, before, false, now);
    match plan {
        PrunePlan::Nothing => Ok((Pruning { hold: None, peaks }, 0)),
        PrunePlan::Hold(hold) => {
            tracing::warn!(
                namespace = %request.namespace, connection = %request.connection, devices = hold.devices, id = %hold.id,
                "more devices are absent at Google than can be believed; nothing is removed until an administrator permits it"
            );
            Ok((
                Pruning {
                    hold: Some(hold),
                    peaks,
                },
                0,
            ))
        }
        PrunePlan::Remove { permitted } => {
            let confirmed = confirm::remove_absent(
                complete,
                context,
                scope,
                request.include_recent_users,
                absent,
                index,
            )
            .await?;
            tracing::info!(
                namespace = %request.namespace, connection = %request.connection,
                removed = confirmed.removed, kept = confirmed.kept, unanswered = confirmed.unanswered,
                "absent devices were confirmed one by one"
            );
            let peaks = prune::remember(&peaks, index.len(), permitted, now);
            Ok((Pruning { hold: None, peaks }, confirmed.removed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incremental_query_begins_with_the_time() {
        let since: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        assert_eq!(incremental_query(since, None), "sync:2026-03-01T08:00:00..");
        assert_eq!(
            incremental_query(since, Some("user:help desk")),
            "sync:2026-03-01T08:00:00.. user:help desk"
        );
    }

    #[test]
    fn the_digest_names_the_scope() {
        let scope = |customer: &str, path: &str, query: Option<&str>| {
            Scope {
                customer_id: customer.into(),
                org_unit_path: path.into(),
                query: query.map(Into::into),
            }
            .digest()
        };
        let digests = [
            scope("C1", "/", None),
            scope("C1", "/a", None),
            scope("C1", "/", Some("a")),
            scope("C2", "/", None),
        ];
        let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
        assert_eq!(digests[0], scope("C1", "/", None));
    }

    #[test]
    fn the_whole_customer_contains_everything() {
        let all = Scope {
            customer_id: "C1".into(),
            org_unit_path: "/".into(),
            query: None,
        };
        assert!(all.contains(Some("/")) && all.contains(Some("/Schools/North")) && all.contains(None));
    }
}
