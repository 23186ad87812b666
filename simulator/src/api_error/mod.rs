//! Errors as the Directory API writes them.
//!
//! Two shapes exist. The classic one lists `errors[]` with a `reason`; the One Platform one adds `status` and
//! `details`. Which one a real answer has depends on the part of Google that refused the call, so an error
//! here knows its natural shape, and a fault rule may force the other.
//!
//! The texts are in [`catalogue`](self::catalogue): clients compare them literally.

mod catalogue;

pub use catalogue::QuotaMetric;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which parts the body of an error has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorShape {
    /// What the part of Google that makes this error writes.
    #[default]
    Natural,
    /// `errors[]` only (`v1`).
    V1,
    /// `status` and `details` only, without `errors[]` (`v2`).
    V2,
}

/// A refusal in Google's words.
// Boxed, because results carry it everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    status: StatusCode,
    message: String,
    item: ErrorItem,
    rpc_status: Option<&'static str>,
    details: Vec<Value>,
    shape: ErrorShape,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The one entry of `errors[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorItem {
    message: String,
    domain: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_help: Option<&'static str>,
}

impl ApiError {
    /// An error of the classic shape in domain `global`; the other constructors start from it.
    #[must_use]
    pub fn new(status: StatusCode, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts {
            status,
            item: ErrorItem {
                message: message.clone(),
                domain: "global",
                reason: reason.into(),
                location_type: None,
                location: None,
                extended_help: None,
            },
            message,
            rpc_status: None,
            details: Vec::new(),
            shape: ErrorShape::Natural,
            headers: Vec::new(),
        }))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// `errors[0].reason`.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.item.reason
    }

    /// `error.message`.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Forces a shape.
    #[must_use]
    pub fn with_shape(mut self, shape: ErrorShape) -> Self {
        self.0.shape = shape;
        self
    }

    /// Adds a response header, for example `WWW-Authenticate` or `Retry-After`. A value that cannot stand in a
    /// header is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// Names the refused method (for example `directory.chromeosdevices.list`) in `details`, if it has any.
    #[must_use]
    pub fn of_method(mut self, method: &str) -> Self {
        for detail in &mut self.0.details {
            detail["metadata"]["method"] = json!(method);
        }
        self
    }

    /// Makes it a One Platform error: adds `status` and, if given, `details`.
    #[must_use]
    pub fn with_rpc_status(mut self, rpc_status: &'static str, details: Vec<Value>) -> Self {
        self.0.rpc_status = Some(rpc_status);
        self.0.details = details;
        self
    }

    fn in_domain(mut self, domain: &'static str) -> Self {
        self.0.item.domain = domain;
        self
    }

    fn at(mut self, location_type: &'static str, location: &str) -> Self {
        self.0.item.location_type = Some(location_type);
        self.0.item.location = Some(location.to_owned());
        self
    }

    fn with_item_message(mut self, message: &str) -> Self {
        message.clone_into(&mut self.0.item.message);
        self
    }

    fn with_help(mut self, address: &'static str) -> Self {
        self.0.item.extended_help = Some(address);
        self
    }

    /// The body as JSON, without formatting.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut error = json!({ "code": self.0.status.as_u16(), "message": self.0.message });
        if self.0.shape != ErrorShape::V2 {
            error["errors"] = json!([self.0.item]);
        }
        let rpc_status = match self.0.shape {
            ErrorShape::Natural => self.0.rpc_status,
            ErrorShape::V1 => None,
            ErrorShape::V2 => Some(self.0.rpc_status.unwrap_or_else(|| rpc_status_of(self.0.status))),
        };
        if let Some(rpc_status) = rpc_status {
            error["status"] = json!(rpc_status);
            if !self.0.details.is_empty() {
                error["details"] = json!(self.0.details);
            }
        }
        json!({ "error": error })
    }

    /// The answer, formatted with line breaks (`prettyPrint`, Google's default) or not.
    #[must_use]
    pub fn response(&self, pretty: bool) -> Response {
        let body = self.body();
        let text = if pretty {
            format!("{body:#}\n")
        } else {
            body.to_string()
        };
        let mut response = (
            self.0.status,
            [(header::CONTENT_TYPE, "application/json; charset=UTF-8")],
            text,
        )
            .into_response();
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.response(true)
    }
}

/// The canonical status name that goes with an HTTP status (`google.rpc.Code`).
fn rpc_status_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_shape_has_errors_and_no_status() {
        assert_eq!(
            ApiError::not_found("abc").body(),
            json!({"error": {"code": 404, "message": "Resource Not Found: abc", "errors": [
                {"message": "Resource Not Found: abc", "domain": "global", "reason": "notFound"}]}})
        );
    }

    #[test]
    fn the_other_shape_can_be_forced_both_ways() {
        let forced = ApiError::not_found("abc").with_shape(ErrorShape::V2).body();
        assert_eq!(forced["error"]["status"], "NOT_FOUND");
        assert!(forced["error"].get("errors").is_none());
        let forced = ApiError::insufficient_scopes(&["s"])
            .with_shape(ErrorShape::V1)
            .body();
        assert!(forced["error"].get("status").is_none() && forced["error"].get("details").is_none());
        assert_eq!(forced["error"]["errors"][0]["reason"], "insufficientPermissions");
    }

    #[test]
    fn missing_scopes_are_named_in_the_challenge() {
        let response = ApiError::insufficient_scopes(&["https://a", "https://b"]).into_response();
        let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(
            challenge.contains(r#"scope="https://a https://b""#),
            "{challenge}"
        );
    }

    #[test]
    fn pretty_printing_is_two_blanks_deep() {
        assert!(format!("{:#}", ApiError::login_required().body()).starts_with("{\n  \"error\": {\n"));
    }
}
