//! What the invented fleets are made of: device models and operating system versions.

/// The hardware of one model.
#[derive(Debug)]
pub(crate) struct Model {
    /// As the Admin console prints it.
    pub(crate) name: &'static str,
    /// Build target, the last word of `platformVersion`.
    pub(crate) board: &'static str,
    /// Name in the firmware version.
    pub(crate) firmware: &'static str,
    /// How the maker's serial numbers begin.
    pub(crate) serial_prefix: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) cpu_khz: i32,
    pub(crate) logical_cpus: u8,
    pub(crate) arm: bool,
    pub(crate) ram_gib: u32,
    pub(crate) storage_gb: u32,
    /// Year and month in which automatic updates end.
    pub(crate) support_ends: (i16, i8),
    /// A box for a screen on the wall: Ethernet, no battery, no backlight.
    pub(crate) desktop: bool,
    /// Hardware of another maker on which ChromeOS Flex was installed.
    pub(crate) flex: bool,
    /// How many of 1,000 devices are of this model.
    pub(crate) share: u32,
}

/// A laptop with an Intel processor; the rows below change what differs.
const LAPTOP: Model = Model {
    name: "",
    board: "dedede",
    firmware: "",
    serial_prefix: "",
    cpu: "Intel(R) Celeron(R) N4500 @ 1.10GHz",
    cpu_khz: 2_800_000,
    logical_cpus: 2,
    arm: false,
    ram_gib: 4,
    storage_gb: 32,
    support_ends: (2031, 6),
    desktop: false,
    flex: false,
    share: 60,
};

const DESKTOP: Model = Model {
    board: "puff",
    cpu: "Intel(R) Core(TM) i3-10110U CPU @ 2.10GHz",
    cpu_khz: 4_100_000,
    logical_cpus: 4,
    ram_gib: 8,
    storage_gb: 64,
    support_ends: (2030, 6),
    desktop: true,
    share: 15,
    ..LAPTOP
};

