//! The client against the simulator, which enforces what Google enforces.

mod accounts;
mod fleet;
mod side;
mod sign_in;
mod trouble;
