//! A real headless Chromium that reaches nothing but this machine.

mod events;
mod input;
mod page;
mod process;
mod program;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chromiumoxide::error::CdpError;
use chromiumoxide::handler::HandlerConfig;
use futures::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Error;
pub use events::{ConsoleMessage, FailedRequest, Report};
pub use page::{Look, Page};
use process::Process;

/// How long the browser may take for one thing. A busy machine is slow, but not that slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A running Chromium with its own temporary profile. It is ended when this is dropped, and when the test process
/// ends in whatever way.
///
/// It finds no host but `127.0.0.1` and `localhost`.
#[derive(Debug)]
pub struct Browser {
    connection: chromiumoxide::Browser,
    unreadable: Unreadable,
    messages: JoinHandle<()>,
    /// Last, so that the connection is gone before the program is.
    process: Process,
}

impl Browser {
    /// Starts Chromium.
    ///
    /// # Errors
    ///
    /// There is none on this machine, or it does not start.
    pub async fn launch() -> Result<Self, Error> {
        let mut process = Process::start()?;
        let address = process.address().await?;
        let config = HandlerConfig {
            viewport: None,
            ignore_invalid_messages: false,
            request_timeout: DEADLINE,
            ..HandlerConfig::default()
        };
        let connect = chromiumoxide::Browser::connect_with_config(address, config);
        let (connection, mut handler) = within("connect to Chromium", connect).await?;
        let unreadable = Unreadable::default();
        let seen = unreadable.clone();
        let messages = tokio::spawn(async move {
            while let Some(handled) = handler.next().await {
                match handled {
                    Ok(()) => {}
                    Err(CdpError::InvalidMessage(message, _)) => seen.note(&message),
                    // The connection is gone: every later call says so.
                    Err(_) => break,
                }
            }
        });
        Ok(Self {
            connection,
            unreadable,
            messages,
            process,
        })
    }

    /// The number of its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Opens a tab with a page of `http://127.0.0.1:PORT/...` or `file:///...`, 1280 by 800 pixels, and waits until it
    /// has loaded.
    ///
    /// # Errors
    ///
    /// The page cannot be loaded in time.
    pub async fn open(&self, url: &str) -> Result<Page, Error> {
        let tab = within("open a tab", self.connection.new_page("about:blank")).await?;
        let mut page = Page::new(tab, self.unreadable.clone()).await?;
        page.viewport(1280, 800).await?;
        page.go_to(url).await?;
        Ok(page)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.messages.abort();
    }
}

/// Messages of the browser that the library cannot read: what they said is in no report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unreadable(Arc<Mutex<Vec<String>>>);

impl Unreadable {
    /// Only those matter that a report is made of.
    fn note(&self, message: &str) {
        let method = serde_json::from_str::<serde_json::Value>(message)
            .ok()
            .and_then(|message| Some(message.get("method")?.as_str()?.to_owned()));
        if let Some(method) = method.filter(|method| events::IS_REPORTED.contains(&method.as_str())) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(method);
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_empty() {
            return Ok(());
        }
        Err(Error::UnreadableMessages(seen.join(", ")))
    }
}

/// The result of a call to the browser, which has to come before the deadline.
pub(crate) async fn within<T>(
    action: &str,
    call: impl Future<Output = Result<T, CdpError>>,
) -> Result<T, Error> {
    let failed = |reason: String| Error::Browser {
        action: action.to_owned(),
        reason,
    };
    match timeout(DEADLINE, call).await {
        Ok(result) => result.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {DEADLINE:?}"))),
    }
}

#[cfg(test)]
mod tests;
