//! Requests that change something at Google: each is sent once, and what is known about its effect has a type.
//!
//! Google offers no way to repeat such a request safely: `issueCommand` has no request ID, and a state change that
//! is refused because it is done already looks like one that was never possible. So nothing here is sent twice, and the
//! caller learns which of four things is true.
//!
//! Sources: Directory API reference, `batchChangeStatus` and `issueCommand`; `google.rpc.Code` for the codes of rows.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::directory::{DirectoryClient, identifier};
use super::errors::{GoogleError, Reason, one_line};
use super::gated_body::MaySend;
use super::http::Answer;
use super::lenient::{self, is_identifier};
use super::page::{read_json, unexpected};
use super::quota::{Lane, Turn};
use super::refusal::{self, Asked, Subject};

const CHANGE_STATUS: &str = "admin.customer.devices.chromeos.batchChangeStatus";
const ISSUE_COMMAND: &str = "admin.customer.devices.chromeos.issueCommand";

/// How long changes rest after Google has turned one away for its quota without saying how long.
const QUOTA_PAUSE: Duration = Duration::from_secs(5);

/// What became of a request that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent<T> {
    /// Surely nothing happened at Google: no byte of the request went out, or Google turned it away at the door
    /// (sign-in or quota). It may be sent again.
    NotSent(GoogleError),
    /// Google took it.
    Accepted(T),
    /// Google refused it for good.
    Refused(GoogleError),
    /// It may have been done and it may not. It must never be sent again.
    Unknown(GoogleError),
}

impl<T> Sent<T> {
    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sent<U> {
        match self {
            Self::NotSent(error) => Sent::NotSent(error),
            Self::Accepted(value) => Sent::Accepted(change(value)),
            Self::Refused(error) => Sent::Refused(error),
            Self::Unknown(error) => Sent::Unknown(error),
        }
    }
}

/// A change of what Google keeps of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// Releases the device from management.
    Deprovision(DeprovisionReason),
    /// Disables the device: it shows the message for lost devices.
    Disable,
    /// Lets a disabled device be used again; takes a licence.
    Reenable,
}

/// Why a device is released. The reasons that an administrator may give; Google knows more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeprovisionReason {
    /// A device of the same model takes its place.
    SameModelReplacement,
    /// A device of another model takes its place.
    DifferentModelReplacement,
    /// The device is given up.
    RetiringDevice,
    /// The upgrade moves to a ChromeOS Flex device.
    UpgradeTransfer,
}

/// A command that Google passes on to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteCommand {
    /// Restarts the device.
    Reboot {
        /// Seconds that a signed-in user gets, 0 to 300.
        user_session_delay_seconds: u16,
    },
    /// Removes all user profiles.
    WipeUsers,
    /// Resets the device to factory state.
    RemotePowerwash,
}

impl StateChange {
    fn body(self, device_id: &str) -> Value {
        let action = match self {
            Self::Deprovision(_) => "DEPROVISION",
            Self::Disable => "DISABLE",
            Self::Reenable => "REENABLE",
        };
        let mut body = json!({
            "deviceIds": [device_id],
            "changeChromeOsDeviceStatusAction": format!("CHANGE_CHROME_OS_DEVICE_STATUS_ACTION_{action}"),
        });
        if let Self::Deprovision(reason) = self {
            let reason = match reason {
                DeprovisionReason::SameModelReplacement => "SAME_MODEL_REPLACEMENT",
                DeprovisionReason::DifferentModelReplacement => "DIFFERENT_MODEL_REPLACEMENT",
                DeprovisionReason::RetiringDevice => "RETIRING_DEVICE",
                DeprovisionReason::UpgradeTransfer => "UPGRADE_TRANSFER",
            };
            body["deprovisionReason"] = format!("DEPROVISION_REASON_{reason}").into();
        }
        body
    }
}

