//! What a decision about a connection is made from. Plain data: no client, no clock.

use k8s_openapi::jiff::Timestamp;

use crate::api::connection::{Access, ChromeEnterpriseConnection};
use crate::controllers::digest;
use crate::controllers::inventory::progress::Snapshot;
use crate::controllers::inventory::{PassKind, PassReport, Scope};
use crate::controllers::tenant::credentials::CredentialFacts;
use crate::controllers::tenant::problem::Problem;

/// Everything that is known of one connection at one moment.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The object as the API server has it now, not as a cache had it.
    pub(super) connection: ChromeEnterpriseConnection,
    /// Name of an older connection in the same namespace.
    pub(super) older: Option<String>,
    /// What reading the credentials gave.
    pub(super) credentials: CredentialFacts,
    /// What this process did for the connection so far.
    pub(super) session: SessionFacts,
    /// When an action was last exchanged with Google in this namespace, by this process.
    pub(super) last_exchange: Option<Timestamp>,
}

/// What this process did for the connection so far; empty after a restart.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionFacts {
    /// What is running now.
    pub(super) running: Option<Running>,
    /// The pass that ended last.
    pub(super) last: Option<Finished>,
    /// The full pass that ended well last.
    pub(super) last_full: Option<Finished>,
    /// How the removal of a deleted connection's devices ended, if one did.
    pub(super) cleanup: Option<CleanupEnd>,
}

/// What is running now.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) job: Job,
    pub(super) started: Timestamp,
    pub(super) progress: Snapshot,
}

/// A long-running job of a connection; at most one runs at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Job {
    /// A pass of the inventory.
    Pass(PassStart),
    /// The removal of all devices.
    Cleanup,
}

/// What a pass was started for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PassStart {
    pub(super) kind: PassKind,
    /// Digest of everything in the spec and the credentials that the pass depends on.
    pub(super) inputs: String,
    /// Digest of the scope alone.
    pub(super) scope: String,
    /// Value of the annotation that asked for a sync, if there is one.
    pub(super) requested: Option<String>,
    /// Value of the annotation that permits a removal, if there is one.
    pub(super) allowed: Option<String>,
    /// How many passes with these inputs failed in a row before this one.
    pub(super) failures: u32,
}

/// A pass that has ended.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub(super) start: PassStart,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) outcome: Result<PassReport, PassProblem>,
}

/// A pass that ended badly.
#[derive(Debug, Clone)]
pub(super) struct PassProblem {
    pub(super) problem: Problem,
    /// Whether Google had accepted the credentials before.
    pub(super) signed_in: bool,
    /// How long Google wants to be left alone, if it said so.
    pub(super) pause: Option<std::time::Duration>,
}

/// How a removal of all devices ended.
#[derive(Debug, Clone)]
pub(super) struct CleanupEnd {
    pub(super) ended: Timestamp,
    pub(super) failures: u32,
    pub(super) outcome: Result<(), String>,
}

impl Facts {
    /// The scope that the spec asks for.
    pub(super) fn scope(&self) -> Scope {
        Scope::of(&self.connection.spec)
    }

    /// Digest of everything that a running pass depends on: another value makes it worthless.
    pub(super) fn inputs(&self) -> String {
        let spec = &self.connection.spec;
        let fingerprint = match &self.credentials {
            CredentialFacts::Usable { fingerprint, .. } => fingerprint.as_str(),
            CredentialFacts::Unusable(problem) => problem.reason,
        };
        let access = match spec.access {
            Access::ReadWrite => "rw",
            Access::ReadOnly => "ro",
        };
        let users = if spec.sync.include_recent_users {
            "users"
        } else {
            ""
        };
        digest::short([
            self.scope().digest().as_str(),
            &spec.admin_email,
            fingerprint,
            access,
            users,
        ])
    }

    /// The last pass, if it was made with what the spec and the credentials say now.
    pub(super) fn relevant_last(&self) -> Option<&Finished> {
        let inputs = self.inputs();
        self.session
            .last
            .as_ref()
            .filter(|last| last.start.inputs == inputs)
    }

    /// Whether a complete pass of the present scope is on record.
    pub(super) fn scope_is_complete(&self) -> bool {
        let scope = self.scope().digest();
        let recorded = self
            .connection
            .status
            .as_ref()
            .and_then(|status| status.sync.as_ref()?.completed_scope.as_deref());
        recorded == Some(scope.as_str())
            || self
                .session
                .last_full
                .as_ref()
                .is_some_and(|full| full.start.scope == scope)
    }

    /// Whether the connection ever was active.
    pub(super) fn was_active(&self) -> bool {
        self.session.last_full.is_some()
            || self
                .connection
                .status
                .as_ref()
                .and_then(|status| status.sync.as_ref()?.last_complete_time.as_ref())
                .is_some()
    }

    /// Value of an annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.connection
            .metadata
            .annotations
            .as_ref()?
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}
