//! Looks at one action until it has ended.
//!
//! The API server may end a watch at any time, or be away for a while: the watcher begins again, and the action does not
//! care.

use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::api::conditions;
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::{Instant, sleep_until};

use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::{age, clean};
use crate::terminal::Progress;

/// An operator that runs looks at a new action within a second or two.
const HINT_AFTER: Duration = Duration::from_secs(15);

/// How the look at an action ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The action has ended.
    Final(Box<DeviceAction>),
    /// The object is gone, or another one has its name.
    Deleted,
    /// The person has waited long enough.
    TimedOut(Box<DeviceAction>),
    /// Ctrl-C.
    Interrupted,
}

/// Resolves when the person presses Ctrl-C; polled once, so that the signal does not end the program.
pub(crate) type Interrupt<'a> = Pin<&'a mut (dyn Future<Output = std::io::Result<()>> + 'a)>;

/// Waits for the end of an action and shows how it goes.
pub(crate) async fn follow(
    cluster: &Cluster,
    action: DeviceAction,
    patience: Duration,
    mut interrupt: Interrupt<'_>,
    progress: &mut Progress,
) -> Result<End, Failure> {
    if state(&action).is_some_and(ActionState::is_final) {
        return Ok(End::Final(Box::new(action)));
    }
    let name = action.name_any();
    let ends = Instant::now() + patience;
    let hint = Instant::now() + HINT_AFTER;
    let mut hinted = false;
    let mut last = action;
    progress.show(&line(&last));
    let mut seen = watcher::watch_object(cluster.api::<DeviceAction>(), &name)
        .default_backoff()
        .boxed();
    loop {
        let is_unseen = state(&last).is_none() && !hinted;
        let next = tokio::select! {
            biased;
            _ = &mut interrupt => return Ok(End::Interrupted),
            () = sleep_until(ends) => return Ok(End::TimedOut(Box::new(last))),
            () = sleep_until(hint), if is_unseen => {
                hinted = true;
                progress.note(
                    "No operator has looked at the action yet. `kubectl chromeos doctor` checks whether one runs.",
                );
                continue;
            }
            next = seen.next() => next,
        };
        match next {
            Some(Ok(Some(now))) if now.uid() == last.uid() => {
                last = now;
                if state(&last).is_some_and(ActionState::is_final) {
                    return Ok(End::Final(Box::new(last)));
                }
                progress.show(&line(&last));
            }
            Some(Ok(_)) => return Ok(End::Deleted),
            Some(Err(error)) => trouble(&name, &error, progress)?,
            // The watcher begins again by itself and never ends.
            None => return Ok(End::TimedOut(Box::new(last))),
        }
    }
}

/// A watch that cannot be is reported; one that broke begins again.
fn trouble(name: &str, error: &watcher::Error, progress: &mut Progress) -> Result<(), Failure> {
    let cause = match error {
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => Some(cause),
        watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => None,
    };
    if let Some(cause @ kube::Error::Api(status)) = cause
        && matches!(status.code, 401 | 403)
    {
        return Err(Failure::kubernetes(
            &format!("watch the action {name}, which goes on without this program"),
            cause,
        ));
    }
    progress.show(
        "The cluster does not answer at the moment; the action does not need this program. Trying again.",
    );
    Ok(())
}

/// The state of an action; nothing before an operator has looked at it.
pub(crate) fn state(action: &DeviceAction) -> Option<ActionState> {
    action.status.as_ref()?.state
}

/// Reason and message of an action.
pub(crate) fn told(action: &DeviceAction) -> Option<(&str, &str)> {
    let status = action.status.as_ref()?;
    let condition = conditions::find(&status.conditions, "Succeeded")?;
    Some((&condition.reason, &condition.message))
}

/// How it goes, on one line.
fn line(action: &DeviceAction) -> String {
    let Some(state) = state(action) else {
        return "Waiting for the operator.".to_owned();
    };
    let message = told(action).map_or("", |(_, message)| message);
    let mut line = format!("{}: {}", state.as_str(), clean(message));
    let expires = action
        .status
        .as_ref()
        .and_then(|status| status.command_expire_time.as_ref());
    if let Some(expires) = expires.filter(|_| state == ActionState::Sent) {
        let left = age(expires.0, Timestamp::now());
        // Writing into a String cannot fail.
        let _ = write!(line, " Google gives it up at {} ({left}).", expires.0);
    }
    line
}
