//! Creates the action once, whatever becomes of the answer.
//!
//! The client of Kubernetes sends a request again when the API server says 429, 503 or 504, and a connection can break
//! after the request went through. Both may leave an object behind. So an answer that is not clear is followed by a look
//! at that name, and only then by the same request again: a name can be created only once.

use std::time::Duration;

use chrome_enterprise_operator::api::DeviceAction;
use kube::api::{Api, PostParams};
use kube::{Error, ResourceExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::order::Order;
use super::request::is_same;
use crate::failure::{Exit, Failure};
use crate::output::clean;
use crate::terminal::Progress;

/// How long one request may take; an API server gives up after a minute, and a person sooner.
const REQUEST: Duration = Duration::from_secs(20);
/// How long it is tried to learn whether the action is there.
const PATIENCE: Duration = Duration::from_secs(90);
/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of one request.
enum Answer {
    /// The action is in the cluster.
    There(Box<DeviceAction>),
    /// It surely is not.
    NotThere,
    /// The API server said no.
    Refused(Failure),
    /// Nobody can tell.
    Unclear(String),
}

/// Asks the API server what it would make of the action. Nothing changes.
pub(super) async fn try_out(
    api: &Api<DeviceAction>,
    order: &Order,
    device: &str,
    wanted: &DeviceAction,
) -> Result<DeviceAction, Failure> {
    let parameters = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    api.create(&parameters, wanted)
        .await
        .map_err(|error| refused(order, device, &error))
}

/// Creates the action, or finds that an earlier request of this program did.
pub(super) async fn create(
    api: &Api<DeviceAction>,
    order: &Order,
    device: &str,
    wanted: &DeviceAction,
    progress: &mut Progress,
) -> Result<DeviceAction, Failure> {
    let ends = Instant::now() + PATIENCE;
    let mut answer = post(api, order, device, wanted).await;
    loop {
        let problem = match answer {
            Answer::There(action) => return Ok(*action),
            Answer::Refused(failure) => return Err(failure),
            Answer::NotThere => {
                answer = post(api, order, device, wanted).await;
                continue;
            }
            Answer::Unclear(problem) => problem,
        };
        if Instant::now() >= ends {
            return Err(nobody_knows(wanted, &problem));
        }
        progress.show(&format!(
            "It is not clear whether the cluster has the action ({problem}): looking for it."
        ));
        sleep(PAUSE).await;
        answer = look(api, wanted).await;
    }
}

/// Sends the request.
async fn post(api: &Api<DeviceAction>, order: &Order, device: &str, wanted: &DeviceAction) -> Answer {
    let parameters = PostParams::default();
    match timeout(REQUEST, api.create(&parameters, wanted)).await {
        Ok(Ok(action)) => Answer::There(Box::new(action)),
        Ok(Err(Error::Api(status))) if status.code == 409 => look(api, wanted).await,
        Ok(Err(error)) if is_clear(&error) => Answer::Refused(refused(order, device, &error)),
        Ok(Err(error)) => Answer::Unclear(clean(&error.to_string()).into_owned()),
        Err(_) => Answer::Unclear(format!("no answer in {} seconds", REQUEST.as_secs())),
    }
}

/// Looks whether an object of that name is there, and whether it is this program's.
async fn look(api: &Api<DeviceAction>, wanted: &DeviceAction) -> Answer {
    let name = wanted.name_any();
    match timeout(REQUEST, api.get_opt(&name)).await {
        Ok(Ok(Some(found))) if is_same(&found, wanted) => Answer::There(Box::new(found)),
        Ok(Ok(Some(_))) => Answer::Refused(taken(wanted)),
        Ok(Ok(None)) => Answer::NotThere,
        Ok(Err(error)) => Answer::Unclear(clean(&error.to_string()).into_owned()),
        Err(_) => Answer::Unclear(format!("no answer in {} seconds", REQUEST.as_secs())),
    }
}

/// Whether this answer says that nothing was created: the API server looked at the request and refused it, or it never
/// went out because nobody was signed in.
fn is_clear(error: &Error) -> bool {
    if let Error::Api(status) = error {
        return matches!(status.code, 400 | 401 | 403 | 404 | 405 | 406 | 413 | 415 | 422);
    }
    matches!(error, Error::Auth(_))
}

/// The name has another action.
fn taken(wanted: &DeviceAction) -> Failure {
    let name = wanted.name_any();
    Failure::new(format!(
        "Nothing was asked for: there is another action with the name {name} already, and a name is good for one action."
    ))
    .advise(format!(
        "See what it is with `kubectl chromeos actions {name}`, or choose another --name."
    ))
}

fn nobody_knows(wanted: &DeviceAction, problem: &str) -> Failure {
    let (name, not_after) = (wanted.name_any(), wanted.spec.not_after.0);
    Failure::new(format!(
        "Nobody can tell whether the cluster has the action {name}: {problem}."
    ))
    .advise(format!(
        "Look with `kubectl chromeos actions {name}` when the cluster answers. If it is there, it can be carried out \
         until {not_after}; if not, nothing happens."
    ))
    .exit_with(Exit::OutcomeUnknown)
}

/// Why the API server refuses, in words of its admission policies where there are some.
fn refused(order: &Order, device: &str, error: &Error) -> Failure {
    let doing = order.words(device);
    let Error::Api(status) = error else {
        return Failure::kubernetes(&doing, error);
    };
    if status.code != 403 {
        return Failure::kubernetes(&doing, error);
    }
    // `deviceactions.chromeenterprise.dev "…" is forbidden: ValidatingAdmissionPolicy '…' with binding '…' denied
    // request: …`. What follows was written for people and names the role.
    let message = clean(&status.message);
    if let Some((_, said)) = message.split_once("denied request: ") {
        return Failure::new(format!("Cannot {doing}: {said}"));
    }
    Failure::new(format!("Cannot {doing}: {}.", message.trim_end_matches('.'))).advise(format!(
        "Ask the cluster administrator for the role {} in the namespace; docs/permissions.md tells about roles.",
        order.role()
    ))
}
