//! The files that an administrator downloads from Google's cloud console.

use serde_json::json;

use super::SigningKey;
use super::keys::KeyError;
use super::registry::{KeyOrigin, Registry, ServiceAccount};
use crate::state::SimulatorState;

/// The key file of the customer's service account; every address in it is below `base_url` (for example
/// `http://127.0.0.1:18080`).
///
/// # Errors
/// [`KeyError`] if the account or its key must be made and cannot.
pub fn service_account_json(
    state: &SimulatorState,
    base_url: &str,
    customer_id: &str,
) -> Result<String, KeyError> {
    let identity = state.auth.register_customer(customer_id)?;
    key_file_of(state, base_url, &identity.service_account, |account| {
        account.usable_key(KeyOrigin::File)
    })
}

/// A key file with a key that is new, or, if `existing` finds one, with that.
pub(super) fn key_file_of(
    state: &SimulatorState,
    base_url: &str,
    account: &str,
    existing: impl Fn(&ServiceAccount) -> Option<std::sync::Arc<SigningKey>>,
) -> Result<String, KeyError> {
    let mut registry = state.auth.registry_mut();
    let Some(found) = registry.service_account_mut(account) else {
        return Ok(String::new());
    };
    let key = match existing(found) {
        Some(key) => key,
        None => found.add_key(KeyOrigin::File)?,
    };
    let account = found.clone();
    Ok(key_file(&registry, &account, &key, base_url))
}

fn key_file(registry: &Registry, account: &ServiceAccount, key: &SigningKey, base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let project_id = registry
        .project(&account.project_number)
        .map(|project| project.id.as_str());
    let file = json!({
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": key.id(),
        "private_key": key.private_pem(),
        "client_email": account.email,
        "client_id": account.client_id,
        "auth_uri": format!("{base}/o/oauth2/v2/auth"),
        "token_uri": format!("{base}/token"),
        "auth_provider_x509_cert_url": format!("{base}/oauth2/v1/certs"),
        "client_x509_cert_url": format!("{base}/robot/v1/metadata/x509/{}", account.email.replace('@', "%40")),
        "universe_domain": "googleapis.com",
    });
    format!("{file:#}\n")
}

/// The file of the customer's OAuth client, of the kind "installed application".
///
/// # Errors
/// [`KeyError`] if the customer's service account must be made and cannot.
pub fn client_secret_json(
    state: &SimulatorState,
    base_url: &str,
    customer_id: &str,
) -> Result<String, KeyError> {
    let identity = state.auth.register_customer(customer_id)?;
    let base = base_url.trim_end_matches('/');
    let registry = state.auth.registry();
    let client = registry.client(&identity.oauth_client_id);
    let project_id = registry
        .project(&identity.project_number)
        .map(|project| project.id.as_str());
    let file = json!({
        "installed": {
            "client_id": identity.oauth_client_id,
            "project_id": project_id,
            "auth_uri": format!("{base}/o/oauth2/v2/auth"),
            "token_uri": format!("{base}/token"),
            "auth_provider_x509_cert_url": format!("{base}/oauth2/v1/certs"),
            "client_secret": client.map(|client| client.secret.as_str()),
            "redirect_uris": ["http://localhost"],
        }
    });
    Ok(format!("{file:#}\n"))
}
