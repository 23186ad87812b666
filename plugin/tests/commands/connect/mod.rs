//! `kubectl chromeos connect`.

mod browser;
mod consent;
mod key;
mod refusals;
mod support;
