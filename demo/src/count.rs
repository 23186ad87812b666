//! Devices by state, from three sides that must agree: Google, the objects in the cluster, and the connection.

use std::collections::BTreeMap;

use chrome_enterprise_operator::api::connection::DeviceCounts;

/// What is compared of a device: what only changes when somebody changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// Google's word for its state.
    pub(crate) state: String,
    pub(crate) serial_number: String,
    pub(crate) model: String,
    pub(crate) org_unit_path: String,
    pub(crate) os_version: String,
}

impl Device {
    /// What is here and not in the other, if there is any; the first field that differs.
    pub(crate) fn difference(&self, wanted: &Self) -> Option<String> {
        [
            ("state", &self.state, &wanted.state),
            ("serial number", &self.serial_number, &wanted.serial_number),
            ("model", &self.model, &wanted.model),
            ("org unit", &self.org_unit_path, &wanted.org_unit_path),
            ("OS version", &self.os_version, &wanted.os_version),
        ]
        .into_iter()
        .find(|(_, here, there)| here != there)
        .map(|(name, here, there)| format!("{name} is {here}, not {there}"))
    }
}

/// Devices by Google's ID.
pub(crate) type Devices = BTreeMap<String, Device>;

/// The same grouping that a connection's status has.
pub(crate) fn count(devices: &Devices) -> DeviceCounts {
    let mut counts = DeviceCounts {
        synced: i64::try_from(devices.len()).unwrap_or(i64::MAX),
        ..DeviceCounts::default()
    };
    for device in devices.values() {
        match device.state.as_str() {
            "ACTIVE" => counts.active += 1,
            "DISABLED" => counts.disabled += 1,
            "DEPROVISIONED" => counts.deprovisioned += 1,
            _ => counts.other += 1,
        }
    }
    counts
}

/// The counts with their names, the total last.
pub(crate) fn named(counts: &DeviceCounts) -> [(&'static str, i64); 5] {
    [
        ("active", counts.active),
        ("disabled", counts.disabled),
        ("deprovisioned", counts.deprovisioned),
        ("other", counts.other),
        ("total", counts.synced),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    type Field = fn(&mut Device) -> &mut String;

    #[test]
    fn every_compared_field_counts() {
        let fields: [(&str, Field); 5] = [
            ("state", |device| &mut device.state),
            ("serial number", |device| &mut device.serial_number),
            ("model", |device| &mut device.model),
            ("org unit", |device| &mut device.org_unit_path),
            ("OS version", |device| &mut device.os_version),
        ];
        for (name, field) in fields {
            let mut device = Device::default();
            field(&mut device).push_str("new");
            assert_eq!(
                device.difference(&Device::default()),
                Some(format!("{name} is new, not "))
            );
        }
        assert_eq!(Device::default().difference(&Device::default()), None);
    }

    #[test]
    fn unknown_states_are_counted_as_other() {
        let states = ["ACTIVE", "ACTIVE", "DISABLED", "DEPROVISIONED", "DELINQUENT", ""];
        let devices: Devices = states
            .iter()
            .enumerate()
            .map(|(number, state)| {
                (
                    number.to_string(),
                    Device {
                        state: (*state).to_owned(),
                        ..Device::default()
                    },
                )
            })
            .collect();
        let expected = DeviceCounts {
            synced: 6,
            active: 2,
            disabled: 1,
            deprovisioned: 1,
            other: 2,
        };
        assert_eq!(count(&devices), expected);
        assert_eq!(named(&expected)[4], ("total", 6));
    }
}
