//! One call of the Directory API, read from its request, and its answer.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::mask::Mask;
use crate::api::parameters::Parameters;
use crate::api::route::Route;
use crate::api_error::ApiError;
use crate::faults::Orders;
use crate::quota::FreeOfQuota;
use crate::request_log::RequestNumber;
use crate::state::SimulatorState;
use crate::tenant::Tenant;

/// Bodies of this API are small: 50 device ids, or the fields of one device.
pub(crate) const MAXIMUM_BODY: usize = 1024 * 1024;

/// A request whose path belongs to a method.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) route: Route,
    pub(crate) parameters: Parameters,
    pub(crate) headers: HeaderMap,
    /// `Host` of the request.
    pub(crate) host: String,
    pub(crate) body: Bytes,
    /// A batch has paid for this call already.
    pub(crate) free_of_quota: bool,
    /// Number in the request log.
    pub(crate) number: Option<u64>,
    /// What a fault rule has ordered.
    pub(crate) orders: Orders,
}

impl Call {
    /// Reads the body of a request.
    pub(crate) async fn read(route: Route, request: Request) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAXIMUM_BODY).await.map_err(|_| {
            ApiError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "uploadTooLarge",
                "Request payload size exceeds the limit.",
            )
        })?;
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or("");
        Ok(Self {
            route,
            parameters: Parameters::parse(parts.uri.query().unwrap_or("")),
            host: host.to_owned(),
            free_of_quota: parts.extensions.get::<FreeOfQuota>().is_some(),
            number: parts.extensions.get::<RequestNumber>().map(|number| number.0),
            orders: parts.extensions.get::<Orders>().cloned().unwrap_or_default(),
            headers: parts.headers,
            body,
        })
    }

    /// The `fields` of the request.
    pub(crate) fn mask(&self) -> Result<Mask, ApiError> {
        Mask::parse(self.parameters.get("fields").unwrap_or(""))
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                ApiError::invalid_argument(format!("Invalid JSON payload received. {error}"))
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => ApiError::parse_error(),
        })
    }

    /// The customer that the path names, if the caller belongs to it.
    pub(crate) fn tenant(
        &self,
        state: &SimulatorState,
        caller_customer: Option<&str>,
    ) -> Result<Arc<Tenant>, ApiError> {
        let own = caller_customer.ok_or_else(ApiError::forbidden)?;
        let asked = self.route.owner.as_str();
        let wanted = if asked == "my_customer" { own } else { asked };
        let well_formed =
            wanted.starts_with(['C', 'c']) && wanted.chars().all(|letter| letter.is_ascii_alphanumeric());
        if !well_formed {
            return Err(ApiError::invalid_input("CustomerId is not present"));
        }
        let tenant = state
            .find_tenant(wanted)
            .ok_or_else(ApiError::customer_not_found)?;
        if tenant.customer_id().eq_ignore_ascii_case(own) {
            Ok(tenant)
        } else {
            Err(ApiError::forbidden())
        }
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// JSON, already written.
    Json(Vec<u8>),
    /// 200 without a body.
    Empty,
}

impl Reply {
    /// Writes a value as the call asked for it.
    pub(crate) fn json<T: Serialize>(value: &T, call: &Call) -> Result<Self, ApiError> {
        // Room for a page of masked devices, so that the usual answer never moves in memory.
        let mut body = Vec::with_capacity(4096);
        let written = if call.parameters.pretty() {
            serde_json::to_writer_pretty(&mut body, value)
        } else {
            serde_json::to_writer(&mut body, value)
        };
        written.map_err(|_| ApiError::internal())?;
        if call.parameters.pretty() {
            body.push(b'\n');
        }
        Ok(Self::Json(body))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Json(body) => {
                ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response()
            }
            Self::Empty => StatusCode::OK.into_response(),
        }
    }
}
