//! Knows when a watch has listed everything once.
//!
//! `Store::wait_until_ready` of kube 5 keeps the waker of one waiter only, and a `Controller` waits there itself:
//! with a second waiter one of the two may sleep for ever.

use futures::{Stream, TryStreamExt};
use kube::runtime::watcher;
use tokio_util::sync::CancellationToken;

/// Whether the first list is complete. Clones share it, and any number may wait.
#[derive(Debug, Clone, Default)]
pub struct FirstList(CancellationToken);

impl FirstList {
    /// Passes the events of a watch on, and notes the end of the first list. Belongs behind `reflect`, so that the
    /// store has everything by then.
    pub fn note<K, S>(&self, events: S) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + use<K, S>
    where
        S: Stream<Item = watcher::Result<watcher::Event<K>>>,
    {
        let complete = self.0.clone();
        events.inspect_ok(move |event| {
            if matches!(event, watcher::Event::InitDone) {
                complete.cancel();
            }
        })
    }

    /// Waits until the first list is complete; for ever if the watch ends before.
    pub async fn complete(&self) {
        self.0.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use futures::{FutureExt, StreamExt};
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_once_the_list_is_complete() {
        let (events, stream) = mpsc::unbounded();
        let list = FirstList::default();
        let mut noted = Box::pin(list.note(stream));
        let waiters: Vec<_> = (0..3).map(|_| tokio::spawn(wait_for(list.clone()))).collect();
        tokio::task::yield_now().await;
        for event in [
            watcher::Event::Init,
            watcher::Event::InitApply(ConfigMap::default()),
        ] {
            events.unbounded_send(Ok(event)).unwrap();
            noted.next().await.unwrap().unwrap();
            assert!(list.complete().now_or_never().is_none());
        }
        events.unbounded_send(Ok(watcher::Event::InitDone)).unwrap();
        noted.next().await.unwrap().unwrap();
        for waiter in waiters {
            waiter.await.unwrap();
        }
    }

    async fn wait_for(list: FirstList) {
        list.complete().await;
    }
}
