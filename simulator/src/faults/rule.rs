//! Fault rules as they are posted to `/sim/v1/faults`.

use regex::Regex;
use serde::{Deserialize, Serialize};

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
    /// The request is carried out first and only its answer is lost or replaced.
    #[serde(default)]
    pub takes_effect: bool,
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
            takes_effect: false,
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

    pub(super) fn check(&self) -> Result<Option<Regex>, ControlError> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(ControlError::invalid("rate: 0 to 1"));
        }
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

/// What goes wrong.
// Variants have braces even without fields: only then does serde refuse unknown fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// 401 `authError`.
    Unauthorized {},
    /// 403 with a reason.
    Forbidden {
        /// Which one.
        #[serde(default)]
        reason: ForbiddenReason,
    },
    /// 404 `notFound`.
    NotFound {},
    /// 412 `conditionNotMet`.
    ConditionNotMet {
        /// The text; `Illegal device state transition.` if it is left out.
        #[serde(default)]
        message: Option<String>,
    },
    /// 429 `rateLimitExceeded`.
    TooManyRequests {
        /// `Retry-After` in seconds; Google documents none.
        #[serde(default)]
        retry_after_seconds: Option<u32>,
    },
    /// 500 `backendError`.
    Internal {},
    /// 502 as an HTML page.
    BadGateway {},
    /// 503 `backendError`.
    Unavailable {
        /// `Retry-After` in seconds; Google documents none.
        #[serde(default)]
        retry_after_seconds: Option<u32>,
    },
    /// 504.
    GatewayTimeout {},
    /// The TCP connection is reset before an answer.
    ConnectionReset {},
    /// The answer ends in the middle: `Content-Length` promises more than comes before the connection closes.
    TruncatedBody {
        /// How much of the body is sent, 0 to 99 percent.
        #[serde(default = "half")]
        keep_percent: u8,
    },
    /// The answer trickles.
    SlowBody {
        /// Bytes per step.
        #[serde(default = "slow_chunk")]
        chunk_bytes: u32,
        /// Real milliseconds between the steps.
        #[serde(default = "slow_delay")]
        delay_milliseconds: u64,
    },
    /// The request waits before it is carried out.
    Delay {
        /// Real milliseconds.
        milliseconds: u64,
    },
    /// 200 with a body that is not JSON.
    InvalidJson {},
    /// 400 `Invalid Input: <token>` for the page token that was sent.
    PageTokenRejected {},
    /// 503 as for a walk older than an hour.
    PageTokenExpired {},
    /// Any answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        #[serde(default = "json_type")]
        content_type: String,
        /// The body.
        #[serde(default)]
        body: String,
    },
}

impl Fault {
    fn check(&self) -> Result<(), ControlError> {
        match self {
            Self::TruncatedBody { keep_percent } if *keep_percent > 99 => {
                Err(ControlError::invalid("keepPercent: 0 to 99"))
            }
            Self::SlowBody { chunk_bytes: 0, .. } => Err(ControlError::invalid("chunkBytes: at least 1")),
            Self::Delay { milliseconds }
            | Self::SlowBody {
                delay_milliseconds: milliseconds,
                ..
            } if *milliseconds > 3_600_000 => {
                Err(ControlError::invalid("delays are at most 3600000 milliseconds"))
            }
            Self::Answer {
                status, content_type, ..
            } => {
                let valid = (200..=599).contains(status) && http::HeaderValue::from_str(content_type).is_ok();
                if valid {
                    Ok(())
                } else {
                    Err(ControlError::invalid(
                        "status: 200 to 599; contentType: a header value",
                    ))
                }
            }
            Self::Unauthorized {}
            | Self::Forbidden { .. }
            | Self::NotFound {}
            | Self::ConditionNotMet { .. }
            | Self::TooManyRequests { .. }
            | Self::Internal {}
            | Self::BadGateway {}
            | Self::Unavailable { .. }
            | Self::GatewayTimeout {}
            | Self::ConnectionReset {}
            | Self::TruncatedBody { .. }
            | Self::SlowBody { .. }
            | Self::Delay { .. }
            | Self::InvalidJson {}
            | Self::PageTokenRejected {}
            | Self::PageTokenExpired {} => Ok(()),
        }
    }
}

const fn half() -> u8 {
    50
}

const fn slow_chunk() -> u32 {
    1024
}

const fn slow_delay() -> u64 {
    100
}

fn json_type() -> String {
    "application/json; charset=UTF-8".to_owned()
}

/// `errors[0].reason` of a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ForbiddenReason {
    /// No privilege, or another customer.
    #[default]
    Forbidden,
    /// Scopes are missing.
    InsufficientPermissions,
    /// The API is off in the project.
    AccessNotConfigured,
    /// The domain has switched off API access.
    DomainCannotUseApis,
    /// Quota per user.
    UserRateLimitExceeded,
    /// Quota per user, in other words.
    RateLimitExceeded,
    /// Too many at the same time.
    QuotaExceeded,
    /// Daily quota.
    DailyLimitExceeded,
}