/// The models; the shares add up to 1,000 (a test counts).
pub(crate) const MODELS: [Model; 18] = [
    Model {
        name: "HP Chromebook 11 G9 EE",
        firmware: "Google_Lantis",
        serial_prefix: "5CD",
        share: 130,
        ..LAPTOP
    },
    Model {
        name: "Lenovo 100e Chromebook Gen 3",
        firmware: "Google_Bookem",
        serial_prefix: "YX0",
        share: 120,
        ..LAPTOP
    },
    Model {
        name: "Dell Chromebook 3110",
        firmware: "Google_Beadrix",
        serial_prefix: "",
        share: 115,
        ..LAPTOP
    },
    Model {
        name: "Acer Chromebook 311 (C723)",
        board: "corsola",
        firmware: "Google_Voltorb",
        serial_prefix: "NXKKD",
        cpu: "MediaTek MT8186",
        cpu_khz: 2_000_000,
        logical_cpus: 8,
        arm: true,
        support_ends: (2033, 6),
        share: 100,
        ..LAPTOP
    },
    Model {
        name: "ASUS Chromebook CR1100CKA",
        firmware: "Google_Galtic",
        serial_prefix: "M8N",
        share: 80,
        ..LAPTOP
    },
    Model {
        name: "Lenovo 300e Chromebook Gen 4",
        board: "corsola",
        firmware: "Google_Steelix",
        serial_prefix: "PF5",
        cpu: "MediaTek MT8186",
        cpu_khz: 2_000_000,
        logical_cpus: 8,
        arm: true,
        support_ends: (2032, 6),
        share: 80,
        ..LAPTOP
    },
    Model {
        name: "HP Chromebook x360 11 G4 EE",
        firmware: "Google_Drawcia",
        serial_prefix: "5CG",
        share: 70,
        ..LAPTOP
    },
    Model {
        name: "Acer Chromebook Spin 511 R753T",
        firmware: "Google_Magolor",
        serial_prefix: "NXA8Z",
        share: 60,
        ..LAPTOP
    },
    Model {
        name: "Samsung Chromebook 4",
        board: "octopus",
        firmware: "Google_Blooglet",
        serial_prefix: "0DS8",
        cpu: "Intel(R) Celeron(R) N4000 CPU @ 1.10GHz",
        support_ends: (2028, 6),
        share: 40,
        ..LAPTOP
    },
    Model {
        name: "CTL Chromebook NL72",
        firmware: "Google_Kracko",
        serial_prefix: "NL72T",
        share: 40,
        ..LAPTOP
    },
    Model {
        name: "Lenovo 14e Chromebook Gen 3",
        board: "nissa",
        firmware: "Google_Craask",
        serial_prefix: "YD0",
        cpu: "Intel(R) N100",
        cpu_khz: 3_400_000,
        logical_cpus: 4,
        ram_gib: 8,
        storage_gb: 64,
        support_ends: (2033, 6),
        share: 40,
        ..LAPTOP
    },
    Model {
        name: "Dell Latitude 5430 Chromebook Enterprise",
        board: "brya",
        firmware: "Google_Crota",
        serial_prefix: "",
        cpu: "12th Gen Intel(R) Core(TM) i5-1245U",
        cpu_khz: 4_400_000,
        logical_cpus: 12,
        ram_gib: 16,
        storage_gb: 256,
        support_ends: (2032, 6),
        share: 30,
        ..LAPTOP
    },
    Model {
        name: "HP Elite Dragonfly Chromebook",
        board: "brya",
        firmware: "Google_Redrix",
        serial_prefix: "5CD",
        cpu: "12th Gen Intel(R) Core(TM) i7-1265U",
        cpu_khz: 4_800_000,
        logical_cpus: 12,
        ram_gib: 16,
        storage_gb: 256,
        support_ends: (2032, 6),
        share: 15,
        ..LAPTOP
    },
    Model {
        name: "Acer Chromebox CXI4",
        firmware: "Google_Kaisa",
        serial_prefix: "DTZ1N",
        share: 25,
        ..DESKTOP
    },
    Model {
        name: "ASUS Chromebox 4",
        firmware: "Google_Duffy",
        serial_prefix: "L2M",
        ..DESKTOP
    },
    Model {
        name: "HP Chromebox G3",
        firmware: "Google_Noibat",
        serial_prefix: "8CN",
        share: 10,
        ..DESKTOP
    },
    Model {
        name: "Dell Inc. OptiPlex 7050",
        board: "reven",
        firmware: "Dell Inc._1.18.0",
        serial_prefix: "",
        cpu: "Intel(R) Core(TM) i5-7500 CPU @ 3.40GHz",
        cpu_khz: 3_800_000,
        storage_gb: 256,
        support_ends: (2028, 12),
        flex: true,
        ..DESKTOP
    },
    Model {
        name: "LENOVO 20L5CTO1WW",
        board: "reven",
        firmware: "LENOVO_N24ET61W",
        serial_prefix: "PF1",
        cpu: "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz",
        cpu_khz: 3_400_000,
        logical_cpus: 8,
        ram_gib: 8,
        storage_gb: 256,
        support_ends: (2028, 12),
        flex: true,
        share: 15,
        ..LAPTOP
    },
];

/// An operating system version: a milestone and how many updates it has had since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OsVersion {
    pub(crate) milestone: u16,
    pub(crate) update: u8,
}

impl OsVersion {
    /// The version that is new at this time (seconds since 1970): a milestone every four weeks.
    pub(crate) fn current_at(seconds: i64) -> Self {
        // Milestone 138 began to roll out on 2025-07-01.
        const FIRST: i64 = 1_751_328_000;
        const FOUR_WEEKS: i64 = 28 * 86_400;
        let steps = (seconds - FIRST).div_euclid(FOUR_WEEKS).clamp(-37, 800);
        Self {
            milestone: u16::try_from(138 + steps).unwrap_or(138),
            update: 2,
        }
    }

    /// `osVersion`.
    pub(crate) fn text(self) -> String {
        let build = 7204 + (u32::from(self.milestone).saturating_sub(138)) * 68;
        format!(
            "{}.0.{build}.{}",
            self.milestone,
            121 + 37 * u32::from(self.update)
        )
    }

    /// The number in front of `platformVersion`.
    pub(crate) fn platform(self) -> String {
        let build = 16_295 + (u32::from(self.milestone).saturating_sub(138)) * 38;
        format!("{build}.{}.0", 54 + 10 * u32::from(self.update))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_the_models_add_up() {
        assert_eq!(MODELS.iter().map(|model| model.share).sum::<u32>(), 1000);
        assert!(
            MODELS
                .iter()
                .all(|model| !model.name.is_empty() && !model.firmware.is_empty())
        );
    }

    #[test]
    fn versions_look_like_versions() {
        let version = OsVersion::current_at(1_795_000_000);
        assert_eq!(version.milestone, 156);
        assert_eq!(version.text(), "156.0.8428.195");
        assert_eq!(OsVersion::current_at(0).milestone, 101);
    }
}
