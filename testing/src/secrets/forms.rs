//! The ways in which a secret can be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;

/// A secret in all forms that are searched for as they are.
#[derive(Clone)]
pub(super) struct Forms {
    plain: Vec<u8>,
    json: Option<Vec<u8>>,
    base64: Vec<Vec<u8>>,
}

/// What is searched, as it is and decoded.
pub(super) struct Haystacks<'bytes> {
    raw: &'bytes [u8],
    /// Base64 is often wrapped into lines.
    unwrapped: Vec<u8>,
    /// Percent-encoding has many ways to write the same, so it is decoded.
    decoded: Vec<Vec<u8>>,
}

impl<'bytes> Haystacks<'bytes> {
    pub(super) fn of(raw: &'bytes [u8]) -> Self {
        let mut unwrapped = raw.to_vec();
        unwrapped.retain(|byte| !byte.is_ascii_whitespace());
        let url: Vec<u8> = percent_encoding::percent_decode(raw).collect();
        let spaces: Vec<u8> = raw
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect();
        let form: Vec<u8> = percent_encoding::percent_decode(&spaces).collect();
        Self {
            raw,
            unwrapped,
            decoded: vec![url, form],
        }
    }
}

impl Forms {
    pub(super) fn of(secret: &[u8]) -> Self {
        let json = std::str::from_utf8(secret)
            .ok()
            .map(|text| serde_json::Value::from(text).to_string())
            .and_then(|quoted| Some(quoted.strip_prefix('"')?.strip_suffix('"')?.as_bytes().to_vec()))
            .filter(|escaped| escaped != secret);
        let mut base64 = base64_parts(secret);
        // A file with credentials, which is JSON, is often in base64 as a whole.
        base64.extend(json.iter().flat_map(|escaped| base64_parts(escaped)));
        Self {
            plain: secret.to_vec(),
            json,
            base64,
        }
    }

    /// The forms in which it is there.
    pub(super) fn in_any(&self, haystacks: &Haystacks<'_>) -> Vec<&'static str> {
        let mut found = self.in_one(haystacks.raw);
        if !found.contains(&"base64") && self.has_base64(&haystacks.unwrapped) {
            found.push("base64");
        }
        if found.is_empty()
            && haystacks
                .decoded
                .iter()
                .any(|decoded| !self.in_one(decoded).is_empty())
        {
            found.push("URL-encoded");
        }
        found
    }

    fn in_one(&self, bytes: &[u8]) -> Vec<&'static str> {
        let contains = |form: &Vec<u8>| memmem::find(bytes, form).is_some();
        let mut found = Vec::new();
        if contains(&self.plain) {
            found.push("plain");
        }
        if self.json.as_ref().is_some_and(contains) {
            found.push("JSON");
        }
        if self.has_base64(bytes) {
            found.push("base64");
        }
        found
    }

    fn has_base64(&self, bytes: &[u8]) -> bool {
        self.base64.iter().any(|form| memmem::find(bytes, form).is_some())
    }
}

/// What is in the base64 of anything that holds these bytes: base64 takes three bytes at a time, so it depends on
/// where in the whole they begin, and characters at either end depend on their neighbours.
fn base64_parts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let begin = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        for engine in [STANDARD, URL_SAFE] {
            let encoded = engine.encode(&padded);
            if let Some(part) = encoded.as_bytes().get(begin..end) {
                parts.push(part.to_vec());
            }
        }
    }
    parts.sort_unstable();
    parts.dedup();
    parts
}
