//! What the operator's /metrics say.

const WRITES: &str = "chrome_enterprise_device_writes_total{";
const MEMORY: &str = "process_resident_memory_bytes";
const PEAK: &str = "process_resident_memory_peak_bytes";

/// The metrics at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Scrape {
    text: String,
}

/// Requests that write devices, counted since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Writes {
    /// All of them, also those that failed.
    pub(crate) all: u64,
    /// Objects created.
    pub(crate) created: u64,
    /// Statuses written.
    pub(crate) status: u64,
}

impl Writes {
    /// What was added since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            all: self.all.saturating_sub(before.all),
            created: self.created.saturating_sub(before.created),
            status: self.status.saturating_sub(before.status),
        }
    }
}

impl Scrape {
    /// The answer of /metrics.
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    /// The counters of device writes. One that was never counted is absent.
    pub(crate) fn writes(&self) -> Writes {
        let mut writes = Writes::default();
        for line in self.text.lines().filter(|line| line.starts_with(WRITES)) {
            let count = value(line);
            writes.all += count;
            if line.contains("operation=\"create\"") {
                writes.created += count;
            } else if line.contains("operation=\"status\"") {
                writes.status += count;
            }
        }
        writes
    }

    /// Memory in RAM now, in bytes; none on systems that do not tell.
    pub(crate) fn memory(&self) -> Option<u64> {
        self.gauge(MEMORY)
    }

    /// The most memory in RAM ever, in bytes; none on systems that do not tell.
    pub(crate) fn memory_peak(&self) -> Option<u64> {
        self.gauge(PEAK)
    }

    fn gauge(&self, name: &str) -> Option<u64> {
        let line = self.text.lines().find(|line| {
            line.split_whitespace()
                .next()
                .is_some_and(|found| found.ends_with(name))
        })?;
        Some(value(line))
    }
}

/// The number at the end of a line; all those that are read here are whole.
fn value(line: &str) -> u64 {
    let number = line.rsplit(' ').next().unwrap_or_default();
    number
        .split('.')
        .next()
        .and_then(|whole| whole.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_counters_and_gauges() {
        let scrape = Scrape::new(
            "# TYPE chrome_enterprise_device_writes counter\n\
             chrome_enterprise_device_writes_total{operation=\"create\",outcome=\"ok\"} 100\n\
             chrome_enterprise_device_writes_total{operation=\"status\",outcome=\"ok\"} 101\n\
             chrome_enterprise_device_writes_total{operation=\"label\",outcome=\"error\"} 2\n\
             # TYPE process_resident_memory_bytes gauge\n\
             process_resident_memory_bytes 1048576.0\n\
             process_resident_memory_peak_bytes 2097152\n"
                .to_owned(),
        );
        let writes = scrape.writes();
        assert_eq!(
            writes,
            Writes {
                all: 203,
                created: 100,
                status: 101
            }
        );
        assert_eq!(
            writes.since(Writes {
                all: 200,
                created: 100,
                status: 100
            }),
            Writes {
                all: 3,
                created: 0,
                status: 1
            }
        );
        assert_eq!(scrape.memory(), Some(1_048_576));
        assert_eq!(scrape.memory_peak(), Some(2_097_152));
        assert_eq!(Scrape::new(String::new()).memory(), None);
    }
}
