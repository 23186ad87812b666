//! The fields of a `ChromeOsDevice`, the projections, and sets of fields.
//!
//! Names from the discovery document of the Directory API, `directory_v1`.

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// One field of a `ChromeOsDevice`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Field { $($variant),+ }

        impl Field {
            /// Every field, in the order in which they are written.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

fields! {
    Kind "kind", Etag "etag", DeviceId "deviceId", SerialNumber "serialNumber", Status "status",
    LastSync "lastSync", SupportEndDate "supportEndDate", AnnotatedUser "annotatedUser",
    AnnotatedLocation "annotatedLocation", AnnotatedAssetId "annotatedAssetId", Notes "notes",
    Model "model", Meid "meid", OrderNumber "orderNumber", WillAutoRenew "willAutoRenew",
    OsVersion "osVersion", PlatformVersion "platformVersion", FirmwareVersion "firmwareVersion",
    MacAddress "macAddress", BootMode "bootMode", LastEnrollmentTime "lastEnrollmentTime",
    FirstEnrollmentTime "firstEnrollmentTime", OrgUnitPath "orgUnitPath", OrgUnitId "orgUnitId",
    RecentUsers "recentUsers", ActiveTimeRanges "activeTimeRanges", EthernetMacAddress "ethernetMacAddress",
    EthernetMacAddress0 "ethernetMacAddress0", DockMacAddress "dockMacAddress",
    ManufactureDate "manufactureDate", AutoUpdateExpiration "autoUpdateExpiration",
    AutoUpdateThrough "autoUpdateThrough", ExtendedSupportEligible "extendedSupportEligible",
    ExtendedSupportEnabled "extendedSupportEnabled", ExtendedSupportStart "extendedSupportStart",
    TpmVersionInfo "tpmVersionInfo", CpuInfo "cpuInfo", CpuStatusReports "cpuStatusReports",
    SystemRamTotal "systemRamTotal", SystemRamFreeReports "systemRamFreeReports",
    DiskVolumeReports "diskVolumeReports", DiskSpaceUsage "diskSpaceUsage",
    LastKnownNetwork "lastKnownNetwork", DeviceFiles "deviceFiles", ScreenshotFiles "screenshotFiles",
    BacklightInfo "backlightInfo", BluetoothAdapterInfo "bluetoothAdapterInfo", FanInfo "fanInfo",
    OsUpdateStatus "osUpdateStatus", OsVersionCompliance "osVersionCompliance",
    DeviceLicenseType "deviceLicenseType", ChromeOsType "chromeOsType",
    DeprovisionReason "deprovisionReason", LastDeprovisionTimestamp "lastDeprovisionTimestamp",
}

impl Field {
    /// The field with this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FieldSet(u64);

// A set is one machine word.
const _: () = assert!(Field::ALL.len() <= 64);

impl FieldSet {
    pub(crate) const EMPTY: Self = Self(0);
    pub(crate) const ALL: Self = Self::of(Field::ALL);

    pub(crate) const fn of(fields: &[Field]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < fields.len() {
            bits |= 1 << fields[index] as u64;
            index += 1;
        }
        Self(bits)
    }

    pub(crate) const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u64) != 0
    }

    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn insert(&mut self, field: Field) {
        self.0 |= 1 << field as u64;
    }
}

/// `projection` of `list` and `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Projection {
    /// The parameter was not sent.
    Unset,
    Basic,
    Full,
}

/// What `projection=BASIC` returns: Google documents only "basic metadata", so both readings can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BasicProjection {
    /// The eight fields of the guide's description, `kind` and `etag`.
    #[default]
    Strict,
    /// The same as without `projection`.
    Lenient,
}

const BASIC: FieldSet = FieldSet::of(&[
    Field::Kind,
    Field::Etag,
    Field::DeviceId,
    Field::AnnotatedAssetId,
    Field::AnnotatedLocation,
    Field::AnnotatedUser,
    Field::LastSync,
    Field::Notes,
    Field::SerialNumber,
    Field::Status,
]);

/// The lists which only `FULL` returns.
const FULL_ONLY: FieldSet = FieldSet::of(&[
    Field::ActiveTimeRanges,
    Field::CpuStatusReports,
    Field::DeviceFiles,
    Field::DiskVolumeReports,
    Field::LastKnownNetwork,
    Field::RecentUsers,
    Field::ScreenshotFiles,
    Field::SystemRamFreeReports,
]);

impl Projection {
    /// The fields that this projection returns.
    pub(crate) const fn fields(self, basic: BasicProjection) -> FieldSet {
        match (self, basic) {
            (Self::Full, _) => FieldSet::ALL,
            (Self::Basic, BasicProjection::Strict) => BASIC,
            (Self::Basic, BasicProjection::Lenient) | (Self::Unset, _) => FieldSet::ALL.without(FULL_ONLY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_fields() {
        for field in Field::ALL {
            assert_eq!(Field::find(field.name()), Some(*field));
        }
        assert_eq!(Field::find("DeviceId"), None);
    }

    #[test]
    fn projections_contain_what_they_should() {
        let basic = Projection::Basic.fields(BasicProjection::Strict);
        assert!(basic.contains(Field::Notes) && !basic.contains(Field::Model));
        let unset = Projection::Unset.fields(BasicProjection::Strict);
        assert!(unset.contains(Field::Model) && !unset.contains(Field::RecentUsers));
        assert!(
            Projection::Full
                .fields(BasicProjection::Strict)
                .contains(Field::RecentUsers)
        );
    }
}
