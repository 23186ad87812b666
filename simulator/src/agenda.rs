//! What is going to happen to a customer's devices, in the order of the simulated clock.
//!
//! Nothing runs in the background. Whoever looks at a customer lets everything happen first that is due by
//! then, each thing at its own time: so the outcome does not depend on how often anybody looked.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::command::CommandKey;
use crate::fleet::{Slot, Write};
use crate::witness::Cause;

/// Something that happens when its time has come.
#[derive(Debug)]
pub(crate) enum Due {
    /// A command goes one step further, or expires.
    Command(CommandKey),
    /// Lists and counts see the next version of a record.
    ListCatchesUp(Slot),
    /// A change that was accepted earlier takes effect.
    Write(Box<Write>),
    /// A device that was wiped to its factory state enrols again.
    EnrolAgain(Slot, Box<Cause>),
}

/// A place in the agenda. Of two with the same time the one that was made first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Appointment {
    at: Timestamp,
    number: u64,
}

/// Everything that is still going to happen.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<Appointment, Due>,
    last_number: u64,
}

impl Agenda {
    /// Notes something for this time.
    pub(crate) fn add(&mut self, at: Timestamp, due: Due) -> Appointment {
        self.last_number += 1;
        let appointment = Appointment {
            at,
            number: self.last_number,
        };
        self.entries.insert(appointment, due);
        appointment
    }

    /// Strikes something out; it may have happened already.
    pub(crate) fn cancel(&mut self, appointment: Appointment) {
        self.entries.remove(&appointment);
    }

    /// Whether something has to happen by now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.entries
            .first_key_value()
            .is_some_and(|(appointment, _)| appointment.at <= now)
    }

    /// Takes out the first thing that has to happen by now, with its time.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let first = self.entries.first_entry()?;
        if first.key().at > now {
            return None;
        }
        let (appointment, due) = first.remove_entry();
        Some((appointment.at, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn things_happen_in_the_order_of_time_and_then_of_their_making() {
        let mut agenda = Agenda::default();
        for (second, slot) in [(20, 1), (10, 2), (20, 3), (30, 4)] {
            agenda.add(at(second), Due::ListCatchesUp(Slot(slot)));
        }
        let cancelled = agenda.add(at(5), Due::ListCatchesUp(Slot(5)));
        agenda.cancel(cancelled);
        assert!(!agenda.is_due(at(9)) && agenda.is_due(at(10)));
        let mut seen = Vec::new();
        while let Some((time, due)) = agenda.take_due(at(29)) {
            let Due::ListCatchesUp(slot) = due else {
                panic!("{due:?}")
            };
            seen.push((time.as_second(), slot.0));
        }
        assert_eq!(seen, [(10, 2), (20, 1), (20, 3)]);
        assert!(!agenda.is_due(at(29)) && agenda.is_due(at(30)));
    }
}
