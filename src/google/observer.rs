//! How metrics learn of calls without this module knowing metrics.

use std::time::Duration;

use super::quota::Lane;

/// Is told of every exchange with Google. Calls come from many tasks at once and must be quick.
pub trait Observer: Send + Sync + 'static {
    /// One HTTP exchange ended; a retried call reports each attempt.
    ///
    /// `method` is Google's name of it, `outcome` is `Success` or the name of the [`Reason`](super::Reason):
    /// both come from small fixed sets. `bytes` is the size of the unpacked answer.
    fn call(&self, method: &'static str, outcome: &'static str, duration: Duration, bytes: usize);

    /// A call waited this long for its turn under the quota.
    fn waited_for_quota(&self, lane: Lane, duration: Duration);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn call(&self, _method: &'static str, _outcome: &'static str, _duration: Duration, _bytes: usize) {}

    fn waited_for_quota(&self, _lane: Lane, _duration: Duration) {}
}
