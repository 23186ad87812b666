//! Which change of state is allowed from which state, and what it does to the licences.
//!
//! Google documents the states but no table of transitions; this one follows what users report of the refusals
//! (`Illegal device state transition.`, `Delinquent account.`).

use crate::device::{DeprovisionReason, DeviceStatus, Mode};

/// A change of state that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusChange {
    Disable,
    Reenable,
    Deprovision(DeprovisionReason),
    DisablePreProvisioned,
    ReenablePreProvisioned,
}

impl StatusChange {
    /// The state in which it ends.
    pub(crate) const fn target(self) -> DeviceStatus {
        match self {
            Self::Disable => DeviceStatus::Disabled,
            Self::Reenable => DeviceStatus::Active,
            Self::Deprovision(_) => DeviceStatus::Deprovisioned,
            // Which of its two kinds a waiting record is of is not shown.
            Self::DisablePreProvisioned | Self::ReenablePreProvisioned => DeviceStatus::PreProvisioned,
        }
    }
}

/// Why a change of state was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    IllegalTransition,
    Delinquent,
    NoLicence,
}

impl Refusal {
    /// Google's words.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::IllegalTransition => "Illegal device state transition.",
            Self::Delinquent => "Delinquent account.",
            Self::NoLicence => "No licenses are available.",
        }
    }
}

/// The licences of a customer that no device uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Licences {
    /// `None`: they never run out.
    pub(crate) available: Option<u32>,
}

impl Licences {
    fn take(&mut self) -> Result<(), Refusal> {
        match &mut self.available {
            None => Ok(()),
            Some(0) => Err(Refusal::NoLicence),
            Some(available) => {
                *available -= 1;
                Ok(())
            }
        }
    }

    fn give_back(&mut self) {
        self.available = self.available.map(|available| available.saturating_add(1));
    }
}

/// Whether the change is allowed; if so, moves its licence.
pub(crate) fn judge(
    status: DeviceStatus,
    mode: Mode,
    change: StatusChange,
    licences: &mut Licences,
) -> Result<(), Refusal> {
    match (change, status) {
        (StatusChange::Disable, DeviceStatus::Active) => {
            licences.give_back();
            Ok(())
        }
        (StatusChange::Reenable, DeviceStatus::Disabled) => licences.take(),
        (StatusChange::Deprovision(reason), DeviceStatus::Active) => {
            if returns_licence(reason, mode) {
                licences.give_back();
            }
            Ok(())
        }
        // A disabled device holds no licence.
        (StatusChange::Deprovision(_), DeviceStatus::Disabled)
        | (
            StatusChange::DisablePreProvisioned | StatusChange::ReenablePreProvisioned,
            DeviceStatus::PreProvisioned,
        ) => Ok(()),
        (StatusChange::Deprovision(_), DeviceStatus::Delinquent) => Err(Refusal::Delinquent),
        (
            StatusChange::Disable
            | StatusChange::Reenable
            | StatusChange::Deprovision(_)
            | StatusChange::DisablePreProvisioned
            | StatusChange::ReenablePreProvisioned,
            DeviceStatus::Active
            | DeviceStatus::Disabled
            | DeviceStatus::Deprovisioned
            | DeviceStatus::Delinquent
            | DeviceStatus::PreProvisioned
            | DeviceStatus::Inactive
            | DeviceStatus::ReturnRequested
            | DeviceStatus::ReturnArrived
            | DeviceStatus::Shipped
            | DeviceStatus::Unknown,
        ) => Err(Refusal::IllegalTransition),
    }
}

/// Laptops of the fleet have perpetual licences, which stay with the machine unless another one takes its place;
/// kiosks have annual ones, which always come back.
const fn returns_licence(reason: DeprovisionReason, mode: Mode) -> bool {
    match reason {
        DeprovisionReason::SameModelReplacement
        | DeprovisionReason::UpgradeTransfer
        | DeprovisionReason::NotRequired
        | DeprovisionReason::RepairCenter => true,
        DeprovisionReason::DifferentModelReplacement | DeprovisionReason::RetiringDevice => {
            matches!(mode, Mode::Kiosk)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETIRE: StatusChange = StatusChange::Deprovision(DeprovisionReason::RetiringDevice);

    fn judged(change: StatusChange, status: DeviceStatus) -> Result<(), Refusal> {
        judge(status, Mode::UserSession, change, &mut Licences::default())
    }

    #[test]
    fn every_change_is_allowed_from_its_states_only() {
        use DeviceStatus as S;
        for (change, from) in [
            (StatusChange::Disable, &[S::Active][..]),
            (StatusChange::Reenable, &[S::Disabled]),
            (RETIRE, &[S::Active, S::Disabled]),
            (StatusChange::DisablePreProvisioned, &[S::PreProvisioned]),
            (StatusChange::ReenablePreProvisioned, &[S::PreProvisioned]),
        ] {
            for status in S::ALL {
                let expected = if from.contains(&status) {
                    Ok(())
                } else if (change, status) == (RETIRE, S::Delinquent) {
                    Err(Refusal::Delinquent)
                } else {
                    Err(Refusal::IllegalTransition)
                };
                assert_eq!(judged(change, status), expected, "{change:?} {status:?}");
            }
        }
    }

    #[test]
    fn licences_are_taken_and_come_back() {
        use DeprovisionReason as R;
        use DeviceStatus as S;
        use StatusChange as C;
        for (change, status, mode, after) in [
            (C::Disable, S::Active, Mode::UserSession, 3),
            (C::Reenable, S::Disabled, Mode::UserSession, 1),
            (C::Deprovision(R::RetiringDevice), S::Active, Mode::UserSession, 2),
            (C::Deprovision(R::RetiringDevice), S::Active, Mode::Kiosk, 3),
            (
                C::Deprovision(R::DifferentModelReplacement),
                S::Active,
                Mode::UserSession,
                2,
            ),
            (
                C::Deprovision(R::SameModelReplacement),
                S::Active,
                Mode::UserSession,
                3,
            ),
            (
                C::Deprovision(R::UpgradeTransfer),
                S::Active,
                Mode::UserSession,
                3,
            ),
            (
                C::Deprovision(R::UpgradeTransfer),
                S::Disabled,
                Mode::UserSession,
                2,
            ),
            (C::Disable, S::Deprovisioned, Mode::UserSession, 2),
        ] {
            let mut licences = Licences { available: Some(2) };
            let _ = judge(status, mode, change, &mut licences);
            assert_eq!(licences.available, Some(after), "{change:?} {status:?} {mode:?}");
        }
    }

    #[test]
    fn without_a_licence_nothing_is_enabled_again() {
        let mut none = Licences { available: Some(0) };
        let reenable = |licences: &mut Licences| {
            judge(
                DeviceStatus::Disabled,
                Mode::UserSession,
                StatusChange::Reenable,
                licences,
            )
        };
        assert_eq!(reenable(&mut none), Err(Refusal::NoLicence));
        assert_eq!(none.available, Some(0));
        assert_eq!(reenable(&mut Licences::default()), Ok(()), "they never run out");
    }
}
