//! What must have happened before the operator calls itself ready: named gates, all of which must be open.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gate that opens when the API server serves the operator's resource types.
pub const CRDS_GATE: &str = "crds";
/// Gate that opens when all connections were listed once and are being watched.
pub const CONNECTIONS_GATE: &str = "connections-listed";
/// Gate that opens when all actions that are not done were listed once and are being watched.
pub const ACTIONS_GATE: &str = "actions-listed";
/// Gate that closes when the operator was told to stop.
pub const RUNNING_GATE: &str = "running";

/// All gates of the process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    /// What a gate waits for; `None` when it is open.
    gates: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
}

impl Readiness {
    /// A set without gates, which is ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The gate of this name. Asking for a new name adds a closed gate; asking again gives the same gate as it is.
    #[must_use]
    pub fn gate(&self, name: &'static str) -> Gate {
        self.lock()
            .entry(name)
            .or_insert_with(|| Some("not started yet".to_owned()));
        Gate {
            name,
            readiness: self.clone(),
        }
    }

    /// Whether every gate is open, and what `/readyz` answers: one line per gate.
    #[must_use]
    pub fn report(&self) -> Report {
        let gates = self.lock();
        let mut text = String::new();
        for (name, waiting_for) in gates.iter() {
            // Writing into a String cannot fail.
            let _ = match waiting_for {
                None => writeln!(text, "[+] {name}: ok"),
                Some(reason) => writeln!(text, "[-] {name}: {reason}"),
            };
        }
        let ready = gates.values().all(Option::is_none);
        text.push_str(if ready { "ready\n" } else { "not ready\n" });
        Report { ready, text }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Option<String>>> {
        // Every change is one assignment, so a panic elsewhere cannot leave a half-made state behind.
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of [`Readiness::report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether every gate is open.
    pub ready: bool,
    /// One line per gate and a last line with the sum.
    pub text: String,
}

/// One condition of readiness.
#[derive(Debug, Clone)]
pub struct Gate {
    name: &'static str,
    readiness: Readiness,
}

impl Gate {
    /// The condition is met.
    pub fn open(&self) {
        self.readiness.lock().insert(self.name, None);
    }

    /// The condition is not met (any more); `waiting_for` tells an administrator what is missing.
    pub fn close(&self, waiting_for: impl Into<String>) {
        self.readiness.lock().insert(self.name, Some(waiting_for.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_only_when_every_gate_is_open_and_names_the_others() {
        let readiness = Readiness::new();
        assert!(readiness.report().ready);
        let crds = readiness.gate(CRDS_GATE);
        let connections = readiness.gate(CONNECTIONS_GATE);
        assert!(!readiness.report().ready);
        crds.close("waiting for chromeosdevices");
        connections.open();
        let report = readiness.report();
        assert!(!report.ready);
        assert_eq!(
            report.text,
            "[+] connections-listed: ok\n[-] crds: waiting for chromeosdevices\nnot ready\n"
        );
        readiness.gate(CRDS_GATE).open();
        assert!(readiness.report().ready);
        crds.close("gone again");
        assert!(!readiness.report().ready);
    }

    #[test]
    fn asking_again_does_not_close_an_open_gate() {
        let readiness = Readiness::new();
        readiness.gate(CRDS_GATE).open();
        let _again = readiness.gate(CRDS_GATE);
        assert!(readiness.report().ready);
    }
}
