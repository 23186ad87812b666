//! Small texts that actions and receipts have in common.

use std::fmt::Debug;

use chrome_enterprise_operator::api::action::{DeprovisionReason, WipeMode};
use jiff::Timestamp;
use kube::Resource;
use kube::core::NamespaceResourceScope;
use serde::de::DeserializeOwned;

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::age;

/// What else was asked for, in the words of the object.
pub(crate) fn details(
    delay: Option<i32>,
    wipe: Option<WipeMode>,
    deprovision: Option<DeprovisionReason>,
) -> Option<String> {
    if let Some(delay) = delay {
        return Some(format!("{delay} seconds for a signed-in user"));
    }
    wipe.map(|mode| format!("{mode:?}"))
        .or_else(|| deprovision.map(|reason| format!("{reason:?}")))
}

/// A time for people: how long ago, and when exactly.
pub(crate) fn moment_text(time: Timestamp, now: Timestamp) -> String {
    let far = age(time, now);
    if time > now {
        format!("{time:.0} ({far})")
    } else {
        format!("{time:.0} ({far} ago)")
    }
}

/// The object of this name, if there is one. A name that no object can have is none.
pub(crate) async fn named<K>(cluster: &Cluster, name: &str, doing: &str) -> Result<Option<K>, Failure>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    K::DynamicType: Default,
{
    let may_be_a_name = !name.is_empty()
        && name
            .chars()
            .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-' | '.'));
    if !may_be_a_name {
        return Ok(None);
    }
    let found = cluster.api::<K>().get_opt(name).await;
    found.map_err(|error| Failure::kubernetes(doing, &error))
}
