//! `kubectl chromeos`: connects a Google customer and looks after its ChromeOS devices, without YAML.
//!
//! | module | rule that lives there |
//! |---|---|
//! | `cli` | what can be typed, and which command does it |
//! | `cluster` | which cluster and namespace are meant, and how objects are listed |
//! | `commands` | one module for each command |
//! | `connections` | which connection is meant, how it is, and how it goes on |
//! | `failure` | what people are told when something cannot be done, and the exit codes |
//! | `google` | where Google is, for commands that speak to it |
//! | `inventory` | rules about devices that several commands share |
//! | `output` | tables, CSV, JSON and YAML; what may be shown on a terminal |
//! | `terminal` | questions, colours, progress: only where a person looks |

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod connections;
pub mod failure;
pub mod google;
pub mod inventory;
pub mod output;
pub mod terminal;
