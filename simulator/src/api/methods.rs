//! The simulated methods of the Directory API: names, scopes and privileges.
//!
//! From the discovery document of `directory_v1`.

use serde::{Deserialize, Serialize};

use crate::people::Privileges;

const CHROMEOS: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos";
const CHROMEOS_READONLY: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos.readonly";
const ORG_UNIT: &str = "https://www.googleapis.com/auth/admin.directory.orgunit";
const ORG_UNIT_READONLY: &str = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly";
const USER: &str = "https://www.googleapis.com/auth/admin.directory.user";
const USER_READONLY: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const CUSTOMER: &str = "https://www.googleapis.com/auth/admin.directory.customer";
const CUSTOMER_READONLY: &str = "https://www.googleapis.com/auth/admin.directory.customer.readonly";

/// A method of the Directory API, named as in the discovery document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApiMethod {
    /// List devices.
    #[serde(rename = "directory.chromeosdevices.list")]
    DevicesList,
    /// Read one device.
    #[serde(rename = "directory.chromeosdevices.get")]
    DevicesGet,
    /// Change fields of a device.
    #[serde(rename = "directory.chromeosdevices.patch")]
    DevicesPatch,
    /// Change fields of a device (merges like `patch`).
    #[serde(rename = "directory.chromeosdevices.update")]
    DevicesUpdate,
    /// Move up to 50 devices to an organisational unit.
    #[serde(rename = "directory.chromeosdevices.moveDevicesToOu")]
    DevicesMove,
    /// Change the state of one device, the old way.
    #[serde(rename = "directory.chromeosdevices.action")]
    DevicesAction,
    /// Send a remote command.
    #[serde(rename = "admin.customer.devices.chromeos.issueCommand")]
    IssueCommand,
    /// Read a remote command.
    #[serde(rename = "admin.customer.devices.chromeos.commands.get")]
    CommandsGet,
    /// Change the state of up to 50 devices.
    #[serde(rename = "admin.customer.devices.chromeos.batchChangeStatus")]
    BatchChangeStatus,
    /// Count devices.
    #[serde(rename = "admin.customer.devices.chromeos.countChromeOsDevices")]
    CountDevices,
    /// List organisational units.
    #[serde(rename = "directory.orgunits.list")]
    OrgUnitsList,
    /// Read one organisational unit.
    #[serde(rename = "directory.orgunits.get")]
    OrgUnitsGet,
    /// Create an organisational unit.
    #[serde(rename = "directory.orgunits.insert")]
    OrgUnitsInsert,
    /// Replace an organisational unit.
    #[serde(rename = "directory.orgunits.update")]
    OrgUnitsUpdate,
    /// Change an organisational unit.
    #[serde(rename = "directory.orgunits.patch")]
    OrgUnitsPatch,
    /// Delete an organisational unit.
    #[serde(rename = "directory.orgunits.delete")]
    OrgUnitsDelete,
    /// Read a user account.
    #[serde(rename = "directory.users.get")]
    UsersGet,
    /// Read the customer.
    #[serde(rename = "directory.customers.get")]
    CustomersGet,
}

impl ApiMethod {
    /// Every method.
    pub const ALL: [Self; 18] = [
        Self::DevicesList,
        Self::DevicesGet,
        Self::DevicesPatch,
        Self::DevicesUpdate,
        Self::DevicesMove,
        Self::DevicesAction,
        Self::IssueCommand,
        Self::CommandsGet,
        Self::BatchChangeStatus,
        Self::CountDevices,
        Self::OrgUnitsList,
        Self::OrgUnitsGet,
        Self::OrgUnitsInsert,
        Self::OrgUnitsUpdate,
        Self::OrgUnitsPatch,
        Self::OrgUnitsDelete,
        Self::UsersGet,
        Self::CustomersGet,
    ];

