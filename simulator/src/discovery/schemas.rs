//! The schemas of the discovery document: names and types of fields, as "REST Resource: chromeosdevices" and its
//! neighbours list them.

use serde_json::{Map, Value, json};

/// Field names of one schema, with a type each: `string`, `boolean`, `integer` (32 bits), `number64` (64 bits, a
/// decimal text on the wire), `time`, `nanotime` (up to nine decimals), another schema's name, or `[type]` for a list.
type Fields = &'static [(&'static str, &'static str)];

const SCHEMAS: &[(&str, Fields)] = &[
    (
        "ChromeOsDevices",
        &[
            ("kind", "string"),
            ("etag", "string"),
            ("chromeosdevices", "[ChromeOsDevice]"),
            ("nextPageToken", "string"),
        ],
    ),
    ("ChromeOsDevice", DEVICE),
    (
        "ChromeOsActiveTimeRange",
        &[("date", "string"), ("activeTime", "integer")],
    ),
    ("ChromeOsRecentUser", &[("type", "string"), ("email", "string")]),
    (
        "ChromeOsNetwork",
        &[("ipAddress", "string"), ("wanIpAddress", "string")],
    ),
    (
        "ChromeOsCpuStatusReport",
        &[
            ("reportTime", "time"),
            ("cpuUtilizationPercentageInfo", "[integer]"),
            ("cpuTemperatureInfo", "[ChromeOsTemperature]"),
        ],
    ),
    (
        "ChromeOsTemperature",
        &[("label", "string"), ("temperature", "integer")],
    ),
    (
        "ChromeOsRamReport",
        &[("reportTime", "time"), ("systemRamFreeInfo", "[number64]")],
    ),
    ("ChromeOsDiskReport", &[("volumeInfo", "[ChromeOsVolume]")]),
    (
        "ChromeOsVolume",
        &[
            ("volumeId", "string"),
            ("storageTotal", "number64"),
            ("storageFree", "number64"),
        ],
    ),
    (
        "ByteUsage",
        &[("capacityBytes", "number64"), ("usedBytes", "number64")],
    ),
    (
        "ChromeOsFile",
        &[
            ("name", "string"),
            ("type", "string"),
            ("downloadUrl", "string"),
            ("createTime", "time"),
        ],
    ),
    (
        "OsUpdateStatus",
        &[
            ("state", "string"),
            ("targetOsVersion", "string"),
            ("targetKioskAppVersion", "string"),
            ("updateTime", "string"),
            ("updateCheckTime", "string"),
            ("rebootTime", "string"),
        ],
    ),
    (
        "ChromeOsTpmVersion",
        &[
            ("family", "string"),
            ("specLevel", "string"),
            ("manufacturer", "string"),
            ("tpmModel", "string"),
            ("firmwareVersion", "string"),
            ("vendorSpecific", "string"),
        ],
    ),
    (
        "ChromeOsCpu",
        &[
            ("model", "string"),
            ("architecture", "string"),
            ("maxClockSpeedKhz", "integer"),
            ("logicalCpus", "[ChromeOsLogicalCpu]"),
        ],
    ),
    (
        "ChromeOsLogicalCpu",
        &[
            ("maxScalingFrequencyKhz", "integer"),
            ("currentScalingFrequencyKhz", "integer"),
            ("idleDuration", "string"),
            ("cStates", "[ChromeOsCState]"),
        ],
    ),
    (
        "ChromeOsCState",
        &[("displayName", "string"), ("sessionDuration", "string")],
    ),
    (
        "BacklightInfo",
        &[
            ("path", "string"),
            ("maxBrightness", "integer"),
            ("brightness", "integer"),
        ],
    ),
    (
        "BluetoothAdapterInfo",
        &[("address", "string"), ("numConnectedDevices", "integer")],
    ),
    ("FanInfo", &[("speedRpm", "integer")]),
    ("ChromeOsMoveDevicesToOu", &[("deviceIds", "[string]")]),
    (
        "ChromeOsDeviceAction",
        &[("action", "string"), ("deprovisionReason", "string")],
    ),
    (
        "BatchChangeChromeOsDeviceStatusRequest",
        &[
            ("deviceIds", "[string]"),
            ("changeChromeOsDeviceStatusAction", "string"),
            ("deprovisionReason", "string"),
        ],
    ),
    (
        "BatchChangeChromeOsDeviceStatusResponse",
        &[(
            "changeChromeOsDeviceStatusResults",
            "[ChangeChromeOsDeviceStatusResult]",
        )],
    ),
    (
        "ChangeChromeOsDeviceStatusResult",
        &[
            ("deviceId", "string"),
            ("response", "ChangeChromeOsDeviceStatusSucceeded"),
            ("error", "Status"),
        ],
    ),
    ("ChangeChromeOsDeviceStatusSucceeded", &[]),
    (
        "Status",
        &[("code", "integer"), ("message", "string"), ("details", "[any]")],
    ),
    ("CountChromeOsDevicesResponse", &[("count", "number64")]),
    (
        "DirectoryChromeosdevicesIssueCommandRequest",
        &[("commandType", "string"), ("payload", "string")],
    ),
    (
        "DirectoryChromeosdevicesIssueCommandResponse",
        &[("commandId", "number64")],
    ),
    (
        "DirectoryChromeosdevicesCommand",
        &[
            ("commandId", "number64"),
            ("type", "string"),
            ("issueTime", "nanotime"),
            ("state", "string"),
            ("commandExpireTime", "nanotime"),
            ("commandResult", "DirectoryChromeosdevicesCommandResult"),
            ("payload", "string"),
        ],
    ),
    (
        "DirectoryChromeosdevicesCommandResult",
        &[
            ("result", "string"),
            ("executeTime", "nanotime"),
            ("errorMessage", "string"),
            ("commandResultPayload", "string"),
        ],
    ),
    (
        "OrgUnits",
        &[
            ("kind", "string"),
            ("etag", "string"),
            ("organizationUnits", "[OrgUnit]"),
        ],
    ),
    (
        "OrgUnit",
        &[
            ("kind", "string"),
            ("etag", "string"),
            ("name", "string"),
            ("description", "string"),
            ("orgUnitPath", "string"),
            ("orgUnitId", "string"),
            ("parentOrgUnitPath", "string"),
            ("parentOrgUnitId", "string"),
            ("blockInheritance", "boolean"),
        ],
    ),
    (
        "User",
        &[
            ("kind", "string"),
            ("etag", "string"),
            ("id", "string"),
            ("primaryEmail", "string"),
            ("customerId", "string"),
            ("name", "UserName"),
            ("isAdmin", "boolean"),
            ("isDelegatedAdmin", "boolean"),
            ("suspended", "boolean"),
            ("archived", "boolean"),
            ("orgUnitPath", "string"),
            ("lastLoginTime", "time"),
            ("creationTime", "time"),
            ("agreedToTerms", "boolean"),
        ],
    ),
    (
        "UserName",
        &[
            ("givenName", "string"),
            ("familyName", "string"),
            ("fullName", "string"),
            ("displayName", "string"),
        ],
    ),
    (
        "Customer",
        &[
            ("kind", "string"),
            ("etag", "string"),
            ("id", "string"),
            ("customerDomain", "string"),
            ("customerCreationTime", "time"),
            ("alternateEmail", "string"),
            ("language", "string"),
        ],
    ),
];

