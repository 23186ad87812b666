//! Which device takes which command, and which payloads commands have.
//!
//! Sources: "Directory API: Issue commands to ChromeOS devices" (types, payloads, kinds of session). Google
//! documents no rule for the state of the device; the one here is a cautious guess that is told in
//! docs/simulator.md.

use serde_json::{Map, Value};

use crate::command::CommandType;
use crate::device::{DeviceStatus, Mode};

/// The first milestone of ChromeOS whose devices restart on command in user sessions too.
const REBOOT_EVERYWHERE: u16 = 113;

/// The first milestone of ChromeOS that knows the powerwash by command.
const POWERWASH: u16 = 85;

/// The longest warning before a restart, in seconds.
const LONGEST_REBOOT_DELAY: u32 = 300;

/// What decides whether a device takes a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suitability {
    pub(crate) status: DeviceStatus,
    pub(crate) mode: Mode,
    /// Version of ChromeOS.
    pub(crate) milestone: u16,
}

/// What the payload asks for beyond the type of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PayloadFacts {
    /// Seconds of warning before a restart.
    pub(crate) reboot_delay: u32,
    /// A support packet without anything in it.
    pub(crate) collects_nothing: bool,
}

/// Reads the payload of a command: a text that holds a JSON object, or nothing.
///
/// The error is the sentence for the caller.
pub(crate) fn read_payload(command: CommandType, payload: &str) -> Result<PayloadFacts, String> {
    let fields: Map<String, Value> = if payload.is_empty() {
        Map::new()
    } else {
        serde_json::from_str(payload).map_err(|_| "payload is not a JSON object.".to_owned())?
    };
    let mut facts = PayloadFacts::default();
    match command {
        CommandType::SetVolume => match fields.get("volume").map(Value::as_i64) {
            Some(Some(0..=100)) => {}
            Some(_) | None => return Err("SET_VOLUME needs a volume from 0 to 100.".to_owned()),
        },
        CommandType::Reboot => facts.reboot_delay = reboot_delay(&fields)?,
        CommandType::DeviceStartCrdSession => check_remote_session(&fields)?,
        CommandType::FetchSupportPacket => facts.collects_nothing = collects_nothing(&fields)?,
        CommandType::TakeAScreenshot
        | CommandType::WipeUsers
        | CommandType::RemotePowerwash
        | CommandType::CaptureLogs
        | CommandType::FetchCrdAvailabilityInfo => {}
    }
    Ok(facts)
}

fn reboot_delay(fields: &Map<String, Value>) -> Result<u32, String> {
    let Some(value) = fields.get("user_session_delay_seconds") else {
        return Ok(0);
    };
    value
        .as_u64()
        .and_then(|delay| u32::try_from(delay).ok())
        .filter(|delay| *delay <= LONGEST_REBOOT_DELAY)
        .ok_or_else(|| format!("user_session_delay_seconds must be from 0 to {LONGEST_REBOOT_DELAY}."))
}

fn check_remote_session(fields: &Map<String, Value>) -> Result<(), String> {
    if fields
        .get("ackedUserPresence")
        .is_some_and(|value| !value.is_boolean())
    {
        return Err("ackedUserPresence must be true or false.".to_owned());
    }
    match fields.get("crdSessionType").map(Value::as_str) {
        None | Some(Some("shared" | "private")) => Ok(()),
        Some(_) => Err("crdSessionType must be \"shared\" or \"private\".".to_owned()),
    }
}

fn collects_nothing(fields: &Map<String, Value>) -> Result<bool, String> {
    let Some(details) = fields.get("supportPacketDetails") else {
        return Ok(false);
    };
    let details = details
        .as_object()
        .ok_or("supportPacketDetails must be a JSON object.")?;
    for name in ["issueCaseId", "issueDescription"] {
        if details.get(name).is_some_and(|value| !value.is_string()) {
            return Err(format!("{name} must be a text."));
        }
    }
    let Some(collectors) = details.get("requestedDataCollectors") else {
        return Ok(false);
    };
    let collectors = collectors.as_array().map(Vec::as_slice);
    let known = |value: &Value| value.as_i64().is_some_and(|number| (1..=23).contains(&number));
    match collectors {
        Some(collectors) if collectors.iter().all(known) => Ok(collectors.is_empty()),
        Some(_) | None => Err("requestedDataCollectors must be a list of numbers from 1 to 23.".to_owned()),
    }
}

