//! How far a pass or a clean-up is.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::{ConnectionState, SyncPhase};

use crate::terminal::Progress;

/// What goes on at a connection now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What is being done.
    pub text: &'static str,
    /// How much of it is done, of how much.
    pub counted: Option<(u64, u64)>,
}

impl Part {
    /// Shows it.
    pub fn show(&self, progress: &mut Progress) {
        match self.counted {
            Some((done, all)) => progress.show_part(self.text, done, all),
            None => progress.show(self.text),
        }
    }

    /// For a text that is printed once: `Reading the devices from Google: 400 of 1200`.
    #[must_use]
    pub fn line(&self) -> String {
        match self.counted {
            Some((done, all)) => format!("{}: {done} of {all}", self.text),
            None => self.text.to_owned(),
        }
    }
}

/// What goes on now; nothing while it waits for the next pass.
#[must_use]
pub fn part(connection: &ChromeEnterpriseConnection) -> Option<Part> {
    let status = connection.status.as_ref()?;
    let sync = status.sync.as_ref()?;
    let text = match sync.phase? {
        SyncPhase::Idle => return None,
        SyncPhase::Verifying => "Signing in to Google and checking the admin account",
        SyncPhase::Indexing => "Reading the device objects of this cluster",
        SyncPhase::Reading => "Reading the devices from Google",
        SyncPhase::Confirming => "Asking Google for the devices that are no longer listed",
        SyncPhase::Removing => "Removing device objects",
    };
    let reading = sync.phase == Some(SyncPhase::Reading) && status.state != Some(ConnectionState::Deleting);
    let counted = match (sync.devices_read, sync.devices_expected) {
        (Some(read), Some(expected)) if reading => {
            let read = u64::try_from(read).unwrap_or_default();
            // A living fleet never agrees with its count exactly.
            Some((read, u64::try_from(expected).unwrap_or_default().max(read)))
        }
        (Some(_) | None, Some(_) | None) => None,
    };
    Some(Part { text, counted })
}