const DEVICE: Fields = &[
    ("kind", "string"),
    ("etag", "string"),
    ("deviceId", "string"),
    ("serialNumber", "string"),
    ("status", "string"),
    ("deprovisionReason", "string"),
    ("lastDeprovisionTimestamp", "string"),
    ("firstEnrollmentTime", "string"),
    ("lastEnrollmentTime", "time"),
    ("lastSync", "time"),
    ("orgUnitPath", "string"),
    ("orgUnitId", "string"),
    ("annotatedUser", "string"),
    ("annotatedLocation", "string"),
    ("annotatedAssetId", "string"),
    ("notes", "string"),
    ("model", "string"),
    ("meid", "string"),
    ("orderNumber", "string"),
    ("manufactureDate", "string"),
    ("macAddress", "string"),
    ("ethernetMacAddress", "string"),
    ("ethernetMacAddress0", "string"),
    ("dockMacAddress", "string"),
    ("osVersion", "string"),
    ("osVersionCompliance", "string"),
    ("osUpdateStatus", "OsUpdateStatus"),
    ("platformVersion", "string"),
    ("firmwareVersion", "string"),
    ("bootMode", "string"),
    ("chromeOsType", "string"),
    ("deviceLicenseType", "string"),
    ("willAutoRenew", "boolean"),
    ("supportEndDate", "time"),
    ("autoUpdateExpiration", "number64"),
    ("autoUpdateThrough", "string"),
    ("extendedSupportEligible", "boolean"),
    ("extendedSupportEnabled", "boolean"),
    ("extendedSupportStart", "string"),
    ("systemRamTotal", "number64"),
    ("tpmVersionInfo", "ChromeOsTpmVersion"),
    ("cpuInfo", "[ChromeOsCpu]"),
    ("diskSpaceUsage", "ByteUsage"),
    ("activeTimeRanges", "[ChromeOsActiveTimeRange]"),
    ("recentUsers", "[ChromeOsRecentUser]"),
    ("lastKnownNetwork", "[ChromeOsNetwork]"),
    ("cpuStatusReports", "[ChromeOsCpuStatusReport]"),
    ("systemRamFreeReports", "[ChromeOsRamReport]"),
    ("diskVolumeReports", "[ChromeOsDiskReport]"),
    ("deviceFiles", "[ChromeOsFile]"),
    ("screenshotFiles", "[ChromeOsFile]"),
    ("backlightInfo", "[BacklightInfo]"),
    ("bluetoothAdapterInfo", "[BluetoothAdapterInfo]"),
    ("fanInfo", "[FanInfo]"),
];

/// All schemas by name.
pub(super) fn all() -> Map<String, Value> {
    SCHEMAS
        .iter()
        .map(|(name, fields)| {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|(field, kind)| ((*field).to_owned(), describe(kind)))
                .collect();
            (
                (*name).to_owned(),
                json!({"id": name, "type": "object", "properties": properties}),
            )
        })
        .collect()
}

fn describe(kind: &str) -> Value {
    if let Some(item) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({"type": "array", "items": describe(item)});
    }
    match kind {
        "string" | "boolean" | "any" => json!({ "type": kind }),
        "integer" => json!({"type": "integer", "format": "int32"}),
        "number64" => json!({"type": "string", "format": "int64"}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "nanotime" => json!({"type": "string", "format": "google-datetime"}),
        schema => json!({ "$ref": schema }),
    }
}