/// Whether a device takes a command. The error is the sentence for the caller.
pub(crate) fn check(command: CommandType, device: Suitability) -> Result<(), String> {
    if !status_allows(command, device.status) {
        return Err(format!(
            "{} cannot be sent: the device is in state {}.",
            command.as_str(),
            device.status.as_str()
        ));
    }
    let session = match device.mode {
        Mode::UserSession => "a user session",
        Mode::Kiosk => "a kiosk session",
        Mode::ManagedGuest => "a managed guest session",
    };
    let refused = |needs: &str| {
        Err(format!(
            "{} is not supported by the device: it needs {needs}, and the device runs ChromeOS {} in {session}.",
            command.as_str(),
            device.milestone
        ))
    };
    match (command, device.mode) {
        (CommandType::TakeAScreenshot | CommandType::CaptureLogs, Mode::UserSession | Mode::ManagedGuest) => {
            refused("a kiosk session")
        }
        (CommandType::SetVolume, Mode::UserSession) => refused("a kiosk or managed guest session"),
        (CommandType::Reboot, Mode::UserSession) if device.milestone < REBOOT_EVERYWHERE => {
            refused("a kiosk or managed guest session, or ChromeOS 113")
        }
        (CommandType::RemotePowerwash, _) if device.milestone < POWERWASH => refused("ChromeOS 85"),
        (
            CommandType::Reboot
            | CommandType::TakeAScreenshot
            | CommandType::SetVolume
            | CommandType::WipeUsers
            | CommandType::RemotePowerwash
            | CommandType::DeviceStartCrdSession
            | CommandType::CaptureLogs
            | CommandType::FetchCrdAvailabilityInfo
            | CommandType::FetchSupportPacket,
            Mode::UserSession | Mode::Kiosk | Mode::ManagedGuest,
        ) => Ok(()),
    }
}

