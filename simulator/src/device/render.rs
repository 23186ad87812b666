//! Writes a device as the JSON of a `ChromeOsDevice`, straight into a serializer.
//!
//! A page of 200 full devices is more than a megabyte, so nothing here builds a tree of values, except for
//! devices with literal fields and for fields of which only a part was asked for.

use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::api::mask::{DeviceMask, Part};
use crate::device::ageing::LastContact;
use crate::device::fields::Field;
use crate::device::reports::{date_text, time_text};
use crate::device::{Device, DeviceStatus, Mode, Text};
use crate::fleet::catalogue::OsVersion;
use crate::fleet::names;
use crate::fleet::org_units::OrgUnits;

const DAY: i64 = 86_400;

/// What a device needs to know of its customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) domain: &'a str,
    pub(crate) units: &'a OrgUnits,
    /// The version that was current when the fleet was made.
    pub(crate) newest_os: OsVersion,
}

/// One device as it is answered.
#[derive(Debug)]
pub(crate) struct DeviceView<'a> {
    pub(crate) device: &'a Device,
    pub(crate) surroundings: Surroundings<'a>,
    pub(crate) mask: &'a DeviceMask,
}

impl Serialize for DeviceView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.device.raw() {
            None => {
                let mut map = serializer.serialize_map(None)?;
                self.write(&mut Output {
                    map: &mut map,
                    mask: self.mask,
                    except: None,
                })?;
                map.end()
            }
            Some(raw) => {
                let mut map = serializer.serialize_map(None)?;
                self.write(&mut Output {
                    map: &mut map,
                    mask: self.mask,
                    except: Some(raw),
                })?;
                for (name, value) in raw.iter().filter(|(_, value)| !value.is_null()) {
                    if let Some(value) = self.mask.literal(name, value) {
                        map.serialize_entry(name, &value)?;
                    }
                }
                map.end()
            }
        }
    }
}

/// Writes the fields that the mask wants.
struct Output<'a, M> {
    map: &'a mut M,
    mask: &'a DeviceMask,
    except: Option<&'a Map<String, Value>>,
}

impl<M: SerializeMap> Output<'_, M> {
    fn put<T: Serialize>(&mut self, field: Field, value: impl FnOnce() -> T) -> Result<(), M::Error> {
        self.put_some(field, || Some(value()))
    }

    fn put_some<T: Serialize>(
        &mut self,
        field: Field,
        value: impl FnOnce() -> Option<T>,
    ) -> Result<(), M::Error> {
        if self.except.is_some_and(|raw| raw.contains_key(field.name())) {
            return Ok(());
        }
        match self.mask.part(field) {
            Part::Nothing => Ok(()),
            Part::Whole => match value() {
                Some(value) => self.map.serialize_entry(field.name(), &value),
                None => Ok(()),
            },
            Part::Inside(mask) => match value() {
                Some(value) => {
                    let whole = serde_json::to_value(value).map_err(M::Error::custom)?;
                    self.map.serialize_entry(field.name(), &mask.prune(&whole))
                }
                None => Ok(()),
            },
        }
    }
}

