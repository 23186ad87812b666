//! Processor time of everything that takes part. On a busy machine it says more than the clock on the wall.

use std::fs;

/// Ticks of the clock in `/proc/PID/stat` per second; Linux shows the same to every program on all usual machines.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time that this process and its children have used until now, those that have ended included:
/// the bare client, the operator, the simulated Google, the API server and its store. None where the system does not
/// tell.
pub(crate) fn seconds_used() -> Option<f64> {
    let own = std::process::id();
    let mut ticks = Usage::parse(&fs::read_to_string(format!("/proc/{own}/stat")).ok()?)?.ticks;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        // A process may be gone between the two looks; what it used is then in our own record.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(usage) = Usage::parse(&stat).filter(|usage| usage.parent == own) {
            ticks += usage.ticks;
        }
    }
    Some(ticks / TICKS_PER_SECOND)
}

/// What was used since then.
pub(crate) fn since(before: Option<f64>) -> Option<f64> {
    Some(seconds_used()? - before?)
}

/// From one line of `/proc/PID/stat`.
#[derive(Debug, PartialEq)]
struct Usage {
    parent: u32,
    ticks: f64,
}

impl Usage {
    /// The name of the program may hold anything, so counting begins behind its last parenthesis. See `proc_pid_stat(5)`.
    fn parse(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let parent = fields.get(1)?.parse().ok()?;
        let times: Option<Vec<f64>> = fields
            .get(11..15)?
            .iter()
            .map(|field| field.parse().ok())
            .collect();
        Some(Self {
            parent,
            ticks: times?.iter().sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_record_of_the_kernel() {
        let stat = "77 (a ) b) S 5 77 77 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 9 0 1 2 3";
        assert_eq!(
            Usage::parse(stat),
            Some(Usage {
                parent: 5,
                ticks: 124.0
            })
        );
        assert_eq!(Usage::parse("77 (short) S 5"), None);
    }

    #[test]
    fn work_uses_time() {
        let before = seconds_used();
        let begun = std::time::Instant::now();
        let mut sum = 0_u64;
        while begun.elapsed().as_millis() < 200 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        if let (Some(before), Some(after)) = (before, seconds_used()) {
            assert!(after > before);
        }
    }
}
