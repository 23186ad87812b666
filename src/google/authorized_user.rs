//! Reading an authorized-user file: what is left of an admin's consent.
//!
//! It is the form that Google's own tools write (`gcloud auth application-default login`). Only the client and the
//! refresh token are taken. Addresses in it are never read: whoever may write a Secret in some namespace must not be
//! able to choose where the operator sends a refresh token.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credential_file::{self, CredentialError, name, text};

/// Longest client secret or refresh token that is believed. Google's are at most 512 bytes.
const SECRET_LIMIT: usize = 4 * 1024;

/// The usable part of an authorized-user file.
#[derive(Clone)]
pub struct AuthorizedUser {
    client_id: String,
    client_secret: SecretString,
    refresh_token: SecretString,
}

impl AuthorizedUser {
    /// ID of the OAuth client that the consent was given to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The number of the Google Cloud project whose quota is used: the client ID begins with it.
    #[must_use]
    pub fn project_number(&self) -> &str {
        let before = self.client_id.split('-').next().unwrap_or_default();
        if !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit()) {
            before
        } else {
            &self.client_id
        }
    }

    /// Whether both stand for the same grant, so that the end of one is the end of the other.
    #[must_use]
    pub fn has_token_of(&self, other: &Self) -> bool {
        self.refresh_token() == other.refresh_token()
    }

    pub(super) fn client_secret(&self) -> &str {
        self.client_secret.expose_secret()
    }

    pub(super) fn refresh_token(&self) -> &str {
        self.refresh_token.expose_secret()
    }
}

impl fmt::Debug for AuthorizedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedUser")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What is looked at in the file. Everything else in it is skipped unread.
#[derive(Deserialize)]
struct UserFile {
    r#type: Option<serde_json::Value>,
    client_id: Option<serde_json::Value>,
    client_secret: Option<serde_json::Value>,
    refresh_token: Option<serde_json::Value>,
}

/// Reads an authorized-user file.
///
/// # Errors
/// [`CredentialError`] says which field is at fault and never what is in it.
pub fn parse_authorized_user(json: &[u8]) -> Result<AuthorizedUser, CredentialError> {
    let file: UserFile = credential_file::read(json)?;
    credential_file::check_type("authorized_user", file.r#type)?;
    Ok(AuthorizedUser {
        client_id: name("client_id", file.client_id)?,
        client_secret: secret("client_secret", file.client_secret)?,
        refresh_token: secret("refresh_token", file.refresh_token)?,
    })
}

/// A text of printable ASCII, which is what RFC 6749 (appendix A) lets both consist of.
fn secret(field: &'static str, value: Option<serde_json::Value>) -> Result<SecretString, CredentialError> {
    let text = SecretString::from(text(field, value)?);
    let invalid = |problem| Err(CredentialError::InvalidField { field, problem });
    if text.expose_secret().len() > SECRET_LIMIT {
        return invalid("is too long");
    }
    if !text.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return invalid("holds blanks, control characters or letters beyond ASCII");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn file() -> serde_json::Value {
        json!({
            "type": "authorized_user",
            "client_id": "428190012345-abc.apps.googleusercontent.com",
            "client_secret": "GOCSPX-hidden",
            "refresh_token": "1//hidden",
            "account": "admin@school.example",
            "quota_project_id": "other",
            "token_uri": "https://evil.example/token",
            "universe_domain": "evil.example",
        })
    }

    fn parse(file: &serde_json::Value) -> Result<AuthorizedUser, CredentialError> {
        parse_authorized_user(&serde_json::to_vec(file).unwrap())
    }

    #[test]
    fn a_file_is_read() {
        let user = parse(&file()).unwrap();
        assert_eq!(user.client_id(), "428190012345-abc.apps.googleusercontent.com");
        assert_eq!(user.client_secret(), "GOCSPX-hidden");
        assert_eq!(user.refresh_token(), "1//hidden");
    }

    #[test]
    fn the_project_is_the_number_before_the_dash() {
        for (client_id, project) in [
            ("428190012345-abc.apps.googleusercontent.com", "428190012345"),
            (
                "428190012345.apps.googleusercontent.com",
                "428190012345.apps.googleusercontent.com",
            ),
            ("other-abc", "other-abc"),
            ("-abc", "-abc"),
        ] {
            let mut changed = file();
            changed["client_id"] = json!(client_id);
            assert_eq!(parse(&changed).unwrap().project_number(), project);
        }
    }

    #[test]
    fn every_missing_or_odd_field_is_named_and_no_value_is_shown() {
        let long = "odd-value".repeat(1_000);
        let invalid = |field, problem| CredentialError::InvalidField { field, problem };
        let odd_letters = "holds blanks, control characters or letters beyond ASCII";
        for (field, value, expected) in [
            ("type", json!(null), CredentialError::MissingField("type")),
            (
                "type",
                json!("service_account"),
                CredentialError::WrongType("authorized_user"),
            ),
            (
                "client_id",
                json!(null),
                CredentialError::MissingField("client_id"),
            ),
            (
                "client_id",
                json!("odd value"),
                invalid("client_id", "holds blanks or control characters"),
            ),
            (
                "client_secret",
                json!(""),
                CredentialError::MissingField("client_secret"),
            ),
            (
                "client_secret",
                json!(["odd-value"]),
                invalid("client_secret", "is not a text"),
            ),
            (
                "refresh_token",
                json!(" "),
                CredentialError::MissingField("refresh_token"),
            ),
            (
                "refresh_token",
                json!("odd-value\n"),
                invalid("refresh_token", odd_letters),
            ),
            (
                "refresh_token",
                json!("odd-välue"),
                invalid("refresh_token", odd_letters),
            ),
            (
                "refresh_token",
                json!(long),
                invalid("refresh_token", "is too long"),
            ),
        ] {
            let mut changed = file();
            changed[field] = value;
            let error = parse(&changed).unwrap_err();
            assert_eq!(error, expected);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("odd"), "{shown}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", parse(&file()).unwrap());
        assert!(
            shown.contains("428190012345") && !shown.contains("hidden"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_authorized_user(&bytes);
        }

        #[test]
        fn no_field_value_makes_it_panic_or_is_shown(
            field in prop_oneof![Just("type"), Just("client_id"), Just("client_secret"), Just("refresh_token")],
            value in ".{0,200}",
        ) {
            let marked = format!("mark-{value}");
            let mut changed = file();
            changed[field] = json!(marked);
            match parse(&changed) {
                Ok(user) => {
                    let shown = format!("{user:?}");
                    prop_assert!(field == "client_id" || !shown.contains("mark-"));
                }
                Err(error) => {
                    let shown = format!("{error} {error:?}");
                    prop_assert!(!shown.contains("mark-"));
                }
            }
        }
    }
}
