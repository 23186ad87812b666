//! The fault rules in force, and which request they strike.

use std::sync::{Mutex, MutexGuard, PoisonError};

use regex::Regex;
use serde::Serialize;

use super::kinds::Fault;
use super::orders::{Orders, RowOrders, When, means};
use super::rule::FaultRule;
use crate::api::methods::ApiMethod;
use crate::api_error::ErrorShape;
use crate::control::error::ControlError;
use crate::random::Draw;

/// More rules than a test can mean.
const MAXIMUM_RULES: usize = 1000;

/// A rule in force, as `GET /sim/v1/faults` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultReport {
    /// The number under which it can be deleted.
    pub id: u64,
    /// The rule.
    pub rule: FaultRule,
    /// How many requests were meant.
    pub matched: u64,
    /// How many requests it has struck.
    pub struck: u64,
}

/// What rules look at.
#[derive(Debug)]
pub(super) struct RequestFacts<'a> {
    pub(super) verb: &'a str,
    pub(super) path: &'a str,
    pub(super) api: Option<ApiMethod>,
    pub(super) page: Option<u32>,
    /// The devices that the path or the body names.
    pub(super) devices: &'a [String],
    /// Simulated seconds since 1970.
    pub(super) now: i64,
}

/// The rule that struck.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Strike {
    pub(super) id: u64,
    pub(super) fault: Fault,
    pub(super) when: When,
    pub(super) shape: ErrorShape,
    /// The devices that the rule names.
    pub(super) devices: Vec<String>,
}

impl Strike {
    /// Whether the call is made at all.
    pub(super) fn makes_the_call(&self) -> bool {
        self.fault.gives_real_answer() || self.when != When::Never
    }

    /// What the method is told that the call asks for.
    pub(super) fn orders(&self) -> Orders {
        let Fault::RowError { code, message } = &self.fault else {
            return Orders {
                when: self.when,
                rows: None,
            };
        };
        Orders {
            when: When::Now,
            rows: Some(RowOrders {
                devices: self.devices.clone(),
                code: *code,
                message: message
                    .clone()
                    .unwrap_or_else(|| "Internal error encountered.".to_owned()),
                when: self.when,
            }),
        }
    }
}

#[derive(Debug)]
struct Entry {
    report: FaultReport,
    path: Option<Regex>,
    made: i64,
}

/// All rules, oldest first; the first that strikes decides.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    entries: Vec<Entry>,
}

impl FaultBook {
    /// Adds a rule at this time (simulated seconds since 1970) and returns its number.
    pub(crate) fn add(&self, rule: FaultRule, now: i64) -> Result<u64, ControlError> {
        let path = rule.check()?;
        let mut inner = self.lock();
        if inner.entries.len() >= MAXIMUM_RULES {
            return Err(ControlError::invalid(format!(
                "there are {MAXIMUM_RULES} rules already; delete some first"
            )));
        }
        inner.last_id += 1;
        let id = inner.last_id;
        inner.entries.push(Entry {
            report: FaultReport {
                id,
                rule,
                matched: 0,
                struck: 0,
            },
            path,
            made: now,
        });
        Ok(id)
    }

    pub(crate) fn list(&self) -> Vec<FaultReport> {
        self.lock()
            .entries
            .iter()
            .map(|entry| entry.report.clone())
            .collect()
    }

    /// Removes a rule; false if there is none with this number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let before = inner.entries.len();
        inner.entries.retain(|entry| entry.report.id != id);
        inner.entries.len() < before
    }

    pub(crate) fn clear(&self) {
        self.lock().entries.clear();
    }

    /// Whether some rule wants to know which devices a request is about.
    pub(super) fn asks_for_devices(&self) -> bool {
        let inner = self.lock();
        inner
            .entries
            .iter()
            .any(|entry| !entry.report.rule.matches.devices.is_empty())
    }

    /// The rule that strikes this request. `tenant` is asked only if a rule wants to know the customer.
    pub(super) fn strike(
        &self,
        facts: &RequestFacts<'_>,
        tenant: impl Fn() -> Option<String>,
    ) -> Option<Strike> {
        let mut inner = self.lock();
        inner
            .entries
            .iter_mut()
            .find_map(|entry| entry.strike(facts, &tenant))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn strike(&mut self, facts: &RequestFacts<'_>, tenant: &impl Fn() -> Option<String>) -> Option<Strike> {
        if !self.matches(facts, tenant) {
            return None;
        }
        let report = &mut self.report;
        report.matched += 1;
        let rule = &report.rule;
        let used_up = rule.count.is_some_and(|count| report.struck >= count);
        if report.matched <= rule.after_skip || used_up || !is_drawn(rule, report.matched) {
            return None;
        }
        report.struck += 1;
        Some(Strike {
            id: report.id,
            fault: rule.fault.clone(),
            when: rule.when(),
            shape: rule.shape,
            devices: rule.matches.devices.clone(),
        })
    }

    fn matches(&self, facts: &RequestFacts<'_>, tenant: &impl Fn() -> Option<String>) -> bool {
        let rule = &self.report.rule;
        let wanted = &rule.matches;
        let age = facts.now - self.made;
        rule.window.is_none_or(|window| {
            age >= window.from_seconds && window.until_seconds.is_none_or(|until| age <= until)
        }) && wanted
            .verb
            .as_deref()
            .is_none_or(|verb| verb.eq_ignore_ascii_case(facts.verb))
            && wanted.api.is_none_or(|api| facts.api == Some(api))
            && wanted.page.is_none_or(|page| facts.page == Some(page))
            && rule.fault.suits(facts.api)
            && (wanted.devices.is_empty()
                || facts.devices.iter().any(|device| means(&wanted.devices, device)))
            && self.path.as_ref().is_none_or(|path| path.is_match(facts.path))
            && wanted
                .tenant
                .as_deref()
                .is_none_or(|wanted| tenant().is_some_and(|tenant| tenant.eq_ignore_ascii_case(wanted)))
    }
}

