//! Reading control calls strictly: an unknown field is a mistake that a test would otherwise not notice.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::error::ControlError;

/// Rules and lists of device ids: small, even with 100,000 ids.
const MAXIMUM_BODY: usize = 16 * 1024 * 1024;

/// A JSON body; an empty one is an empty object. Any `Content-Type` is accepted.
#[derive(Debug)]
pub(super) struct ControlBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for ControlBody<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ControlError> {
        let bytes = axum::body::to_bytes(request.into_body(), MAXIMUM_BODY)
            .await
            .map_err(|_| ControlError::invalid("the body is too long"))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| ControlError::invalid(error.to_string()))
    }
}

/// The parameters of the query.
#[derive(Debug)]
pub(super) struct ControlQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for ControlQuery<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ControlError> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query
            .map(|query| Self(query.0))
            .map_err(|error| ControlError::invalid(error.body_text()))
    }
}

/// An answer, written for people too.
#[derive(Debug)]
pub(super) struct ControlReply(StatusCode, Result<String, ControlError>);

impl ControlReply {
    pub(super) fn ok<T: Serialize>(value: &T) -> Self {
        Self::with_status(StatusCode::OK, value)
    }

    pub(super) fn created<T: Serialize>(value: &T) -> Self {
        Self::with_status(StatusCode::CREATED, value)
    }

    fn with_status<T: Serialize>(status: StatusCode, value: &T) -> Self {
        Self(
            status,
            serde_json::to_string_pretty(value).map_err(|error| ControlError::internal(&error)),
        )
    }
}

impl IntoResponse for ControlReply {
    fn into_response(self) -> Response {
        match self.1 {
            Ok(text) => (
                self.0,
                [(header::CONTENT_TYPE, "application/json")],
                format!("{text}\n"),
            )
                .into_response(),
            Err(error) => error.into_response(),
        }
    }
}