impl DeviceView<'_> {
    fn write<M: SerializeMap>(&self, out: &mut Output<'_, M>) -> Result<(), M::Error> {
        let device = self.device;
        let contact = device.last_contact(self.surroundings.now);
        out.put(Field::Kind, || "admin#directory#chromeosdevice")?;
        out.put(Field::Etag, || device.etag(contact))?;
        out.put(Field::DeviceId, || device.id.to_string())?;
        out.put(Field::SerialNumber, || device.serial_number())?;
        out.put(Field::Status, || device.status.as_str())?;
        out.put_some(Field::LastSync, || contact.map(|contact| time_text(contact.at)))?;
        self.write_annotations(out)?;
        self.write_hardware(out)?;
        self.write_lifecycle(out)?;
        match contact {
            Some(contact) => self.write_reports(out, contact),
            None => Ok(()),
        }
    }

    fn write_annotations<M: SerializeMap>(&self, out: &mut Output<'_, M>) -> Result<(), M::Error> {
        let device = self.device;
        let domain = self.surroundings.domain;
        out.put_some(Field::AnnotatedUser, || device.annotated_user(domain))?;
        out.put_some(Field::AnnotatedLocation, || device.annotated_location())?;
        out.put_some(Field::AnnotatedAssetId, || device.annotated_asset_id())?;
        out.put_some(Field::Notes, || device.notes())?;
        let unit = self.surroundings.units.get(device.org_unit);
        out.put_some(Field::OrgUnitPath, || unit.map(|unit| unit.path.as_str()))?;
        out.put_some(Field::OrgUnitId, || unit.map(|unit| unit.bare_id.as_str()))
    }

    fn write_hardware<M: SerializeMap>(&self, out: &mut Output<'_, M>) -> Result<(), M::Error> {
        let device = self.device;
        let model = device.model();
        let known = device.status != DeviceStatus::PreProvisioned;
        let (year, month) = model.support_ends;
        // Some records came without a model.
        out.put_some(Field::Model, || {
            (!device.hardware_draw("no model").chance(4)).then_some(model.name)
        })?;
        out.put_some(Field::Meid, || device.meid())?;
        out.put_some(Field::OrderNumber, || {
            let draw = device.hardware_draw("order");
            draw.chance(20)
                .then(|| draw.of("number").below(100_000_000_000).to_string())
        })?;
        out.put_some(Field::MacAddress, || known.then(|| device.wifi_mac()))?;
        out.put_some(Field::EthernetMacAddress, || device.ethernet_mac())?;
        out.put_some(Field::DockMacAddress, || device.dock_mac())?;
        out.put(Field::ManufactureDate, || date_text(device.manufactured()))?;
        out.put(Field::SupportEndDate, || {
            format!("{year}-{month:02}-01T00:00:00.000Z")
        })?;
        out.put(Field::AutoUpdateExpiration, || {
            device.support_end_seconds().saturating_mul(1000).to_string()
        })?;
        out.put(Field::AutoUpdateThrough, || format!("{year}-{month:02}-01"))?;
        out.put(Field::ExtendedSupportEligible, || false)?;
        out.put(Field::ExtendedSupportEnabled, || false)?;
        out.put(Field::ChromeOsType, || {
            if model.flex { "chromeOsFlex" } else { "chromeOs" }
        })?;
        out.put_some(Field::SystemRamTotal, || {
            known.then(|| device.ram_bytes().to_string())
        })?;
        out.put_some(Field::TpmVersionInfo, || {
            (known && !model.flex).then(|| device.tpm())
        })
    }

    fn write_lifecycle<M: SerializeMap>(&self, out: &mut Output<'_, M>) -> Result<(), M::Error> {
        let device = self.device;
        let time = |seconds: i64| (seconds > 0).then(|| time_text(seconds));
        out.put_some(Field::FirstEnrollmentTime, || time(device.first_enrolled))?;
        out.put_some(Field::LastEnrollmentTime, || time(device.last_enrolled))?;
        out.put(Field::WillAutoRenew, || device.hardware_draw("renew").chance(700))?;
        out.put(Field::DeviceLicenseType, || {
            if device.mode == Mode::Kiosk {
                "kioskUpgrade"
            } else {
                "educationUpgradePerpetual"
            }
        })?;
        out.put_some(Field::DeprovisionReason, || {
            device.deprovision_reason.map(super::DeprovisionReason::as_str)
        })?;
        out.put_some(Field::LastDeprovisionTimestamp, || {
            device.deprovisioned.and_then(time)
        })
    }

    fn write_reports<M: SerializeMap>(
        &self,
        out: &mut Output<'_, M>,
        contact: LastContact,
    ) -> Result<(), M::Error> {
        let device = self.device;
        out.put(Field::OsVersion, || device.os.text())?;
        out.put(Field::PlatformVersion, || {
            format!(
                "{} (Official Build) stable-channel {}",
                device.os.platform(),
                device.model().board
            )
        })?;
        out.put(Field::FirmwareVersion, || {
            format!("{}.13606.398.0", device.model().firmware)
        })?;
        out.put(Field::BootMode, || device.boot_mode())?;
        out.put(Field::OsVersionCompliance, || self.compliance())?;
        out.put(Field::OsUpdateStatus, || self.update_status(contact))?;
        out.put_some(Field::RecentUsers, || {
            device.recent_users(contact, self.surroundings.domain)
        })?;
        out.put_some(Field::ActiveTimeRanges, || device.active_times(contact))?;
        out.put_some(Field::LastKnownNetwork, || device.last_known_network(contact))?;
        out.put(Field::CpuInfo, || device.cpu(contact))?;
        out.put_some(Field::CpuStatusReports, || device.cpu_status(contact))?;
        out.put_some(Field::SystemRamFreeReports, || device.ram_free(contact))?;
        out.put_some(Field::DiskVolumeReports, || device.disk_volumes(contact))?;
        out.put_some(Field::DiskSpaceUsage, || device.disk_space(contact))?;
        out.put_some(Field::BacklightInfo, || device.backlight(contact))?;
        out.put(Field::BluetoothAdapterInfo, || device.bluetooth(contact))?;
        out.put_some(Field::FanInfo, || device.fans(contact))?;
        out.put_some(Field::ScreenshotFiles, || device.screenshot_files())?;
        out.put_some(Field::DeviceFiles, || device.device_files())
    }

    fn compliance(&self) -> &'static str {
        compliance(self.device.os, self.surroundings.newest_os)
    }

    fn update_status(&self, contact: LastContact) -> UpdateStatus {
        let newest = self.surroundings.newest_os;
        let behind = self.device.os < newest;
        let state = update_state(self.device, newest);
        let by_itself = contact.at - self.device.report_draw("boot", contact).between(0, 3 * DAY);
        UpdateStatus {
            state,
            target_os_version: behind.then(|| match state {
                // A device that only waits for its restart no longer names the version.
                "updateStateNeedReboot" => "0.0.0.0".to_owned(),
                _ => newest.text(),
            }),
            update_time: time_text(self.device.last_enrolled.max(contact.at - 20 * DAY)),
            update_check_time: time_text(contact.at),
            reboot_time: time_text(by_itself.max(self.device.rebooted().unwrap_or(i64::MIN))),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpdateStatus {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_os_version: Option<String>,
    update_time: String,
    update_check_time: String,
    reboot_time: String,
}

/// `osVersionCompliance`.
pub(crate) fn compliance(os: OsVersion, newest: OsVersion) -> &'static str {
    match newest.milestone.saturating_sub(os.milestone) {
        0 | 1 => "compliant",
        2..=4 => "pending",
        _ => "notCompliant",
    }
}

/// `osUpdateStatus.state`.
pub(crate) fn update_state(device: &Device, newest: OsVersion) -> &'static str {
    if device.os >= newest {
        return "updateStateNotStarted";
    }
    match device.hardware_draw("update").below(4) {
        0 => "updateStateDownloadInProgress",
        1 => "updateStateNeedReboot",
        _ => "updateStateNotStarted",
    }
}

