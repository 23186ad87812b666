//! One module for each command: its flags, and what it does.

pub(crate) mod act;
pub mod actions;
pub mod completion;
pub mod connect;
pub mod deprovision;
pub mod device;
pub mod devices;
pub mod disconnect;
pub mod doctor;
pub mod generate;
pub mod lost_mode;
pub mod org_units;
pub mod receipts;
pub mod report;
pub mod restart;
pub mod resume;
pub mod status;
pub mod suspend;
pub mod sync;
pub mod wipe;
