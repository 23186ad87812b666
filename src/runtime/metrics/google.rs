//! The Google client reports its calls here.

use std::time::Duration;

use super::Metrics;
use crate::google::{Lane, Observer};

impl Observer for Metrics {
    fn call(&self, method: &'static str, outcome: &'static str, duration: Duration, bytes: usize) {
        self.google_call(
            method,
            outcome,
            duration,
            u64::try_from(bytes).unwrap_or(u64::MAX),
        );
    }

    fn waited_for_quota(&self, lane: Lane, duration: Duration) {
        self.google_quota_wait(lane.metric_label(), duration);
    }
}
