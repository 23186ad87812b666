//! The simulated Google.

use anyhow::{Context as _, Result};
use google_admin_simulator::Simulator;
use google_admin_simulator::switches::Switches;

use crate::count::{Device, Devices};
use crate::options::Options;

const CHUNK: usize = 5_000;

/// A running simulator with one customer.
#[derive(Debug)]
pub(crate) struct Google {
    simulator: Simulator,
    url: String,
}

impl Google {
    /// Makes the fleet and listens on a free port.
    ///
    /// # Errors
    /// When the simulator does not start.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let switches = Switches {
            latency_per_page_milliseconds: options.latency_per_page_milliseconds,
            ..Switches::default()
        };
        let simulator = Simulator::builder()
            .devices(options.devices)
            .seed(options.seed)
            .switches(switches)
            .start()
            .await
            .context("the simulated Google does not start")?;
        let url = simulator.url();
        Ok(Self { simulator, url })
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its administrator.
    pub(crate) fn admin_email(&self) -> String {
        self.simulator.admin_email()
    }

    /// Google's ID of the customer.
    pub(crate) fn customer_id(&self) -> String {
        self.simulator.customer_id()
    }

    /// The key file of the service account to which the customer has delegated the scopes.
    ///
    /// # Errors
    /// When no key can be made.
    pub(crate) fn key_file(&self) -> Result<String> {
        self.simulator
            .service_account_json()
            .context("the simulated Google cannot make a key")
    }

    /// Every listed device as Google has it: its records, past the listing and paging that the operator relies on.
    ///
    /// # Errors
    /// When the simulator does not know its own devices.
    pub(crate) fn devices(&self) -> Result<Devices> {
        let customer = self.customer_id();
        let state = self.simulator.state();
        let mut devices = Devices::new();
        let mut offset = 0;
        loop {
            let rows = state
                .truth(&customer, offset, CHUNK)
                .context("the simulated Google does not know its devices")?;
            if rows.is_empty() {
                return Ok(devices);
            }
            offset += rows.len();
            for row in rows.into_iter().filter(|row| row.listed) {
                let report = state
                    .device(&customer, &row.device_id)
                    .context("the simulated Google does not know one of its devices")?;
                // Some devices never report some fields, and nobody can know more than they report.
                let reported = |field: &str| report.full[field].as_str().unwrap_or_default().to_owned();
                let device = Device {
                    state: row.status.as_str().to_owned(),
                    serial_number: row.serial_number,
                    org_unit_path: row.org_unit_path,
                    model: reported("model"),
                    os_version: reported("osVersion"),
                };
                devices.insert(row.device_id, device);
            }
        }
    }

    /// Closes the port.
    pub(crate) async fn stop(self) {
        self.simulator.stop().await;
    }
}
