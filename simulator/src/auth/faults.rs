//! Faults of the token endpoint on request: the next matching requests are refused with a given error.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::token_error::{TokenError, TokenErrorKind};

/// A rule as it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// One of the known errors …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TokenErrorKind>,
    /// … or an HTTP status …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// … with the word of an error …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// … and its sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How often; none is until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Only requests with this `grant_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// Only requests for this account: the issuer or subject of an assertion, or the OAuth client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A rule in force.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Its number.
    pub id: u64,
    /// What was posted.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// How often it has struck.
    pub struck: u64,
}

/// A token request, as far as rules look at it.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestTraits {
    pub(super) grant_type: String,
    pub(super) accounts: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct FaultList {
    next_id: u64,
    faults: Vec<Fault>,
}

impl FaultRule {
    /// The answer of this rule.
    ///
    /// # Errors
    /// A sentence that says which field is wrong.
    pub(super) fn answer(&self) -> Result<TokenError, String> {
        match (self.kind, self.status, &self.error) {
            (Some(kind), None, None) => Ok(kind.into()),
            (None, Some(status), Some(error)) => {
                let status = StatusCode::from_u16(status)
                    .ok()
                    .filter(|status| status.is_client_error() || status.is_server_error())
                    .ok_or_else(|| format!("status {status} is not an HTTP error: use 400 to 599"))?;
                Ok(TokenError::new(
                    status,
                    error.clone(),
                    self.description.clone().unwrap_or_default(),
                ))
            }
            _ => Err("give either kind, or status and error together".to_owned()),
        }
    }

    fn matches(&self, request: &RequestTraits) -> bool {
        self.grant_type
            .as_ref()
            .is_none_or(|wanted| *wanted == request.grant_type)
            && self.account.as_ref().is_none_or(|wanted| {
                request
                    .accounts
                    .iter()
                    .any(|account| account.eq_ignore_ascii_case(wanted))
            })
    }
}

impl FaultList {
    /// Puts a rule in force.
    ///
    /// # Errors
    /// A sentence that says which field is wrong.
    pub(super) fn add(&mut self, rule: FaultRule) -> Result<Fault, String> {
        rule.answer()?;
        if rule.times == Some(0) {
            return Err("times must be at least 1; leave it out for a rule that stays".to_owned());
        }
        self.next_id += 1;
        let fault = Fault {
            id: self.next_id,
            rule,
            struck: 0,
        };
        self.faults.push(fault.clone());
        Ok(fault)
    }

    /// The rules in force, used-up ones among them.
    pub(super) fn list(&self) -> &[Fault] {
        &self.faults
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn remove(&mut self, id: u64) -> bool {
        let before = self.faults.len();
        self.faults.retain(|fault| fault.id != id);
        self.faults.len() < before
    }

    /// The refusal for this request, if a rule strikes.
    pub(super) fn strike(&mut self, request: &RequestTraits) -> Option<TokenError> {
        let fault = self.faults.iter_mut().find(|fault| {
            let left = fault
                .rule
                .times
                .is_none_or(|times| fault.struck < u64::from(times));
            left && fault.rule.matches(request)
        })?;
        fault.struck += 1;
        fault.rule.answer().ok()
    }
}
