//! Under which address a client reached the simulator. A proxy may stand between, so only the request knows.

use http::{HeaderMap, header};

/// The `Host` header of a request, as sent.
pub(crate) fn host(headers: &HeaderMap) -> &str {
    headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Scheme and host, without a slash at the end. A proxy that ends TLS says so in `X-Forwarded-Proto`.
pub(crate) fn base_url(headers: &HeaderMap) -> String {
    let secure = headers
        .get("x-forwarded-proto")
        .is_some_and(|value| value.as_bytes() == b"https");
    format!("{}://{}", if secure { "https" } else { "http" }, host(headers))
}
