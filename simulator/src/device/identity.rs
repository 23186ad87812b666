//! What identifies a device: its id at Google, its serial number and its network addresses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::device::{Device, Text};
use crate::random::Draw;

/// The id of a device record: a UUID in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeviceId([u8; 16]);

impl DeviceId {
    pub(crate) fn draw(draw: Draw) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&draw.of("high").bits().to_be_bytes());
        bytes[8..].copy_from_slice(&draw.of("low").bits().to_be_bytes());
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text is not the id of any device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotADeviceId;

impl FromStr for DeviceId {
    type Err = NotADeviceId;

    fn from_str(text: &str) -> Result<Self, NotADeviceId> {
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (position, letter) in text.chars().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
                if letter != '-' {
                    return Err(NotADeviceId);
                }
                continue;
            }
            let digit = letter
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or(NotADeviceId)?;
            let byte = bytes.get_mut(digits / 2).ok_or(NotADeviceId)?;
            *byte = *byte << 4 | digit;
            digits += 1;
        }
        if digits == 32 {
            Ok(Self(bytes))
        } else {
            Err(NotADeviceId)
        }
    }
}

impl Device {
    /// `serialNumber`: unique to the machine, the same after a new enrolment.
    pub(crate) fn serial_number(&self) -> Cow<'_, str> {
        if let Some(edited) = self.edited(Text::SerialNumber) {
            return Cow::Borrowed(edited);
        }
        let letters = base36(scramble(u64::from(self.machine)));
        let model = self.model();
        Cow::Owned(if model.flex && model.serial_prefix.is_empty() {
            // Converted machines report whatever their maker wrote: blanks and small letters too.
            format!("Svc Tag {}", letters.to_lowercase())
        } else {
            format!("{}{letters}", model.serial_prefix)
        })
    }

    /// `macAddress`: twelve hexadecimal digits.
    pub(crate) fn wifi_mac(&self) -> String {
        format!("a4c3f0{}", self.hardware_draw("wifi").hex(6))
    }

    /// `ethernetMacAddress`, for machines with a socket.
    pub(crate) fn ethernet_mac(&self) -> Option<String> {
        self.model()
            .desktop
            .then(|| format!("0c9d92{}", self.hardware_draw("ethernet").hex(6)))
    }

    /// `dockMacAddress`: some machines have met a dock.
    pub(crate) fn dock_mac(&self) -> Option<String> {
        let draw = self.hardware_draw("dock");
        draw.chance(30)
            .then(|| format!("D8D090{}", draw.of("digits").hex(6).to_uppercase()))
    }

    /// `meid`: machines with a mobile modem.
    pub(crate) fn meid(&self) -> Option<String> {
        let draw = self.hardware_draw("modem");
        draw.chance(25)
            .then(|| format!("35{:013}", draw.of("number").below(10_000_000_000_000)))
    }
}

const SERIAL_SPACE: u64 = 36_u64.pow(7);

/// Spreads the numbers of the machines over all serial numbers without a collision: the factor is odd and not
/// divisible by 3, hence coprime to 36^7.
fn scramble(machine: u64) -> u64 {
    let product = u128::from(machine) * 48_271_598_327 + 7_777_777_777;
    u64::try_from(product % u128::from(SERIAL_SPACE)).unwrap_or(0)
}

fn base36(mut number: u64) -> String {
    let mut digits = [b'0'; 7];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::try_from(number % 36).unwrap_or(0)];
        number /= 36;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_is_a_uuid_and_reads_back() {
        for index in 0..1000 {
            let id = DeviceId::draw(Draw::new(index));
            let text = id.to_string();
            assert_eq!((text.len(), &text[14..15]), (36, "4"), "{text}");
            assert_eq!(text.parse(), Ok(id));
        }
        for wrong in [
            "",
            "SN12345",
            "0f8fad5b-d9cb-469f-a165-70867728950",
            "0f8fad5bd9cb469fa16570867728950e1234",
            "é",
        ] {
            assert_eq!(wrong.parse::<DeviceId>(), Err(NotADeviceId), "{wrong}");
        }
    }

    #[test]
    fn serial_numbers_do_not_collide() {
        let serials: BTreeSet<String> = (0..200_000).map(|machine| base36(scramble(machine))).collect();
        assert_eq!(serials.len(), 200_000);
    }
}
