//! What the kernel knows of this process, read at each scrape. The names are those that every Prometheus client uses.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Memory and start time of this process.
#[derive(Debug)]
pub(super) struct Process {
    start_seconds: f64,
}

impl Process {
    /// To be made when the process starts.
    pub(super) fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start_seconds: since_1970.as_secs_f64(),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "When the process started, in seconds since 1970";
        let start = encoder.encode_descriptor(
            "process_start_time",
            help,
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        ConstGauge::new(self.start_seconds).encode(start)?;
        // Only Linux has the file; elsewhere the metrics are absent, which says it better than 0 would.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let facts = [
            (
                "VmRSS",
                "process_resident_memory",
                "Memory of the process that is in RAM",
            ),
            (
                "VmHWM",
                "process_resident_memory_peak",
                "The most memory that the process ever had in RAM",
            ),
        ];
        for (field, name, help) in facts {
            if let Some(bytes) = field_bytes(&status, field) {
                let gauge = encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
                ConstGauge::new(bytes).encode(gauge)?;
            }
        }
        Ok(())
    }
}

/// A field of `/proc/self/status` that the kernel gives in kB (it means KiB), in bytes.
fn field_bytes(status: &str, field: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_the_kernel() {
        let status = "Name:\tVmRSS\nVmHWM:\t   20480 kB\nVmRSS:\t     123 kB\nThreads:\t3\n";
        assert_eq!(field_bytes(status, "VmRSS"), Some(123 * 1024));
        assert_eq!(field_bytes(status, "VmHWM"), Some(20_480 * 1024));
        assert_eq!(field_bytes(status, "Threads"), None);
        assert_eq!(field_bytes(status, "VmSwap"), None);
        assert_eq!(field_bytes("VmRSS:\tmuch kB\n", "VmRSS"), None);
    }
}
