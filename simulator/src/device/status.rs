//! The states of a device and the reasons for which it was released.

use serde::{Deserialize, Serialize};

use crate::device::Device;

/// `status` of a ChromeOS device ("Directory API: `ChromeOsDevice`").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeviceStatus {
    /// Enrolled and managed.
    Active,
    /// The administrator disabled it (lost or stolen).
    Disabled,
    /// Released from management; the record stays listed.
    Deprovisioned,
    /// Its licence ran out.
    Delinquent,
    /// Registered before delivery, not enrolled yet.
    PreProvisioned,
    /// Not enrolled.
    Inactive,
    /// A return was asked for.
    ReturnRequested,
    /// The returned device has arrived.
    ReturnArrived,
    /// On its way to the customer (no longer used by Google).
    Shipped,
    /// Not determined.
    Unknown,
}

impl DeviceStatus {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Active,
        Self::Disabled,
        Self::Deprovisioned,
        Self::Delinquent,
        Self::PreProvisioned,
        Self::Inactive,
        Self::ReturnRequested,
        Self::ReturnArrived,
        Self::Shipped,
        Self::Unknown,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
            Self::Deprovisioned => "DEPROVISIONED",
            Self::Delinquent => "DELINQUENT",
            Self::PreProvisioned => "PRE_PROVISIONED",
            Self::Inactive => "INACTIVE",
            Self::ReturnRequested => "RETURN_REQUESTED",
            Self::ReturnArrived => "RETURN_ARRIVED",
            Self::Shipped => "SHIPPED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether the device contacts Google in this state, if it is switched on.
    #[must_use]
    pub const fn talks(self) -> bool {
        matches!(self, Self::Active | Self::Disabled | Self::Delinquent)
    }
}

/// `deprovisionReason` of a ChromeOS device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeprovisionReason {
    /// Replaced by a device of the same model.
    SameModelReplacement,
    /// Replaced by a device of another model.
    DifferentModelReplacement,
    /// Retired.
    RetiringDevice,
    /// The upgrade moved to another device.
    UpgradeTransfer,
    /// No reason was needed.
    NotRequired,
    /// Set by the repair service.
    RepairCenter,
}

impl DeprovisionReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::SameModelReplacement,
        Self::DifferentModelReplacement,
        Self::RetiringDevice,
        Self::UpgradeTransfer,
        Self::NotRequired,
        Self::RepairCenter,
    ];

    /// The word in a device record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameModelReplacement => "deprovisionReasonSameModelReplacement",
            Self::DifferentModelReplacement => "deprovisionReasonDifferentModelReplacement",
            Self::RetiringDevice => "deprovisionReasonRetiringDevice",
            Self::UpgradeTransfer => "deprovisionReasonUpgradeTransfer",
            Self::NotRequired => "deprovisionReasonNotRequired",
            Self::RepairCenter => "deprovisionReasonRepairCenter",
        }
    }
}

impl Device {
    /// Puts the device into a state, with what belongs to it: a released device has a time and a reason, which is
    /// that it is retired unless the caller knows better, and does not call any more. `now` is seconds since 1970.
    pub(crate) fn set_status(&mut self, status: DeviceStatus, now: i64) {
        self.status = status;
        if status == DeviceStatus::Deprovisioned {
            self.deprovisioned = Some(now);
            self.deprovision_reason = Some(DeprovisionReason::RetiringDevice);
        } else {
            self.deprovisioned = None;
            self.deprovision_reason = None;
        }
        if !status.talks() {
            self.contact.silent_after = self.contact.silent_after.min(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_json_and_of_the_code_agree() {
        for status in DeviceStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
