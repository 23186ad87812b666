//! A simulator for tests: started inside the test, controlled by calls, gone when it is dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::auth::{self, AuthSettings, KeyError};
use crate::config::{SimulatorConfig, TenantConfig};
use crate::quota::QuotaLimits;
use crate::server::{RunningServer, assemble};
use crate::state::{SetupError, SimulatorState};
use crate::switches::Switches;
use crate::tenant::Tenant;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The address is taken or not one of this computer.
    #[error("cannot listen at {address}: {source}; choose another address, or port 0 for a free one")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A credential file could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What a simulator is to be started with; every setting has a default.
#[derive(Debug, Clone)]
pub struct SimulatorBuilder {
    config: SimulatorConfig,
    auth: AuthSettings,
    switches: Switches,
    quota: QuotaLimits,
    listen: SocketAddr,
}

impl SimulatorBuilder {
    /// How many devices each customer has that was not given by [`Self::tenant_configs`].
    #[must_use]
    pub fn devices(mut self, devices: u32) -> Self {
        for tenant in &mut self.config.tenants {
            tenant.devices = devices;
        }
        self
    }

    /// So many customers, each with as many devices as the first.
    #[must_use]
    pub fn tenants(mut self, count: usize) -> Self {
        let devices = self.config.tenants.first().map_or(0, |tenant| tenant.devices);
        self.config.tenants = vec![
            TenantConfig {
                devices,
                ..TenantConfig::default()
            };
            count
        ];
        self
    }

    /// Exactly these customers.
    #[must_use]
    pub fn tenant_configs(mut self, tenants: Vec<TenantConfig>) -> Self {
        self.config.tenants = tenants;
        self
    }

    /// The seed of everything that is invented.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// What the clock shows at the start.
    #[must_use]
    pub fn clock_start(mut self, start: Timestamp) -> Self {
        self.config.clock_start = Some(start);
        self
    }

    /// Simulated seconds per real second; 0 freezes the clock.
    #[must_use]
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.config.time_scale = scale;
        self
    }

    /// The switches at the start.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// The quotas at the start.
    #[must_use]
    pub fn quota(mut self, limits: QuotaLimits) -> Self {
        self.quota = limits;
        self
    }

    /// The settings of the sign-in side, except seed and project number.
    #[must_use]
    pub fn auth(mut self, settings: AuthSettings) -> Self {
        self.auth = settings;
        self
    }

    /// Where to listen; a free port of 127.0.0.1 if it is not called.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Makes the fleets and listens.
    ///
    /// # Errors
    /// [`Error`] if the configuration contradicts itself or the address cannot be used.
    pub async fn start(self) -> Result<Simulator, Error> {
        let state = SimulatorState::new(self.config, &self.auth)?;
        state.set_switches(self.switches);
        state.set_quota_limits(self.quota);
        let server = listen(self.listen, &state).await?;
        Ok(Simulator {
            address: server.address,
            state,
            server: Mutex::new(Some(server)),
        })
    }
}

async fn listen(address: SocketAddr, state: &Arc<SimulatorState>) -> Result<RunningServer, Error> {
    RunningServer::start(address, assemble(state))
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// A running simulator. Dropping it closes its port.
#[derive(Debug)]
pub struct Simulator {
    state: Arc<SimulatorState>,
    address: SocketAddr,
    server: Mutex<Option<RunningServer>>,
}

impl Simulator {
    /// The settings of a new simulator: one customer with 100 devices, seed 1, real time, a free port.
    #[must_use]
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder {
            config: SimulatorConfig::default(),
            auth: AuthSettings::default(),
            switches: Switches::default(),
            quota: QuotaLimits::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// `http://127.0.0.1:port`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that the control API can do, as methods.
    #[must_use]
    pub fn state(&self) -> &Arc<SimulatorState> {
        &self.state
    }

    /// The customers.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.state.tenants()
    }

    /// The administrator of the first customer; empty if there is no customer.
    #[must_use]
    pub fn admin_email(&self) -> String {
        self.tenants()
            .first()
            .map(|tenant| tenant.admin_email())
            .unwrap_or_default()
    }

    /// The ID of the first customer; empty if there is no customer.
    #[must_use]
    pub fn customer_id(&self) -> String {
        self.tenants()
            .first()
            .map(|tenant| tenant.customer_id().to_owned())
            .unwrap_or_default()
    }

    /// The key file of the first customer's service account.
    ///
    /// # Errors
    /// [`KeyError`] if no key can be made.
    pub fn service_account_json(&self) -> Result<String, KeyError> {
        auth::service_account_json(&self.state, &self.url(), &self.customer_id())
    }

    /// The file of the first customer's OAuth client.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be made.
    pub fn client_secret_json(&self) -> Result<String, KeyError> {
        auth::client_secret_json(&self.state, &self.url(), &self.customer_id())
    }

    /// The authorized-user file of an account that consents to these scopes.
    ///
    /// # Errors
    /// [`ControlError`](crate::control::error::ControlError) if there is no such account or scope.
    pub fn authorized_user_json(
        &self,
        account: &str,
        scopes: &[&str],
    ) -> Result<String, crate::control::error::ControlError> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.state.consent(account, &scopes)
    }

    /// Google is gone: the port is closed and every connection breaks. The state is kept.
    pub async fn go_offline(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await;
        }
    }

    /// Google is back, at the same address and with the same state.
    ///
    /// # Errors
    /// [`Error::Listen`] if somebody else has taken the port.
    pub async fn go_online(&self) -> Result<(), Error> {
        let mut server = self.server.lock().await;
        if server.is_none() {
            *server = Some(listen(self.address, &self.state).await?);
        }
        Ok(())
    }

    /// Closes the port and every connection, and waits until that is done.
    pub async fn stop(self) {
        self.go_offline().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(server) = self.server.get_mut() {
            server.stop_soon();
        }
    }
}
