//! Faults on request: which requests go wrong, and how.

mod act;
mod answer;
mod book;
mod kinds;
mod orders;
mod rule;

pub(crate) use act::{Struck, layer};
pub(crate) use book::FaultBook;
pub use book::FaultReport;
pub use kinds::{Fault, ForbiddenReason};
pub(crate) use orders::{Orders, When};
pub use rule::{Effect, FaultMatch, FaultRule, FaultWindow};
