//! The admission policies and cluster roles that belong to the resource types, as manifests to apply.
//!
//! They are files of the repository and part of the program, so that a cluster gets those which were tested with this
//! version. The operator itself never applies them: who may do what is the cluster administrator's to decide.

/// One file of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the file below `policies/`.
    pub file_name: &'static str,
    /// What is in it: one or more YAML documents with `---` between them, and comments that give reasons.
    pub text: &'static str,
}

macro_rules! manifest {
    ($file_name:literal) => {
        Manifest {
            file_name: $file_name,
            text: include_str!(concat!("../policies/", $file_name)),
        }
    };
}

/// Every file, in the order in which they are applied: an account has its verbs before a policy asks for them.
pub const ALL: [Manifest; 6] = [
    manifest!("roles.yaml"),
    manifest!("action-creation.yaml"),
    manifest!("action-requester.yaml"),
    manifest!("action-requester-stamp.yaml"),
    manifest!("action-status.yaml"),
    manifest!("receipt-writers.yaml"),
];

/// All files as one stream of YAML documents, as `kubectl apply -f -` reads it.
#[must_use]
pub fn stream() -> String {
    ALL.iter().flat_map(|manifest| ["---\n", manifest.text]).collect()
}
