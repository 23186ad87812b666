//! Helpers on `metav1.Condition` lists, shared by every kind. Pure: the time is an argument.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Condition type that every kind carries: `True` when the object is as asked for.
pub const READY: &str = "Ready";
/// Present (and `True`) only while the operator is still working towards `Ready`.
pub const RECONCILING: &str = "Reconciling";
/// Present (and `True`) only while no retry can heal the object: a person has to act.
pub const STALLED: &str = "Stalled";

/// A condition as a planner wants it; [`merge`] gives it its transition time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Condition type, such as [`READY`].
    pub type_: &'static str,
    /// `Some(true)` is `True`, `Some(false)` is `False`, `None` is `Unknown`.
    pub status: Option<bool>,
    /// CamelCase reason for programs.
    pub reason: String,
    /// Sentence for people.
    pub message: String,
}

/// The new list of conditions: exactly the desired ones, each keeping its old `lastTransitionTime` while its
/// status stays the same. Conditions that are not desired any more are dropped, as kstatus wants it for
/// `Reconciling` and `Stalled`.
#[must_use]
pub fn merge(old: &[Condition], desired: &[Desired], generation: Option<i64>, now: &Time) -> Vec<Condition> {
    desired
        .iter()
        .map(|wanted| {
            let status = match wanted.status {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let since = old
                .iter()
                .find(|condition| condition.type_ == wanted.type_ && condition.status == status)
                .map_or_else(|| now.clone(), |condition| condition.last_transition_time.clone());
            Condition {
                type_: wanted.type_.to_owned(),
                status: status.to_owned(),
                reason: wanted.reason.clone(),
                message: wanted.message.clone(),
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

/// The condition of this type, if the list has one.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}
