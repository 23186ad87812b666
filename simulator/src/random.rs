//! Numbers that are a pure function of a seed and a label.
//!
//! The fleet is never stored in full: most of what a device reports is drawn again, each time it is asked for,
//! from the seed of the device. So what is needed is not a generator with a state but a hash with good
//! dispersion that never changes between versions of a library: the output function of `SplitMix64`.

/// A source of draws: each labelled draw is independent of all others and of their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The source for one named thing of this source.
    pub(crate) const fn of(self, label: &str) -> Self {
        let bytes = label.as_bytes();
        let mut hash = self.0;
        let mut index = 0;
        while index < bytes.len() {
            hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0100_0000_01b3);
            index += 1;
        }
        Self(mix(hash))
    }

    /// The source for one number (an index, a day, a count of syncs) of this source.
    pub(crate) const fn at(self, index: u64) -> Self {
        Self(mix(self.0 ^ mix(index)))
    }

    /// 64 even bits.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// A number below `limit`; 0 if `limit` is 0.
    pub(crate) const fn below(self, limit: u64) -> u64 {
        // The high half of a 128-bit product: even enough, and without a division.
        ((self.0 as u128 * limit as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(self, low: i64, high: i64) -> i64 {
        let width = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(self.below(width))
    }

    /// True in `per_mille` of 1,000 draws.
    pub(crate) const fn chance(self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn share(self) -> f64 {
        // 53 bits are what a float can hold.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let share = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }

    /// One of the choices, all equally likely. The slice must not be empty; an empty one is a mistake of the
    /// program text and is caught by the tests of the tables.
    pub(crate) fn pick<T>(self, choices: &[T]) -> &T {
        &choices[usize::try_from(self.below(choices.len() as u64)).unwrap_or(0)]
    }

    /// `len` hexadecimal digits in lower case (16 at most).
    pub(crate) fn hex(self, len: usize) -> String {
        let mut text = format!("{:016x}", self.0);
        text.truncate(len);
        text
    }
}

const fn mix(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_fixed_for_ever() {
        // A change here changes every fleet that somebody's test relies on.
        assert_eq!(Draw::new(7).of("fleet").at(3).bits(), 1_056_685_177_882_453_532);
    }

    #[test]
    fn draws_stay_in_their_range_and_spread() {
        let source = Draw::new(1).of("spread");
        let mut seen = [0_u32; 10];
        for index in 0..10_000 {
            seen[usize::try_from(source.at(index).below(10)).unwrap()] += 1;
            assert!((-5..=5).contains(&source.at(index).between(-5, 5)));
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
        assert_eq!(source.below(0), 0);
    }
}
