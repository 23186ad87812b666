//! Reading a service account key.
//!
//! Of the file only the key itself and the names of its owner are taken. The addresses in it (`token_uri`,
//! `auth_uri`, certificate URLs, `universe_domain`) are never read: whoever may write a Secret in some
//! namespace must not be able to choose where the operator sends signed requests.

use std::fmt;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credential::project_of;
use super::credential_file::{self, CredentialError, name, text};

/// The usable part of a service account key.
#[derive(Clone)]
pub struct ServiceAccountKey {
    email: String,
    client_id: String,
    project_id: Option<String>,
    private_key: SecretString,
}

impl ServiceAccountKey {
    /// E-mail address of the service account.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The numeric client ID that the admin enters on the Domain-wide delegation page.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The Google Cloud project whose quota is used. Older files do not name it; then the e-mail address does.
    #[must_use]
    pub fn project_id(&self) -> &str {
        self.project_id
            .as_deref()
            .unwrap_or_else(|| project_of(&self.email))
    }

    pub(super) fn private_key(&self) -> &str {
        self.private_key.expose_secret()
    }
}

impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccountKey")
            .field("email", &self.email)
            .field("client_id", &self.client_id)
            .field("project_id", &self.project_id)
            .finish_non_exhaustive()
    }
}

/// What is looked at in the file. Everything else in it is skipped unread.
#[derive(Deserialize)]
struct KeyFile {
    r#type: Option<serde_json::Value>,
    client_email: Option<serde_json::Value>,
    client_id: Option<serde_json::Value>,
    project_id: Option<serde_json::Value>,
    private_key: Option<serde_json::Value>,
}

/// Reads a service account key file.
///
/// # Errors
/// [`CredentialError`] says which field is at fault and never what is in it.
pub fn parse_service_account_key(json: &[u8]) -> Result<ServiceAccountKey, CredentialError> {
    let file: KeyFile = credential_file::read(json)?;
    credential_file::check_type("service_account", file.r#type)?;
    let email = name("client_email", file.client_email)?;
    if !email.contains('@') {
        return Err(CredentialError::InvalidField {
            field: "client_email",
            problem: "is no e-mail address",
        });
    }
    let client_id = name("client_id", file.client_id)?;
    if !client_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CredentialError::InvalidField {
            field: "client_id",
            problem: "is not a number",
        });
    }
    let project_id = match file.project_id {
        None | Some(serde_json::Value::Null) => None,
        Some(value) => Some(name("project_id", Some(value))?),
    };
    let private_key = SecretString::from(text("private_key", file.private_key)?);
    check_private_key(private_key.expose_secret())?;
    Ok(ServiceAccountKey {
        email,
        client_id,
        project_id,
        private_key,
    })
}

