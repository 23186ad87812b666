//! Random histories of one device: what has to hold whatever happens, and whoever looks.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{CommandSwitches, CommandType, StuckAt};
use crate::command::CommandState;
use crate::device::DeviceStatus;
use crate::fleet::{Fleet, Slot, Write, WriteKind, generate};
use crate::status_change::StatusChange;
use crate::witness::{Actor, Cause, Deeds};

const START: i64 = 1_795_000_000;

/// What happens to one device in a history.
#[derive(Debug, Clone)]
enum Happening {
    Wait(u32),
    Issue(CommandType, CommandSwitches),
    Switch(bool),
    Call,
    CancelLatest,
    Change(StatusChange),
    Console(DeviceStatus),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let course = (0_u32..700, 0_u32..20, 0_u32..20, 0_usize..4).prop_map(
        |(sent_after_seconds, acknowledged_after_seconds, executed_after_seconds, stuck)| CommandSwitches {
            sent_after_seconds,
            acknowledged_after_seconds,
            executed_after_seconds,
            stuck_at: [
                StuckAt::Nowhere,
                StuckAt::Pending,
                StuckAt::SentToClient,
                StuckAt::AckedByClient,
            ][stuck],
            ..CommandSwitches::default()
        },
    );
    let happening = prop_oneof![
        4 => prop_oneof![0_u32..30, 0_u32..2000, 0_u32..20_000_000].prop_map(Happening::Wait),
        4 => (prop::sample::select(CommandType::ALL.to_vec()), course)
            .prop_map(|(kind, switches)| Happening::Issue(kind, switches)),
        2 => any::<bool>().prop_map(Happening::Switch),
        1 => Just(Happening::Call),
        1 => Just(Happening::CancelLatest),
        1 => prop::sample::select(vec![StatusChange::Disable, StatusChange::Reenable])
            .prop_map(Happening::Change),
        1 => prop::sample::select(DeviceStatus::ALL.to_vec()).prop_map(Happening::Console),
    ];
    prop::collection::vec(happening, 1..40)
}

/// A device with a history; `looks` says how often somebody looks while time passes.
struct History {
    fleet: Fleet,
    slot: Slot,
    now: Timestamp,
    looks: i32,
    states: Vec<CommandState>,
    deeds: (Deeds, Deeds),
}

impl History {
    fn new(looks: i32) -> Self {
        let fleet = generate::fleet(7, "school.example", 40, START);
        let (slot, _) = fleet
            .listed()
            .find(|(_, device)| device.status == DeviceStatus::Active && device.is_online(START))
            .unwrap();
        Self {
            fleet,
            slot,
            now: Timestamp::from_second(START).unwrap(),
            looks,
            states: Vec::new(),
            deeds: <(Deeds, Deeds)>::default(),
        }
    }

    fn let_happen(&mut self, happening: &Happening) {
        let control = Cause::control(self.now);
        let slot = self.slot;
        match happening {
            Happening::Wait(seconds) => {
                let step = SignedDuration::from_secs(i64::from(*seconds)) / self.looks;
                let end = self.now + SignedDuration::from_secs(i64::from(*seconds));
                for _ in 0..self.looks {
                    self.now += step;
                    self.fleet.settle(self.now);
                    self.check();
                }
                self.now = end;
            }
            Happening::Issue(kind, switches) => {
                let payload = if *kind == CommandType::SetVolume {
                    "{\"volume\": 1}"
                } else {
                    ""
                };
                let drafted = self.fleet.draft_command(slot, *kind, payload, switches, self.now);
                if let Ok(new) = drafted {
                    self.write(WriteKind::Command(new));
                }
            }
            Happening::Switch(on) => self.fleet.change(slot, &control, |device| {
                device.contact.switch(*on, control.second());
            }),
            Happening::Call => self.fleet.called(slot, self.now),
            Happening::CancelLatest => {
                let latest = self.fleet.commands.of_device(slot).last().map(|(key, _)| key);
                if let Some(key) = latest {
                    self.fleet.commands.get_mut(key).unwrap().cancel(self.now);
                    self.fleet.re_appoint(key, self.now);
                }
            }
            Happening::Change(change) => self.write(WriteKind::Status {
                slots: vec![slot],
                change: *change,
            }),
            Happening::Console(status) => self.fleet.change(slot, &control, |device| {
                device.set_status(*status, control.second());
            }),
        }
        self.fleet.settle(self.now);
        self.check();
    }

    fn write(&mut self, kind: WriteKind) {
        let cause = Cause {
            by: Actor::Account("admin@school.example".into()),
            ..Cause::control(self.now)
        };
        let write = Write {
            cause,
            lag_seconds: 0,
            kind,
        };
        self.fleet.perform(self.now, &write);
    }

    /// No command goes back, no end is left, and nothing that was done is undone.
    fn check(&mut self) {
        let states: Vec<CommandState> = self
            .fleet
            .commands
            .iter()
            .map(|command| command.record(self.now))
            .collect();
        for (before, after) in self.states.iter().zip(&states) {
            assert!(
                before <= after && (!before.is_final() || before == after),
                "{before:?} {after:?}"
            );
        }
        self.states = states;
        let record = self.fleet.witness.of(self.slot).cloned().unwrap_or_default();
        assert!(not_less(record.api, self.deeds.0) && not_less(record.control, self.deeds.1));
        self.deeds = (record.api, record.control);
        let executed = self
            .fleet
            .commands
            .iter()
            .filter(|command| command.done.is_some())
            .count();
        let accepted: u64 = record.accepted.values().sum();
        assert!(executed <= usize::try_from(accepted).unwrap());
    }
}

fn not_less(after: Deeds, before: Deeds) -> bool {
    after.reboots >= before.reboots
        && after.user_wipes >= before.user_wipes
        && after.powerwashes >= before.powerwashes
        && after.deprovisions >= before.deprovisions
        && after.disables >= before.disables
        && after.reenables >= before.reenables
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn commands_never_go_back_and_it_does_not_matter_who_looks(happenings in happenings()) {
        let mut once = History::new(1);
        let mut often = History::new(5);
        for happening in &happenings {
            once.let_happen(happening);
            often.let_happen(happening);
            prop_assert_eq!(&once.states, &often.states);
            prop_assert_eq!(once.deeds, often.deeds);
        }
        let seen = |history: &History| format!("{:?}", history.fleet.device(history.slot));
        prop_assert_eq!(seen(&once), seen(&often));
    }
}
