//! Simulated time: an anchor plus the elapsed real time multiplied by a scale.
//!
//! Everything that Google would measure in its own time (life of page tokens, age of a walk, quota minutes,
//! the last sync of a device, expiry of commands) is measured on this clock, so that a test can move an hour
//! forward in no time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The largest accepted scale: about a month per real minute.
pub const MAXIMUM_SCALE: f64 = 50_000.0;

/// The clock of one simulator.
#[derive(Debug)]
pub struct Clock {
    anchor: Mutex<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    real: Instant,
    simulated: Timestamp,
    scale: f64,
}

/// Why a change of the clock was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The scale is negative, not a number or too large.
    #[error("the time scale must be between 0 (frozen) and {MAXIMUM_SCALE}; 1 is real time")]
    ScaleOutOfRange,
    /// The clock would leave the range of representable dates.
    #[error("the clock cannot be moved that far")]
    TooFar,
    /// Time never runs backwards: page tokens and device syncs would contradict each other.
    #[error("the clock can only be moved forward")]
    Backwards,
}

/// What `GET /sim/v1/clock` shows.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockReading {
    /// Simulated time.
    pub now: Timestamp,
    /// Simulated seconds per real second.
    pub scale: f64,
    /// Time of this computer.
    pub wall: Timestamp,
}

impl Clock {
    /// A clock which shows `start` now and runs `scale` times as fast as real time.
    ///
    /// # Errors
    /// [`ClockError::ScaleOutOfRange`] if the scale is not within 0 and [`MAXIMUM_SCALE`].
    pub fn new(start: Timestamp, scale: f64) -> Result<Self, ClockError> {
        check_scale(scale)?;
        Ok(Self {
            anchor: Mutex::new(Anchor {
                real: Instant::now(),
                simulated: start,
                scale,
            }),
        })
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// The time of this computer: for comparisons with times which a client took from its own clock, such as
    /// `iat` of a signed assertion.
    #[must_use]
    pub fn wall_now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Simulated seconds per real second.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.lock().scale
    }

    /// Simulated and real time together.
    #[must_use]
    pub fn reading(&self) -> ClockReading {
        let anchor = *self.lock();
        ClockReading {
            now: anchor.now(),
            scale: anchor.scale,
            wall: self.wall_now(),
        }
    }

    /// Moves the clock forward and returns the new time.
    ///
    /// # Errors
    /// [`ClockError::Backwards`] for a negative duration, [`ClockError::TooFar`] beyond the range of dates.
    pub fn advance(&self, by: SignedDuration) -> Result<Timestamp, ClockError> {
        if by.is_negative() {
            return Err(ClockError::Backwards);
        }
        let mut anchor = self.lock();
        let simulated = anchor.now().checked_add(by).map_err(|_| ClockError::TooFar)?;
        *anchor = Anchor {
            real: Instant::now(),
            simulated,
            scale: anchor.scale,
        };
        Ok(simulated)
    }

    /// Changes how fast time runs from now on. 0 freezes it.
    ///
    /// # Errors
    /// [`ClockError::ScaleOutOfRange`] if the scale is not within 0 and [`MAXIMUM_SCALE`].
    pub fn set_scale(&self, scale: f64) -> Result<(), ClockError> {
        check_scale(scale)?;
        let mut anchor = self.lock();
        *anchor = Anchor {
            real: Instant::now(),
            simulated: anchor.now(),
            scale,
        };
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Anchor {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from_secs_f64(self.real.elapsed().as_secs_f64() * self.scale)
            .unwrap_or(SignedDuration::MAX);
        self.simulated.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

/// So many seconds later, or the last moment there is.
pub(crate) fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX)
}

fn check_scale(scale: f64) -> Result<(), ClockError> {
    if (0.0..=MAXIMUM_SCALE).contains(&scale) {
        Ok(())
    } else {
        Err(ClockError::ScaleOutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::new(start(), 0.0).unwrap();
        assert_eq!(clock.now(), start());
        clock.advance(SignedDuration::from_mins(61)).unwrap();
        assert_eq!(clock.now(), start() + SignedDuration::from_mins(61));
        assert_eq!(
            clock.advance(SignedDuration::from_secs(-1)),
            Err(ClockError::Backwards)
        );
    }

    #[test]
    fn scale_is_checked_and_changes_the_speed_from_now_on() {
        assert_eq!(
            Clock::new(start(), f64::NAN).err(),
            Some(ClockError::ScaleOutOfRange)
        );
        let clock = Clock::new(start(), 0.0).unwrap();
        assert_eq!(clock.set_scale(-1.0), Err(ClockError::ScaleOutOfRange));
        clock.set_scale(10_000.0).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(clock.now() > start() + SignedDuration::from_secs(100));
    }

    #[test]
    fn the_end_of_time_is_an_error_and_no_panic() {
        let clock = Clock::new(start(), 0.0).unwrap();
        assert_eq!(clock.advance(SignedDuration::MAX), Err(ClockError::TooFar));
    }
}
