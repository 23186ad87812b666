//! Times of many like things: their percentiles.

use serde::Serialize;

/// Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Latency {
    /// How many were measured.
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) longest: f64,
}

impl Latency {
    /// Of these seconds; none if there are none. A percentile is one of the values, never a mean of two.
    pub(crate) fn of(mut seconds: Vec<f64>) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        let at = |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).saturating_sub(1));
        Some(Self {
            count: seconds.len(),
            p50: *at(50)?,
            p99: *at(99)?,
            longest: *seconds.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values() {
        let seconds: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        let latency = Latency::of(seconds).unwrap();
        assert_eq!(
            (latency.count, latency.p50, latency.p99, latency.longest),
            (200, 100.0, 198.0, 200.0)
        );
        let one = Latency::of(vec![3.0]).unwrap();
        assert_eq!((one.p50, one.p99), (3.0, 3.0));
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
