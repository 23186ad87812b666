//! The state of one simulator, shared by every route as `Arc<SimulatorState>`.
//!
//! Everything that the control API does is a method of this type, so that a test in Rust can call it without
//! HTTP; those methods are in [`crate::control`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use crate::auth::{self, KeyError};
use crate::clock::{Clock, ClockError};
use crate::config::{MAXIMUM_DEVICES, SimulatorConfig, TenantConfig};
use crate::control::error::ControlError;
use crate::faults::FaultBook;
use crate::people::User;
use crate::quota::Quota;
use crate::request_log::RequestLog;
use crate::switches::Switches;
use crate::tenant::{Tenant, usual_customer_id, usual_domain};

/// Tokens that were refused once by the switch; beyond so many, all are forgotten.
const MAXIMUM_REFUSED_TOKENS: usize = 10_000;

/// Everything behind the port.
#[derive(Debug)]
pub struct SimulatorState {
    /// Simulated time.
    pub clock: Arc<Clock>,
    /// Service accounts, delegation, tokens.
    pub auth: auth::AuthState,
    /// What the simulator was started with.
    pub config: SimulatorConfig,
    pub(crate) quota: Quota,
    pub(crate) faults: FaultBook,
    pub(crate) requests: RequestLog,
    switches: RwLock<Arc<Switches>>,
    counters: Mutex<Counters>,
    tenants: RwLock<Vec<Arc<Tenant>>>,
}

/// What the switches have to remember.
#[derive(Debug, Default)]
struct Counters {
    refused_tokens: FxHashMap<String, u8>,
    between_pages: FxHashMap<usize, u32>,
}

/// Why a simulator could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Start time or scale.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Keys for signing could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A customer, a switch or a quota.
    #[error(transparent)]
    Invalid(#[from] ControlError),
}

impl SimulatorState {
    /// A simulator with its customers; nothing listens yet. Seed and project number of `auth` are taken from
    /// `config`.
    ///
    /// # Errors
    /// [`SetupError`] if the configuration contradicts itself or no keys can be made.
    pub fn new(config: SimulatorConfig, auth: &auth::AuthSettings) -> Result<Arc<Self>, SetupError> {
        let auth = auth::AuthSettings {
            seed: config.seed,
            project_number: config.project_number,
            ..auth.clone()
        };
        let start = config.clock_start.unwrap_or_else(Timestamp::now);
        let state = Arc::new(Self {
            clock: Arc::new(Clock::new(start, config.time_scale)?),
            auth: auth::AuthState::new(&auth)?,
            quota: Quota::default(),
            faults: FaultBook::default(),
            requests: RequestLog::default(),
            switches: RwLock::default(),
            counters: Mutex::default(),
            tenants: RwLock::default(),
            config,
        });
        for tenant in &state.config.tenants {
            state.add_tenant(tenant)?;
        }
        Ok(state)
    }

    /// Makes a customer with its fleet and its service account.
    ///
    /// # Errors
    /// [`SetupError::Invalid`] if domain or customer ID are taken or malformed, or the fleet is too large;
    /// [`SetupError::Key`] if its service account gets no key.
    pub fn add_tenant(&self, config: &TenantConfig) -> Result<Arc<Tenant>, SetupError> {
        let domain = config
            .domain
            .clone()
            .unwrap_or_else(|| usual_domain(self.tenants().len()));
        let customer_id = config
            .customer_id
            .clone()
            .unwrap_or_else(|| usual_customer_id(self.config.seed, &domain));
        check_names(&domain, &customer_id)?;
        if config.devices > MAXIMUM_DEVICES {
            return Err(ControlError::invalid(format!("devices: at most {MAXIMUM_DEVICES}")).into());
        }
        self.auth.register_customer(&customer_id)?;
        let tenant = Arc::new(Tenant::generate(
            self.config.seed,
            &customer_id,
            &domain,
            config.devices,
            &self.clock,
        ));
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let taken = |other: &&Arc<Tenant>| {
            other.domain() == domain || other.customer_id().eq_ignore_ascii_case(&customer_id)
        };
        if let Some(other) = tenants.iter().find(taken) {
            let text = format!(
                "customer {} with domain {} exists already",
                other.customer_id(),
                other.domain()
            );
            return Err(ControlError::conflict(text).into());
        }
        tenants.push(Arc::clone(&tenant));
        Ok(tenant)
    }

    /// The customers, in the order in which they were made. The first is the one that tools show.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.tenants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The customer with this id (`C0…`), whatever the case.
    #[must_use]
    pub fn find_tenant(&self, customer_id: &str) -> Option<Arc<Tenant>> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants
            .iter()
            .find(|tenant| tenant.customer_id().eq_ignore_ascii_case(customer_id))
            .cloned()
    }

    /// The account with this primary e-mail address or id, in any customer.
    #[must_use]
    pub fn find_user(&self, email: &str) -> Option<User> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.iter().find_map(|tenant| tenant.find_user(email))
    }

    /// The switches as they are now.
    #[must_use]
    pub fn switches(&self) -> Arc<Switches> {
        Arc::clone(&self.switches.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all switches and forgets what they have counted.
    pub fn set_switches(&self, switches: Switches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(switches);
        *self.counters() = Counters::default();
    }

    /// Whether the switch refuses this page token now; each refusal counts.
    pub(crate) fn refuses_page_token(&self, token: &str) -> bool {
        let times = self.switches().reject_page_tokens;
        if times == 0 {
            return false;
        }
        let mut counters = self.counters();
        if counters.refused_tokens.len() >= MAXIMUM_REFUSED_TOKENS {
            counters.refused_tokens.clear();
        }
        let refused = counters.refused_tokens.entry(token.to_owned()).or_default();
        if *refused < times {
            *refused += 1;
            return true;
        }
        false
    }

    /// Makes the changes that are due after this page of a walk.
    pub(crate) fn between_pages(&self, tenant: &Tenant, page: u32) {
        let switches = self.switches();
        for (index, hook) in switches.between_pages.iter().enumerate() {
            let meant = hook
                .tenant
                .as_deref()
                .is_none_or(|wanted| tenant.customer_id().eq_ignore_ascii_case(wanted))
                && hook.after_page.is_none_or(|wanted| wanted == page);
            if !meant {
                continue;
            }
            {
                let mut counters = self.counters();
                let done = counters.between_pages.entry(index).or_default();
                if hook.times.is_some_and(|times| *done >= times) {
                    continue;
                }
                *done += 1;
            }
            if let Err(error) = tenant.apply(&hook.change, u64::from(page)) {
                tracing::warn!(%error, "a change between two pages was not possible");
            }
        }
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_names(domain: &str, customer_id: &str) -> Result<(), ControlError> {
    let domain_letters =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
    if domain.is_empty() || domain.len() > 200 || !domain.chars().all(domain_letters) {
        return Err(ControlError::invalid(
            "domain: small letters, digits, dots and hyphens",
        ));
    }
    let valid = customer_id.len() >= 3
        && customer_id.len() <= 32
        && customer_id.starts_with('C')
        && customer_id.chars().all(|letter| letter.is_ascii_alphanumeric());
    if valid {
        Ok(())
    } else {
        Err(ControlError::invalid(
            "customerId: C and letters or digits, for example C01abcdef",
        ))
    }
}
