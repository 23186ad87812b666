//! Refusals of the control API: a sentence that says what is wrong and what is allowed.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// A control call that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ControlError {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invalid,
    NotFound,
    Conflict,
    Internal,
}

impl ControlError {
    /// The call is wrong: 400.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Invalid,
            message: message.into(),
        }
    }

    /// The call names something that is not there: 404.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::NotFound,
            message: message.into(),
        }
    }

    /// The call would make something twice: 409.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Conflict,
            message: message.into(),
        }
    }

    /// A fault of the simulator itself: 500.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self {
            kind: Kind::Internal,
            message: format!("the simulator failed: {error}"),
        }
    }

    /// The HTTP status of the refusal.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({ "error": { "code": status.as_u16(), "message": self.message } });
        (
            status,
            [("content-type", "application/json")],
            format!("{body:#}\n"),
        )
            .into_response()
    }
}
