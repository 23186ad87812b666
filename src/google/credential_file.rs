//! What the files that hold credentials have in common: how they are read, and what is said of those that cannot be.

use serde::de::DeserializeOwned;

/// Largest file that is read. Google's are about 2.4 kB.
pub(super) const SIZE_LIMIT: usize = 64 * 1024;

/// Longest e-mail address, client ID or project ID that is believed.
const NAME_LIMIT: usize = 320;

/// Why the file of a credential cannot be used. No variant carries anything from the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The file is far too large.
    #[error("the file is larger than {SIZE_LIMIT} bytes")]
    TooLarge,
    /// The file is no JSON.
    #[error("the file is no valid JSON (line {line}, column {column})")]
    NotJson {
        /// Line where reading stopped.
        line: usize,
        /// Column where reading stopped.
        column: usize,
    },
    /// The file is JSON but no object, or names a field twice.
    #[error("the file is no JSON object with each field once")]
    NotAnObject,
    /// The file is another kind of credential than this one.
    #[error("the field type is not {0}")]
    WrongType(&'static str),
    /// A field is missing or empty.
    #[error("the field {0} is missing or empty")]
    MissingField(&'static str),
    /// A field is there but unusable.
    #[error("the field {field} {problem}")]
    InvalidField {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads the fields that `T` names. Everything else in the file is skipped unread.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, CredentialError> {
    if json.len() > SIZE_LIMIT {
        return Err(CredentialError::TooLarge);
    }
    // The library's own message may quote the file, so only the place is passed on.
    serde_json::from_slice(json).map_err(|error| {
        if error.is_data() {
            CredentialError::NotAnObject
        } else {
            CredentialError::NotJson {
                line: error.line(),
                column: error.column(),
            }
        }
    })
}

/// Refuses the file of another kind of credential.
pub(super) fn check_type(
    expected: &'static str,
    value: Option<serde_json::Value>,
) -> Result<(), CredentialError> {
    if text("type", value)? == expected {
        Ok(())
    } else {
        Err(CredentialError::WrongType(expected))
    }
}

/// A text that is never shown.
pub(super) fn text(field: &'static str, value: Option<serde_json::Value>) -> Result<String, CredentialError> {
    match value {
        None | Some(serde_json::Value::Null) => Err(CredentialError::MissingField(field)),
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => {
            Err(CredentialError::MissingField(field))
        }
        Some(serde_json::Value::String(text)) => Ok(text),
        Some(
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_),
        ) => Err(CredentialError::InvalidField {
            field,
            problem: "is not a text",
        }),
    }
}

/// A text that may be shown.
pub(super) fn name(field: &'static str, value: Option<serde_json::Value>) -> Result<String, CredentialError> {
    let text = text(field, value)?;
    if text.len() > NAME_LIMIT {
        return Err(CredentialError::InvalidField {
            field,
            problem: "is too long",
        });
    }
    if text
        .chars()
        .any(|character| character.is_control() || character.is_whitespace())
    {
        return Err(CredentialError::InvalidField {
            field,
            problem: "holds blanks or control characters",
        });
    }
    Ok(text)
}
