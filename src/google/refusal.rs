//! What an error answer of the Directory API means.
//!
//! Google answers in several shapes: the classic one with `errors[]`, the newer one with `status` and
//! `details[]`, bare HTML or text from machines in front of the API. Sources: Directory API, "Troubleshoot
//! error codes" and "Limits and quotas"; AIP-193, "Errors".

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::errors::{GoogleError, Reason, one_line};
use super::http::Answer;

/// How long a spent day's quota is left alone when Google does not say. It comes back at midnight there.
const DAILY_PAUSE: Duration = Duration::from_hours(1);

/// How Google names that in answers that have no reason.
const DAILY_TEXT: &str = "Daily Limit Exceeded";

/// What was asked, as far as it decides what a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Many devices: a page, or their count.
    Devices,
    /// One device.
    Device,
    /// The org units.
    OrgUnits,
    /// A user.
    User,
}

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) method: &'static str,
    pub(super) subject: Subject,
    pub(super) page_token: Option<&'a str>,
    pub(super) query: Option<&'a str>,
}

/// An error answer, taken apart.
#[derive(Debug, Default)]
struct Refusal {
    status: u16,
    /// Whether Google's API itself wrote this, and not some machine in between.
    from_google: bool,
    /// `errors[].reason`, `status` and `details[].reason`, as far as they are there.
    words: Vec<String>,
    message: String,
    /// Name of the parameter at fault.
    location: Option<String>,
    lacks_scope: bool,
}

#[derive(Deserialize)]
struct Envelope {
    error: Option<Value>,
}

/// Whether the answer is written by Google's API, so that what it says about existence may be believed.
pub(super) fn is_from_google(answer: &Answer) -> bool {
    Refusal::of(answer).from_google
}

/// The error that an answer other than success means.
pub(super) fn judge(answer: &Answer, asked: Asked<'_>) -> GoogleError {
    let refusal = Refusal::of(answer);
    let reason = refusal.reason(asked);
    let daily = reason == Reason::QuotaExhausted
        && (refusal.says(&["dailyLimitExceeded"]) || refusal.mentions(DAILY_TEXT));
    let retry_after = answer.retry_after.or(daily.then_some(DAILY_PAUSE));
    GoogleError {
        method: asked.method,
        http_status: Some(refusal.status),
        reason,
        google_message: one_line(&refusal.message),
        retry_after,
    }
}

impl Refusal {
    fn of(answer: &Answer) -> Self {
        let envelope = serde_json::from_slice::<Envelope>(&answer.body).ok();
        let error = envelope.and_then(|envelope| envelope.error);
        let mut refusal = error.filter(Value::is_object).map_or_else(
            || Self {
                message: answer.beginning(),
                ..Self::default()
            },
            |error| Self::structured(&error),
        );
        let challenge = answer.authenticate.as_deref().unwrap_or_default();
        refusal.lacks_scope = challenge.contains("insufficient_scope");
        refusal.status = answer.status.as_u16();
        refusal
    }

