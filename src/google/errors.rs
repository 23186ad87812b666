//! What a failed exchange with Google is reported as.

use std::fmt;
use std::time::Duration;

use super::class::ErrorClass;

/// Longest message of Google that is kept, in characters.
pub(super) const MESSAGE_LIMIT: usize = 300;

/// Why an exchange with Google failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The service account is not authorised for the customer, or not for these scopes.
    DelegationMissing {
        /// The scopes that Google refuses even when they are asked for alone. Empty when nobody probed them
        /// ([`DirectoryClient::verify`](super::DirectoryClient::verify) does), or when each is granted alone
        /// and only the set is refused, which happens while Google spreads a new delegation.
        missing_scopes: Vec<&'static str>,
    },
    /// Google no longer accepts the key, the consent, the token or the service account.
    CredentialRevoked,
    /// The admin did not grant everything that is needed.
    ConsentIncomplete {
        /// What was not granted.
        missing_scopes: Vec<&'static str>,
    },
    /// The consent was given by another account than the one that is named.
    AccountMismatch {
        /// The account that gave it, if Google told it.
        signed_in_as: Option<String>,
    },
    /// The identity that the operator runs as cannot be had.
    IdentityUnavailable,
    /// The identity that the operator runs as may not sign for the service account.
    SigningForbidden,
    /// The operator may not sign in for this customer.
    KeylessNotAllowed,
    /// The private key cannot sign.
    KeyInvalid,
    /// Google knows no such admin account.
    AccountNotFound,
    /// The admin account is suspended or archived.
    AccountSuspended,
    /// The account exists but is no administrator.
    AccountNotAdmin,
    /// Somebody's policy keeps this program from using the account.
    AccessBlocked,
    /// The admin account lacks a privilege of the Admin console, or belongs to another customer.
    PrivilegeMissing,
    /// The token does not carry the scope that the call needs.
    ScopeMissing,
    /// The Admin SDK API is switched off in the project of the credential.
    ApiDisabled,
    /// The customer has switched off API access for its domain.
    DomainApiAccessDisabled,
    /// Google knows no such customer.
    CustomerNotFound,
    /// Google knows no such org unit.
    OrgUnitNotFound,
    /// Google knows no such object.
    NotFound,
    /// Google does not accept the device query.
    InvalidQuery,
    /// Google accepts only this many rows in a page.
    PageSizeRange {
        /// Fewest rows.
        min: u32,
        /// Most rows.
        max: u32,
    },
    /// Google keeps refusing its own page token: the walk starts again.
    PageTokenRejected,
    /// The walk has lasted longer than Google serves its page tokens: it starts again, in smaller parts.
    PageTokenExpired,
    /// Google does not accept the request for another reason.
    RequestInvalid,
    /// The object is not in a state that allows this.
    ConditionNotMet,
    /// Somebody else changed the object at the same time.
    Conflict,
    /// The quota of the account or of the project is used up.
    QuotaExhausted,
    /// The clock of this machine is wrong: Google refuses what it signed.
    ClockSkew,
    /// Google answered that it cannot answer.
    GoogleUnavailable,
    /// No connection could be made, so surely nothing was sent.
    NetworkUnreachable,
    /// The connection broke, or no answer came in time, when the request may have been sent already.
    ConnectionLost,
    /// Something answered that does not speak like Google: a proxy's page, or a damaged answer.
    UnexpectedAnswer,
}

impl Reason {
    /// The reason of a condition, and the label of a metric.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DelegationMissing { .. } => "DelegationMissing",
            Self::CredentialRevoked => "CredentialRevoked",
            Self::ConsentIncomplete { .. } => "ConsentIncomplete",
            Self::AccountMismatch { .. } => "AccountMismatch",
            Self::IdentityUnavailable => "IdentityUnavailable",
            Self::SigningForbidden => "SigningForbidden",
            Self::KeylessNotAllowed => "KeylessNotAllowed",
            Self::KeyInvalid => "SecretInvalid",
            Self::AccountNotFound => "AccountNotFound",
            Self::AccountSuspended => "AccountSuspended",
            Self::AccountNotAdmin => "AccountNotAdmin",
            Self::AccessBlocked => "AccessBlocked",
            Self::PrivilegeMissing => "PrivilegeMissing",
            Self::ScopeMissing => "ScopeMissing",
            Self::ApiDisabled => "ApiDisabled",
            Self::DomainApiAccessDisabled => "DomainApiAccessDisabled",
            Self::CustomerNotFound => "CustomerNotFound",
            Self::OrgUnitNotFound => "OrgUnitNotFound",
            Self::NotFound => "NotFound",
            Self::InvalidQuery => "InvalidQuery",
            Self::PageSizeRange { .. } => "PageSizeRange",
            Self::PageTokenRejected => "PageTokenRejected",
            Self::PageTokenExpired => "PageTokenExpired",
            Self::RequestInvalid => "RequestInvalid",
            Self::ConditionNotMet => "ConditionNotMet",
            Self::Conflict => "Conflict",
            Self::QuotaExhausted => "QuotaExhausted",
            Self::ClockSkew => "ClockSkew",
            Self::GoogleUnavailable => "GoogleUnavailable",
            Self::NetworkUnreachable => "NetworkUnreachable",
            Self::ConnectionLost => "ConnectionLost",
            Self::UnexpectedAnswer => "UnexpectedAnswer",
        }
    }

    /// What a caller does about it.
    #[must_use]
    pub const fn class(&self, retry_after: Option<Duration>) -> ErrorClass {
        match self {
            Self::GoogleUnavailable
            | Self::NetworkUnreachable
            | Self::ConnectionLost
            | Self::UnexpectedAnswer
            | Self::IdentityUnavailable
            | Self::PageTokenRejected
            | Self::PageTokenExpired => ErrorClass::Transient,
            Self::QuotaExhausted => ErrorClass::Throttled { retry_after },
            Self::Conflict => ErrorClass::Conflict,
            Self::DelegationMissing { .. }
            | Self::CredentialRevoked
            | Self::ConsentIncomplete { .. }
            | Self::AccountMismatch { .. }
            | Self::SigningForbidden
            | Self::KeylessNotAllowed
            | Self::KeyInvalid
            | Self::AccountNotFound
            | Self::AccountSuspended
            | Self::AccountNotAdmin
            | Self::AccessBlocked
            | Self::PrivilegeMissing
            | Self::ScopeMissing
            | Self::ApiDisabled
            | Self::DomainApiAccessDisabled
            | Self::CustomerNotFound
            | Self::OrgUnitNotFound
            | Self::NotFound
            | Self::InvalidQuery
            | Self::PageSizeRange { .. }
            | Self::RequestInvalid
            | Self::ConditionNotMet
            | Self::ClockSkew => ErrorClass::Terminal { reason: self.name() },
        }
    }
}

