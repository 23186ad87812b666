//! What the controllers share about the tenants: a namespace, its connection, and that connection's Google.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `owner` | which connection a namespace belongs to |
//! | `credentials` | how credentials are read, and what is wrong with them |
//! | `keyless` | who may sign in without a key |
//! | `problem` | the reason and the remedy of everything that Google can refuse |

pub(crate) mod credentials;
mod keyless;
pub(crate) mod owner;
pub(crate) mod problem;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::mpsc::UnboundedSender;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use crate::api::connection::ChromeEnterpriseConnection;
use crate::controllers::digest;
use crate::controllers::inventory::targeted::TargetedReads;
use crate::controllers::settings::KeylessRule;
use crate::google::{Credential, DirectoryClient, GoogleContext, GoogleError};
use credentials::{CredentialFacts, google_access};

/// A connection is woken for an exchange at most this often: its status tells of it.
const EXCHANGE_EVERY: Duration = Duration::from_secs(10);

/// What the controllers of this process share.
pub(crate) struct Tenants {
    google: GoogleContext,
    keyless: Vec<KeylessRule>,
    clients: Mutex<HashMap<String, Kept>>,
    exchanges: Mutex<HashMap<String, Exchange>>,
    targeted: Mutex<HashMap<String, Arc<TargetedReads>>>,
    wake_connection: UnboundedSender<(String, String)>,
    wake_action: UnboundedSender<(String, String)>,
}

/// The client of a connection, and what it was made from.
struct Kept {
    made_from: String,
    client: DirectoryClient,
}

/// The last exchange of actions with Google in a namespace.
struct Exchange {
    time: Timestamp,
    told: Instant,
}

impl Tenants {
    /// Nothing is known yet. The rules say who may sign in without a key. The two senders take namespace and name of connections and actions that have news.
    pub(crate) fn new(
        google: GoogleContext,
        keyless: Vec<KeylessRule>,
        wake_connection: UnboundedSender<(String, String)>,
        wake_action: UnboundedSender<(String, String)>,
    ) -> Self {
        Self {
            google,
            keyless,
            clients: Mutex::default(),
            exchanges: Mutex::default(),
            targeted: Mutex::default(),
            wake_connection,
            wake_action,
        }
    }

    /// What the process shares towards Google.
    pub(crate) fn google(&self) -> &GoogleContext {
        &self.google
    }

    /// Who may sign in without a key.
    pub(crate) fn keyless(&self) -> &[KeylessRule] {
        &self.keyless
    }

    /// The client of this connection. It is kept, with its token, while account, credentials and access stay the same.
    ///
    /// # Errors
    /// When the admin account is no e-mail address.
    pub(crate) fn client(
        &self,
        connection: &ChromeEnterpriseConnection,
        credentials: &CredentialFacts,
        credential: Credential,
    ) -> Result<DirectoryClient, GoogleError> {
        let spec = &connection.spec;
        let fingerprint = match credentials {
            CredentialFacts::Usable { fingerprint, .. } => fingerprint.as_str(),
            CredentialFacts::Unusable(problem) => problem.reason,
        };
        let access = google_access(spec.access);
        let made_from = digest::short([spec.admin_email.as_str(), fingerprint, access.label()]);
        let uid = connection.uid().unwrap_or_default();
        let mut clients = lock(&self.clients);
        if let Some(kept) = clients.get(&uid).filter(|kept| kept.made_from == made_from) {
            return Ok(kept.client.clone());
        }
        let client = DirectoryClient::new(&self.google, credential, &spec.admin_email, access)?;
        let kept = Kept {
            made_from,
            client: client.clone(),
        };
        clients.insert(uid, kept);
        Ok(client)
    }

    /// Drops what is kept of a connection that is gone.
    pub(crate) fn forget(&self, connection_uid: &str, namespace: &str) {
        lock(&self.clients).remove(connection_uid);
        lock(&self.exchanges).remove(namespace);
        lock(&self.targeted).remove(namespace);
    }

    /// Devices of this namespace that were read one by one.
    pub(crate) fn targeted_reads(&self, namespace: &str) -> Arc<TargetedReads> {
        lock(&self.targeted)
            .entry(namespace.to_owned())
            .or_default()
            .clone()
    }

    /// Google has just accepted an action for this connection.
    pub(crate) fn exchanged(&self, namespace: &str, connection: &str, time: Timestamp) {
        let mut exchanges = lock(&self.exchanges);
        let before = exchanges.get(namespace).map(|exchange| exchange.told);
        let tell = before.is_none_or(|told| told.elapsed() >= EXCHANGE_EVERY);
        let told = match before {
            Some(told) if !tell => told,
            Some(_) | None => Instant::now(),
        };
        exchanges.insert(namespace.to_owned(), Exchange { time, told });
        if tell {
            // Nobody listens any more only when the operator is ending.
            let _ = self
                .wake_connection
                .unbounded_send((namespace.to_owned(), connection.to_owned()));
        }
    }

    /// The receipt of this action was written by somebody who does not look after actions.
    pub(crate) fn has_news_for_action(&self, namespace: &str, name: &str) {
        // Nobody listens any more only when the operator is ending.
        let _ = self
            .wake_action
            .unbounded_send((namespace.to_owned(), name.to_owned()));
    }

    /// When an action was last exchanged with Google in this namespace, by this process.
    pub(crate) fn last_exchange(&self, namespace: &str) -> Option<Timestamp> {
        lock(&self.exchanges).get(namespace).map(|exchange| exchange.time)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change of these maps is whole at each step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
