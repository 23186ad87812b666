//! The series that name a connection. They are kept here and not in metric families, so that a deleted connection
//! takes all of its series with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Namespace and name.
type Key = (Box<str>, Box<str>);

/// The series of every connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections {
    series: Arc<Mutex<BTreeMap<Key, Series>>>,
}

/// What is known of one connection.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Every state that the connection was in, and whether it is in it now.
    states: BTreeMap<&'static str, bool>,
    devices: BTreeMap<&'static str, u64>,
    last_complete_seconds: Option<i64>,
    devices_read: Option<u64>,
    devices_expected: Option<u64>,
    /// By kind and outcome.
    syncs: BTreeMap<(&'static str, &'static str), u64>,
    /// By kind: the duration of the last one.
    last_sync_seconds: BTreeMap<&'static str, f64>,
}

impl Connections {
    /// Changes the series of one connection, which come into being with their first value.
    pub(super) fn change(&self, namespace: &str, name: &str, change: impl FnOnce(&mut Series)) {
        change(self.lock().entry((namespace.into(), name.into())).or_default());
    }

    /// Drops the series of one connection.
    pub(super) fn remove(&self, namespace: &str, name: &str) {
        self.lock().remove(&(namespace.into(), name.into()));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Series>> {
        // A series is never left half-changed by a panic: each change is one insertion.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    pub(super) fn state(&mut self, state: &'static str) {
        for current in self.states.values_mut() {
            *current = false;
        }
        self.states.insert(state, true);
    }

    pub(super) fn devices(&mut self, state: &'static str, number: u64) {
        self.devices.insert(state, number);
    }

    pub(super) fn last_complete(&mut self, timestamp_seconds: i64) {
        self.last_complete_seconds = Some(timestamp_seconds);
    }

    pub(super) fn sync_progress(&mut self, read: u64, expected: Option<u64>) {
        self.devices_read = Some(read);
        self.devices_expected = expected;
    }

    pub(super) fn sync_finished(&mut self, kind: &'static str, outcome: &'static str, duration: Duration) {
        *self.syncs.entry((kind, outcome)).or_default() += 1;
        self.last_sync_seconds.insert(kind, duration.as_secs_f64());
    }
}

/// The labels that every series here begins with.
fn labels(key: &Key) -> [(&'static str, &str); 2] {
    [("namespace", &key.0), ("connection", &key.1)]
}

/// Writes one gauge of a family.
fn gauge<V: EncodeGaugeValue>(
    family: &mut MetricEncoder<'_>,
    labels: &impl EncodeLabelSet,
    value: V,
) -> fmt::Result {
    ConstGauge::new(value).encode(family.encode_family(labels)?)
}

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let series = self.lock();
        encode_states(&series, &mut encoder)?;
        encode_devices(&series, &mut encoder)?;
        encode_syncs(&series, &mut encoder)?;
        encode_progress(&series, &mut encoder)
    }
}

fn encode_states(series: &BTreeMap<Key, Series>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "The connection's state: 1 for the state it is in";
    let mut family = encoder.encode_descriptor("connection_state", help, None, MetricType::Gauge)?;
    for (key, one) in series {
        for (state, current) in &one.states {
            gauge(
                &mut family,
                &(labels(key), [("state", *state)]),
                i64::from(*current),
            )?;
        }
    }
    Ok(())
}

fn encode_devices(series: &BTreeMap<Key, Series>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Devices of the connection by state, as of the last complete sync";
    let mut family = encoder.encode_descriptor("devices", help, None, MetricType::Gauge)?;
    for (key, one) in series {
        for (state, number) in &one.devices {
            gauge(&mut family, &(labels(key), [("state", *state)]), *number)?;
        }
    }
    Ok(())
}

fn encode_syncs(series: &BTreeMap<Key, Series>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family =
        encoder.encode_descriptor("syncs", "Syncs by kind and outcome", None, MetricType::Counter)?;
    for (key, one) in series {
        for ((kind, outcome), number) in &one.syncs {
            let labels = (labels(key), [("kind", *kind), ("outcome", *outcome)]);
            ConstCounter::new(*number).encode(family.encode_family(&labels)?)?;
        }
    }
    let help = "Time of the last sync of this kind, whatever its outcome";
    let mut family = encoder.encode_descriptor(
        "sync_last_duration",
        help,
        Some(&Unit::Seconds),
        MetricType::Gauge,
    )?;
    for (key, one) in series {
        for (kind, seconds) in &one.last_sync_seconds {
            gauge(&mut family, &(labels(key), [("kind", *kind)]), *seconds)?;
        }
    }
    let help = "When the last complete sync ended, in seconds since 1970";
    let name = "sync_last_complete_timestamp";
    let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
    for (key, one) in series {
        if let Some(seconds) = one.last_complete_seconds {
            gauge(&mut family, &labels(key), seconds)?;
        }
    }
    Ok(())
}

fn encode_progress(series: &BTreeMap<Key, Series>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Devices read by the running sync, or by the last one";
    let mut family = encoder.encode_descriptor("sync_devices_read", help, None, MetricType::Gauge)?;
    for (key, one) in series {
        if let Some(number) = one.devices_read {
            gauge(&mut family, &labels(key), number)?;
        }
    }
    let help = "Devices that the running sync expects to read, where that is known";
    let mut family = encoder.encode_descriptor("sync_devices_expected", help, None, MetricType::Gauge)?;
    for (key, one) in series {
        if let Some(number) = one.devices_expected {
            gauge(&mut family, &labels(key), number)?;
        }
    }
    Ok(())
}
