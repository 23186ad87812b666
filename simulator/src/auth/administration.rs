//! What administrators and owners of cloud projects do, for tests in Rust and for `/sim/v1/auth`.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::faults::{Fault, FaultRule};
use super::registry::{AdminRole, ClientState, KeyOrigin, ServiceAccount};
use super::tokens::{Consent, Holder};
use super::{AuthState, scopes};
use crate::control::error::ControlError;
use crate::state::SimulatorState;
use serde_json::json;

impl AuthState {
    /// Switches the Admin SDK API of a project (id or number) on or off.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such project.
    pub fn set_api_enabled(&self, project: &str, enabled: bool) -> Result<(), ControlError> {
        let mut registry = self.registry_mut();
        let found = registry
            .project_mut(project)
            .ok_or_else(|| missing("project", project))?;
        found.api_enabled = enabled;
        Ok(())
    }

    /// Replaces what a customer delegates to a client id; no scopes end the delegation. As on Google's page, any
    /// client id can be entered.
    pub fn delegate(&self, client_id: &str, customer_id: &str, scopes: BTreeSet<String>) {
        let key = (client_id.to_owned(), customer_id.to_owned());
        let mut registry = self.registry_mut();
        if scopes.is_empty() {
            registry.delegations.remove(&key);
        } else {
            registry.delegations.insert(key, scopes);
        }
    }

    /// Deletes a service account (address or client id), or brings it back.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account.
    pub fn set_account_deleted(&self, account: &str, deleted: bool) -> Result<(), ControlError> {
        self.change_account(account, |account| {
            account.deleted = deleted;
            Ok(())
        })
    }

    /// Gives a service account an admin role of its own, or takes it away.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account.
    pub fn set_admin_role(&self, account: &str, role: Option<AdminRole>) -> Result<(), ControlError> {
        self.change_account(account, |account| {
            account.admin_role = role;
            Ok(())
        })
    }

    /// Replaces the accounts that may have Google sign in the name of a service account.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account.
    pub fn set_token_creators(&self, account: &str, creators: BTreeSet<String>) -> Result<(), ControlError> {
        self.change_account(account, |account| {
            account.token_creators = creators;
            Ok(())
        })
    }

    /// Disables or enables a key.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account or key.
    pub fn set_key_enabled(&self, account: &str, key_id: &str, enabled: bool) -> Result<(), ControlError> {
        self.change_account(account, |account| {
            let key = account.keys.iter_mut().find(|key| key.key.id() == key_id);
            key.ok_or_else(|| missing("key", key_id))?.enabled = enabled;
            Ok(())
        })
    }

    /// Deletes a key that was made as a file.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account or key.
    pub fn delete_key(&self, account: &str, key_id: &str) -> Result<(), ControlError> {
        self.change_account(account, |account| {
            let is_meant =
                |key: &super::registry::AccountKey| key.key.id() == key_id && key.origin == KeyOrigin::File;
            let position = account
                .keys
                .iter()
                .position(is_meant)
                .ok_or_else(|| missing("key file", key_id))?;
            account.keys.remove(position);
            Ok(())
        })
    }

    /// Disables, deletes or brings back an OAuth client.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such client.
    pub fn set_client_state(&self, client_id: &str, state: ClientState) -> Result<(), ControlError> {
        let mut registry = self.registry_mut();
        registry
            .client_mut(client_id)
            .ok_or_else(|| missing("OAuth client", client_id))?
            .state = state;
        Ok(())
    }

    /// Replaces the redirect addresses of an OAuth client; loopback addresses are always allowed.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such client.
    pub fn set_redirect_uris(
        &self,
        client_id: &str,
        addresses: BTreeSet<String>,
    ) -> Result<(), ControlError> {
        let mut registry = self.registry_mut();
        let client = registry
            .client_mut(client_id)
            .ok_or_else(|| missing("OAuth client", client_id))?;
        client.redirect_uris = addresses;
        Ok(())
    }

    /// Ends the access and refresh tokens of one account, or of all; returns how many there were.
    pub fn revoke_tokens(&self, account: Option<&str>) -> usize {
        self.tokens()
            .revoke_where(|holder| account.is_none_or(|account| holder.account.eq_ignore_ascii_case(account)))
    }

