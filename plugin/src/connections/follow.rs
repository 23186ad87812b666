//! Looking at one connection until something is true of it.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use futures::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Error, watch_object};
use tokio::time::Instant;

use crate::cluster::{Cluster, Scope};
use crate::failure::Failure;

/// How often something that depends on time alone is looked at.
const TICK: Duration = Duration::from_millis(500);

/// How long is looked.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// So long.
    After(Duration),
    /// Until Ctrl-C.
    Never,
}

/// Reads `90s`, `5m` or `1h30m`, for flags.
///
/// # Errors
/// A sentence about what is wrong with the text.
pub fn duration(text: &str) -> Result<Duration, String> {
    Duration::try_from(crate::cli::moment::span(text)?)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "it must be longer than nothing".to_owned())
}

/// Why the look is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End<T> {
    /// What was waited for.
    Reached(T),
    /// The time is over.
    TooLong,
    /// Ctrl-C.
    Interrupted,
}

/// Shows `look` every change of the connection, and twice a second the last one again with the time since the start,
/// until it breaks. It sees `None` when there is no such connection.
///
/// # Errors
/// When the cluster refuses. That it cannot be reached for a while is no error: the look goes on.
pub async fn follow<T>(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    limit: Limit,
    mut look: impl FnMut(Option<&ChromeEnterpriseConnection>, Duration) -> ControlFlow<T>,
) -> Result<End<T>, Failure> {
    let began = Instant::now();
    let api = cluster.api_in(&Scope::Namespace(namespace.to_owned()));
    let mut changes = pin!(watch_object::<ChromeEnterpriseConnection>(api, name).default_backoff());
    let mut ticks = tokio::time::interval(TICK);
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    let mut last = None;
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(connection)) => last = Some(connection),
                Some(Err(error)) => refused(namespace, name, error)?,
                // The stream of a watch has no end.
                None => return Ok(End::TooLong),
            },
            _ = ticks.tick() => {}
            _ = &mut interrupt => return Ok(End::Interrupted),
        }
        let passed = began.elapsed();
        if let Some(connection) = &last
            && let ControlFlow::Break(reached) = look(connection.as_ref(), passed)
        {
            return Ok(End::Reached(reached));
        }
        if let Limit::After(limit) = limit
            && passed >= limit
        {
            return Ok(End::TooLong);
        }
    }
}

/// A refusal ends the look; anything else may pass.
fn refused(namespace: &str, name: &str, error: Error) -> Result<(), Failure> {
    let (Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error)) =
        error
    else {
        return Ok(());
    };
    if let kube::Error::Api(status) = &error
        && matches!(status.code, 401 | 403 | 404)
    {
        return Err(Failure::kubernetes(
            &format!("watch connection {name} in namespace {namespace}"),
            &error,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_kubectl_writes_them() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("1h30m", Some(5_400)),
            ("0s", None),
            ("-5m", None),
            ("5", None),
            ("soon", None),
        ] {
            assert_eq!(
                duration(text).ok().map(|duration| duration.as_secs()),
                seconds,
                "{text}"
            );
        }
    }
}
