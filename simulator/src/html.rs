//! Pages which Google's front end answers instead of JSON.

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};

/// A page in the manner of Google's front end.
pub(crate) fn page(status: StatusCode, sentence: &str) -> Response {
    let reason = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error {code} ({reason})!!1</title>\n  \
         <p><b>{code}.</b> <ins>That’s an error.</ins>\n  <p>{}  <ins>That’s all we know.</ins>\n",
        escape(sentence)
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=UTF-8")], body).into_response()
}

/// 404 for a path that no service has.
pub(crate) fn not_found(path: &str) -> Response {
    page(
        StatusCode::NOT_FOUND,
        &format!("The requested URL {path} was not found on this server."),
    )
}

/// 405 for a path that knows other HTTP methods only.
pub(crate) fn method_not_allowed(verb: &Method) -> Response {
    page(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("The request method {verb} is inappropriate for the URL."),
    )
}

/// 502 as the front end writes it when a backend is away.
pub(crate) fn bad_gateway() -> Response {
    let sentence = "The server encountered a temporary error and could not complete your request. Please try again in \
                    30 seconds.";
    page(StatusCode::BAD_GATEWAY, sentence)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
