//! Asks Google for each absent device by itself, and removes the objects of those that are really gone.
//!
//! A device that moves between org units while the list is read is missed by it, so absence from a list proves
//! nothing: only Google's own "not found", or a device that is now outside the mirrored org unit, lets it go.

use futures::{StreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::diff::{Change, change};
use super::failure::PassFailure;
use super::fingerprint::Fingerprint;
use super::index::Index;
use super::walk::{CompleteWalk, write};
use super::{PassContext, Scope, convert};
use crate::api::connection::SyncPhase;
use crate::google::ChromeOsDevice;

/// Questions to Google at a time; the quota bounds them too.
const QUESTIONS: usize = 8;
/// After so many questions in a row without an answer the rest waits for the next pass.
const HOPELESS_QUESTIONS: usize = 5;
/// With a search, absence counts from so many complete walks in a row: a search is an index that lags behind.
const WALKS_WITH_A_SEARCH: u8 = 2;

/// What came of the absent devices.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirmed {
    /// Objects removed.
    pub(super) removed: usize,
    /// Devices that are there after all.
    pub(super) kept: usize,
    /// Devices that Google gave no answer about; they are kept too.
    pub(super) unanswered: usize,
}

/// What one answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Gone,
    Kept,
}

/// Judges Google's answer about one absent device: `None` is "not found".
fn judge(answer: Option<&ChromeOsDevice>, scope: &Scope, walks_missed: u8) -> Verdict {
    match answer {
        None => Verdict::Gone,
        Some(device) if !scope.contains(device.org_unit_path.as_deref()) => Verdict::Gone,
        Some(_) if scope.query.is_some() && walks_missed >= WALKS_WITH_A_SEARCH => Verdict::Gone,
        Some(_) => Verdict::Kept,
    }
}

/// Confirms and removes. The walk is the proof that absence was really observed.
///
/// # Errors
/// When objects could not be written or removed, or when the pass is cancelled.
pub(super) async fn remove_absent(
    _proof: &CompleteWalk,
    context: &PassContext<'_>,
    scope: &Scope,
    include_recent_users: bool,
    absent: Vec<Box<str>>,
    index: &mut Index,
) -> Result<Confirmed, PassFailure> {
    context.progress.phase(SyncPhase::Confirming);
    let mut confirmed = Confirmed::default();
    let mut failures = Failures::default();
    let mut silent = 0;
    let mut answers = stream::iter(absent)
        .map(|device| async move {
            let answer = context
                .google
                .get_device(&scope.customer_id, &device, include_recent_users)
                .await;
            (device, answer)
        })
        .buffer_unordered(QUESTIONS);
    while let Some((device, answer)) = answers.next().await {
        if context.cancel.is_cancelled() {
            return Err(PassFailure::Cancelled);
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(device = %device, %error, "Google gave no answer about a device that its list did not have; the device is kept");
                confirmed.unanswered += 1;
                silent += 1;
                if silent >= HOPELESS_QUESTIONS {
                    break;
                }
                continue;
            }
        };
        silent = 0;
        let missed = index.miss(&device);
        match (judge(answer.as_ref(), scope, missed), answer) {
            (Verdict::Gone, _) => {
                context.progress.phase(SyncPhase::Removing);
                if failures.take(context.writer.delete(&device).await).is_some() {
                    index.removed(&device);
                    confirmed.removed += 1;
                }
            }
            (Verdict::Kept, Some(body)) => {
                confirmed.kept += 1;
                failures.take(record(context, &device, &body, index).await);
            }
            (Verdict::Kept, None) => confirmed.kept += 1,
        }
        if failures.hopeless {
            break;
        }
    }
    context.progress.counts(index.counts());
    failures.into_result().map(|()| confirmed)
}

/// Writes what the answer said, so that a device that hopped shows its new place.
async fn record(
    context: &PassContext<'_>,
    name: &str,
    device: &ChromeOsDevice,
    index: &mut Index,
) -> Result<(), super::write::WriteError> {
    let now = Timestamp::now();
    let mut status = convert::status(device);
    let change = change(
        index.get(name),
        &Fingerprint::of(&status),
        context.freshness(),
        now,
    );
    if change == Change::Nothing {
        return Ok(());
    }
    status.recorded_time = Some(Time(now));
    match write(context.writer, name, &status, change).await {
        Ok(version) => {
            index.wrote(name, &version, Fingerprint::of(&status));
            Ok(())
        }
        Err(error) => {
            index.write_failed(name);
            Err(error)
        }
    }
}

/// Counts failed writes.
#[derive(Debug, Default)]
struct Failures {
    failed: usize,
    first: Option<Box<super::write::WriteError>>,
    hopeless: bool,
}

impl Failures {
    fn take<T>(&mut self, result: Result<T, super::write::WriteError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed += 1;
                self.hopeless |= error.is_refusal() || self.failed >= 20;
                self.first.get_or_insert_with(|| Box::new(error));
                None
            }
        }
    }

    fn into_result(self) -> Result<(), PassFailure> {
        if self.failed == 0 {
            Ok(())
        } else {
            Err(PassFailure::Write {
                failed: self.failed,
                first: self.first,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(path: &str, query: Option<&str>) -> Scope {
        Scope {
            customer_id: "C1".into(),
            org_unit_path: path.into(),
            query: query.map(Into::into),
        }
    }
    fn device_in(path: Option<&str>) -> ChromeOsDevice {
        serde_json::from_value(serde_json::json!({ "deviceId": "a", "orgUnitPath": path })).unwrap()
    }

    #[test]
    fn every_row() {
        let rows = [
            ("not found", None, "/", None, 1, Verdict::Gone),
            (
                "there",
                Some(Some("/Schools/North")),
                "/Schools",
                None,
                1,
                Verdict::Kept,
            ),
            (
                "there, ever again",
                Some(Some("/Schools/North")),
                "/Schools",
                None,
                9,
                Verdict::Kept,
            ),
            (
                "moved out",
                Some(Some("/Office")),
                "/Schools",
                None,
                1,
                Verdict::Gone,
            ),
            (
                "a name that only begins alike",
                Some(Some("/Schools2")),
                "/Schools",
                None,
                1,
                Verdict::Gone,
            ),
            (
                "other case",
                Some(Some("/schools/NORTH")),
                "/Schools",
                None,
                1,
                Verdict::Kept,
            ),
            ("no path told", Some(None), "/Schools", None, 1, Verdict::Kept),
            (
                "search, first time",
                Some(Some("/Schools")),
                "/Schools",
                Some("status:provisioned"),
                1,
                Verdict::Kept,
            ),
            (
                "search, second time",
                Some(Some("/Schools")),
                "/Schools",
                Some("status:provisioned"),
                2,
                Verdict::Gone,
            ),
        ];
        for (row, answer, path, query, missed, expected) in rows {
            let answer = answer.map(device_in);
            assert_eq!(
                judge(answer.as_ref(), &scope(path, query), missed),
                expected,
                "{row}"
            );
        }
    }
}
