//! What cannot be undone needs the serial number of the device, typed by a person or given by a program.

use chrome_enterprise_operator::api::device::serial_key;
use clap::Args;

use super::order::Order;
use super::sheet::say;
use crate::failure::Failure;
use crate::output::clean;
use crate::terminal;

/// How a program confirms.
#[derive(Debug, Clone, Default, Args)]
pub struct Confirmation {
    /// Serial number of the device once more, in place of the question: it must be the same device
    #[arg(long, value_name = "SERIAL")]
    pub confirm: Option<String>,
}

/// Makes sure that this device is meant. `known_as` is its serial number, or Google's ID if it has none.
pub(super) fn confirm(order: &Order, known_as: &str, confirmation: &Confirmation) -> Result<(), Failure> {
    let Some(consequence) = order.consequence() else {
        return Ok(());
    };
    let shown = clean(known_as);
    let what = order.words(&shown);
    if let Some(given) = &confirmation.confirm {
        if serial_key(given) == serial_key(known_as) {
            return Ok(());
        }
        return Err(Failure::usage(format!(
            "Nothing was done: --confirm says {}, but the device is {shown}.",
            clean(given)
        ))
        .advise("Check which device is meant."));
    }
    if !terminal::can_ask() {
        return Err(Failure::usage(format!(
            "Nothing was done: to {what}, somebody has to confirm it, and there is no terminal to ask on."
        ))
        .advise(format!(
            "Confirm with --confirm and the serial number: --confirm {shown}"
        )));
    }
    say(consequence);
    let answer = terminal::ask(&format!("To {what}, type its serial number:"))?;
    if serial_key(&answer) == serial_key(known_as) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Nothing was done: what was typed is not the serial number {shown}."
    )))
}
