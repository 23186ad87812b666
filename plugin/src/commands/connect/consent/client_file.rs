//! Reading the file of an OAuth client.
//!
//! Of the file only the client's name and secret are taken. The addresses in it are never read: they would decide where
//! the secret is sent.

use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;

use crate::failure::Failure;

/// Longest client ID or secret that is believed.
const LIMIT: usize = 512;

/// An OAuth client of type "Desktop app".
#[derive(Debug)]
pub(in super::super) struct ClientFile {
    pub(super) id: String,
    pub(super) secret: SecretString,
}

#[derive(Deserialize)]
struct File {
    installed: Option<Client>,
    web: Option<serde::de::IgnoredAny>,
    r#type: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Client {
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl ClientFile {
    /// Reads the file that Google Cloud made.
    ///
    /// # Errors
    /// When it is another one. Nothing that is in it is shown.
    pub(in super::super) fn parse(json: &[u8], path: &Path) -> Result<Self, Failure> {
        let path = path.display();
        let unusable = |why: &str| {
            Failure::new(format!("{path} is no usable OAuth client: {why}.")).advise(
                "Make one in Google Cloud (Google Auth Platform > Clients > Create client > Desktop app), download its \
                 JSON and give that file.",
            )
        };
        // The library's own message may quote the file.
        let file: File = serde_json::from_slice(json).map_err(|_| unusable("it is no JSON of that form"))?;
        let Some(client) = file.installed else {
            return Err(unusable(if file.web.is_some() {
                "it is of type \"Web application\", and must be of type \"Desktop app\""
            } else if file.r#type.is_some() {
                "it is a key or credential, and no OAuth client"
            } else {
                "the part installed is missing"
            }));
        };
        let graphic = |text: &String| {
            !text.is_empty() && text.len() <= LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let id = client
            .client_id
            .filter(graphic)
            .ok_or_else(|| unusable("client_id is missing or odd"))?;
        let secret = client
            .client_secret
            .filter(graphic)
            .ok_or_else(|| unusable("client_secret is missing or odd"))?;
        Ok(Self {
            id,
            secret: secret.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_desktop_client_is_taken_and_nothing_of_it_is_shown() {
        let path = Path::new("client.json");
        let parse = |file: serde_json::Value| ClientFile::parse(file.to_string().as_bytes(), path);
        let good = json!({ "installed": {
            "client_id": "428.apps.googleusercontent.com", "client_secret": "hidden-word",
            "token_uri": "https://evil.example/", "auth_uri": "https://evil.example/",
        } });
        let client = parse(good).unwrap();
        assert_eq!(client.id, "428.apps.googleusercontent.com");
        assert!(!format!("{client:?}").contains("hidden"));
        for (file, why) in [
            (
                json!({ "web": { "client_id": "a", "client_secret": "hidden" } }),
                "Desktop app",
            ),
            (
                json!({ "type": "service_account", "private_key": "hidden" }),
                "no OAuth client",
            ),
            (json!({ "installed": { "client_secret": "hidden" } }), "client_id"),
            (
                json!({ "installed": { "client_id": "a", "client_secret": "hidden word" } }),
                "client_secret",
            ),
            (
                json!({ "installed": { "client_id": "a", "client_secret": ["hidden"] } }),
                "no JSON of that form",
            ),
            (json!(["hidden"]), "no JSON of that form"),
            (json!({}), "installed is missing"),
        ] {
            let shown = parse(file).unwrap_err().to_string();
            assert!(shown.contains(why) && !shown.contains("hidden"), "{shown}");
        }
    }
}
