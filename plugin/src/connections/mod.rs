//! Connections: which one is meant, how it is, and how it goes on.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `find` | which connection a command is about |
//! | `words` | what a state means for people, and whether somebody has to act |
//! | `progress` | how far a pass or a clean-up is |
//! | `follow` | looking at one connection until something is true of it |
//! | `gitops` | whether a tool will change it back |

mod find;
mod follow;
mod gitops;
mod progress;
mod words;

pub use find::{find, name_of, namespace_of};
pub use follow::{End, Limit, duration, follow};
pub use gitops::hint as gitops_hint;
pub use progress::{Part, part};
pub use words::{needs_a_person, ready, reason, sentence, state, tone, way_to_sign_in, word};

/// Field manager under which this program changes connections.
pub const FIELD_MANAGER: &str = "kubectl-chromeos";