impl RemoteCommand {
    fn body(self) -> Value {
        match self {
            // The payload is a text that holds JSON.
            Self::Reboot {
                user_session_delay_seconds,
            } => json!({
                "commandType": "REBOOT",
                "payload": json!({ "user_session_delay_seconds": user_session_delay_seconds }).to_string(),
            }),
            Self::WipeUsers => json!({ "commandType": "WIPE_USERS" }),
            Self::RemotePowerwash => json!({ "commandType": "REMOTE_POWERWASH" }),
        }
    }
}

impl DirectoryClient {
    /// Waits until the quota allows a change of a device. The more urgent lane goes first, then the oldest wish:
    /// `since` is when somebody asked for it.
    pub async fn turn_to_change(&self, lane: Lane, since: Timestamp) -> Turn {
        let observer = self.context.observer();
        self.quota.turn_to_write(lane, since, observer).await
    }

    /// Changes what Google keeps of one device. Sent at most once: see [`Sent`].
    ///
    /// `may_send` is asked once, when the request is about to go out; if it says no, nothing is sent.
    pub async fn change_state(
        &self,
        _turn: &Turn,
        customer_id: &str,
        device_id: &str,
        change: StateChange,
        may_send: MaySend,
    ) -> Sent<()> {
        let url = self.devices_url(CHANGE_STATUS, customer_id, "chromeos:batchChangeStatus");
        let url = match identifier(CHANGE_STATUS, device_id).and(url) {
            Ok(url) => url,
            Err(error) => return Sent::Refused(error),
        };
        let request = Request {
            method: CHANGE_STATUS,
            subject: Subject::Devices,
            url,
            body: change.body(device_id),
        };
        let sent = self.send_once(request, may_send).await;
        sent.and_then(|answer| read_row(&answer, device_id))
    }

    /// Sends a command to one device and returns Google's ID of it. Sent at most once: see [`Sent`].
    ///
    /// `may_send` is asked once, when the request is about to go out; if it says no, nothing is sent.
    pub async fn issue_command(
        &self,
        _turn: &Turn,
        customer_id: &str,
        device_id: &str,
        command: RemoteCommand,
        may_send: MaySend,
    ) -> Sent<String> {
        let url = match self.device_method_url(ISSUE_COMMAND, customer_id, device_id, "issueCommand") {
            Ok(url) => url,
            Err(error) => return Sent::Refused(error),
        };
        let request = Request {
            method: ISSUE_COMMAND,
            subject: Subject::Device,
            url,
            body: command.body(),
        };
        let sent = self.send_once(request, may_send).await;
        sent.and_then(|answer| read_command_id(&answer))
    }

    async fn send_once(&self, request: Request, may_send: MaySend) -> Sent<Answer> {
        // Signing in may take a while and may be repeated: it changes nothing.
        let token = match self.tokens.token().await {
            Ok(token) => token,
            Err(error) => return Sent::NotSent(error),
        };
        let Request {
            method,
            subject,
            url,
            body,
        } = request;
        let started = Instant::now();
        let json = Bytes::from(body.to_string());
        let (answer, handed_out) = self
            .context
            .http()
            .change(method, &url, token.authorization(), json, may_send)
            .await;
        let bytes = answer.as_ref().map_or(0, |answer| answer.body.len());
        let refused_token = answer.as_ref().is_ok_and(refusal::wants_new_token);
        let sent = match answer {
            Err(error) if handed_out.is_true() => Sent::Unknown(error),
            Err(error) => Sent::NotSent(error),
            Ok(answer) => judge(answer, method, subject),
        };
        self.context
            .observer()
            .call(method, sent.outcome_name(), started.elapsed(), bytes);
        if let Sent::NotSent(error) = &sent
            && error.reason == Reason::QuotaExhausted
        {
            self.quota.pause_writes(error.retry_after.unwrap_or(QUOTA_PAUSE));
        }
        if refused_token {
            // For whoever comes next; a failure shows there.
            let _ = self.tokens.replace(&token).await;
        }
        sent
    }
}

struct Request {
    method: &'static str,
    subject: Subject,
    url: url::Url,
    body: Value,
}

impl Sent<Answer> {
    fn and_then<T>(self, read: impl FnOnce(Answer) -> Sent<T>) -> Sent<T> {
        match self {
            Self::Accepted(answer) => read(answer),
            Self::NotSent(error) => Sent::NotSent(error),
            Self::Refused(error) => Sent::Refused(error),
            Self::Unknown(error) => Sent::Unknown(error),
        }
    }

