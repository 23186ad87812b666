//! What became of a command that Google passes on to a device.
//!
//! Source: Directory API reference, `customer.devices.chromeos.commands`.

use jiff::Timestamp;
use serde::Deserialize;

use super::calls::plain;
use super::directory::DirectoryClient;
use super::errors::{GoogleError, Reason};
use super::lenient;
use super::page::read_json;
use super::refusal::Subject;

const GET_COMMAND: &str = "admin.customer.devices.chromeos.commands.get";

/// How a command goes, in Google's words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandStatus {
    /// `PENDING`, `SENT_TO_CLIENT`, `ACKED_BY_CLIENT`, `EXECUTED_BY_CLIENT`, `EXPIRED` or `CANCELLED`; maybe others one day.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub state: Option<String>,
    /// Until when Google tries to deliver it.
    #[serde(default, deserialize_with = "lenient::time")]
    pub command_expire_time: Option<Timestamp>,
    /// How the device carried it out; missing before it did.
    #[serde(default, deserialize_with = "lenient::object")]
    pub command_result: Option<CommandResult>,
}

/// How a device carried a command out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandResult {
    /// `SUCCESS`, `FAILURE` or `IGNORED`.
    #[serde(default, deserialize_with = "lenient::text::<_, 64>")]
    pub result: Option<String>,
    /// What the device says about a failure.
    #[serde(default, deserialize_with = "lenient::text::<_, 300>")]
    pub error_message: Option<String>,
}

impl DirectoryClient {
    /// How a command goes, or `None` when Google itself says that it knows no such command of this device.
    ///
    /// # Errors
    /// A [`GoogleError`].
    pub async fn get_command(
        &self,
        customer_id: &str,
        device_id: &str,
        command_id: &str,
    ) -> Result<Option<CommandStatus>, GoogleError> {
        let url = self.device_url(GET_COMMAND, customer_id, device_id, &["commands", command_id])?;
        let read = plain(GET_COMMAND, Subject::Device, url);
        match self
            .reader()
            .read(&read, |answer| read_json(GET_COMMAND, answer))
            .await
        {
            Ok(command) => Ok(Some(command)),
            Err(GoogleError {
                reason: Reason::NotFound,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
