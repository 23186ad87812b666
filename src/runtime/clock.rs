//! The time, for everything that decides by it.
//!
//! One function, so that a test can run the whole program with a wrong clock. Debug builds obey
//! `CHROME_ENTERPRISE_OPERATOR_DEBUG_CLOCK_OFFSET_SECONDS`; release builds do not contain that.

use jiff::Timestamp;

/// The time by the clock of this machine.
#[must_use]
pub fn now() -> Timestamp {
    #[cfg(debug_assertions)]
    {
        let now = Timestamp::now();
        now.saturating_add(*debug::OFFSET).unwrap_or(now)
    }
    #[cfg(not(debug_assertions))]
    Timestamp::now()
}

#[cfg(debug_assertions)]
mod debug {
    use std::sync::LazyLock;

    use jiff::SignedDuration;

    /// How wrong the clock is made.
    pub(super) static OFFSET: LazyLock<SignedDuration> = LazyLock::new(|| {
        let seconds = std::env::var("CHROME_ENTERPRISE_OPERATOR_DEBUG_CLOCK_OFFSET_SECONDS").ok();
        let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or_default();
        SignedDuration::from_secs(seconds)
    });
}
