//! What a simulator is started with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest fleet that the program accepts for one customer.
pub const MAXIMUM_DEVICES: u32 = 500_000;

/// The settings of one simulator. Things that may change while it runs are in [`crate::switches::Switches`].
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorConfig {
    /// Everything that is invented (fleet, ids, keys) is a function of this number.
    pub seed: u64,
    /// The customers at the start; more can be added by the control API.
    pub tenants: Vec<TenantConfig>,
    /// What the clock shows at the start; `None` is the time of this computer.
    pub clock_start: Option<Timestamp>,
    /// Simulated seconds per real second; 1 is real time.
    pub time_scale: f64,
    /// The number of the cloud project of the first customer's service account; further customers get the
    /// numbers behind it. Quota errors show it.
    pub project_number: u64,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            tenants: vec![TenantConfig::default()],
            clock_start: None,
            time_scale: 1.0,
            project_number: 428_190_012_345,
        }
    }
}

/// One customer of Google Workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TenantConfig {
    /// The primary domain; `None` takes the next of `school.example`, `second.example`, `third.example` …
    pub domain: Option<String>,
    /// `C0` and seven letters or digits; `None` invents one from the seed.
    pub customer_id: Option<String>,
    /// How many devices it has.
    pub devices: u32,
}

impl Default for TenantConfig {
    fn default() -> Self {
        Self {
            domain: None,
            customer_id: None,
            devices: 100,
        }
    }
}
