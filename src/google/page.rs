//! Reading a page of devices: one that cannot be read costs itself, not the page.

use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::errors::{GoogleError, Reason};
use super::http::Answer;
use super::lenient::{Object, is_identifier};
use super::models::ChromeOsDevice;

/// One page of a listing.
#[derive(Clone, PartialEq)]
pub struct DevicePage {
    /// The devices that could be read.
    pub devices: Vec<ChromeOsDevice>,
    /// The token of the next page; none on the last one.
    pub next_page_token: Option<String>,
    /// Size of the answer after unpacking.
    pub bytes: usize,
    /// How many entries could not be read. A walk with any is not evidence of what is gone.
    pub unreadable: usize,
    /// The IDs of those of them whose ID could be read.
    pub unreadable_ids: Vec<String>,
}

impl fmt::Debug for DevicePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevicePage")
            .field("devices", &self.devices.len())
            .field("last", &self.next_page_token.is_none())
            .field("bytes", &self.bytes)
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}

/// The page when all is as expected, read in one go.
#[derive(Deserialize)]
struct ExpectedPage {
    // Missing rather than empty when there are no devices.
    #[serde(default)]
    chromeosdevices: Option<Vec<Object<ChromeOsDevice>>>,
    #[serde(default, rename = "nextPageToken")]
    next_page_token: Option<String>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// Reads a successful answer as a page of devices.
pub(super) fn read_page(method: &'static str, answer: &Answer) -> Result<DevicePage, GoogleError> {
    let bytes = answer.body.len();
    if let Ok(Object(page)) = serde_json::from_slice::<Object<ExpectedPage>>(&answer.body)
        && page.error.is_none()
    {
        return Ok(DevicePage {
            devices: page
                .chromeosdevices
                .into_iter()
                .flatten()
                .map(|Object(device)| device)
                .collect(),
            next_page_token: page.next_page_token.filter(|token| !token.is_empty()),
            bytes,
            unreadable: 0,
            unreadable_ids: Vec::new(),
        });
    }
    let damaged = |what: &str| Err(unexpected(method, answer.status, what));
    let mut page: serde_json::Map<String, Value> = read_json(method, answer)?;
    if page.contains_key("error") {
        return damaged("the answer is a success that holds an error");
    }
    let next_page_token = match page.remove("nextPageToken") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) => Some(token).filter(|token| !token.is_empty()),
        Some(_) => return damaged("the token of the next page is no text"),
    };
    let entries = match page.remove("chromeosdevices") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => return damaged("the devices are no list"),
    };
    let mut page = DevicePage {
        devices: Vec::new(),
        next_page_token,
        bytes,
        unreadable: 0,
        unreadable_ids: Vec::new(),
    };
    for entry in entries {
        if let Ok(Object(device)) = Object::deserialize(&entry) {
            page.devices.push(device);
        } else {
            page.unreadable += 1;
            let id = entry["deviceId"].as_str().filter(|id| is_identifier(id));
            page.unreadable_ids.extend(id.map(ToOwned::to_owned));
        }
    }
    Ok(page)
}

/// Reads a successful answer as an object `T`.
pub(super) fn read_json<T>(method: &'static str, answer: &Answer) -> Result<T, GoogleError>
where
    T: for<'de> Deserialize<'de>,
{
    // The library's text may quote the answer, which holds personal data.
    let read = serde_json::from_slice::<Object<T>>(&answer.body);
    read.map(|Object(value)| value).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the answer ends too early",
            serde_json::error::Category::Data => "the answer has not the form that was expected",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the answer is no JSON",
        };
        unexpected(method, answer.status, what)
    })
}

/// A successful answer that is not what was asked for.
pub(super) fn unexpected(method: &'static str, status: StatusCode, what: &str) -> GoogleError {
    let error = GoogleError::local(method, Reason::UnexpectedAnswer, what);
    GoogleError {
        http_status: Some(status.as_u16()),
        ..error
    }
}

#[cfg(test)]
mod tests;
