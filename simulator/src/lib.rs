//! A faithful fake of the Google Admin side of a ChromeOS fleet, on one port.
//!
//! [`Simulator`] starts it inside a test; `docs/simulator.md` describes the program and its control API.
//!
//! | module | what |
//! |---|---|
//! | `api` | the Directory API: paths, parameters, methods |
//! | `auth`, `batch`, `discovery` | signing in, batches, the discovery document |
//! | `device`, `fleet` | what devices are, how fleets are made, stored and changed |
//! | `command`, `status_change` | remote commands; which change of state is allowed |
//! | `agenda`, `witness` | what is still going to happen to devices, and what has really happened |
//! | `tenant`, `people` | customers and their accounts |
//! | `faults`, `quota`, `switches`, `clock` | what a test can do to it |
//! | `control` | the control API `/sim/v1` |
//! | `server` | the port |

mod agenda;
pub mod api;
pub mod api_error;
pub mod auth;
mod batch;
pub mod clock;
pub mod command;
pub mod config;
pub mod control;
mod device;
mod discovery;
pub mod faults;
mod fleet;
mod html;
pub mod people;
pub mod quota;
mod random;
pub mod request_log;
pub mod server;
mod simulator;
pub mod state;
mod status_change;
pub mod switches;
pub mod tenant;
pub mod witness;

pub use device::{DeprovisionReason, DeviceStatus};
pub use simulator::{Error, Simulator, SimulatorBuilder};
