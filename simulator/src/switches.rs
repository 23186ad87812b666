//! What may be switched while the simulator runs: the points in which Google's behaviour is not documented or
//! has been seen both ways, and the trouble that a test wants.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::CommandSwitches;
use crate::control::changes::BulkChange;
use crate::control::error::ControlError;
pub use crate::device::fields::BasicProjection;

/// All switches, as `GET /sim/v1/switches` shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Switches {
    /// The largest `maxResults`: 100, 200 or 300; three sources name three numbers.
    pub page_size_limit: u32,
    /// What `projection=BASIC` returns.
    pub basic_projection: BasicProjection,
    /// What a query does that is not made of `field:value`.
    pub malformed_query: MalformedQuery,
    /// How often each good page token is refused before it is accepted: 0, 1 or 2.
    pub reject_page_tokens: u8,
    /// Milliseconds of real time that every page of a device list takes.
    pub latency_per_page_milliseconds: u64,
    /// Milliseconds which a page with `projection=FULL` takes in addition.
    pub latency_per_full_page_milliseconds: u64,
    /// Devices that come twice or not at all in a walk.
    pub page_chaos: PageChaos,
    /// Changes that happen while somebody walks through the pages.
    pub between_pages: Vec<BetweenPages>,
    /// What `moveDevicesToOu` does with an id that is not known.
    pub unknown_ids_in_moves: UnknownIds,
    /// What `patch` and `update` do with an `orgUnitPath` that comes without its `orgUnitId`.
    pub org_unit_path_alone: PathAlone,
    /// Lists and counts see a change made through the API so many simulated seconds later than `get`.
    pub replication_lag_seconds: u32,
    /// How remote commands go.
    pub commands: CommandSwitches,
    /// Customers (`C0…`) whose administrator has switched off API access for the domain.
    pub domain_without_apis: BTreeSet<String>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            page_size_limit: 200,
            basic_projection: BasicProjection::default(),
            malformed_query: MalformedQuery::default(),
            reject_page_tokens: 0,
            latency_per_page_milliseconds: 0,
            latency_per_full_page_milliseconds: 0,
            page_chaos: PageChaos::default(),
            between_pages: Vec::new(),
            unknown_ids_in_moves: UnknownIds::default(),
            org_unit_path_alone: PathAlone::default(),
            replication_lag_seconds: 0,
            commands: CommandSwitches::default(),
            domain_without_apis: BTreeSet::new(),
        }
    }
}

/// What a malformed query does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MalformedQuery {
    /// It matches every device: the dangerous truth that users of GAM reported.
    #[default]
    MatchEverything,
    /// 400.
    Refuse,
}

/// What an unknown id in a list of devices does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnknownIds {
    /// 404.
    #[default]
    Error,
    /// It is passed over in silence.
    Ignore,
}

/// What a path of an organisational unit without its id does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathAlone {
    /// The device moves.
    #[default]
    Accept,
    /// 400 `Inconsistent Orgunit id and path in request`, as some customers have had since 2021.
    Refuse,
}

/// Devices that come twice or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PageChaos {
    /// This many devices of earlier pages come again on every page but the first.
    pub duplicates_per_page: u32,
    /// This many devices are left out of every page.
    pub omissions_per_page: u32,
    /// Only for walks with `orderBy`.
    pub sorted_walks_only: bool,
    /// Which devices are hit.
    pub seed: u64,
}

/// A change that happens after a page was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BetweenPages {
    /// Only in walks of this customer; every customer if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// After the page with this number; after every page if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_page: Option<u32>,
    /// How often it may happen; without a limit if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens.
    pub change: BulkChange,
}

impl Switches {
    /// These switches with some replaced: objects are merged, lists and values replaced.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown switch or a value out of its range.
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, ControlError> {
        let mut value = serde_json::to_value(self).map_err(|error| ControlError::internal(&error))?;
        merge(&mut value, patch);
        let merged: Self =
            serde_json::from_value(value).map_err(|error| ControlError::invalid(error.to_string()))?;
        merged.check()?;
        Ok(merged)
    }

    fn check(&self) -> Result<(), ControlError> {
        if !(1..=1000).contains(&self.page_size_limit) {
            return Err(ControlError::invalid(
                "pageSizeLimit: 1 to 1000 (Google's sources name 100, 200 and 300)",
            ));
        }
        if self.reject_page_tokens > 2 {
            return Err(ControlError::invalid("rejectPageTokens: 0, 1 or 2"));
        }
        let longest = self
            .latency_per_page_milliseconds
            .max(self.latency_per_full_page_milliseconds);
        if longest > 600_000 {
            return Err(ControlError::invalid("latencies are at most 600000 milliseconds"));
        }
        if self.replication_lag_seconds > 604_800 {
            return Err(ControlError::invalid(
                "replicationLagSeconds: at most 604800 (a week)",
            ));
        }
        self.commands.check()?;
        self.between_pages.iter().try_for_each(|hook| hook.change.check())
    }
}

fn merge(target: &mut Value, patch: &Map<String, Value>) {
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        match (target.get_mut(name), value) {
            (Some(inner @ Value::Object(_)), Value::Object(patch)) => merge(inner, patch),
            (_, value) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(patch: &Value) -> Result<Switches, ControlError> {
        Switches::default().merged(patch.as_object().unwrap())
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let switches = merged(&json!({"pageSizeLimit": 300, "pageChaos": {"seed": 4}})).unwrap();
        assert_eq!((switches.page_size_limit, switches.page_chaos.seed), (300, 4));
        assert_eq!(switches.basic_projection, BasicProjection::Strict);
    }

    #[test]
    fn unknown_switches_and_bad_values_are_refused_with_what_is_allowed() {
        let text = merged(&json!({"pageSizeLimits": 3})).unwrap_err().to_string();
        assert!(
            text.contains("pageSizeLimits") && text.contains("pageSizeLimit`"),
            "{text}"
        );
        assert!(merged(&json!({"pageSizeLimit": 0})).is_err());
        assert!(merged(&json!({"pageChaos": {"sed": 1}})).is_err());
        assert!(merged(&json!({"rejectPageTokens": 3})).is_err());
        assert!(merged(&json!({"replicationLagSeconds": 604_801})).is_err());
        assert!(merged(&json!({"commands": {"failureRate": 2}})).is_err());
        assert!(merged(&json!({"commands": {"stuckAt": "EXPIRED"}})).is_err());
    }
}
