//! How long to wait before something that failed is tried again. Pure: no clock, no random source.

use std::time::Duration;

/// The shape of the waits of one kind of work: doubling from `initial` up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
}

impl Backoff {
    /// Waits that double from `initial` up to `max`. A `max` below `initial` counts as `initial`.
    #[must_use]
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self {
            initial,
            max: max.max(initial),
        }
    }

    /// The wait after so many failures in a row, counted from 1 (0 is taken as 1: a wait is never skipped).
    ///
    /// The result lies between 75 % and 100 % of the doubled value, chosen by `seed` and the number of failures.
    /// The seed should differ between objects (a hash of the UID, say) so that all objects that failed at one moment
    /// do not come back at one moment; the same arguments always give the same wait.
    #[must_use]
    pub fn delay(self, failures: u32, seed: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.initial.saturating_mul(1 << doublings).min(self.max);
        let share = u32::try_from(scramble(seed ^ u64::from(failures)) >> 40).unwrap_or_default();
        // `share` has 24 bits: the wait is shortened by up to a quarter, in steps of a quarter / 2^24.
        let shorter = (full / 4).mul_f64(f64::from(share) / f64::from(1_u32 << 24));
        full.saturating_sub(shorter)
    }
}

/// Spreads the bits of a number over all 64 (the finaliser of the public-domain `SplitMix64` generator).
fn scramble(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn doubles_up_to_the_maximum() {
        let backoff = Backoff::new(15 * SECOND, 600 * SECOND);
        let table = [
            ("0 counts as 1", 0, 15),
            ("first", 1, 15),
            ("second", 2, 30),
            ("third", 3, 60),
            ("sixth", 6, 480),
            ("seventh is capped", 7, 600),
            ("very many", 1_000, 600),
            ("as many as there can be", u32::MAX, 600),
        ];
        for (name, failures, full_seconds) in table {
            for seed in 0..200 {
                let delay = backoff.delay(failures, seed);
                let full = full_seconds * SECOND;
                assert!(
                    delay <= full && delay >= full * 3 / 4,
                    "{name}: {delay:?} of {full:?}, seed {seed}"
                );
            }
        }
    }

    #[test]
    fn spreads_by_seed_over_the_whole_range_and_repeats_itself() {
        let backoff = Backoff::new(100 * SECOND, 100 * SECOND);
        let delays: Vec<Duration> = (0..1_000).map(|seed| backoff.delay(1, seed)).collect();
        assert_eq!(
            delays,
            (0..1_000).map(|seed| backoff.delay(1, seed)).collect::<Vec<_>>()
        );
        for tenth in 0..10 {
            let from = 75 * SECOND + tenth * 25 * SECOND / 10;
            let to = from + 25 * SECOND / 10;
            let inside = delays
                .iter()
                .filter(|delay| **delay > from && **delay <= to)
                .count();
            assert!(
                (60..=140).contains(&inside),
                "{inside} of 1000 between {from:?} and {to:?}"
            );
        }
    }

    #[test]
    fn one_object_does_not_keep_its_place_in_the_queue() {
        let backoff = Backoff::new(SECOND, SECOND);
        assert_ne!(backoff.delay(5, 7), backoff.delay(6, 7));
    }

    #[test]
    fn takes_extreme_settings() {
        assert_eq!(
            Backoff::new(Duration::ZERO, Duration::ZERO).delay(9, 1),
            Duration::ZERO
        );
        assert!(Backoff::new(Duration::MAX, SECOND).delay(9, 1) >= Duration::MAX / 4 * 2);
        let swapped = Backoff::new(10 * SECOND, SECOND);
        assert!(swapped.delay(4, 1) <= 10 * SECOND && swapped.delay(4, 1) >= 7 * SECOND);
    }
}
