//! What people are told when something cannot be done: a sentence, what to do next, and an exit code.

use std::error::Error as _;
use std::fmt;

/// How the program ends. The numbers are part of what scripts rely on, see docs/kubectl-chromeos.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// It could not be done: no such object, no right to it, no cluster.
    Failed,
    /// The command line cannot be used.
    Usage,
    /// It was looked at, and the answer is not good: a check failed, an action did not succeed.
    NotGood,
    /// Nobody can know what became of an action: look at the device.
    OutcomeUnknown,
    /// The wait is over and the end is not reached; it goes on without this program.
    StillRunning,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotGood => 3,
            Self::OutcomeUnknown => 4,
            Self::StillRunning => 5,
            Self::Interrupted => 130,
        }
    }
}

/// Why something could not be done. It is shown as it stands, so it holds no secrets and no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    remedy: Option<String>,
    exit: Exit,
}

impl Failure {
    /// A sentence that says what happened, and to which object.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: None,
            exit: Exit::Failed,
        }
    }

    /// The same with a sentence that says what to do next.
    #[must_use]
    pub fn advise(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same with another exit code than [`Exit::Failed`].
    #[must_use]
    pub fn exit_with(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The same with one more sentence about what happened.
    #[must_use]
    pub fn and(self, sentence: &str) -> Self {
        Self {
            message: format!("{} {sentence}", self.message),
            ..self
        }
    }

    /// A command line whose parts do not fit together.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).exit_with(Exit::Usage)
    }

    /// What happened, without the remedy.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// The API server refused or could not be asked. `doing` says what was tried, such as `list devices in namespace school`.
    #[must_use]
    pub fn kubernetes(doing: &str, error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            return refused(doing, status);
        }
        if let kube::Error::Auth(problem) = error {
            return Self::new(format!(
                "Cannot {doing}: signing in to the cluster failed: {problem}."
            ))
            .advise("Sign in to the cluster again, or choose other credentials with --context or --user.");
        }
        if let kube::Error::SerdeError(problem) = error {
            return Self::new(format!(
                "Cannot {doing}: the cluster's answer has another form than expected ({problem})."
            ))
            .advise("The installed resource types may be of another version than this program: see `kubectl chromeos doctor`.");
        }
        Self::new(format!("Cannot {doing}: the cluster does not answer: {}.", causes(error)))
            .advise("Check the network and VPN, and that kubeconfig and --context name the right cluster: `kubectl cluster-info`.")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(formatter, "\n{remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

fn refused(doing: &str, status: &kube::core::Status) -> Failure {
    let said = crate::output::clean(&status.message);
    match status.code {
        401 => Failure::new(format!(
            "Cannot {doing}: the cluster does not accept your credentials."
        ))
        .advise("Sign in to the cluster again, or choose other credentials with --context or --user."),
        // The text of a policy says what to do; RBAC's own says which right is missing.
        403 => Failure::new(format!(
            "Cannot {doing}: {said}.",
            said = said.trim_end_matches('.')
        ))
        .advise(
            "Ask whoever administers the namespace for a role: docs/permissions.md lists them, \
             `kubectl auth can-i --list` shows what you may do.",
        ),
        // The API server names no object when it does not know the resource at all.
        404 if status
            .details
            .as_ref()
            .is_none_or(|details| details.name.is_empty()) =>
        {
            Failure::new(format!(
                "Cannot {doing}: this cluster does not know that resource type."
            ))
            .advise(
                "Install it: `chrome-enterprise-operator crds | kubectl apply --server-side -f -`. If it is \
                 installed, check that --context names the right cluster.",
            )
        }
        _ => Failure::new(format!(
            "Cannot {doing}: {said}.",
            said = said.trim_end_matches('.')
        )),
    }
}

/// An error with everything that caused it, each said once.
fn causes(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    crate::output::clean(&text).into_owned()
}