/// Draws from the seed and the number of the matching request, so that a run can be repeated.
fn is_drawn(rule: &FaultRule, matched: u64) -> bool {
    rule.rate >= 1.0 || Draw::new(rule.seed).of("rate").at(matched).share() < rule.rate
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(page: u32) -> RequestFacts<'static> {
        RequestFacts {
            verb: "GET",
            path: "/admin/directory/v1/customer/C0a/devices/chromeos",
            api: Some(ApiMethod::DevicesList),
            page: Some(page),
            devices: &[],
            now: 100,
        }
    }

    fn struck(rule: serde_json::Value, requests: &[RequestFacts<'_>]) -> Vec<bool> {
        let book = FaultBook::default();
        book.add(serde_json::from_value(rule).unwrap(), 100).unwrap();
        requests
            .iter()
            .map(|facts| book.strike(facts, || Some("C0a".to_owned())).is_some())
            .collect()
    }

    #[test]
    fn skipping_and_counting() {
        let rule = json!({"fault": {"kind": "internal"}, "afterSkip": 1, "count": 2});
        let requests = [facts(1), facts(1), facts(1), facts(1)];
        assert_eq!(struck(rule, &requests), [false, true, true, false]);
    }

    #[test]
    fn every_condition_must_hold() {
        let internal = json!({"kind": "internal"});
        for (matches, expected) in [
            (
                json!({"verb": "get", "path": "devices/chromeos$", "page": 2, "tenant": "c0A"}),
                true,
            ),
            (json!({"api": "directory.chromeosdevices.list"}), true),
            (json!({"api": "directory.chromeosdevices.get"}), false),
            (json!({"verb": "POST"}), false),
            (json!({"path": "^/token$"}), false),
            (json!({"page": 3}), false),
            (json!({"tenant": "C0b"}), false),
        ] {
            let rule = json!({"match": matches, "fault": internal});
            assert_eq!(struck(rule, &[facts(2)]), [expected], "{matches}");
        }
    }

    #[test]
    fn a_window_opens_and_closes() {
        let rule = json!({"fault": {"kind": "internal"}, "window": {"fromSeconds": 10, "untilSeconds": 20}});
        let at = |now| RequestFacts { now, ..facts(1) };
        assert_eq!(
            struck(rule, &[at(109), at(110), at(120), at(121)]),
            [false, true, true, false]
        );
    }

    #[test]
    fn a_rate_strikes_its_share_and_can_be_repeated() {
        let requests: Vec<RequestFacts<'_>> = (0..1000).map(|_| facts(1)).collect();
        let rule = json!({"fault": {"kind": "internal"}, "rate": 0.2, "seed": 5});
        let first = struck(rule.clone(), &requests);
        let count = first.iter().filter(|struck| **struck).count();
        assert!((150..250).contains(&count), "{count}");
        assert_eq!(first, struck(rule, &requests));
    }

    #[test]
    fn bad_rules_are_refused() {
        for rule in [
            json!({"fault": {"kind": "internal", "extra": 1}}),
            json!({"fault": {"kind": "nothing"}}),
            json!({"fault": {"kind": "internal"}, "counts": 1}),
            json!({"match": {"method": "GET"}, "fault": {"kind": "internal"}}),
        ] {
            assert!(
                serde_json::from_value::<FaultRule>(rule.clone()).is_err(),
                "{rule}"
            );
        }
        for rule in [
            json!({"fault": {"kind": "internal"}, "rate": 2.0}),
            json!({"fault": {"kind": "truncatedBody", "keepPercent": 100}}),
            json!({"match": {"path": "("}, "fault": {"kind": "internal"}}),
            json!({"fault": {"kind": "answer", "status": 99}}),
        ] {
            let parsed = serde_json::from_value::<FaultRule>(rule.clone()).unwrap();
            assert!(FaultBook::default().add(parsed, 0).is_err(), "{rule}");
        }
    }
}
