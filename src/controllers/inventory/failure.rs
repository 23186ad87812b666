//! Why a pass ended before its time.

use std::time::Duration;

use super::write::WriteError;
use crate::google::GoogleError;

/// Why a pass ended before its time. Nothing was removed for it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassFailure {
    /// Google refused, or could not be understood.
    #[error("{0}")]
    Google(#[from] Box<GoogleError>),
    /// The cluster's device objects could not be listed.
    #[error("device objects could not be listed: {0}")]
    List(#[source] Box<kube::Error>),
    /// The waiting actions of a deleted connection could not be ended.
    #[error("the waiting actions of the connection could not be ended: {0}")]
    Actions(#[source] Box<kube::Error>),
    /// Device objects could not be written or removed.
    #[error("{failed} device objects could not be written{}", first.as_ref().map(|error| format!(", the first: {error}")).unwrap_or_default())]
    Write {
        /// How many.
        failed: usize,
        /// The first of the errors, if a write ended with one.
        first: Option<Box<WriteError>>,
    },
    /// The pass was asked to stop: the connection changed, was suspended or deleted, or the operator ends.
    #[error("the pass was stopped")]
    Cancelled,
}

impl PassFailure {
    /// How long Google wants to be left alone, if it said so.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Google(error) => error.retry_after,
            Self::List(_) | Self::Actions(_) | Self::Write { .. } | Self::Cancelled => None,
        }
    }
}

impl From<GoogleError> for PassFailure {
    fn from(error: GoogleError) -> Self {
        Self::Google(Box::new(error))
    }
}

impl From<kube::Error> for PassFailure {
    fn from(error: kube::Error) -> Self {
        Self::List(Box::new(error))
    }
}