/// A failed exchange with Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleError {
    /// Google's name of the method, such as `directory.chromeosdevices.list`, or `oauth2.token`.
    pub method: &'static str,
    /// The HTTP status, if an answer came.
    pub http_status: Option<u16>,
    /// Why it failed.
    pub reason: Reason,
    /// What Google (or the network) said: one line, at most 300 characters. It may name an account or a
    /// device, so it does not belong into a condition or a metric.
    pub google_message: String,
    /// How long Google wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl GoogleError {
    /// An error that no answer led to.
    pub(super) fn local(method: &'static str, reason: Reason, message: &str) -> Self {
        Self {
            method,
            http_status: None,
            reason,
            google_message: one_line(message),
            retry_after: None,
        }
    }

    /// The error of somebody who has nothing to sign in with.
    #[must_use]
    pub fn without_credentials() -> Self {
        Self::local(
            super::token::TOKEN_METHOD,
            Reason::KeyInvalid,
            "there is nothing to sign in with",
        )
    }

    /// What a caller does about it.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.reason.class(self.retry_after)
    }
}

impl fmt::Display for GoogleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({}",
            self.method,
            self.reason.explanation(),
            self.reason.name()
        )?;
        if let Some(status) = self.http_status {
            write!(f, ", HTTP {status}")?;
        }
        if !self.google_message.is_empty() {
            write!(f, ": {}", self.google_message)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for GoogleError {}

/// Makes a foreign text fit for logs: no control characters, blanks folded, at most [`MESSAGE_LIMIT`] long.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control() || is_text_direction(c));
    for word in words.filter(|word| !word.is_empty()) {
        if length > 0 && length < MESSAGE_LIMIT {
            line.push(' ');
            length += 1;
        }
        for character in word.chars().take(MESSAGE_LIMIT - length) {
            line.push(character);
            length += 1;
        }
        if length >= MESSAGE_LIMIT {
            break;
        }
    }
    line
}

/// Characters that reorder what a terminal shows.
const fn is_text_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_one_bounded_line() {
        assert_eq!(one_line("  a\r\n\tb\u{0}c \u{202e}d "), "a b c d");
        let long = one_line(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), MESSAGE_LIMIT);
        assert_eq!(one_line(&"ab ".repeat(1000)).chars().count(), MESSAGE_LIMIT);
        assert_eq!(one_line(""), "");
    }

    #[test]
    fn an_error_says_what_where_and_what_next() {
        let error = GoogleError {
            method: "directory.chromeosdevices.list",
            http_status: Some(403),
            reason: Reason::ApiDisabled,
            google_message: "Admin SDK API has not been used".to_owned(),
            retry_after: None,
        };
        assert_eq!(
            error.to_string(),
            "directory.chromeosdevices.list: The Admin SDK API is switched off. Enable it in the Google Cloud \
             project that the credential belongs to. (ApiDisabled, HTTP 403: Admin SDK API has not been used)"
        );
        assert_eq!(
            error.class(),
            ErrorClass::Terminal {
                reason: "ApiDisabled"
            }
        );
    }

    #[test]
    fn only_a_quota_error_is_throttled_and_it_keeps_the_wait() {
        let wait = Some(Duration::from_secs(7));
        assert_eq!(
            Reason::QuotaExhausted.class(wait),
            ErrorClass::Throttled { retry_after: wait }
        );
        assert_eq!(Reason::GoogleUnavailable.class(wait), ErrorClass::Transient);
        assert_eq!(Reason::Conflict.class(None), ErrorClass::Conflict);
        assert_eq!(
            Reason::KeyInvalid.class(None),
            ErrorClass::Terminal {
                reason: "SecretInvalid"
            }
        );
    }
}
