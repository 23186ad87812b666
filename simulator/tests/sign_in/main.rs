//! Signing in, batches and the discovery document, as clients meet them: through real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod batches;
mod callers;
mod consent;
mod consent_page;
mod discovery;
mod files;
mod keyless;
mod support;
mod token_errors;
mod token_faults;
mod tokens;