    fn structured(error: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let items = |key: &str| error[key].as_array().into_iter().flatten();
        let mut words: Vec<String> = items("errors").filter_map(|item| text(&item["reason"])).collect();
        words.extend(text(&error["status"]));
        words.extend(items("details").filter_map(|item| text(&item["reason"])));
        let first_message = || items("errors").find_map(|item| text(&item["message"]));
        let message = text(&error["message"]).or_else(first_message).unwrap_or_default();
        Self {
            status: 0,
            // A proxy may answer JSON with an `error` too; Google's always tells a code or a reason.
            from_google: error["code"].is_number() || !words.is_empty(),
            words,
            message,
            location: items("errors").find_map(|item| text(&item["location"])),
            lacks_scope: false,
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        self.words.iter().any(|word| words.contains(&word.as_str()))
    }

    fn mentions(&self, text: &str) -> bool {
        self.message
            .to_ascii_lowercase()
            .contains(&text.to_ascii_lowercase())
    }

    fn reason(&self, asked: Asked<'_>) -> Reason {
        if let Some(reason) = self.reason_at_any_status() {
            return reason;
        }
        match self.status {
            400 if self.from_google => self.bad_request(asked),
            401 if self.from_google => Reason::CredentialRevoked,
            403 if self.from_google => Reason::PrivilegeMissing,
            404 if self.from_google => self.not_found(asked),
            409 => Reason::Conflict,
            412 if self.from_google => Reason::ConditionNotMet,
            429 => Reason::QuotaExhausted,
            408 | 500.. => Reason::GoogleUnavailable,
            400..=499 if self.from_google => Reason::RequestInvalid,
            _ => Reason::UnexpectedAnswer,
        }
    }

    /// Words and texts that mean the same whatever the HTTP status is.
    fn reason_at_any_status(&self) -> Option<Reason> {
        if self.says(&[
            "userRateLimitExceeded",
            "rateLimitExceeded",
            "sharingRateLimitExceeded",
            "quotaExceeded",
            "dailyLimitExceeded",
            "RATE_LIMIT_EXCEEDED",
            "RESOURCE_EXHAUSTED",
        ]) || self.mentions("Request rate higher than configured")
            || self.mentions("Quota exceeded for")
            || self.mentions(DAILY_TEXT)
        {
            return Some(Reason::QuotaExhausted);
        }
        if self.says(&["accessNotConfigured", "SERVICE_DISABLED"])
            || self.mentions("has not been used in project")
        {
            return Some(Reason::ApiDisabled);
        }
        if self.says(&["domainCannotUseApis"]) || self.mentions("Domain cannot use apis") {
            return Some(Reason::DomainApiAccessDisabled);
        }
        if self.says(&["insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"])
            || self.lacks_scope
            || self.mentions("insufficient authentication scopes")
        {
            return Some(Reason::ScopeMissing);
        }
        let broken = [
            "backendError",
            "internalError",
            "transientError",
            "badGateway",
            "gatewayTimeout",
        ];
        self.says(&broken).then_some(Reason::GoogleUnavailable)
    }

    fn bad_request(&self, asked: Asked<'_>) -> Reason {
        if let Some((min, max)) = self.range()
            && self
                .location
                .as_deref()
                .is_none_or(|location| location == "maxResults")
        {
            return Reason::PageSizeRange { min, max };
        }
        if self.mentions("INVALID_OU_ID") {
            return Reason::OrgUnitNotFound;
        }
        if self.mentions("CustomerId is not present") {
            return Reason::CustomerNotFound;
        }
        let at = |name: &str| self.location.as_deref() == Some(name);
        if let Some(token) = asked.page_token
            && (self.message.trim_end().ends_with(token) || at("pageToken"))
        {
            return Reason::PageTokenRejected;
        }
        if asked.query.is_some_and(|query| self.message.contains(query)) || at("query") || at("filter") {
            return Reason::InvalidQuery;
        }
        Reason::RequestInvalid
    }

    fn not_found(&self, asked: Asked<'_>) -> Reason {
        match asked.subject {
            Subject::User => Reason::AccountNotFound,
            // A bare text means the customer: reading it as one missing device would remove that device.
            Subject::Device if self.message.trim().trim_end_matches('.') == "Not Found" => {
                Reason::CustomerNotFound
            }
            // A device is only gone when Google says so in its own words.
            Subject::Device if self.says(&["notFound", "NOT_FOUND"]) => Reason::NotFound,
            Subject::Device => Reason::UnexpectedAnswer,
            Subject::Devices | Subject::OrgUnits if self.mentions("org unit") => Reason::OrgUnitNotFound,
            Subject::Devices | Subject::OrgUnits => Reason::CustomerNotFound,
        }
    }

    /// Reads `… within the range: [1, 200]`.
    fn range(&self) -> Option<(u32, u32)> {
        let (_, rest) = self.message.split_once("within the range: [")?;
        let (range, _) = rest.split_once(']')?;
        let (min, max) = range.split_once(',')?;
        let (min, max) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
        (1 <= max && min <= max).then_some((min, max))
    }
}

/// Whether the answer says that the token is no good, so that a new one may help.
pub(super) fn wants_new_token(answer: &Answer) -> bool {
    let challenged = answer
        .authenticate
        .as_deref()
        .is_some_and(|challenge| challenge.starts_with("Bearer"));
    answer.status == StatusCode::UNAUTHORIZED && (challenged || is_from_google(answer))
}

#[cfg(test)]
mod tests;
