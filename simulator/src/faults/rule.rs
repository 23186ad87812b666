//! Fault rules as they are posted to `/sim/v1/faults`.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::kinds::Fault;
use super::orders::When;
use crate::api::methods::ApiMethod;
use crate::api_error::ErrorShape;
use crate::control::error::ControlError;

/// A rule: what it is about, what happens, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// Which requests; every request that is not for the control API if it is empty.
    #[serde(default, rename = "match")]
    pub matches: FaultMatch,
    /// What happens to them.
    pub fault: Fault,
    /// How often it strikes; without a limit if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The share of matching requests that it strikes, 0 to 1.
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub rate: f64,
    /// Which of them, if the rate is below 1.
    #[serde(default)]
    pub seed: u64,
    /// So many matching requests pass first.
    #[serde(default)]
    pub after_skip: u64,
    /// When it is in force; from now on and without end if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<FaultWindow>,
    /// What becomes of the call itself; see [`Effect`]. If it is left out, a fault that gives the real answer or
    /// a part of it lets the call take effect, and any other does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Simulated seconds until a late effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_seconds: Option<u32>,
    /// The shape of an error body.
    #[serde(default)]
    pub shape: ErrorShape,
}

impl FaultRule {
    /// A rule that strikes every request of one method.
    #[must_use]
    pub fn on(api: ApiMethod, fault: Fault) -> Self {
        Self {
            matches: FaultMatch {
                api: Some(api),
                ..FaultMatch::default()
            },
            ..Self::everywhere(fault)
        }
    }

    /// A rule that strikes every request.
    #[must_use]
    pub fn everywhere(fault: Fault) -> Self {
        Self {
            matches: FaultMatch::default(),
            fault,
            count: None,
            rate: always(),
            seed: 0,
            after_skip: 0,
            window: None,
            effect: None,
            late_seconds: None,
            shape: ErrorShape::Natural,
        }
    }

    /// The same rule, striking at most so often.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// The same rule, only for this page of a walk (the first is 1).
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.matches.page = Some(page);
        self
    }

    /// The same rule, only for requests about one of these devices.
    #[must_use]
    pub fn about(mut self, device_ids: Vec<String>) -> Self {
        self.matches.devices = device_ids;
        self
    }

    /// The same rule; the call takes effect now although the answer says or lacks something else.
    #[must_use]
    pub fn taking_effect(mut self) -> Self {
        (self.effect, self.late_seconds) = (Some(Effect::Now), None);
        self
    }

    /// The same rule; the call never takes effect, not even if its real answer is given.
    #[must_use]
    pub fn without_effect(mut self) -> Self {
        (self.effect, self.late_seconds) = (Some(Effect::None), None);
        self
    }

    /// The same rule; the call takes effect so many simulated seconds later.
    #[must_use]
    pub fn late(mut self, seconds: u32) -> Self {
        (self.effect, self.late_seconds) = (Some(Effect::Late), Some(seconds));
        self
    }

    /// When a call that is struck takes effect.
    pub(super) fn when(&self) -> When {
        match self.effect.unwrap_or(self.fault.usual_effect()) {
            Effect::None => When::Never,
            Effect::Now => When::Now,
            Effect::Late => When::Later(self.late_seconds.unwrap_or(0)),
        }
    }

    fn check_effect(&self) -> Result<(), ControlError> {
        match (self.effect, self.late_seconds) {
            (Some(Effect::Late), None) => {
                return Err(ControlError::invalid(
                    "effect: late needs lateSeconds, the simulated seconds until the effect",
                ));
            }
            (Some(Effect::None | Effect::Now) | None, Some(_)) => {
                return Err(ControlError::invalid("lateSeconds: only with effect late"));
            }
            (Some(Effect::Late), Some(_)) | (Some(Effect::None | Effect::Now) | None, None) => {}
        }
        let unread = self.fault == Fault::ConnectionClosed {};
        if unread && matches!(self.effect, Some(Effect::Now | Effect::Late)) {
            return Err(ControlError::invalid(
                "effect: a request whose body is never read takes no effect; use connectionReset",
            ));
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<Option<Regex>, ControlError> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(ControlError::invalid("rate: 0 to 1"));
        }
        self.check_effect()?;
        if let Some(window) = self.window
            && window
                .until_seconds
                .is_some_and(|until| until < window.from_seconds)
        {
            return Err(ControlError::invalid(
                "window: untilSeconds must not be before fromSeconds",
            ));
        }
        self.fault.check()?;
        let expression = self.matches.path.as_deref().map(Regex::new).transpose();
        expression
            .map_err(|error| ControlError::invalid(format!("match.path is no regular expression: {error}")))
    }
}

const fn always() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_always(rate: &f64) -> bool {
    *rate >= 1.0
}

/// What becomes of a call that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// Nothing. If the fault gives the real answer, it is the answer that the call would have had.
    None,
    /// It takes effect, and then the fault takes the place of its answer.
    Now,
    /// The fault's answer is given now, and the call takes effect later, if it is still possible then. Only
    /// changes of devices and commands can be late; any other call takes effect now.
    Late,
}

/// Which requests a rule is about; every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FaultMatch {
    /// HTTP method (`GET`, `POST` …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// A regular expression that is found in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A method of the Directory API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiMethod>,
    /// The customer (`C0…`) of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A page of a device list; the first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Ids of devices: requests with one of them in the path, or in `deviceIds` of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
}

/// When a rule is in force, in simulated seconds after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultWindow {
    /// First second.
    #[serde(default)]
    pub from_seconds: i64,
    /// Last second; without end if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_seconds: Option<i64>,
}
