//! When a device was last in contact with Google: a pure function of its seed and the time.
//!
//! Nothing runs in the background. Every device has a period of three hours, 20 % more or less, and reports at
//! the beginning of each period with a little delay of its own. What it reports at its n-th contact is drawn
//! from n, so volatile values move exactly when the last sync does.

use crate::device::{Device, Presence};
use crate::random::Draw;

/// The usual interval between two policy fetches of a device.
const PERIOD_SECONDS: i64 = 3 * 3600;

/// What limits or adds to the regular contacts of a device. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contact {
    /// No contact after this time: switched off, lost or released.
    pub(crate) silent_after: i64,
    /// One contact out of turn.
    pub(crate) extra: i64,
}

impl Default for Contact {
    fn default() -> Self {
        Self {
            silent_after: i64::MAX,
            extra: i64::MIN,
        }
    }
}

impl Contact {
    /// Switches the device on or off. `now` is seconds since 1970.
    pub(crate) fn switch(&mut self, on: bool, now: i64) {
        self.silent_after = if on { i64::MAX } else { self.silent_after.min(now) };
    }
}

/// The last contact of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastContact {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// Counts the contacts; what was reported is drawn from it.
    pub(crate) number: i64,
}

impl Device {
    /// Whether Google can reach it: enrolled, switched on, and in a state in which it talks. `now` is seconds
    /// since 1970.
    pub(crate) fn is_online(&self, now: i64) -> bool {
        self.last_enrolled != 0
            && self.contact.silent_after > now
            && self.status.talks()
            && self.presence == Presence::Listed
    }

    /// The last contact at this time, if there ever was one since the enrolment.
    pub(crate) fn last_contact(&self, now: i64) -> Option<LastContact> {
        if self.last_enrolled == 0 || self.last_enrolled > now {
            return None;
        }
        let limit = now.min(self.contact.silent_after);
        let regular = self.regular_contact(limit);
        let enrolment = LastContact {
            at: self.last_enrolled,
            number: 0,
        };
        let extra = LastContact {
            at: self.contact.extra,
            number: regular.number.saturating_mul(2) ^ i64::MAX,
        };
        let mut last = if regular.at > enrolment.at {
            regular
        } else {
            enrolment
        };
        if extra.at > last.at && extra.at <= now {
            last = extra;
        }
        Some(last)
    }

    /// The n-th contact before the last one, for reports that keep a history.
    pub(crate) fn earlier_contact(&self, last: LastContact, steps: i64) -> LastContact {
        if steps == 0 {
            return last;
        }
        let before = self.regular_contact(last.at);
        // The last contact is either a regular one itself or came between two of them.
        let back = if before.at == last.at { steps } else { steps - 1 };
        self.numbered_contact(before.number - back)
    }

    fn period(&self) -> i64 {
        let tolerance = PERIOD_SECONDS / 5;
        PERIOD_SECONDS + self.hardware_draw("period").between(-tolerance, tolerance)
    }

    fn phase(&self) -> i64 {
        self.hardware_draw("phase").between(0, self.period() - 1)
    }

    fn regular_contact(&self, limit: i64) -> LastContact {
        let number = (limit - self.phase()).div_euclid(self.period());
        let latest = self.numbered_contact(number);
        if latest.at <= limit {
            latest
        } else {
            self.numbered_contact(number - 1)
        }
    }

    fn numbered_contact(&self, number: i64) -> LastContact {
        let period = self.period();
        let delay = self
            .hardware_draw("delay")
            .at(number.cast_unsigned())
            .between(0, period / 10);
        LastContact {
            at: number * period + self.phase() + delay,
            number,
        }
    }

    /// Draws for what was reported at one contact.
    pub(crate) fn report_draw(&self, label: &str, contact: LastContact) -> Draw {
        self.hardware_draw(label).at(contact.number.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceId, DeviceStatus};

    const NOW: i64 = 1_795_000_000;

    fn device(seed: u64) -> Device {
        let mut device = Device::new(DeviceId::draw(Draw::new(seed)), 1, seed, seed);
        device.last_enrolled = NOW - 400 * 86_400;
        device
    }

    #[test]
    fn contacts_never_lie_in_the_future_or_run_backwards() {
        for seed in 0..200 {
            let device = device(seed);
            let mut before = device.last_contact(NOW).unwrap();
            for step in 1..200 {
                let now = NOW + step * 601;
                let contact = device.last_contact(now).unwrap();
                assert!(
                    contact.at <= now && contact.at >= before.at,
                    "{contact:?} after {before:?}"
                );
                assert!(now - contact.at < 2 * PERIOD_SECONDS);
                assert_eq!(contact.at == before.at, contact.number == before.number);
                let history: Vec<i64> = (0..5)
                    .map(|step| device.earlier_contact(contact, step).at)
                    .collect();
                assert!(
                    history.is_sorted_by(|later, earlier| later > earlier),
                    "{history:?}"
                );
                before = contact;
            }
        }
    }

    #[test]
    fn a_silent_device_stays_where_it_was() {
        let mut device = device(3);
        device.contact.silent_after = NOW;
        let last = device.last_contact(NOW).unwrap();
        assert_eq!(device.last_contact(NOW + 90 * 86_400), Some(last));
        device.contact.extra = NOW + 10;
        assert_eq!(device.last_contact(NOW + 9), Some(last));
        assert_eq!(device.last_contact(NOW + 11).unwrap().at, NOW + 10);
    }

    #[test]
    fn only_a_device_that_talks_is_online() {
        let mut device = device(5);
        assert!(device.is_online(NOW));
        device.contact.silent_after = NOW;
        assert!(!device.is_online(NOW) && device.is_online(NOW - 1));
        device.contact.silent_after = i64::MAX;
        device.status = DeviceStatus::Disabled;
        assert!(device.is_online(NOW), "a disabled device still talks");
        device.status = DeviceStatus::Deprovisioned;
        assert!(!device.is_online(NOW));
        device.status = DeviceStatus::Active;
        device.presence = Presence::Vanished;
        assert!(!device.is_online(NOW));
    }

    #[test]
    fn a_device_that_was_never_enrolled_has_no_contact() {
        let mut device = device(4);
        device.last_enrolled = 0;
        assert_eq!(device.last_contact(NOW), None);
        assert!(!device.is_online(NOW));
    }
}
