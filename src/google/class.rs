//! The one classification of failures that decides requeue, condition, log level and metric label.

use std::time::Duration;

/// What a caller does about a failure. Everything that can fail towards Google or the API server is put in
/// one of these four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// It may work next time without anybody doing anything: try again with a growing delay.
    Transient,
    /// The other side asks for less: wait at least this long (if it said how long) and try again.
    Throttled {
        /// How long the other side wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It will not work until somebody changes something: say so in a condition and look again rarely.
    Terminal {
        /// The reason of that condition, in `UpperCamelCase`.
        reason: &'static str,
    },
    /// Somebody else changed the object meanwhile: read it again and decide anew.
    Conflict,
}

impl ErrorClass {
    /// One word for metrics.
    #[must_use]
    pub const fn metric_label(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled { .. } => "throttled",
            Self::Terminal { .. } => "terminal",
            Self::Conflict => "conflict",
        }
    }
}
