//! How an action ends.

use super::reason::Reason;
use crate::api::action::ActionState;

/// A final state with its reason and sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: ActionState,
    pub(super) reason: Reason,
    pub(super) message: String,
    /// What Google or the device said, in its own words.
    pub(super) google_message: Option<String>,
}

impl Verdict {
    /// The usual sentence of the reason.
    pub(super) fn new(state: ActionState, reason: Reason) -> Self {
        Self {
            state,
            reason,
            message: reason.sentence().to_owned(),
            google_message: None,
        }
    }

    /// With one more sentence.
    pub(super) fn with(mut self, detail: &str) -> Self {
        self.message.push(' ');
        self.message.push_str(detail);
        self
    }

    /// With what Google or the device said; empty text counts as nothing.
    pub(super) fn quoting(mut self, message: Option<&str>) -> Self {
        self.google_message = message.filter(|message| !message.is_empty()).map(str::to_owned);
        self
    }
}