    const fn outcome_name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "Success",
            Self::NotSent(error) | Self::Refused(error) | Self::Unknown(error) => error.reason.name(),
        }
    }
}

/// What an answer says about the effect. Only Google's own words count, and of those only the ones that leave no doubt.
fn judge(answer: Answer, method: &'static str, subject: Subject) -> Sent<Answer> {
    if answer.status.is_success() {
        return Sent::Accepted(answer);
    }
    let asked = Asked {
        method,
        subject,
        page_token: None,
        query: None,
    };
    let error = refusal::judge(&answer, asked);
    if !refusal::is_from_google(&answer) {
        return Sent::Unknown(error);
    }
    match (answer.status.as_u16(), &error.reason) {
        (401 | 429, _) | (403, Reason::QuotaExhausted) => Sent::NotSent(error),
        (408, _) => Sent::Unknown(error),
        (400..=499, _) => Sent::Refused(error),
        _ => Sent::Unknown(error),
    }
}

/// The row of this device. A success without it, or with a row that says nothing, proves nothing.
fn read_row(answer: &Answer, device_id: &str) -> Sent<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Rows {
        #[serde(default)]
        change_chrome_os_device_status_results: Option<Vec<Value>>,
    }
    let rows: Rows = match read_json(CHANGE_STATUS, answer) {
        Ok(rows) => rows,
        Err(error) => return Sent::Unknown(error),
    };
    let rows = rows.change_chrome_os_device_status_results.unwrap_or_default();
    let is_ours = |row: &&Value| {
        row["deviceId"]
            .as_str()
            .is_some_and(|id| id.eq_ignore_ascii_case(device_id))
    };
    let unknown = |what: &str| Sent::Unknown(unexpected(CHANGE_STATUS, answer.status, what));
    let mut ours = rows.iter().filter(is_ours);
    match (ours.next(), ours.next()) {
        (Some(row), None) if row["error"].is_object() => row_error(answer, &row["error"]),
        (Some(row), None) if row["response"].is_object() => Sent::Accepted(()),
        (Some(_), None) => unknown("the row of the device says neither success nor failure"),
        (Some(_), Some(_)) => unknown("the answer has several rows of the device"),
        (None, _) => unknown("the answer has no row of the device"),
    }
}

/// What the `google.rpc.Status` of a row means. Codes that may follow an effect, and unknown ones, leave doubt.
fn row_error(answer: &Answer, error: &Value) -> Sent<()> {
    let message = one_line(error["message"].as_str().unwrap_or("Google gave no reason"));
    let failure = |reason| GoogleError {
        method: CHANGE_STATUS,
        http_status: Some(answer.status.as_u16()),
        reason,
        google_message: message.clone(),
        retry_after: None,
    };
    // INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED (no licence is left),
    // FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED and UNAUTHENTICATED are said before anything is done.
    match error["code"].as_i64() {
        Some(3 | 11 | 12) => Sent::Refused(failure(Reason::RequestInvalid)),
        Some(5) => Sent::Refused(failure(Reason::NotFound)),
        Some(7 | 16) => Sent::Refused(failure(Reason::PrivilegeMissing)),
        Some(6 | 8 | 9) => Sent::Refused(failure(Reason::ConditionNotMet)),
        Some(_) | None => Sent::Unknown(failure(Reason::GoogleUnavailable)),
    }
}

fn read_command_id(answer: &Answer) -> Sent<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Issued {
        #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
        command_id: Option<String>,
    }
    match read_json::<Issued>(ISSUE_COMMAND, answer) {
        Ok(Issued { command_id: Some(id) }) if is_identifier(&id) => Sent::Accepted(id),
        Ok(_) => Sent::Unknown(unexpected(
            ISSUE_COMMAND,
            answer.status,
            "the answer has no ID of the command",
        )),
        Err(error) => Sent::Unknown(error),
    }
}

#[cfg(test)]
mod tests;
