//! Errors of the token endpoint: `{"error": …, "error_description": …}`, with the texts that clients know.
//!
//! Sources: "Using OAuth 2.0 for Server to Server Applications: JWT error codes", "Using OAuth 2.0 for Web
//! Server Applications", and the texts which users of GAM and of Google's client libraries quote.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Every refusal that the token endpoint can play by itself or on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenErrorKind {
    /// Delegation is missing, or one scope of the request is not in it.
    UnauthorizedClient,
    /// The same in its older words.
    UnauthorizedClientOlderText,
    /// `sub` names nobody.
    UnknownSubject,
    /// `sub` is not an e-mail address.
    SubjectNotAnEmail,
    /// `sub` is present and empty.
    InvalidSubject,
    /// The key is unknown, disabled or deleted, or the signature does not fit.
    InvalidSignature,
    /// `aud` is another server's.
    WrongAudience,
    /// `iat` and `exp` are too far apart, in the past or in the future.
    InvalidTimeframe,
    /// `iss` is no service account, or a deleted one.
    AccountNotFound,
    /// The refresh token is unknown, expired or revoked.
    TokenExpiredOrRevoked,
    /// Session control asks for a new sign-in: the proof sent is not valid.
    InvalidReauthenticationProof,
    /// Session control asks for a new sign-in.
    ReauthenticationRequired,
    /// Whatever cannot be read.
    BadRequest,
    /// The account behind the grant was deleted.
    AccountDeleted,
    /// A scope does not exist, or there is none.
    InvalidScope,
    /// No such OAuth client.
    ClientNotFound,
    /// The secret of the OAuth client is wrong.
    WrongClientSecret,
    /// The OAuth client was deleted.
    DeletedClient,
    /// The OAuth client was disabled.
    DisabledClient,
    /// The account is restricted.
    AccessDenied,
    /// An administrator blocks this application.
    AdminPolicyEnforced,
    /// The application is for another organisation only.
    OrganisationInternal,
    /// Google failed.
    InternalFailure,
    /// Google failed, other word.
    ServerError,
    /// The authorisation code is none of ours.
    MalformedCode,
    /// The code was asked for with PKCE and redeemed without.
    MissingCodeVerifier,
    /// The PKCE verifier does not fit.
    WrongCodeVerifier,
    /// The redirect address differs from the one the code was sent to.
    RedirectMismatch,
    /// Neither the form nor the headers name an OAuth client.
    NoClient,
    /// The OAuth client needs a secret and none was sent.
    MissingClientSecret,
}

impl TokenErrorKind {
    /// All of them, for tests and for the list of the control API.
    pub const ALL: &[Self] = &[
        Self::UnauthorizedClient,
        Self::UnauthorizedClientOlderText,
        Self::UnknownSubject,
        Self::SubjectNotAnEmail,
        Self::InvalidSubject,
        Self::InvalidSignature,
        Self::WrongAudience,
        Self::InvalidTimeframe,
        Self::AccountNotFound,
        Self::TokenExpiredOrRevoked,
        Self::InvalidReauthenticationProof,
        Self::ReauthenticationRequired,
        Self::BadRequest,
        Self::AccountDeleted,
        Self::InvalidScope,
        Self::ClientNotFound,
        Self::WrongClientSecret,
        Self::DeletedClient,
        Self::DisabledClient,
        Self::AccessDenied,
        Self::AdminPolicyEnforced,
        Self::OrganisationInternal,
        Self::InternalFailure,
        Self::ServerError,
        Self::MalformedCode,
        Self::MissingCodeVerifier,
        Self::WrongCodeVerifier,
        Self::RedirectMismatch,
        Self::NoClient,
        Self::MissingClientSecret,
    ];

