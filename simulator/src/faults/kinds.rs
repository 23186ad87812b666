//! The kinds of faults.

use serde::{Deserialize, Serialize};

use super::rule::Effect;
use crate::api::methods::ApiMethod;
use crate::control::error::ControlError;

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
    /// The connection is closed before the body of the request is read.
    ConnectionClosed {},
    /// No answer, until the client gives up.
    Hang {},
    /// 200 with a body that is not JSON.
    InvalidJson {},
    /// The real answer without what was asked for: the `commandId` of `issueCommand`, the rows of
    /// `batchChangeStatus` (those of the devices that the rule names, or all).
    IncompleteAnswer {},
    /// `batchChangeStatus` answers 200, and the rows (those of the devices that the rule names, or all) hold this
    /// error. All other rows are carried out.
    RowError {
        /// `google.rpc.Code`, 1 to 16.
        code: i32,
        /// The text; `Internal error encountered.` if it is left out.
        #[serde(default)]
        message: Option<String>,
    },
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
    /// Whether it gives the real answer or a part of it, so that the call has to be made.
    pub(super) const fn gives_real_answer(&self) -> bool {
        matches!(
            self,
            Self::TruncatedBody { .. }
                | Self::SlowBody { .. }
                | Self::Delay { .. }
                | Self::IncompleteAnswer {}
                | Self::RowError { .. }
        )
    }

    /// What becomes of the call if the rule does not say so: a call whose answer is given takes effect, one that
    /// is refused does not, nor does a row that is told to have failed.
    pub(super) const fn usual_effect(&self) -> Effect {
        if self.gives_real_answer() && !matches!(self, Self::RowError { .. }) {
            Effect::Now
        } else {
            Effect::None
        }
    }

    /// Whether it makes sense for a call of this method.
    pub(super) fn suits(&self, api: Option<ApiMethod>) -> bool {
        let has_rows = api == Some(ApiMethod::BatchChangeStatus);
        if matches!(self, Self::RowError { .. }) {
            has_rows
        } else if matches!(self, Self::IncompleteAnswer {}) {
            has_rows || api == Some(ApiMethod::IssueCommand)
        } else {
            true
        }
    }

    pub(super) fn check(&self) -> Result<(), ControlError> {
        match self {
            Self::TruncatedBody { keep_percent } if *keep_percent > 99 => {
                Err(ControlError::invalid("keepPercent: 0 to 99"))
            }
            Self::SlowBody { chunk_bytes: 0, .. } => Err(ControlError::invalid("chunkBytes: at least 1")),
            Self::RowError { code, .. } if !(1..=16).contains(code) => Err(ControlError::invalid(
                "code: a google.rpc.Code from 1 to 16, for example 9 (failed precondition) or 14 (unavailable)",
            )),
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
            | Self::ConnectionClosed {}
            | Self::Hang {}
            | Self::TruncatedBody { .. }
            | Self::SlowBody { .. }
            | Self::Delay { .. }
            | Self::InvalidJson {}
            | Self::IncompleteAnswer {}
            | Self::RowError { .. }
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
