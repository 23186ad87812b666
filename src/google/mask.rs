//! Which fields are asked for.
//!
//! Without a mask Google sends 5 to 10 kB for each device; with it about one. The mask must name
//! `nextPageToken`: Google leaves it out otherwise, and a listing would end after its first page without
//! any error. Source: Directory API, "Improve performance", partial responses.

/// The fields of a device that [`ChromeOsDevice`](super::ChromeOsDevice) reads. A test compares the two.
const DEVICE: &str = "deviceId,serialNumber,status,orgUnitPath,orgUnitId,\
annotatedAssetId,annotatedUser,annotatedLocation,notes,\
model,macAddress,ethernetMacAddress,meid,orderNumber,manufactureDate,chromeOsType,\
deprovisionReason,lastDeprovisionTimestamp,firstEnrollmentTime,lastEnrollmentTime,\
deviceLicenseType,willAutoRenew,extendedSupportEligible,extendedSupportEnabled,extendedSupportStart,\
osVersion,platformVersion,firmwareVersion,osVersionCompliance,\
osUpdateStatus(state,targetOsVersion,rebootTime,updateTime),\
bootMode,autoUpdateThrough,autoUpdateExpiration,supportEndDate,\
systemRamTotal,cpuInfo(model,architecture),tpmVersionInfo(family,firmwareVersion),\
diskSpaceUsage(capacityBytes,usedBytes),\
lastSync,lastKnownNetwork(ipAddress,wanIpAddress),activeTimeRanges(date)";

/// Who used the device: personal data, so only on request.
const RECENT_USERS: &str = "recentUsers(email)";

/// The fields of a user that are read.
pub(super) const USER: &str = "id,primaryEmail,customerId,isAdmin,isDelegatedAdmin,suspended,archived";

/// The fields of org units that are read.
pub(super) const ORG_UNITS: &str =
    "organizationUnits(orgUnitPath,orgUnitId,name,parentOrgUnitPath,parentOrgUnitId)";

/// The mask for one device.
pub(super) fn device(include_recent_users: bool) -> String {
    if include_recent_users {
        format!("{DEVICE},{RECENT_USERS}")
    } else {
        DEVICE.to_owned()
    }
}

/// The mask for a page of devices.
pub(super) fn device_page(include_recent_users: bool) -> String {
    format!("nextPageToken,chromeosdevices({})", device(include_recent_users))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_always_brings_the_way_to_the_next_one() {
        for recent_users in [false, true] {
            assert!(device_page(recent_users).starts_with("nextPageToken,chromeosdevices(deviceId,"));
        }
    }

    #[test]
    fn users_are_only_asked_for_on_request() {
        assert!(!device_page(false).contains("recentUsers"));
        assert!(device_page(true).ends_with(",recentUsers(email))"));
    }
}
