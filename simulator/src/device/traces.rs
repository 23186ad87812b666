//! What remote commands have left behind on a device.

use serde::Serialize;

use crate::device::Device;
use crate::device::reports::time_text;

/// So many files of each list are kept, the latest ones.
const MAXIMUM_FILES: usize = 20;

/// The traces of commands. Times are seconds since 1970.
#[derive(Debug, Clone, Default)]
pub(super) struct Traces {
    rebooted: Option<i64>,
    users_wiped: Option<i64>,
    screenshots: Vec<StoredFile>,
    files: Vec<StoredFile>,
}

#[derive(Debug, Clone, Copy)]
struct StoredFile {
    kind: FileKind,
    created: i64,
}

/// What kind of file a command made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Listed in `screenshotFiles`; the others in `deviceFiles`.
    Screenshot,
    Logs,
    SupportPacket,
}

/// An entry of `screenshotFiles` or `deviceFiles`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceFile {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    download_url: String,
    create_time: String,
}

impl Device {
    /// It has restarted.
    pub(crate) fn reboot(&mut self, at: i64) {
        self.traces_mut().rebooted = Some(at);
    }

    /// Its user profiles are gone.
    pub(crate) fn wipe_users(&mut self, at: i64) {
        self.traces_mut().users_wiped = Some(at);
    }

    /// It has uploaded a file.
    pub(crate) fn add_file(&mut self, kind: FileKind, created: i64) {
        let traces = self.traces_mut();
        let files = match kind {
            FileKind::Screenshot => &mut traces.screenshots,
            FileKind::Logs | FileKind::SupportPacket => &mut traces.files,
        };
        if files.len() >= MAXIMUM_FILES {
            files.remove(0);
        }
        files.push(StoredFile { kind, created });
    }

    /// When a command restarted it last.
    pub(super) fn rebooted(&self) -> Option<i64> {
        self.traces()?.rebooted
    }

    /// When a command removed its users last.
    pub(super) fn users_wiped(&self) -> Option<i64> {
        self.traces()?.users_wiped
    }

    /// `screenshotFiles`, oldest first.
    pub(super) fn screenshot_files(&self) -> Option<Vec<DeviceFile>> {
        self.describe(&self.traces()?.screenshots)
    }

    /// `deviceFiles`, oldest first.
    pub(super) fn device_files(&self) -> Option<Vec<DeviceFile>> {
        self.describe(&self.traces()?.files)
    }

    fn describe(&self, files: &[StoredFile]) -> Option<Vec<DeviceFile>> {
        let described = files.iter().map(|file| {
            let (what, ending, kind) = match file.kind {
                FileKind::Screenshot => ("screenshot", "png", "SCREENSHOT_FILE"),
                FileKind::Logs => ("logs", "zip", "LOG_FILE"),
                FileKind::SupportPacket => ("support_packet", "zip", "SUPPORT_PACKET_FILE"),
            };
            let name = format!("{what}_{}.{ending}", file.created);
            DeviceFile {
                download_url: format!(
                    "https://admin.google.com/ac/chrome/devices/{}/files/{name}",
                    self.id
                ),
                name,
                kind,
                create_time: time_text(file.created),
            }
        });
        (!files.is_empty()).then(|| described.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceId;
    use crate::random::Draw;

    #[test]
    fn files_stand_in_their_lists_and_old_ones_go() {
        let mut device = Device::new(DeviceId::draw(Draw::new(1)), 1, 1, 1);
        assert!(device.screenshot_files().is_none() && device.device_files().is_none());
        for second in 0..25 {
            device.add_file(FileKind::Logs, 1_795_000_000 + second);
        }
        device.add_file(FileKind::Screenshot, 1_795_000_000);
        let files = device.device_files().unwrap();
        assert_eq!(files.len(), MAXIMUM_FILES);
        assert_eq!(files[0].name, "logs_1795000005.zip");
        let screenshots = device.screenshot_files().unwrap();
        assert_eq!(screenshots[0].kind, "SCREENSHOT_FILE");
        assert!(
            screenshots[0].download_url.contains(&device.id.to_string()),
            "{}",
            screenshots[0].download_url
        );
    }
}
