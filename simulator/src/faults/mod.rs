//! Faults on request: which requests go wrong, and how.

mod act;
mod book;
mod rule;

pub(crate) use act::{Struck, layer};
pub(crate) use book::FaultBook;
pub use book::FaultReport;
pub use rule::{Fault, FaultMatch, FaultRule, FaultWindow, ForbiddenReason};
