//! Signing in: service accounts, domain-wide delegation, consent, tokens, and who calls an API.
//!
//! | file | what |
//! |---|---|
//! | `registry` | projects, service accounts and keys, OAuth clients, delegation |
//! | `token_endpoint` | `/token`: client authentication, faults, the three grants |
//! | `jwt_bearer`, `code_grant`, `refresh_grant` | one grant each |
//! | `token_error` | every refusal of the token endpoint with its text |
//! | `tokens` | what was issued |
//! | `caller` | reads the `Authorization` header of API calls |
//! | `consent`, `consent_page` | `/o/oauth2/v2/auth` |
//! | `identity` | `/revoke`, user info, certificates |
//! | `sign_jwt`, `metadata` | keyless signing and the workload identity it needs |
//! | `files` | the credential files an administrator would download |
//! | `administration` | what administrators do: delegation, keys, roles, revocation |
//! | `control`, `control_accounts` | `/sim/v1/auth` |

pub(crate) mod address;
mod administration;
mod caller;
mod client_auth;
mod code_grant;
mod consent;
mod consent_page;
mod control;
mod control_accounts;
mod faults;
mod files;
mod form;
mod identity;
mod jwt_bearer;
pub mod keys;
mod metadata;
mod random;
mod refresh_grant;
pub mod registry;
mod request_log;
pub mod scopes;
mod settings;
mod sign_jwt;
mod timeframe;
mod token_endpoint;
mod token_error;
mod tokens;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use jiff::{SignedDuration, Timestamp};

pub use caller::Caller;
pub use faults::{Fault as TokenFault, FaultRule as TokenFaultRule};
pub use files::{client_secret_json, service_account_json};
pub use keys::KeyError;
pub use settings::{AuthSettings, AuthSwitches, ConsentMode, ConsentSwitches, ExpiryClock, WithoutSubject};
pub use token_error::{TokenError, TokenErrorKind};
pub use tokens::Consent;

use crate::clock::Clock;
use crate::state::SimulatorState;
use faults::FaultList;
use keys::SigningKey;
use registry::{ClientState, KeyOrigin, OAuthClient, Project, Registry, ServiceAccount};
use request_log::RequestLog;
use tokens::{Holder, TokenStore};

/// Everything that signing in needs to remember.
#[derive(Debug)]
pub struct AuthState {
    settings: AuthSettings,
    /// Signs ID tokens.
    google_key: Arc<SigningKey>,
    registry: RwLock<Registry>,
    tokens: Mutex<TokenStore>,
    switches: RwLock<AuthSwitches>,
    faults: Mutex<FaultList>,
    requests: Mutex<RequestLog>,
}

/// The names under which a customer signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerIdentity {
    /// Address of the service account.
    pub service_account: String,
    /// The numeric client id to paste into the delegation page.
    pub service_account_client_id: String,
    /// The OAuth client of the same project.
    pub oauth_client_id: String,
    /// The number of that project.
    pub project_number: String,
}

impl CustomerIdentity {
    fn of(account: &ServiceAccount, client: &OAuthClient) -> Self {
        Self {
            service_account: account.email.clone(),
            service_account_client_id: account.client_id.clone(),
            oauth_client_id: client.client_id.clone(),
            project_number: account.project_number.clone(),
        }
    }
}

fn identity_in(registry: &Registry, customer_id: &str) -> Option<CustomerIdentity> {
    let account = registry.service_account_of(customer_id)?;
    let client = registry.client_of_project(&account.project_number)?;
    Some(CustomerIdentity::of(account, client))
}

impl AuthState {
    /// A state without any customer. Customers are registered when they are first needed.
    ///
    /// # Errors
    /// [`KeyError`] if the key for ID tokens cannot be made.
    pub fn new(settings: &AuthSettings) -> Result<Self, KeyError> {
        Ok(Self {
            google_key: Arc::new(SigningKey::generate(
                "federated-signon.system.gserviceaccount.com",
            )?),
            registry: RwLock::default(),
            tokens: Mutex::new(TokenStore::new(settings.token_capacity)),
            switches: RwLock::new(settings.switches.clone()),
            faults: Mutex::default(),
            requests: Mutex::default(),
            settings: settings.clone(),
        })
    }

