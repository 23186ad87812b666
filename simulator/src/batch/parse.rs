//! Reads the body of a batch: `multipart/mixed`, each part an HTTP request.
//!
//! Clients differ in line ends (LF or CRLF) and fold long headers over several lines; both are read.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// Calls in one batch ("Directory API: Limits and quotas").
pub(super) const MAXIMUM_PARTS: usize = 1_000;

/// One call of a batch.
#[derive(Debug)]
pub(super) struct Part {
    /// `Content-ID` as sent, unfolded.
    pub(super) content_id: Option<String>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why a batch could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    #[error("Missing boundary in the Content-Type of the batch request.")]
    NoBoundary,
    #[error("0 items. Received an empty batch body.")]
    Empty,
    #[error("The batch has more than {MAXIMUM_PARTS} calls.")]
    TooMany,
    #[error("Part {0} is no application/http request: {1}.")]
    BadPart(usize, &'static str),
}

/// The boundary that a `multipart/mixed` content type names.
pub(super) fn boundary(content_type: &str) -> Result<String, ParseError> {
    let (kind, parameters) = content_type.split_once(';').ok_or(ParseError::NoBoundary)?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return Err(ParseError::NoBoundary);
    }
    let at = parameters
        .to_ascii_lowercase()
        .find("boundary=")
        .ok_or(ParseError::NoBoundary)?;
    let value = parameters.get(at + "boundary=".len()..).unwrap_or_default();
    let text = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split(';').next(),
    };
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or(ParseError::NoBoundary)
}

/// The calls of a batch, in the order of the body.
pub(super) fn parts(body: &[u8], boundary: &str) -> Result<Vec<Part>, ParseError> {
    let raw = split(body, boundary);
    if raw.is_empty() {
        return Err(ParseError::Empty);
    }
    if raw.len() > MAXIMUM_PARTS {
        return Err(ParseError::TooMany);
    }
    raw.into_iter()
        .enumerate()
        .map(|(position, bytes)| part(bytes).map_err(|why| ParseError::BadPart(position + 1, why)))
        .collect()
}

/// Cuts the body at the lines that begin with the delimiter.
fn split<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut line_start = 0;
    while line_start < body.len() {
        let rest = &body[line_start..];
        let line_end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let line = trim_line_end(&rest[..line_end]);
        let tail = line
            .strip_prefix(delimiter.as_bytes())
            .map(<[u8]>::trim_ascii_end);
        if let Some(tail) = tail.filter(|tail| tail.is_empty() || *tail == b"--") {
            if let Some(start) = start {
                parts.push(trim_line_end(&body[start..line_start]));
            }
            if tail == b"--" {
                return parts;
            }
            start = Some(line_start + line_end);
        }
        line_start += line_end;
    }
    // A missing end delimiter is forgiven.
    if let Some(start) = start.filter(|start| *start < body.len()) {
        parts.push(trim_line_end(&body[start..]));
    }
    parts
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn part(bytes: &[u8]) -> Result<Part, &'static str> {
    let (outer, message) = headers_and_rest(bytes).ok_or("its headers cannot be read")?;
    let content_type = outer
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("application/http")) {
        return Err("its Content-Type is another one");
    }
    let content_id = outer
        .get("content-id")
        .and_then(|value| value.to_str().ok())
        .map(|value| value.trim().to_owned());
    let message = skip_blank_lines(message);
    let line_end = message
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(message.len(), |at| at + 1);
    let (method, uri) = request_line(trim_line_end(&message[..line_end]))?;
    let (headers, body) =
        headers_and_rest(&message[line_end..]).ok_or("the headers of its request cannot be read")?;
    let length = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse::<usize>().ok())
        .map_or(body.len(), |length| length.min(body.len()));
    Ok(Part {
        content_id,
        method,
        uri,
        headers,
        body: body[..length].to_vec(),
    })
}

fn skip_blank_lines(mut bytes: &[u8]) -> &[u8] {
    loop {
        let rest = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n"));
        match rest {
            Some(rest) => bytes = rest,
            None => return bytes,
        }
    }
}

/// `GET /path?query HTTP/1.1`; the address may be absolute, the version may be missing.
fn request_line(line: &[u8]) -> Result<(Method, Uri), &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "its request line is no text")?;
    let mut words = text.split_ascii_whitespace();
    let method = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or("its request line has no method")?;
    let address: Uri = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or("its request line has no address")?;
    let path = address
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let uri = path.parse().map_err(|_| "its address cannot be read")?;
    Ok((method, uri))
}

