//! What a person is told at the end, and the exit code.

use std::fmt::Write as _;
use std::time::Duration;

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::api::receipt::DeviceActionReceipt;
use kube::ResourceExt as _;
use tokio::time::{Instant, sleep};

use super::follow::{End, state, told};
use super::sheet::{say, wrapped};
use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};
use crate::output::{ObjectFormat, clean, print_object};
use crate::terminal;

/// How long a receipt of a deleted action is waited for: the operator writes it when it sees the deletion.
const RECEIPT: Duration = Duration::from_secs(10);
/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// The exit code of an action in this state.
pub(crate) const fn exit(state: ActionState) -> Exit {
    match state {
        ActionState::Succeeded => Exit::Done,
        ActionState::Failed | ActionState::Expired | ActionState::Rejected => Exit::NotGood,
        ActionState::OutcomeUnknown => Exit::OutcomeUnknown,
        ActionState::Pending | ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged => {
            Exit::StillRunning
        }
    }
}

/// Tells how the look at the action `name` ended.
pub(crate) async fn report(
    cluster: &Cluster,
    name: &str,
    end: End,
    format: ObjectFormat,
) -> Result<Exit, Failure> {
    match end {
        End::Final(action) => {
            print_object(&*action, format, || wrapped(&text(&action), terminal::width()))?;
            Ok(state(&action).map_or(Exit::StillRunning, exit))
        }
        End::TimedOut(action) => {
            print_object(&*action, format, || wrapped(&text(&action), terminal::width()))?;
            terminal::say(&format!(
                "The wait is over. {}",
                goes_on(cluster.namespace(), name)
            ));
            Ok(Exit::StillRunning)
        }
        End::Interrupted => {
            terminal::say(&format!(
                "Stopped looking. {}",
                goes_on(cluster.namespace(), name)
            ));
            Ok(Exit::Interrupted)
        }
        End::Deleted => deleted(cluster, name).await,
    }
}

/// How an action is, for people.
pub(super) fn text(action: &DeviceAction) -> String {
    let name = action.name_any();
    let Some(state) = state(action) else {
        return format!("{name}: no operator has looked at it yet");
    };
    let status = action.status.as_ref();
    let google = status.and_then(|status| status.google_message.as_deref());
    ending(&name, state, told(action), google)
}

fn ending(name: &str, state: ActionState, told: Option<(&str, &str)>, google: Option<&str>) -> String {
    let mut text = format!("{name}: {}", state.as_str());
    let Some((reason, message)) = told else {
        return text;
    };
    // Writing into a String cannot fail.
    let _ = write!(text, " ({})\n{}", clean(reason), clean(message));
    // The operator quotes Google in its message where it has room.
    if let Some(google) = google.filter(|google| !message.contains(google)) {
        let _ = write!(text, "\nGoogle or the device says: {}", clean(google));
    }
    text
}

/// What somebody who stops looking should know.
pub(crate) fn goes_on(namespace: &str, name: &str) -> String {
    format!(
        "The action goes on without this program.\n\
         Look again:\n  kubectl chromeos -n {namespace} actions {name} --follow\n\
         Withdraw it, as long as it is not sent to Google:\n  kubectl -n {namespace} delete cda {name}"
    )
}

/// The object is gone; its receipt, if the person may read it, tells the rest.
async fn deleted(cluster: &Cluster, name: &str) -> Result<Exit, Failure> {
    say(&format!(
        "The action {name} was deleted. That withdraws it only if it was not sent to Google yet; its receipt tells."
    ));
    let api = cluster.api::<DeviceActionReceipt>();
    let ends = Instant::now() + RECEIPT;
    loop {
        let receipt = api
            .get_opt(name)
            .await
            .map_err(|error| unread(cluster.namespace(), name, &error))?;
        let over = Instant::now() >= ends;
        match receipt {
            Some(receipt) if over || receipt.spec.state.is_final() => {
                let record = &receipt.spec;
                let told = record.reason.as_deref().zip(record.message.as_deref());
                let text = ending(name, record.state, told, record.google_message.as_deref());
                say(&text);
                return Ok(exit(record.state));
            }
            None if over => {
                terminal::say("There is no receipt, so nothing was sent to Google.");
                return Ok(Exit::NotGood);
            }
            Some(_) | None => sleep(PAUSE).await,
        }
    }
}

fn unread(namespace: &str, name: &str, error: &kube::Error) -> Failure {
    let failure = Failure::kubernetes(&format!("read the receipt of {name}"), error);
    let first = failure.to_string();
    Failure::new(first.lines().next().unwrap_or_default())
        .advise(format!(
            "Somebody with the role chromeenterprise-auditor can see what became of it: `kubectl chromeos -n \
             {namespace} receipts {name}`."
        ))
        .exit_with(Exit::OutcomeUnknown)
}
