//! What an error answer of the token endpoint means.
//!
//! Sources: RFC 6749, section 5.2; Google, "Using OAuth 2.0 for Server to Server Applications", "JWT error
//! codes".

use serde::Deserialize;

use super::errors::{GoogleError, Reason, one_line};
use super::http::Answer;

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// Whether the answer is a refusal with this word.
pub(super) fn says(answer: &Answer, word: &str) -> bool {
    let refusal = serde_json::from_slice::<OAuthError>(&answer.body);
    answer.status.is_client_error() && refusal.is_ok_and(|refusal| refusal.error == word)
}

/// The error that an answer of the token endpoint, or of one of its kind, other than success means.
pub(super) fn judge(method: &'static str, answer: &Answer) -> GoogleError {
    let status = answer.status.as_u16();
    let (reason, message) = match serde_json::from_slice::<OAuthError>(&answer.body).ok() {
        Some(OAuthError {
            error,
            error_description: None,
        }) => (meaning(status, &error, ""), error),
        Some(OAuthError {
            error,
            error_description: Some(description),
        }) => (
            meaning(status, &error, &description),
            format!("{error}: {description}"),
        ),
        None => (by_status(status), answer.beginning()),
    };
    GoogleError {
        method,
        http_status: Some(status),
        reason,
        google_message: one_line(&message),
        retry_after: answer.retry_after,
    }
}

const fn by_status(status: u16) -> Reason {
    match status {
        429 => Reason::QuotaExhausted,
        408 | 500.. => Reason::GoogleUnavailable,
        _ => Reason::UnexpectedAnswer,
    }
}

fn meaning(status: u16, error: &str, description: &str) -> Reason {
    let description = description.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| description.contains(word));
    match error {
        "unauthorized_client" => Reason::DelegationMissing {
            missing_scopes: Vec::new(),
        },
        "invalid_grant" if says(&["'iat'", "'exp'", "short-lived token", "timeframe"]) => Reason::ClockSkew,
        "invalid_grant" if says(&["invalid email or user id", "not a valid email"]) => {
            Reason::AccountNotFound
        }
        "invalid_grant" if says(&["suspended", "account disabled", "user is disabled"]) => {
            Reason::AccountSuspended
        }
        "invalid_request" if says(&["impersonation", "\"sub\""]) => Reason::AccountNotFound,
        "invalid_grant" | "invalid_client" | "deleted_client" | "disabled_client" | "invalid_token" => {
            Reason::CredentialRevoked
        }
        "invalid_scope" => Reason::ScopeMissing,
        "access_denied" | "admin_policy_enforced" | "org_internal" => Reason::AccessBlocked,
        "rate_limit_exceeded" | "slow_down" => Reason::QuotaExhausted,
        "internal_failure" | "server_error" | "temporarily_unavailable" => Reason::GoogleUnavailable,
        _ if status == 429 || status == 408 || status >= 500 => by_status(status),
        _ => Reason::RequestInvalid,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::token::TOKEN_METHOD;
    use super::*;

    fn judge(answer: &Answer) -> GoogleError {
        super::judge(TOKEN_METHOD, answer)
    }

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            date: None,
            retry_after: None,
            content_type: None,
            authenticate: None,
            body: body.to_vec().into(),
        }
    }

    #[test]
    #[allow(clippy::too_many_lines)] // one row per kind of refusal
    fn every_refused_token_has_its_meaning() {
        let delegation = Reason::DelegationMissing {
            missing_scopes: Vec::new(),
        };
        let not_authorized = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.";
        let clock = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your 'iat' and 'exp' values in the JWT claim.";
        for (status, error, description, expected) in [
            (401, "unauthorized_client", not_authorized, delegation.clone()),
            (
                401,
                "unauthorized_client",
                "Unauthorized client or scope in request.",
                delegation,
            ),
            (
                400,
                "invalid_grant",
                "Invalid email or User ID",
                Reason::AccountNotFound,
            ),
            (400, "invalid_grant", "Not a valid email", Reason::AccountNotFound),
            (
                400,
                "invalid_grant",
                "Invalid JWT Signature.",
                Reason::CredentialRevoked,
            ),
            (400, "invalid_grant", clock, Reason::ClockSkew),
            (
                400,
                "invalid_grant",
                "Invalid grant: account not found",
                Reason::CredentialRevoked,
            ),
            (
                400,
                "invalid_grant",
                "Token has been expired or revoked.",
                Reason::CredentialRevoked,
            ),
            (
                400,
                "invalid_grant",
                "reauth related error (invalid_rapt)",
                Reason::CredentialRevoked,
            ),
            (
                400,
                "invalid_grant",
                "Account has been suspended",
                Reason::AccountSuspended,
            ),
            (400, "invalid_grant", "", Reason::CredentialRevoked),
            (
                400,
                "invalid_scope",
                "Invalid OAuth scope or ID token audience provided.",
                Reason::ScopeMissing,
            ),
            (
                400,
                "invalid_request",
                "Invalid impersonation \"sub\" field.",
                Reason::AccountNotFound,
            ),
            (
                400,
                "invalid_request",
                "Missing required parameter: assertion",
                Reason::RequestInvalid,
            ),
            (
                401,
                "invalid_client",
                "The OAuth client was not found.",
                Reason::CredentialRevoked,
            ),
            (
                401,
                "deleted_client",
                "The OAuth client was deleted.",
                Reason::CredentialRevoked,
            ),
            (
                401,
                "disabled_client",
                "The OAuth client was disabled.",
                Reason::CredentialRevoked,
            ),
            (403, "access_denied", "Account restricted", Reason::AccessBlocked),
            (400, "admin_policy_enforced", "", Reason::AccessBlocked),
            (
                500,
                "internal_failure",
                "Backend Error",
                Reason::GoogleUnavailable,
            ),
            (503, "server_error", "Backend Error", Reason::GoogleUnavailable),
            (
                400,
                "internal_failure",
                "Backend Error",
                Reason::GoogleUnavailable,
            ),
            (503, "something_new", "", Reason::GoogleUnavailable),
            (429, "something_new", "", Reason::QuotaExhausted),
            (400, "something_new", "", Reason::RequestInvalid),
        ] {
            let body = json!({"error": error, "error_description": description}).to_string();
            let judged = judge(&answer(status, body.as_bytes()));
            assert_eq!(judged.reason, expected, "{status} {error} {description}");
            assert_eq!(judged.method, "oauth2.token");
            assert!(judged.google_message.starts_with(error));
        }
    }

    #[test]
    fn what_is_not_googles_is_not_believed() {
        for (status, body, expected) in [
            (502, "<html>Bad Gateway</html>", Reason::GoogleUnavailable),
            (429, "", Reason::QuotaExhausted),
            (
                403,
                "<html>blocked by the school filter</html>",
                Reason::UnexpectedAnswer,
            ),
            (404, "{}", Reason::UnexpectedAnswer),
            (302, "", Reason::UnexpectedAnswer),
        ] {
            assert_eq!(
                judge(&answer(status, body.as_bytes())).reason,
                expected,
                "{status} {body}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100_u16..1000, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = judge(&answer(status, &body));
        }
    }
}