fn status_allows(command: CommandType, status: DeviceStatus) -> bool {
    match status {
        DeviceStatus::Active => true,
        // It still talks to Google, and wiping is what a lost device is for.
        DeviceStatus::Disabled => matches!(
            command,
            CommandType::Reboot | CommandType::WipeUsers | CommandType::RemotePowerwash
        ),
        DeviceStatus::Deprovisioned
        | DeviceStatus::Delinquent
        | DeviceStatus::PreProvisioned
        | DeviceStatus::Inactive
        | DeviceStatus::ReturnRequested
        | DeviceStatus::ReturnArrived
        | DeviceStatus::Shipped
        | DeviceStatus::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Mode; 3] = [Mode::UserSession, Mode::Kiosk, Mode::ManagedGuest];

    fn allowed(command: CommandType, status: DeviceStatus, mode: Mode, milestone: u16) -> bool {
        let device = Suitability {
            status,
            mode,
            milestone,
        };
        check(command, device).is_ok()
    }

    #[test]
    fn sessions_decide_what_an_active_device_takes() {
        use CommandType as C;
        // User session, kiosk, managed guest session.
        for (command, expected) in [
            (C::Reboot, [true, true, true]),
            (C::TakeAScreenshot, [false, true, false]),
            (C::SetVolume, [false, true, true]),
            (C::WipeUsers, [true, true, true]),
            (C::RemotePowerwash, [true, true, true]),
            (C::DeviceStartCrdSession, [true, true, true]),
            (C::CaptureLogs, [false, true, false]),
            (C::FetchCrdAvailabilityInfo, [true, true, true]),
            (C::FetchSupportPacket, [true, true, true]),
        ] {
            let found = MODES.map(|mode| allowed(command, DeviceStatus::Active, mode, 140));
            assert_eq!(found, expected, "{command:?}");
        }
    }

    #[test]
    fn old_versions_take_less() {
        use CommandType as C;
        let active = DeviceStatus::Active;
        assert!(!allowed(C::Reboot, active, Mode::UserSession, 112));
        assert!(allowed(C::Reboot, active, Mode::UserSession, 113));
        assert!(allowed(C::Reboot, active, Mode::Kiosk, 90));
        assert!(!allowed(C::RemotePowerwash, active, Mode::Kiosk, 84));
        assert!(allowed(C::RemotePowerwash, active, Mode::Kiosk, 85));
    }

    #[test]
    fn states_decide_too() {
        use CommandType as C;
        for status in DeviceStatus::ALL {
            let expected = if status == DeviceStatus::Active {
                CommandType::ALL.to_vec()
            } else if status == DeviceStatus::Disabled {
                vec![C::Reboot, C::WipeUsers, C::RemotePowerwash]
            } else {
                Vec::new()
            };
            let found: Vec<CommandType> = CommandType::ALL
                .into_iter()
                .filter(|command| allowed(*command, status, Mode::Kiosk, 140))
                .collect();
            assert_eq!(found, expected, "{status:?}");
        }
    }

    #[test]
    fn refusals_say_why() {
        let device = Suitability {
            status: DeviceStatus::Deprovisioned,
            mode: Mode::UserSession,
            milestone: 140,
        };
        assert_eq!(
            check(CommandType::WipeUsers, device).unwrap_err(),
            "WIPE_USERS cannot be sent: the device is in state DEPROVISIONED."
        );
        let active = Suitability {
            status: DeviceStatus::Active,
            ..device
        };
        assert_eq!(
            check(CommandType::SetVolume, active).unwrap_err(),
            "SET_VOLUME is not supported by the device: it needs a kiosk or managed guest session, and the device \
             runs ChromeOS 140 in a user session."
        );
    }

    #[test]
    fn payloads_are_read_strictly() {
        use CommandType as C;
        for (command, payload, good) in [
            (C::SetVolume, "", false),
            (C::SetVolume, "loud", false),
            (C::SetVolume, "[50]", false),
            (C::SetVolume, "{\"volume\": 0}", true),
            (C::SetVolume, "{\"volume\": 100}", true),
            (C::SetVolume, "{\"volume\": 101}", false),
            (C::SetVolume, "{\"volume\": -1}", false),
            (C::SetVolume, "{\"volume\": \"50\"}", false),
            (C::Reboot, "", true),
            (C::Reboot, "{\"user_session_delay_seconds\": 300}", true),
            (C::Reboot, "{\"user_session_delay_seconds\": 301}", false),
            (C::Reboot, "{\"user_session_delay_seconds\": -1}", false),
            (C::Reboot, "{\"user_session_delay_seconds\": 1.5}", false),
            (C::WipeUsers, "{", false),
            (C::WipeUsers, "", true),
            (C::DeviceStartCrdSession, "{\"ackedUserPresence\": true}", true),
            (C::DeviceStartCrdSession, "{\"ackedUserPresence\": 1}", false),
            (
                C::DeviceStartCrdSession,
                "{\"crdSessionType\": \"private\"}",
                true,
            ),
            (
                C::DeviceStartCrdSession,
                "{\"crdSessionType\": \"public\"}",
                false,
            ),
            (C::FetchSupportPacket, "", true),
            (C::FetchSupportPacket, "{\"supportPacketDetails\": 1}", false),
            (
                C::FetchSupportPacket,
                "{\"supportPacketDetails\": {\"issueCaseId\": \"c\", \"requestedDataCollectors\": [1, 23]}}",
                true,
            ),
            (
                C::FetchSupportPacket,
                "{\"supportPacketDetails\": {\"requestedDataCollectors\": [24]}}",
                false,
            ),
            (
                C::FetchSupportPacket,
                "{\"supportPacketDetails\": {\"issueDescription\": 5}}",
                false,
            ),
        ] {
            assert_eq!(
                read_payload(command, payload).is_ok(),
                good,
                "{command:?} {payload}"
            );
        }
    }

    #[test]
    fn what_a_payload_asks_for_is_kept() {
        let read = |command, payload| read_payload(command, payload).unwrap();
        let delayed = read(CommandType::Reboot, "{\"user_session_delay_seconds\": 60}");
        assert_eq!(delayed.reboot_delay, 60);
        let empty = "{\"supportPacketDetails\": {\"requestedDataCollectors\": []}}";
        assert!(read(CommandType::FetchSupportPacket, empty).collects_nothing);
        assert!(!read(CommandType::FetchSupportPacket, "").collects_nothing);
    }
}