impl Device {
    /// Changes with every contact and every edit.
    pub(crate) fn etag(&self, contact: Option<LastContact>) -> String {
        let number = contact.map_or(0, |contact| contact.number.cast_unsigned());
        let draw = self
            .enrolment_draw("etag")
            .at(u64::from(self.revision))
            .at(number);
        format!("\"{}/{}\"", draw.of("first").hex(16), draw.of("second").hex(11))
    }

    /// `annotatedUser`; cleared or never set is `None`.
    pub(crate) fn annotated_user(&self, domain: &str) -> Option<String> {
        self.text(Text::AnnotatedUser, |draw| {
            (self.mode == Mode::UserSession && draw.chance(700)).then(|| self.usual_user(domain))
        })
    }

    /// `annotatedLocation`.
    pub(crate) fn annotated_location(&self) -> Option<String> {
        self.text(Text::AnnotatedLocation, |draw| {
            let number = draw.of("number").between(1, 60);
            draw.chance(650).then(|| {
                if draw.of("cart").chance(400) {
                    format!("Cart {number}")
                } else {
                    format!("Room {number}")
                }
            })
        })
    }

    /// `annotatedAssetId`.
    pub(crate) fn annotated_asset_id(&self) -> Option<String> {
        self.text(Text::AnnotatedAssetId, |draw| {
            draw.chance(900).then(|| format!("AT-{:06}", self.machine + 1))
        })
    }

    /// `notes`.
    pub(crate) fn notes(&self) -> Option<String> {
        self.text(Text::Notes, |draw| {
            draw.chance(150).then(|| names::note(draw.of("which")).to_owned())
        })
    }

    fn text(
        &self,
        text: Text,
        invented: impl FnOnce(crate::random::Draw) -> Option<String>,
    ) -> Option<String> {
        match self.edited(text) {
            Some("") => None,
            Some(edited) => Some(edited.to_owned()),
            None => {
                let label = match text {
                    Text::AnnotatedUser => "annotated user",
                    Text::AnnotatedLocation => "annotated location",
                    Text::AnnotatedAssetId => "annotated asset id",
                    Text::Notes => "notes",
                    Text::SerialNumber => "serial number",
                };
                invented(self.enrolment_draw(label))
            }
        }
    }

    /// Seconds since 1970: some months before the first enrolment.
    fn manufactured(&self) -> i64 {
        let draw = self.hardware_draw("manufactured");
        let reference = if self.first_enrolled > 0 {
            self.first_enrolled
        } else {
            1_780_000_000
        };
        reference - draw.between(60, 400) * DAY
    }

    /// Seconds since 1970.
    pub(crate) fn support_end_seconds(&self) -> i64 {
        let (year, month) = self.model().support_ends;
        let date = jiff::civil::date(year, month, 1).to_zoned(jiff::tz::TimeZone::UTC);
        date.map_or(0, |zoned| zoned.timestamp().as_second())
    }
}
