//! Facts for the table tests.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::facts::{CleanupEnd, Facts, Finished, Job, PassProblem, PassStart, Running, SessionFacts};
use crate::api::CLEANUP_FINALIZER;
use crate::api::connection::{
    ChromeEnterpriseConnection, ChromeEnterpriseConnectionSpec, Credentials, DeviceCounts, PruneHold,
    SecretReference, ServiceAccountKeyCredentials, SyncSettings,
};
use crate::controllers::inventory::progress::Snapshot;
use crate::controllers::inventory::{PassKind, PassReport, Pruning};
use crate::controllers::tenant::credentials::CredentialFacts;
use crate::controllers::tenant::problem::Problem;
use crate::google::Verified;

/// The moment at which the tests decide.
pub(super) fn now() -> Timestamp {
    "2026-09-01T08:00:00Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A connection that is wanted, with its finalizer and usable credentials, of which nothing is known yet.
pub(super) fn fresh() -> Facts {
    let credentials = Credentials {
        service_account_key: Some(ServiceAccountKeyCredentials {
            secret_ref: SecretReference {
                name: "google".into(),
                key: None,
            },
        }),
        ..Credentials::default()
    };
    let connection = ChromeEnterpriseConnection {
        metadata: ObjectMeta {
            name: Some("school".into()),
            namespace: Some("chromebooks".into()),
            uid: Some("uid-1".into()),
            generation: Some(1),
            finalizers: Some(vec![CLEANUP_FINALIZER.into()]),
            ..ObjectMeta::default()
        },
        spec: ChromeEnterpriseConnectionSpec {
            customer_id: "my_customer".into(),
            admin_email: "admin@school.example".into(),
            credentials,
            access: crate::api::connection::Access::ReadWrite,
            sync: SyncSettings::default(),
        },
        status: None,
    };
    Facts {
        connection,
        older: None,
        credentials: CredentialFacts::Usable {
            fingerprint: "secret/1".into(),
            client_id: Some("1234567890".into()),
        },
        session: SessionFacts::default(),
        last_exchange: None,
    }
}

pub(super) fn verified() -> Verified {
    Verified {
        customer_id: "C01abcdef".into(),
        primary_email: "admin@school.example".into(),
        is_super_admin: true,
    }
}

pub(super) fn start(facts: &Facts, kind: PassKind) -> PassStart {
    PassStart {
        kind,
        inputs: facts.inputs(),
        scope: facts.scope().digest(),
        requested: None,
        allowed: None,
        failures: 0,
    }
}

pub(super) fn report(hold: Option<PruneHold>) -> PassReport {
    PassReport {
        verified: verified(),
        counts: DeviceCounts {
            synced: 3,
            active: 2,
            disabled: 1,
            ..DeviceCounts::default()
        },
        listed: 3,
        skipped: 0,
        removed: 0,
        pruning: Some(Pruning {
            hold,
            peaks: Vec::new(),
        }),
    }
}

pub(super) fn hold(id: &str) -> PruneHold {
    PruneHold {
        id: id.into(),
        devices: 600,
        since: Time(ago(60)),
    }
}

impl Facts {
    /// A full pass ended well so many seconds ago, and its result is in the status.
    pub(super) fn synced(mut self, seconds_ago: i64, hold: Option<PruneHold>) -> Self {
        let finished = Finished {
            start: PassStart {
                requested: self
                    .annotation(crate::api::SYNC_REQUESTED_ANNOTATION)
                    .map(Into::into),
                ..start(&self, PassKind::Full)
            },
            started: ago(seconds_ago + 10),
            ended: ago(seconds_ago),
            outcome: Ok(report(hold)),
        };
        self.session.last = Some(finished.clone());
        self.session.last_full = Some(finished);
        let plan = super::plan::Plan {
            act: super::plan::Act::Nothing,
            view: super::plan::View::Working,
            next_pass: None,
            look_again: std::time::Duration::ZERO,
        };
        self.connection.status = super::status::build(&self, &plan, ago(seconds_ago));
        self
    }

    /// The last pass ended with this problem so many seconds ago.
    pub(super) fn failed(mut self, seconds_ago: i64, problem: Problem, signed_in: bool) -> Self {
        self.session.last = Some(Finished {
            start: start(&self, PassKind::Full),
            started: ago(seconds_ago + 10),
            ended: ago(seconds_ago),
            outcome: Err(PassProblem {
                problem,
                signed_in,
                pause: None,
            }),
        });
        self
    }

    /// The operator was restarted: only what is in the status is known.
    pub(super) fn restarted(mut self) -> Self {
        self.session = SessionFacts::default();
        self
    }

    pub(super) fn running(mut self, job: Job, snapshot: Snapshot) -> Self {
        self.session.running = Some(Running {
            job,
            started: ago(5),
            progress: snapshot,
        });
        self
    }

    pub(super) fn cleaned(mut self, seconds_ago: i64, outcome: Result<(), String>) -> Self {
        self.session.cleanup = Some(CleanupEnd {
            ended: ago(seconds_ago),
            failures: 1,
            outcome,
        });
        self
    }

    pub(super) fn deleted(mut self) -> Self {
        self.connection.metadata.deletion_timestamp = Some(Time(ago(1)));
        self
    }

    pub(super) fn annotated(mut self, key: &str, value: &str) -> Self {
        self.connection
            .metadata
            .annotations
            .get_or_insert_default()
            .insert(key.into(), value.into());
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
