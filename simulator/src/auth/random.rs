//! Random texts for tokens and codes, and the fingerprints under which they are stored.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The fingerprint (SHA-256) of a token; only it is stored.
pub(super) type Fingerprint = [u8; digest::SHA256_OUTPUT_LEN];

/// The system's random source failed; nothing can be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source of the system failed")]
pub(super) struct NoRandomness;

/// A prefix and 43 random letters (256 bits).
pub(super) fn secret(prefix: &str) -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The fingerprint of a text.
pub(super) fn fingerprint(text: &str) -> Fingerprint {
    let mut bytes = Fingerprint::default();
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

/// The SHA-256 of a text as base64url: the `S256` challenge of a PKCE verifier.
pub(super) fn sha256_base64url(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(fingerprint(text))
}

/// The `at_hash` of an access token: the left half of its SHA-256 as base64url (`OpenID` Connect Core).
pub(super) fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&fingerprint(text)[..16])
}