/// Refuses now what signing would refuse later.
fn check_private_key(pem: &str) -> Result<(), CredentialError> {
    let field = "private_key";
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CredentialError::InvalidField {
        field,
        problem: "is no private key in PEM form",
    })?;
    rustls::crypto::aws_lc_rs::sign::RsaSigningKey::new(&der).map_err(|_| CredentialError::InvalidField {
        field,
        problem: "is no usable RSA key",
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::credential_file::SIZE_LIMIT;
    use super::*;
    use crate::google::testing::test_key;

    fn file() -> serde_json::Value {
        json!({
            "type": "service_account",
            "project_id": "fleet-project",
            "private_key_id": "0123456789abcdef",
            "private_key": test_key(),
            "client_email": "operator@fleet-project.iam.gserviceaccount.com",
            "client_id": "112233445566778899001",
            "auth_uri": "https://evil.example/auth",
            "token_uri": "https://evil.example/token",
        })
    }

    fn parse(file: &serde_json::Value) -> Result<ServiceAccountKey, CredentialError> {
        parse_service_account_key(&serde_json::to_vec(file).unwrap())
    }

    #[test]
    fn a_key_file_is_read() {
        let key = parse(&file()).unwrap();
        assert_eq!(key.email(), "operator@fleet-project.iam.gserviceaccount.com");
        assert_eq!(key.client_id(), "112233445566778899001");
        assert_eq!(key.project_id(), "fleet-project");
    }

    #[test]
    fn a_missing_project_is_taken_from_the_address() {
        let mut old = file();
        old["project_id"] = serde_json::Value::Null;
        assert_eq!(parse(&old).unwrap().project_id(), "fleet-project");
    }

    #[test]
    fn every_missing_or_odd_field_is_named_and_no_value_is_shown() {
        let odd: [(&'static str, serde_json::Value, CredentialError); 11] = [
            ("type", json!(null), CredentialError::MissingField("type")),
            (
                "type",
                json!("authorized_user"),
                CredentialError::WrongType("service_account"),
            ),
            (
                "client_email",
                json!(null),
                CredentialError::MissingField("client_email"),
            ),
            (
                "client_email",
                json!("  "),
                CredentialError::MissingField("client_email"),
            ),
            (
                "client_email",
                json!("odd-value-1"),
                CredentialError::InvalidField {
                    field: "client_email",
                    problem: "is no e-mail address",
                },
            ),
            (
                "client_id",
                json!(null),
                CredentialError::MissingField("client_id"),
            ),
            (
                "client_id",
                json!("odd-value-2"),
                CredentialError::InvalidField {
                    field: "client_id",
                    problem: "is not a number",
                },
            ),
            (
                "project_id",
                json!("odd\nvalue"),
                CredentialError::InvalidField {
                    field: "project_id",
                    problem: "holds blanks or control characters",
                },
            ),
            (
                "private_key",
                json!(null),
                CredentialError::MissingField("private_key"),
            ),
            (
                "private_key",
                json!(["odd-value-3"]),
                CredentialError::InvalidField {
                    field: "private_key",
                    problem: "is not a text",
                },
            ),
            (
                "private_key",
                json!("-----BEGIN PRIVATE KEY-----\nb2RkLXZhbHVl\n-----END PRIVATE KEY-----\n"),
                CredentialError::InvalidField {
                    field: "private_key",
                    problem: "is no usable RSA key",
                },
            ),
        ];
        for (field, value, expected) in odd {
            let mut changed = file();
            changed[field] = value;
            let error = parse(&changed).unwrap_err();
            assert_eq!(error, expected);
            let shown = format!("{error} {error:?}");
            assert!(
                !shown.contains("odd-value") && !shown.contains("b2RkLXZhbHVl"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        assert_eq!(
            parse_service_account_key(b"[]").unwrap_err(),
            CredentialError::NotAnObject
        );
        assert_eq!(
            parse_service_account_key(b"\"secret\"").unwrap_err(),
            CredentialError::NotAnObject
        );
        assert_eq!(
            parse_service_account_key(b"{\n\"private_key\": oops").unwrap_err(),
            CredentialError::NotJson { line: 2, column: 16 }
        );
        assert_eq!(
            parse_service_account_key(b"").unwrap_err(),
            CredentialError::NotJson { line: 1, column: 0 }
        );
        let large = vec![b' '; SIZE_LIMIT + 1];
        assert_eq!(
            parse_service_account_key(&large).unwrap_err(),
            CredentialError::TooLarge
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", parse(&file()).unwrap());
        assert!(shown.contains("operator@fleet-project"), "{shown}");
        assert!(
            !shown.contains("PRIVATE KEY") && !shown.contains("MII"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_service_account_key(&bytes);
        }

        #[test]
        fn no_field_value_makes_it_panic(
            field in prop_oneof![Just("type"), Just("client_email"), Just("client_id"), Just("private_key")],
            value in ".{0,200}",
        ) {
            let mut changed = file();
            changed[field] = json!(value);
            let _ = parse(&changed);
        }
    }
}