    /// HTTP status, `error` and `error_description`.
    #[must_use]
    pub fn parts(self) -> (StatusCode, &'static str, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        let unauthorized = StatusCode::UNAUTHORIZED;
        match self {
            Self::UnauthorizedClient => (
                unauthorized,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for \
                 any of the scopes requested.",
            ),
            Self::UnauthorizedClientOlderText => (
                unauthorized,
                "unauthorized_client",
                "Unauthorized client or scope in request.",
            ),
            Self::UnknownSubject => (bad, "invalid_grant", "Invalid email or User ID"),
            Self::SubjectNotAnEmail => (bad, "invalid_grant", "Not a valid email"),
            Self::InvalidSubject => (bad, "invalid_request", "Invalid impersonation \"sub\" field."),
            Self::InvalidSignature => (bad, "invalid_grant", "Invalid JWT Signature."),
            Self::WrongAudience => (
                bad,
                "invalid_grant",
                "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token",
            ),
            Self::InvalidTimeframe => (
                bad,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check \
                 your iat and exp values in the JWT claim.",
            ),
            Self::AccountNotFound => (bad, "invalid_grant", "Invalid grant: account not found"),
            Self::TokenExpiredOrRevoked => (bad, "invalid_grant", "Token has been expired or revoked."),
            Self::InvalidReauthenticationProof => {
                (bad, "invalid_grant", "reauth related error (invalid_rapt)")
            }
            Self::ReauthenticationRequired => (bad, "invalid_grant", "reauth related error (rapt_required)"),
            Self::BadRequest => (bad, "invalid_grant", "Bad Request"),
            Self::AccountDeleted => (bad, "invalid_grant", "The account has been deleted"),
            Self::InvalidScope => (
                bad,
                "invalid_scope",
                "Invalid OAuth scope or ID token audience provided.",
            ),
            Self::ClientNotFound => (unauthorized, "invalid_client", "The OAuth client was not found."),
            Self::WrongClientSecret => (unauthorized, "invalid_client", "Unauthorized"),
            Self::DeletedClient => (unauthorized, "deleted_client", "The OAuth client was deleted."),
            Self::DisabledClient => (unauthorized, "disabled_client", "The OAuth client was disabled."),
            Self::AccessDenied => (bad, "access_denied", "Account restricted"),
            Self::AdminPolicyEnforced => (
                bad,
                "admin_policy_enforced",
                "Access to your account data is restricted by policies within your organization.",
            ),
            Self::OrganisationInternal => (
                StatusCode::FORBIDDEN,
                "org_internal",
                "This client is restricted to users within its organization.",
            ),
            Self::InternalFailure => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_failure",
                "Backend Error",
            ),
            Self::ServerError => (StatusCode::SERVICE_UNAVAILABLE, "server_error", "Backend Error"),
            Self::MalformedCode => (bad, "invalid_grant", "Malformed auth code."),
            Self::MissingCodeVerifier => (bad, "invalid_grant", "Missing code verifier."),
            Self::WrongCodeVerifier => (bad, "invalid_grant", "Invalid code verifier."),
            Self::RedirectMismatch => (bad, "redirect_uri_mismatch", "Bad Request"),
            Self::NoClient => (
                bad,
                "invalid_request",
                "Could not determine client ID from request.",
            ),
            Self::MissingClientSecret => (bad, "invalid_request", "client_secret is missing."),
        }
    }
}

/// An answer of the token endpoint (or of `/revoke`) that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    status: StatusCode,
    error: String,
    description: String,
}

impl TokenError {
    /// A refusal in words of its own.
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            description: description.into(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The word of the error.
    #[must_use]
    pub fn error(&self) -> &str {
        &self.error
    }

    /// The sentence of the error.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// 400 `invalid_request`.
    #[must_use]
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }
}

impl From<TokenErrorKind> for TokenError {
    fn from(kind: TokenErrorKind) -> Self {
        let (status, error, description) = kind.parts();
        Self::new(status, error, description)
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        answer(self.status, &body)
    }
}

/// A JSON answer of the OAuth endpoints: formatted, and never to be cached.
pub(super) fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (
            header::CACHE_CONTROL,
            "no-cache, no-store, max-age=0, must-revalidate",
        ),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, format!("{body:#}\n")).into_response()
}
