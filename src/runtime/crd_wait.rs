//! Waits until the API server serves the operator's resource types.
//!
//! The operator may start before its `CustomResourceDefinitions` are applied, or before the API server is up. It then
//! waits and says for what, on `/readyz` and in the log, in place of crashing over and over.

use std::time::{Duration, Instant};

use kube::{Client, Resource};
use tokio_util::sync::CancellationToken;

use super::kubernetes::with_causes;
use super::readiness::Gate;

/// How often the API server is asked.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// A question that is not answered by then is asked again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A reason that stays the same is logged again after this time.
const REMIND_EVERY: Duration = Duration::from_mins(1);

/// A resource type that the operator cannot do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredType {
    /// Group and version as in `apiVersion`.
    api_version: String,
    /// Group alone.
    group: String,
    /// Name in URLs.
    plural: String,
}

impl RequiredType {
    /// The resource type of a Rust type.
    #[must_use]
    pub fn of<K: Resource<DynamicType = ()>>() -> Self {
        Self {
            api_version: K::api_version(&()).into_owned(),
            group: K::group(&()).into_owned(),
            plural: K::plural(&()).into_owned(),
        }
    }

    /// Name of the `CustomResourceDefinition`.
    fn definition(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }
}

/// How the wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// All types are served.
    Served,
    /// The process was told to stop.
    Stopped,
}

/// An error that no waiting heals.
#[derive(Debug, thiserror::Error)]
#[error("the Kubernetes API server cannot be asked with this configuration: {}", with_causes(.0))]
pub struct HopelessError(kube::Error);

/// Waits until all types are served; meanwhile `gate` says what is missing, and afterwards it is open.
///
/// # Errors
/// When the client's own configuration is wrong. An API server that is away, busy or refuses is asked again.
pub async fn wait(
    client: &Client,
    required: &[RequiredType],
    gate: &Gate,
    stop: &CancellationToken,
) -> Result<Waited, HopelessError> {
    let mut reminder = Reminder::default();
    loop {
        let Some(answer) = stop.run_until_cancelled(missing(client, required)).await else {
            return Ok(Waited::Stopped);
        };
        let reason = match answer {
            Ok(missing) if missing.is_empty() => {
                gate.open();
                return Ok(Waited::Served);
            }
            Ok(missing) => missing_sentence(&missing),
            Err(Unanswered::Hopeless(error)) => return Err(error),
            Err(Unanswered::AskAgain(reason)) => reason,
        };
        reminder.warn(&reason);
        gate.close(reason);
        if stop
            .run_until_cancelled(tokio::time::sleep(ASK_EVERY))
            .await
            .is_none()
        {
            return Ok(Waited::Stopped);
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
enum Unanswered {
    /// Something that passes: what is wrong and what to do if it does not.
    AskAgain(String),
    /// Something that does not pass.
    Hopeless(HopelessError),
}

/// The names of the definitions that are not served.
async fn missing(client: &Client, required: &[RequiredType]) -> Result<Vec<String>, Unanswered> {
    let mut missing = Vec::new();
    for kind in required {
        let question = client.list_api_group_resources(&kind.api_version);
        let served = match tokio::time::timeout(ANSWER_WITHIN, question).await {
            Ok(Ok(list)) => list.resources.iter().any(|resource| resource.name == kind.plural),
            // The whole group is unknown. The answer is plain text, so the status has a code but no reason.
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => false,
            Ok(Err(error)) => return Err(judge(error)),
            Err(_elapsed) => {
                let seconds = ANSWER_WITHIN.as_secs();
                let reason = format!(
                    "the Kubernetes API server did not answer within {seconds} seconds; trying again"
                );
                return Err(Unanswered::AskAgain(reason));
            }
        };
        if !served {
            missing.push(kind.definition());
        }
    }
    Ok(missing)
}

/// Tells errors that pass from those that do not.
fn judge(error: kube::Error) -> Unanswered {
    if let kube::Error::Api(status) = &error {
        let remedy = match status.code {
            401 => {
                "the credentials of the operator are not accepted; check its service account token or kubeconfig"
            }
            403 => {
                "the operator may not read the API discovery; bind its service account to system:discovery"
            }
            _ => "trying again",
        };
        let reason = format!(
            "the Kubernetes API server answered {} ({}): {remedy}",
            status.code, status.message
        );
        return Unanswered::AskAgain(reason);
    }
    let hopeless = matches!(
        error,
        kube::Error::BuildRequest(_)
            | kube::Error::InferConfig(_)
            | kube::Error::InferKubeconfig(_)
            | kube::Error::ProxyProtocolUnsupported { .. }
            | kube::Error::ProxyProtocolDisabled { .. }
            | kube::Error::RustlsTls(_)
            | kube::Error::TlsRequired
    );
    if hopeless {
        return Unanswered::Hopeless(HopelessError(error));
    }
    Unanswered::AskAgain(format!(
        "the Kubernetes API server cannot be reached: {}; trying again. Is the address right, and the network open?",
        with_causes(&error)
    ))
}

fn missing_sentence(missing: &[String]) -> String {
    format!(
        "waiting for the CustomResourceDefinitions {}; apply them with `chrome-enterprise-operator crds | kubectl apply \
         --server-side -f -` or install the chart chrome-enterprise-operator-crds",
        missing.join(", ")
    )
}

/// Logs a reason when it is new, and again from time to time.
#[derive(Debug, Default)]
struct Reminder {
    last: Option<(String, Instant)>,
}

impl Reminder {
    fn warn(&mut self, reason: &str) {
        let known = self
            .last
            .as_ref()
            .is_some_and(|(last, when)| last == reason && when.elapsed() < REMIND_EVERY);
        if !known {
            tracing::warn!("Not ready: {reason}");
            self.last = Some((reason.to_owned(), Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests;
