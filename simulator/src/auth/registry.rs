//! Who may ask for tokens: cloud projects, service accounts with their keys, OAuth clients, and what customers
//! have delegated.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::keys::{KeyError, SigningKey};
use crate::people::Privileges;

/// A cloud project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The id with letters.
    pub id: String,
    /// The number, as shown in quota errors.
    pub number: String,
    /// Whether the Admin SDK API is switched on in it.
    pub api_enabled: bool,
}

/// Who made a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyOrigin {
    /// Somebody downloaded it as a file.
    File,
    /// Google keeps it; `signJwt` signs with it.
    Google,
}

/// A key of a service account.
#[derive(Debug, Clone)]
pub struct AccountKey {
    /// The key itself.
    pub key: Arc<SigningKey>,
    /// Who made it.
    pub origin: KeyOrigin,
    /// A disabled key signs nothing that Google accepts. A deleted one is not in the list at all.
    pub enabled: bool,
}

/// An admin role which an administrator assigned to a service account itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminRole {
    /// The customer (`C0…`) that assigned it.
    pub customer_id: String,
    /// What it allows.
    #[serde(default)]
    pub privileges: Privileges,
}

/// A service account.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// Its address.
    pub email: String,
    /// The numeric id that an administrator pastes into the delegation page.
    pub client_id: String,
    /// The number of its project.
    pub project_number: String,
    /// The customer it was made for; it can act for others if they delegate to it.
    pub customer_id: String,
    /// Whether somebody deleted it.
    pub deleted: bool,
    /// Its keys.
    pub keys: Vec<AccountKey>,
    /// Its own admin role, if it has one.
    pub admin_role: Option<AdminRole>,
    /// Accounts that may have Google sign in its name (`roles/iam.serviceAccountTokenCreator`).
    pub token_creators: BTreeSet<String>,
}

/// Whether an OAuth client can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientState {
    /// It can.
    Active,
    /// Somebody disabled it.
    Disabled,
    /// Somebody deleted it.
    Deleted,
}

/// An OAuth client of an installed application.
#[derive(Clone)]
pub struct OAuthClient {
    /// Its id.
    pub client_id: String,
    /// Its secret (for installed applications no real secret, yet never shown outside its file).
    pub(super) secret: String,
    /// The number of its project.
    pub project_number: String,
    /// Whether it can be used.
    pub state: ClientState,
    /// Further redirect addresses. Loopback addresses are always allowed, on any port and path.
    pub redirect_uris: BTreeSet<String>,
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OAuthClient")
            .field("client_id", &self.client_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Everything that is registered.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) projects: Vec<Project>,
    pub(super) service_accounts: Vec<ServiceAccount>,
    pub(super) clients: Vec<OAuthClient>,
    /// Scopes per client id of a service account and customer.
    pub(super) delegations: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Registry {
    pub(super) fn project(&self, number: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.number == number)
    }

    /// Finds a project by id or number.
    pub(super) fn project_mut(&mut self, key: &str) -> Option<&mut Project> {
        self.projects
            .iter_mut()
            .find(|project| project.number == key || project.id == key)
    }

    /// Finds a service account by its address, its client id or (as `signJwt` allows) either.
    pub(super) fn service_account(&self, key: &str) -> Option<&ServiceAccount> {
        self.service_accounts
            .iter()
            .find(|account| account.is_called(key))
    }

    pub(super) fn service_account_mut(&mut self, key: &str) -> Option<&mut ServiceAccount> {
        self.service_accounts
            .iter_mut()
            .find(|account| account.is_called(key))
    }

    pub(super) fn service_account_of(&self, customer_id: &str) -> Option<&ServiceAccount> {
        self.service_accounts
            .iter()
            .find(|account| account.customer_id.eq_ignore_ascii_case(customer_id))
    }

    pub(super) fn client(&self, client_id: &str) -> Option<&OAuthClient> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    pub(super) fn client_mut(&mut self, client_id: &str) -> Option<&mut OAuthClient> {
        self.clients
            .iter_mut()
            .find(|client| client.client_id == client_id)
    }

    pub(super) fn client_of_project(&self, project_number: &str) -> Option<&OAuthClient> {
        self.clients
            .iter()
            .find(|client| client.project_number == project_number)
    }

    /// What the customer has delegated to the client.
    pub(super) fn delegated(&self, client_id: &str, customer_id: &str) -> BTreeSet<String> {
        self.delegations
            .get(&(client_id.to_owned(), customer_id.to_owned()))
            .cloned()
            .unwrap_or_default()
    }
}

impl ServiceAccount {
    fn is_called(&self, key: &str) -> bool {
        self.email.eq_ignore_ascii_case(key) || self.client_id == key
    }

    /// Adds a new key and returns it.
    ///
    /// # Errors
    /// [`KeyError`] if no key could be made.
    pub(super) fn add_key(&mut self, origin: KeyOrigin) -> Result<Arc<SigningKey>, KeyError> {
        let key = Arc::new(SigningKey::generate(&self.client_id)?);
        self.keys.push(AccountKey {
            key: Arc::clone(&key),
            origin,
            enabled: true,
        });
        Ok(key)
    }

    /// The newest usable key of this origin.
    pub(super) fn usable_key(&self, origin: KeyOrigin) -> Option<Arc<SigningKey>> {
        self.keys
            .iter()
            .rev()
            .find(|key| key.enabled && key.origin == origin)
            .map(|key| Arc::clone(&key.key))
    }

    /// Whether one of the usable keys made the signature. With a key id only that key counts.
    pub(super) fn has_signed(&self, token: &str, key_id: Option<&str>) -> bool {
        self.keys
            .iter()
            .filter(|key| key.enabled && key_id.is_none_or(|id| key.key.id() == id))
            .any(|key| key.key.has_signed(token))
    }
}

/// Decimal digits that are a function of the seed, a purpose and a name.
pub(super) fn digits(seed: u64, purpose: &str, name: &str, count: usize) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{seed}/{purpose}/{name}").as_bytes());
    hash.as_ref()
        .iter()
        .take(count)
        .map(|byte| char::from(b'0' + byte % 10))
        .collect()
}

/// Lower-case letters and digits that are a function of the seed, a purpose and a name.
pub(super) fn letters(seed: u64, purpose: &str, name: &str, count: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let hash = digest::digest(&digest::SHA256, format!("{seed}/{purpose}/{name}").as_bytes());
    hash.as_ref()
        .iter()
        .take(count)
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_ids_are_a_function_of_seed_and_name() {
        assert_eq!(digits(7, "client", "C01", 20), digits(7, "client", "C01", 20));
        assert_ne!(digits(7, "client", "C01", 20), digits(8, "client", "C01", 20));
        assert_ne!(digits(7, "client", "C01", 20), digits(7, "client", "C02", 20));
        assert_eq!(letters(7, "client", "C01", 32).len(), 32);
    }
}
