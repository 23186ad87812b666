//! The simulated Google.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use google_admin_simulator::Simulator;
use google_admin_simulator::control::devices::TruthRow;
use google_admin_simulator::switches::Switches;
use google_admin_simulator::witness::Deeds;

use crate::count::{Device, Devices};
use crate::options::Options;

const CHUNK: usize = 5_000;

/// The device that the actions are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) device_id: String,
    pub(crate) serial_number: String,
    pub(crate) model: String,
}

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
        let (customer, state) = (self.customer_id(), self.simulator.state());
        let mut devices = Devices::new();
        for row in self.rows()? {
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
        Ok(devices)
    }

    /// A device for the actions: in use, online, and known by its serial number alone.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn subject(&self) -> Result<Subject> {
        choose(self.rows()?).context(
            "No device of this fleet is active and online with a serial number of its own, so no action can be shown. \
             Choose more devices or another seed.",
        )
    }

    /// Checks that the device was restarted once, disabled once and enabled again once, whatever anybody says of it.
    ///
    /// # Errors
    /// When anything else was done to it.
    pub(crate) fn witness(&self, subject: &Subject) -> Result<()> {
        let row = self
            .simulator
            .state()
            .witness_of(&self.customer_id(), &subject.device_id)
            .context("the simulated Google does not know its device")?;
        let once = Deeds {
            reboots: 1,
            disables: 1,
            reenables: 1,
            ..Deeds::default()
        };
        ensure!(
            row.total() == once,
            "The device should have been restarted, disabled and enabled again once each, but this was done to it: {:?}",
            row.total()
        );
        Ok(())
    }

    /// Every listed record.
    fn rows(&self) -> Result<Vec<TruthRow>> {
        let (customer, state) = (self.customer_id(), self.simulator.state());
        let mut all = Vec::new();
        let mut offset = 0;
        loop {
            let rows = state
                .truth(&customer, offset, CHUNK)
                .context("the simulated Google does not know its devices")?;
            if rows.is_empty() {
                return Ok(all);
            }
            offset += rows.len();
            all.extend(rows.into_iter().filter(|row| row.listed));
        }
    }

    /// Closes the port.
    pub(crate) async fn stop(self) {
        self.simulator.stop().await;
    }
}

/// The first device that takes every action and shares its serial number with no other.
fn choose(rows: Vec<TruthRow>) -> Option<Subject> {
    let mut serials: BTreeMap<String, u32> = BTreeMap::new();
    for row in &rows {
        *serials.entry(row.serial_number.clone()).or_default() += 1;
    }
    rows.into_iter()
        .find(|row| {
            row.online && row.status.as_str() == "ACTIVE" && serials.get(&row.serial_number) == Some(&1)
        })
        .map(|row| Subject {
            device_id: row.device_id,
            serial_number: row.serial_number,
            model: row.model,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(id: &str, serial: &str, status: &str, online: bool) -> TruthRow {
        serde_json::from_value(json!({
            "deviceId": id, "serialNumber": serial, "status": status, "orgUnitPath": "/", "orgUnitId": "1",
            "model": "Chromebook", "osVersion": "155.0.8360.195", "lastEnrolledSeconds": 1, "revision": 1,
            "listed": true, "online": online, "mode": "userSession",
        }))
        .unwrap()
    }

    #[test]
    fn the_subject_is_online_active_and_alone_with_its_serial_number() {
        let rows = [
            row("offline", "1", "ACTIVE", false),
            row("disabled", "2", "DISABLED", true),
            row("twin", "3", "ACTIVE", true),
            row("other-twin", "3", "DEPROVISIONED", false),
        ];
        assert_eq!(choose(rows.to_vec()), None);
        let mut rows = rows.to_vec();
        rows.push(row("good", "4", "ACTIVE", true));
        assert_eq!(choose(rows).unwrap().device_id, "good");
    }
}