/// Reads header lines up to the empty line. A line that begins with a blank continues the one before.
fn headers_and_rest(bytes: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let line_end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let line = trim_line_end(&rest[..line_end]);
        rest = &rest[line_end..];
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            lines.last_mut()?.extend_from_slice(line);
        } else {
            lines.push(line.to_vec());
        }
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(line[..colon].trim_ascii()).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        headers.append(name, value);
    }
    Some((headers, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As google-api-python-client writes it: LF inside, a folded `Content-ID`.
    const PYTHON: &str = "--===\nContent-Type: application/http\nMIME-Version: 1.0\nContent-Transfer-Encoding: \
                          binary\nContent-ID: <0b0c3a52-1111-2222-3333-444455556666 +\n %0A0-a-long-one>\n\nPUT \
                          /admin/x?fields= HTTP/1.1\naccept: application/json\ncontent-length: \
                          9\nauthorization: Bearer t\n\n{\"a\":\"b\"}\n--===--\n";

    #[test]
    fn folded_headers_and_bare_line_feeds_are_read() {
        for text in [PYTHON.to_owned(), PYTHON.replace('\n', "\r\n")] {
            let parts = parts(text.as_bytes(), "===").unwrap();
            assert_eq!(parts.len(), 1);
            let part = &parts[0];
            assert_eq!(
                part.content_id.as_deref(),
                Some("<0b0c3a52-1111-2222-3333-444455556666 + %0A0-a-long-one>")
            );
            assert_eq!(
                (part.method.as_str(), part.uri.to_string().as_str()),
                ("PUT", "/admin/x?fields=")
            );
            assert_eq!(part.body, br#"{"a":"b"}"#);
            assert_eq!(part.headers["authorization"], "Bearer t");
        }
    }

    #[test]
    fn the_boundary_may_be_quoted_and_stand_anywhere() {
        assert_eq!(boundary("multipart/mixed; boundary=\"===\"").unwrap(), "===");
        assert_eq!(
            boundary("Multipart/Mixed; charset=x; boundary=b_1; x=y").unwrap(),
            "b_1"
        );
        for bad in [
            "multipart/mixed",
            "application/json; boundary=x",
            "multipart/mixed; boundary=",
        ] {
            assert_eq!(boundary(bad), Err(ParseError::NoBoundary), "{bad}");
        }
    }

    #[test]
    fn absolute_addresses_preambles_and_missing_versions_are_forgiven() {
        let text = "preamble\r\n--b\r\nContent-Type: application/http; x=y\r\n\r\nGET https://host/p/%2F?q=1\r\n\
                    \r\n--b\r\nContent-Type: application/http\r\n\r\nGET /two HTTP/1.1\r\n\r\n";
        let parts = parts(text.as_bytes(), "b").unwrap();
        let addresses: Vec<String> = parts.iter().map(|part| part.uri.to_string()).collect();
        assert_eq!(addresses, ["/p/%2F?q=1", "/two"]);
    }

    #[test]
    fn what_is_no_batch_is_named() {
        assert_eq!(parts(b"", "b").unwrap_err(), ParseError::Empty);
        assert_eq!(parts(b"--b--\n", "b").unwrap_err(), ParseError::Empty);
        let many = "--b\nContent-Type: application/http\n\nGET / HTTP/1.1\n\n".repeat(MAXIMUM_PARTS + 1);
        assert_eq!(parts(many.as_bytes(), "b").unwrap_err(), ParseError::TooMany);
        let cases = [
            (
                "--b\nContent-Type: text/plain\n\nGET / HTTP/1.1\n\n--b--",
                "its Content-Type is another one",
            ),
            (
                "--b\nContent-Type: application/http\n\n\n--b--",
                "its request line has no method",
            ),
            (
                "--b\nContent-Type: application/http\n\nGET\n\n--b--",
                "its request line has no address",
            ),
            (
                "--b\n folded\n\nGET / HTTP/1.1\n\n--b--",
                "its headers cannot be read",
            ),
        ];
        for (text, why) in cases {
            assert_eq!(
                parts(text.as_bytes(), "b").unwrap_err(),
                ParseError::BadPart(1, why),
                "{text}"
            );
        }
    }

    #[test]
    fn a_line_that_only_begins_like_the_boundary_is_body() {
        let text = "--b\nContent-Type: application/http\n\nPOST / HTTP/1.1\n\n--bee\n--b--\n";
        assert_eq!(parts(text.as_bytes(), "b").unwrap()[0].body, b"--bee");
    }
}