    /// Makes project, service account, key, delegation and OAuth client of a customer, unless they are there.
    ///
    /// # Errors
    /// [`KeyError`] if no key can be made.
    pub fn register_customer(&self, customer_id: &str) -> Result<CustomerIdentity, KeyError> {
        if let Some(identity) = self.identity_of(customer_id) {
            return Ok(identity);
        }
        let mut registry = self.registry_mut();
        // Somebody else may have been faster between the two locks.
        match identity_in(&registry, customer_id) {
            Some(identity) => Ok(identity),
            None => self.add_customer(&mut registry, customer_id),
        }
    }

    fn add_customer(&self, registry: &mut Registry, customer_id: &str) -> Result<CustomerIdentity, KeyError> {
        let seed = self.settings.seed;
        let position = u64::try_from(registry.projects.len()).unwrap_or(u64::MAX);
        let number = self.settings.project_number.saturating_add(position).to_string();
        let project_id = format!("chromeos-fleet-{}", customer_id.to_ascii_lowercase());
        let mut account = ServiceAccount {
            email: format!("chromeos-operator@{project_id}.iam.gserviceaccount.com"),
            client_id: format!("1{}", registry::digits(seed, "service account", customer_id, 20)),
            project_number: number.clone(),
            customer_id: customer_id.to_owned(),
            deleted: false,
            keys: Vec::new(),
            admin_role: None,
            token_creators: [metadata::WORKLOAD_ACCOUNT.to_owned()].into(),
        };
        account.add_key(KeyOrigin::File)?;
        registry.delegations.insert(
            (account.client_id.clone(), customer_id.to_owned()),
            self.settings.delegated_scopes.clone(),
        );
        let client = OAuthClient {
            client_id: format!(
                "{number}-{}.apps.googleusercontent.com",
                registry::letters(seed, "oauth client", customer_id, 32)
            ),
            secret: format!(
                "GOCSPX-sim-{}",
                registry::letters(seed, "oauth secret", customer_id, 28)
            ),
            project_number: number.clone(),
            state: ClientState::Active,
            redirect_uris: BTreeSet::new(),
        };
        let identity = CustomerIdentity::of(&account, &client);
        registry.service_accounts.push(account);
        registry.clients.push(client);
        registry.projects.push(Project {
            id: project_id,
            number,
            api_enabled: true,
        });
        Ok(identity)
    }

    fn identity_of(&self, customer_id: &str) -> Option<CustomerIdentity> {
        identity_in(&self.registry(), customer_id)
    }

    /// The switches as they are now.
    #[must_use]
    pub fn switches(&self) -> AuthSwitches {
        self.switches
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: AuthSwitches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }

    /// Google's time for what clients sign with their own clock: this computer's time plus the skew.
    fn google_time(&self, clock: &Clock) -> Timestamp {
        let skew = SignedDuration::from_secs(self.switches().clock_skew_seconds);
        clock.wall_now().saturating_add(skew).unwrap_or(Timestamp::MAX)
    }

    /// The time that ends tokens.
    fn expiry_time(&self, clock: &Clock) -> Timestamp {
        match self.switches().expire_tokens_by {
            ExpiryClock::Wall => clock.wall_now(),
            ExpiryClock::Simulated => clock.now(),
        }
    }

    /// Whom a live access token stands for.
    fn holder_of(&self, token: &str, clock: &Clock) -> Option<Holder> {
        let now = self.expiry_time(clock);
        self.tokens().access(token, now).cloned()
    }

    fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry_mut(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, TokenStore> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, FaultList> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, RequestLog> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The OAuth and IAM endpoints that clients call.
pub fn router() -> Router<Arc<SimulatorState>> {
    Router::new()
        .merge(token_endpoint::router())
        .merge(consent::router())
        .merge(identity::router())
        .merge(sign_jwt::router())
        .merge(metadata::router())
}

/// The part of the control API under `/sim/v1/auth`.
pub fn control_router() -> Router<Arc<SimulatorState>> {
    control::router().merge(control_accounts::router())
}