    /// The name in the discovery document.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::DevicesList => "directory.chromeosdevices.list",
            Self::DevicesGet => "directory.chromeosdevices.get",
            Self::DevicesPatch => "directory.chromeosdevices.patch",
            Self::DevicesUpdate => "directory.chromeosdevices.update",
            Self::DevicesMove => "directory.chromeosdevices.moveDevicesToOu",
            Self::DevicesAction => "directory.chromeosdevices.action",
            Self::IssueCommand => "admin.customer.devices.chromeos.issueCommand",
            Self::CommandsGet => "admin.customer.devices.chromeos.commands.get",
            Self::BatchChangeStatus => "admin.customer.devices.chromeos.batchChangeStatus",
            Self::CountDevices => "admin.customer.devices.chromeos.countChromeOsDevices",
            Self::OrgUnitsList => "directory.orgunits.list",
            Self::OrgUnitsGet => "directory.orgunits.get",
            Self::OrgUnitsInsert => "directory.orgunits.insert",
            Self::OrgUnitsUpdate => "directory.orgunits.update",
            Self::OrgUnitsPatch => "directory.orgunits.patch",
            Self::OrgUnitsDelete => "directory.orgunits.delete",
            Self::UsersGet => "directory.users.get",
            Self::CustomersGet => "directory.customers.get",
        }
    }

    /// The scopes of which a token needs one.
    #[must_use]
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::DevicesList | Self::DevicesGet | Self::CommandsGet | Self::CountDevices => {
                &[CHROMEOS, CHROMEOS_READONLY]
            }
            Self::DevicesPatch
            | Self::DevicesUpdate
            | Self::DevicesMove
            | Self::DevicesAction
            | Self::IssueCommand
            | Self::BatchChangeStatus => &[CHROMEOS],
            Self::OrgUnitsList | Self::OrgUnitsGet => &[ORG_UNIT, ORG_UNIT_READONLY],
            Self::OrgUnitsInsert | Self::OrgUnitsUpdate | Self::OrgUnitsPatch | Self::OrgUnitsDelete => {
                &[ORG_UNIT]
            }
            Self::UsersGet => &[USER, USER_READONLY],
            Self::CustomersGet => &[CUSTOMER, CUSTOMER_READONLY],
        }
    }

    /// Whether these privileges allow it.
    pub(crate) const fn is_allowed_by(self, privileges: Privileges) -> bool {
        match self {
            Self::DevicesList
            | Self::DevicesGet
            | Self::DevicesPatch
            | Self::DevicesUpdate
            | Self::DevicesMove
            | Self::DevicesAction
            | Self::IssueCommand
            | Self::CommandsGet
            | Self::BatchChangeStatus
            | Self::CountDevices => privileges.chrome_devices,
            Self::OrgUnitsList
            | Self::OrgUnitsGet
            | Self::OrgUnitsInsert
            | Self::OrgUnitsUpdate
            | Self::OrgUnitsPatch
            | Self::OrgUnitsDelete => privileges.org_units,
            Self::UsersGet => privileges.users,
            Self::CustomersGet => privileges.customer,
        }
    }

    /// Whether a call counts against the quota of changes of ChromeOS devices.
    pub(crate) const fn is_device_write(self) -> bool {
        match self {
            Self::DevicesPatch
            | Self::DevicesUpdate
            | Self::DevicesMove
            | Self::DevicesAction
            | Self::IssueCommand
            | Self::BatchChangeStatus => true,
            Self::DevicesList
            | Self::DevicesGet
            | Self::CommandsGet
            | Self::CountDevices
            | Self::OrgUnitsList
            | Self::OrgUnitsGet
            | Self::OrgUnitsInsert
            | Self::OrgUnitsUpdate
            | Self::OrgUnitsPatch
            | Self::OrgUnitsDelete
            | Self::UsersGet
            | Self::CustomersGet => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_json_and_of_the_code_agree() {
        for method in ApiMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.id());
        }
    }

    #[test]
    fn a_read_only_scope_never_allows_a_write() {
        for method in ApiMethod::ALL
            .into_iter()
            .filter(|method| method.is_device_write())
        {
            assert!(!method.scopes().contains(&CHROMEOS_READONLY), "{}", method.id());
        }
    }
}