    /// The refresh tokens that are live: whose they are and what for, in the order of their issue.
    #[must_use]
    pub fn consents(&self) -> Vec<Consent> {
        self.tokens().consents()
    }

    /// Has the token endpoint refuse the next matching requests.
    ///
    /// # Errors
    /// [`ControlError`] if the rule contradicts itself.
    pub fn add_token_fault(&self, rule: FaultRule) -> Result<Fault, ControlError> {
        self.faults().add(rule).map_err(ControlError::invalid)
    }

    /// Ends all faults of the token endpoint.
    pub fn clear_token_faults(&self) {
        self.faults().clear();
    }

    pub(super) fn change_account<T>(
        &self,
        key: &str,
        change: impl FnOnce(&mut ServiceAccount) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let mut registry = self.registry_mut();
        let account = registry
            .service_account_mut(key)
            .ok_or_else(|| missing("service account", key))?;
        change(account)
    }
}

impl SimulatorState {
    /// Makes an access token for a user or a service account without any sign-in. Nothing is checked: this is how
    /// a test gets a token with any scopes. Without `lifetime_seconds` it lives as long as others.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account.
    pub fn mint_access_token(
        &self,
        account: &str,
        scopes: &BTreeSet<String>,
        lifetime_seconds: Option<u32>,
    ) -> Result<String, ControlError> {
        let service_account = self.auth.registry().service_account(account).cloned();
        let (account, home, itself) = match (service_account, self.find_user(account)) {
            (Some(found), _) => (found.email, found.customer_id, true),
            (None, Some(found)) => (found.primary_email, found.customer_id, false),
            (None, None) => return Err(missing("account", account)),
        };
        let identity = self
            .auth
            .register_customer(&home)
            .map_err(|error| ControlError::internal(&error))?;
        let holder = Holder {
            account,
            project_number: identity.project_number,
            client_id: identity.oauth_client_id,
            scopes: scopes::parse(&scopes::join(scopes)),
            is_service_account_itself: itself,
        };
        let seconds = lifetime_seconds.unwrap_or(self.auth.switches().access_token_lifetime_seconds);
        let now = self.auth.expiry_time(&self.clock);
        self.auth
            .tokens()
            .issue_access(holder, None, now, SignedDuration::from_secs(i64::from(seconds)))
            .map_err(|error| ControlError::internal(&error))
    }
}

impl SimulatorState {
    /// Plays an administrator who consents to these scopes for the OAuth client of the own customer, as the consent page
    /// and the exchange of its code do. Returns the file that a program keeps of it: client and refresh token.
    ///
    /// # Errors
    /// [`ControlError`] if there is no such account, or a scope does not exist.
    pub fn consent(&self, account: &str, scopes: &BTreeSet<String>) -> Result<String, ControlError> {
        let user = self
            .find_user(account)
            .ok_or_else(|| missing("account", account))?;
        let scopes = scopes::parse(&scopes::join(scopes));
        if scopes.is_empty() || !scopes.iter().all(|scope| scopes::is_known(scope)) {
            return Err(ControlError::invalid(
                "there is no scope, or one that does not exist",
            ));
        }
        let identity = self
            .auth
            .register_customer(&user.customer_id)
            .map_err(|error| ControlError::internal(&error))?;
        let holder = Holder {
            account: user.primary_email,
            project_number: identity.project_number,
            client_id: identity.oauth_client_id.clone(),
            scopes,
            is_service_account_itself: false,
        };
        let life = self.auth.switches().refresh_token_lifetime_seconds;
        let life = life.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
        let now = self.auth.expiry_time(&self.clock);
        let token = self.auth.tokens().issue_refresh(holder, now, life);
        let token = token.map_err(|error| ControlError::internal(&error))?;
        let registry = self.auth.registry();
        let client = registry.client(&identity.oauth_client_id);
        let file = json!({
            "type": "authorized_user",
            "client_id": identity.oauth_client_id,
            "client_secret": client.map(|client| client.secret.as_str()),
            "refresh_token": token,
        });
        Ok(format!("{file:#}\n"))
    }
}

/// 404 that says what there is not.
pub(super) fn missing(what: &str, name: &str) -> ControlError {
    ControlError::not_found(format!("no {what} {name}; GET /sim/v1/auth lists what there is"))
}
