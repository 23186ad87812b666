//! What the sign-in side is started with, and what may change while it runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::scopes;
use super::token_error::TokenErrorKind;

/// Settings of the sign-in side that hold for the life of the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSettings {
    /// Client ids are a function of this number and the customer. Keys are always new.
    pub seed: u64,
    /// The number of the first cloud project. Further customers get projects with the following numbers.
    pub project_number: u64,
    /// What every customer has delegated to its service account at the start.
    pub delegated_scopes: BTreeSet<String>,
    /// How many access tokens are remembered; the oldest is forgotten first.
    pub token_capacity: usize,
    /// What may change later.
    pub switches: AuthSwitches,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            project_number: 428_190_012_345,
            delegated_scopes: scopes::DELEGATED_AT_START
                .iter()
                .map(|&scope| scope.to_owned())
                .collect(),
            token_capacity: 50_000,
            switches: AuthSwitches::default(),
        }
    }
}

/// What `PATCH /sim/v1/auth/switches` changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuthSwitches {
    /// Google's clock minus this computer's, in seconds: with 600 a client's clock seems ten minutes slow.
    pub clock_skew_seconds: i64,
    /// Which clock ends access and refresh tokens.
    pub expire_tokens_by: ExpiryClock,
    /// Life of an access token in seconds.
    pub access_token_lifetime_seconds: u32,
    /// Life of a new refresh token in seconds; none is unlimited. A consent screen in testing has 604800.
    pub refresh_token_lifetime_seconds: Option<u32>,
    /// How the token endpoint refuses to act for a suspended account; none issues the token. No page of Google
    /// promises the text.
    pub suspended_subject: Option<TokenErrorKind>,
    /// What a call without subject gets if the service account holds no admin role: both were seen.
    pub without_subject: WithoutSubject,
    /// Use the older text of `unauthorized_client`.
    pub older_unauthorized_text: bool,
    /// What the consent page does.
    pub consent: ConsentSwitches,
}

impl Default for AuthSwitches {
    fn default() -> Self {
        Self {
            clock_skew_seconds: 0,
            expire_tokens_by: ExpiryClock::Wall,
            access_token_lifetime_seconds: 3599,
            refresh_token_lifetime_seconds: None,
            suspended_subject: Some(TokenErrorKind::UnknownSubject),
            without_subject: WithoutSubject::Forbidden,
            older_unauthorized_text: false,
            consent: ConsentSwitches::default(),
        }
    }
}

/// Which clock ends tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExpiryClock {
    /// The clock of this computer: a client that plans its refreshes by its own clock is right, whatever the
    /// simulated time does.
    Wall,
    /// The simulated clock: moving it forward by an hour ends every access token.
    Simulated,
}

/// What a service account that acts for nobody gets from the Directory API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WithoutSubject {
    /// 403 `forbidden`.
    Forbidden,
    /// 503 `backendError`.
    Unavailable,
}

/// How the consent page behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConsentSwitches {
    /// Who decides.
    pub mode: ConsentMode,
    /// Whose account is taken without a `login_hint`; none is the first administrator.
    pub account: Option<String>,
    /// Scopes that the person unticks.
    pub withheld_scopes: BTreeSet<String>,
}

/// Who decides on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConsentMode {
    /// The page sends the browser straight back with a code.
    #[default]
    Approve,
    /// The page sends the browser straight back with `access_denied`.
    Deny,
    /// The page asks: a person, or a browser under test, chooses the account and the scopes.
    Ask,
}
