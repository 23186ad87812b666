//! What the administrator of the cluster decides for all controllers, by flags of the program.

use std::collections::BTreeSet;
use std::time::Duration;

/// Settings of all controllers. The flags of `chrome-enterprise-operator run` make it, and check the ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerSettings {
    /// Devices that one request to Google asks for: 1 to 300.
    pub page_size: u32,
    /// `ChromeOSDevice` objects that are written at the same time for one connection; at least 1.
    pub write_concurrency: usize,
    /// How often the Secret of a connection is looked at for a change.
    pub secret_poll: Duration,
    /// How old the recorded activity of a device (last sync, free disk, network) may become while nothing else changes.
    pub activity_freshness: Duration,
    /// The wait after the first failure of a connection; each further one is twice as long.
    pub retry_initial: Duration,
    /// The longest wait between two tries; at least `retry_initial`.
    pub retry_max: Duration,
    /// Where connections and actions are looked for.
    pub watch_namespaces: WatchNamespaces,
    /// How actions are carried out.
    pub actions: ActionSettings,
    /// Who may sign in without a key. Nobody without a rule.
    pub keyless: Vec<KeylessRule>,
}

/// Lets the connections of a namespace sign in as a service account without its key, for the admins of one domain or
/// customer. At least one of these two is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeylessRule {
    /// The namespace.
    pub namespace: String,
    /// E-mail address of the service account.
    pub service_account: String,
    /// The domain of the admin account.
    pub domain: Option<String>,
    /// Google's ID of the customer that the admin account belongs to.
    pub customer: Option<String>,
}

/// How actions are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionSettings {
    /// How long an attempt may take from its claim until it is sent.
    pub attempt_window: Duration,
    /// How long after its deadline an attempt may still be on its way: the longest HTTP exchange and a margin.
    pub in_flight: Duration,
    /// How long a device is watched after the answer to a state change was lost.
    pub settle: Duration,
    /// How long a command may be pending before its outcome counts as unknown.
    pub command_patience: Duration,
    /// How long receipts are kept after the end of their action; for ever without.
    pub receipt_retention: Option<Duration>,
}

impl Default for ActionSettings {
    fn default() -> Self {
        Self {
            attempt_window: Duration::from_secs(10),
            in_flight: Duration::from_secs(35),
            settle: Duration::from_mins(1),
            command_patience: Duration::from_hours(24),
            receipt_retention: None,
        }
    }
}

impl Default for ControllerSettings {
    fn default() -> Self {
        Self {
            page_size: 200,
            write_concurrency: 8,
            secret_poll: Duration::from_mins(1),
            activity_freshness: Duration::from_hours(24),
            retry_initial: Duration::from_secs(15),
            retry_max: Duration::from_mins(10),
            watch_namespaces: WatchNamespaces::All,
            actions: ActionSettings::default(),
            keyless: Vec::new(),
        }
    }
}

/// The namespaces that the operator looks after.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WatchNamespaces {
    /// Every namespace of the cluster; needs a `ClusterRole`.
    #[default]
    All,
    /// These only, at least one; a Role in each is enough.
    Only(BTreeSet<String>),
}

impl WatchNamespaces {
    /// From the names on a command line, where none means all.
    #[must_use]
    pub fn from_names(names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = names.into_iter().collect();
        if names.is_empty() {
            Self::All
        } else {
            Self::Only(names)
        }
    }

    /// Whether this namespace is looked after.
    #[must_use]
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(namespace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_every_namespace() {
        assert!(WatchNamespaces::from_names([]).includes("north"));
        let only = WatchNamespaces::from_names(["north".to_owned(), "south".to_owned()]);
        assert!(only.includes("north") && only.includes("south") && !only.includes("east"));
    }
}
