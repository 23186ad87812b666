//! What can be wrong with a connection: one reason for programs, one sentence with the remedy for people.

use crate::api::connection::ChromeEnterpriseConnection;
use crate::google::{CredentialError, ErrorClass, GoogleError, Reason};

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// CamelCase reason of the condition.
    pub(crate) reason: &'static str,
    /// Sentence with the remedy. Never holds what changes from try to try: that would be a new status each time.
    pub(crate) message: String,
    /// Whether a person has to act. Otherwise trying again may heal it.
    pub(crate) needs_a_person: bool,
}

impl Problem {
    /// Something that a person has to repair.
    pub(crate) fn stalled(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            needs_a_person: true,
        }
    }

    /// Something that may heal by itself.
    pub(crate) fn passing(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            needs_a_person: false,
        }
    }
}

/// The problem behind a refusal or silence of Google.
pub(crate) fn of_google(
    error: &GoogleError,
    connection: &ChromeEnterpriseConnection,
    client_id: Option<&str>,
    scopes: &[&str],
) -> Problem {
    let message = match &error.reason {
        Reason::DelegationMissing { missing_scopes } => delegation_message(missing_scopes, client_id, scopes),
        Reason::AccountNotFound
        | Reason::AccountSuspended
        | Reason::AccountNotAdmin
        | Reason::PrivilegeMissing => {
            format!(
                "{} (account: {})",
                error.reason.explanation(),
                connection.spec.admin_email
            )
        }
        Reason::CustomerNotFound => format!(
            "{} (customer ID: {})",
            error.reason.explanation(),
            connection.spec.customer_id
        ),
        Reason::OrgUnitNotFound => format!(
            "{} (spec.sync.orgUnitPath: {})",
            error.reason.explanation(),
            connection.spec.sync.org_unit_path
        ),
        Reason::InvalidQuery => format!(
            "{} (spec.sync.query: {})",
            error.reason.explanation(),
            connection.spec.sync.query.as_deref().unwrap_or_default()
        ),
        Reason::CredentialRevoked
        | Reason::KeyInvalid
        | Reason::AccessBlocked
        | Reason::ScopeMissing
        | Reason::ApiDisabled
        | Reason::DomainApiAccessDisabled
        | Reason::NotFound
        | Reason::PageSizeRange { .. }
        | Reason::PageTokenRejected
        | Reason::PageTokenExpired
        | Reason::RequestInvalid
        | Reason::ConditionNotMet
        | Reason::Conflict
        | Reason::QuotaExhausted
        | Reason::ClockSkew
        | Reason::GoogleUnavailable
        | Reason::NetworkUnreachable
        | Reason::ConnectionLost
        | Reason::UnexpectedAnswer => error.reason.explanation().to_owned(),
    };
    let needs_a_person = match error.class() {
        ErrorClass::Terminal { .. } => true,
        ErrorClass::Transient | ErrorClass::Throttled { .. } | ErrorClass::Conflict => false,
    };
    Problem {
        reason: error.reason.name(),
        message,
        needs_a_person,
    }
}

/// Everything that a super admin has to paste, in one sentence.
fn delegation_message(missing: &[&'static str], client_id: Option<&str>, scopes: &[&str]) -> String {
    let client = client_id.unwrap_or("of the service account");
    let found = if missing.is_empty() || missing.len() == scopes.len() {
        "Google does not let the service account act for this customer.".to_owned()
    } else {
        format!(
            "Google does not grant these scopes to the service account: {}.",
            missing.join(",")
        )
    };
    format!(
        "{found} In the Admin console open Security > Access and data control > API controls > Domain-wide delegation, and give the client ID {client} \
         exactly these scopes: {}. Google can take up to 24 hours to apply it; the operator keeps trying.",
        scopes.join(",")
    )
}

/// The problem behind a key file that cannot be used.
pub(crate) fn of_key(secret: &str, key: &str, error: &CredentialError) -> Problem {
    Problem::stalled(
        "SecretInvalid",
        format!(
            "Key {key} of Secret {secret} is not a service account key: {error}. Put the JSON file into it as Google Cloud made it."
        ),
    )
}
