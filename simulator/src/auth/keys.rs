//! RSA keys of service accounts and of Google itself, and the tokens (JWT, RS256) that they sign.

use std::fmt::{self, Write as _};

use aws_lc_rs::digest;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Map, Value};

/// The claims of a token.
pub type Claims = Map<String, Value>;

/// A key could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Generation or the certificate failed.
    #[error("an RSA key for {owner} could not be made")]
    Generation {
        /// For whom the key is.
        owner: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// The library does not take its own key, or could not sign.
    #[error("the RSA key of {owner} could not be used")]
    Use {
        /// Whose key it is.
        owner: String,
        /// What the library said.
        source: jsonwebtoken::errors::Error,
    },
}

/// An RSA key of 2048 bits with its certificate.
pub struct SigningKey {
    id: String,
    owner: String,
    private_pem: String,
    certificate_pem: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key. `owner` is the common name of its certificate.
    ///
    /// # Errors
    /// [`KeyError`] if the cryptographic library refuses.
    pub fn generate(owner: &str) -> Result<Self, KeyError> {
        let generation = |source| KeyError::Generation {
            owner: owner.to_owned(),
            source,
        };
        let usage = |source| KeyError::Use {
            owner: owner.to_owned(),
            source,
        };
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(generation)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, owner);
        let certificate_pem = parameters.self_signed(&pair).map_err(generation)?.pem();
        let private_pem = pair.serialize_pem();
        let encoding = EncodingKey::from_rsa_pem(private_pem.as_bytes()).map_err(usage)?;
        let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(usage)?;
        let id = key_id(&pair);
        jwk.common.key_id = Some(id.clone());
        jwk.common.key_algorithm = Some(KeyAlgorithm::RS256);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let decoding = DecodingKey::from_jwk(&jwk).map_err(usage)?;
        Ok(Self {
            id,
            owner: owner.to_owned(),
            private_pem,
            certificate_pem,
            encoding,
            decoding,
            jwk,
        })
    }

    /// The key id (`kid`): 40 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The private key as PKCS #8 in PEM.
    #[must_use]
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// The self-signed certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The public key as JWK.
    #[must_use]
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Signs claims.
    ///
    /// # Errors
    /// [`KeyError::Use`] if the cryptographic library refuses.
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|source| KeyError::Use {
            owner: self.owner.clone(),
            source,
        })
    }

    /// Whether the token was signed with this key and RS256. Nothing else is checked.
    #[must_use]
    pub fn has_signed(&self, token: &str) -> bool {
        // The signature covers the text as it was sent, padding included; RFC 7515 forbids padding, Google takes it,
        // and some clients write it.
        let Some((message, signature)) = token.rsplit_once('.') else {
            return false;
        };
        let is_rs256 = read_unverified(token).is_some_and(|token| token.algorithm == "RS256");
        let signature = signature.trim_end_matches('=');
        is_rs256
            && jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, Algorithm::RS256)
                .unwrap_or(false)
    }
}

/// What a token says, before anything is verified: the algorithm, the key id and the claims.
pub(super) struct UnverifiedToken {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
    pub(super) claims: Claims,
}

/// The text of a part of a token, padded or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a token without verifying it; `None` if it is no JWT with JSON claims.
pub(super) fn read_unverified(token: &str) -> Option<UnverifiedToken> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, _signature] = parts.as_slice() else {
        return None;
    };
    let header: Claims = serde_json::from_slice(&LENIENT.decode(header).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&LENIENT.decode(claims).ok()?).ok()?;
    let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(UnverifiedToken {
        algorithm: text("alg").unwrap_or_default(),
        key_id: text("kid"),
        claims,
    })
}

/// A key id as Google's look: derived from the public key, so that it needs no register.
fn key_id(pair: &KeyPair) -> String {
    let hash = digest::digest(&digest::SHA256, pair.public_key_raw());
    hash.as_ref()
        .iter()
        .take(20)
        .fold(String::with_capacity(40), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_knows_its_own_signatures_only() {
        let (one, two) = (
            SigningKey::generate("one").unwrap(),
            SigningKey::generate("two").unwrap(),
        );
        let claims = json!({"iss": "one", "exp": 1}).as_object().cloned().unwrap();
        let token = one.sign(&claims).unwrap();
        assert!(one.has_signed(&token));
        assert!(!two.has_signed(&token));
        let read = read_unverified(&token).unwrap();
        assert_eq!(read.key_id.as_deref(), Some(one.id()));
        assert_eq!(read.claims["iss"], "one");
        assert_eq!(one.id().len(), 40);
    }

    #[test]
    fn padding_is_taken_as_google_takes_it() {
        let key = SigningKey::generate("one").unwrap();
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE.encode(text);
        let message = format!("{}.{}", part(r#"{"alg":"RS256"}"#), part(r#"{"iss":"one1"}"#));
        assert!(message.contains('='), "{message}");
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, Algorithm::RS256).unwrap();
        assert!(key.has_signed(&format!("{message}.{signature}==")));
        assert!(!key.has_signed(&format!("{}.{signature}", message.trim_end_matches('='))));
    }

    #[test]
    fn a_token_without_signature_algorithm_is_not_signed() {
        let key = SigningKey::generate("one").unwrap();
        // {"alg":"none"}.{"iss":"one"}.
        assert!(!key.has_signed("eyJhbGciOiJub25lIn0.eyJpc3MiOiJvbmUifQ."));
        assert!(read_unverified("not a token").is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::generate("one").unwrap();
        let shown = format!("{key:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
    }
}
