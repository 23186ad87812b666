//! How the operator will sign in to Google, and what is read from files for it.

use std::path::{Path, PathBuf};

use chrome_enterprise_operator::google::{ServiceAccountKey, parse_service_account_key};
use secrecy::SecretString;

use super::arguments::WayArguments;
use super::consent::ClientFile;
use crate::failure::Failure;

/// Largest file that is read; a key file has about 2.4 kB.
const SIZE_LIMIT: u64 = 64 * 1024;

/// One of three ways.
#[derive(Debug)]
pub(super) enum Way {
    /// A key of a service account.
    Key(KeyFile),
    /// An admin signs in with a browser.
    Consent(ClientFile),
    /// The operator's own cloud identity signs for this service account.
    Keyless(String),
}

impl Way {
    /// Reads and checks the file that the way needs. Nobody is asked.
    ///
    /// # Errors
    /// When the file cannot be read or is another one than it should be.
    pub(super) fn read(arguments: &WayArguments) -> Result<Self, Failure> {
        if let Some(path) = &arguments.key_file {
            return KeyFile::read(path).map(Self::Key);
        }
        if let Some(path) = &arguments.client_file {
            return ClientFile::parse(&read(path)?, path).map(Self::Consent);
        }
        match &arguments.keyless {
            Some(email) => Ok(Self::Keyless(email.clone())),
            None => Err(Failure::usage(
                "Choose a way to sign in: --key-file, --consent or --keyless.",
            )),
        }
    }
}

/// A key file that was read and found to be usable.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    key: ServiceAccountKey,
    content: SecretString,
}

impl KeyFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let content = read(path)?;
        let unusable = |why: String| {
            Failure::new(format!("{} is no usable service account key: {why}.", path.display())).advise(
                "Make a new key in Google Cloud (IAM & Admin > Service accounts > Keys > JSON) and give its file.",
            )
        };
        let key = parse_service_account_key(&content).map_err(|error| unusable(error.to_string()))?;
        let content = String::from_utf8(content).map_err(|_| unusable("it is no text".to_owned()))?;
        Ok(Self {
            path: path.to_owned(),
            key,
            content: content.into(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn client_id(&self) -> &str {
        self.key.client_id()
    }

    pub(super) fn email(&self) -> &str {
        self.key.email()
    }

    pub(super) const fn content(&self) -> &SecretString {
        &self.content
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: String| {
        Failure::new(format!("The file {} cannot be read: {why}.", path.display()))
            .advise("Give the JSON file as Google Cloud made it.")
    };
    let size = std::fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if size > SIZE_LIMIT {
        return Err(unreadable("it is far too large".to_owned()));
    }
    std::fs::read(path).map_err(|error| unreadable(error.to_string()))
}
