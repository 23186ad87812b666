//! Every order of events of the protocol, checked exhaustively within bounds.
//!
//! The decisions and the records are the real ones ([`plan`], [`record`], [`news`]); the model is the world around them:
//! an API server that lets one write of a version win, two operator processes that may die at any step, answers that
//! are lost, writes and effects that come late, a clock that passes every deadline (and may be wrong in one process),
//! and a person who deletes the action and applies it again.
//!
//! A second run takes the claim out and has to find the double effect: else the model would prove nothing.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use stateright::{Checker, Model, Property};

use super::facts::{Clocks, Facts, Lookup, Passed};
use super::news;
use super::plan::{self, Act};
use super::preflight::Target;
use super::record::{self, AttemptEnd, Why};
use super::request;
use super::testing;
use crate::api::action::{ActionState, ActionType};
use crate::api::receipt::{DeviceActionReceipt, DeviceActionReceiptSpec};
use crate::google::CommandStatus;

/// What the clock shows, in seconds: the claim; past the attempt's deadline; past everything in flight, while the device
/// is watched; past notAfter and every patience. The last is beyond what the model explores: what is open then must end.
const TIMES: [i64; 5] = [0, 20, 80, 100_000, 200_000];

/// The last moment that is explored.
const LAST: usize = TIMES.len() - 2;

/// Attempts of one process; more say nothing new.
const MOST_ATTEMPTS: u8 = 3;

/// A record that can be compared and hashed.
#[derive(Clone)]
struct Record {
    text: Arc<str>,
    spec: Arc<DeviceActionReceiptSpec>,
}

impl Record {
    fn of(spec: DeviceActionReceiptSpec) -> Self {
        Self {
            text: serde_json::to_string(&spec).unwrap().into(),
            spec: Arc::new(spec),
        }
    }

    fn spec(&self) -> DeviceActionReceiptSpec {
        DeviceActionReceiptSpec::clone(&self.spec)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Record {}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    /// UID of the action, if it exists.
    action: Option<u8>,
    uids: u8,
    receipt: Option<(u8, Record)>,
    processes: [Process; 2],
    /// How often it was done to the device.
    effects: u8,
    /// What is on its way without anybody waiting for it.
    loose: Vec<Loose>,
    clock: usize,
    /// How many mishaps may still happen.
    mishaps: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Loose {
    Effect,
    Write { expects: Option<u8>, record: Record },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Process {
    step: Step,
    /// How its attempt of this ID ended, until that is recorded.
    end: Option<(String, End)>,
    /// The last attempt that it saw, and when first.
    seen: Option<(String, usize)>,
    attempts: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
enum Step {
    #[default]
    Idle,
    /// The device was checked; the claim follows.
    Cleared { seen: Option<(u8, Record)> },
    /// The write has won.
    Claimed { id: String, record: Record, at: usize },
    /// It was looked at once more, and the request is out.
    Posted { id: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    NotSent,
    Accepted,
    Refused,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Look(usize),
    Claim(usize, Claim),
    Send(usize),
    Answer(usize, Answer),
    Die(usize),
    Tick,
    Delete,
    ApplyAgain,
    Arrives(usize),
}

/// What becomes of the write that claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Plain,
    /// It is stored, its answer is lost, and the client repeats it.
    Repeated,
    /// No clear answer; it was stored, or will be, or never.
    UnclearStored,
    UnclearLate,
    UnclearNever,
}

/// What becomes of the request to Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    Refused,
    TurnedAway,
    DoneAndLost,
    LateAndLost,
    LostOnTheWay,
}

struct Protocol {
    type_: ActionType,
    /// An action that nothing speaks against.
    facts: Facts,
    mishaps: u8,
    /// How wrong the clock of the second process is, in seconds.
    skew: i64,
    /// Whether only the winner of the claim may send.
    claim: bool,
}

impl World {
    fn record(&self) -> Option<DeviceActionReceiptSpec> {
        self.receipt.as_ref().map(|(_, record)| record.spec())
    }

    /// A write with a precondition: that there is no receipt, or that it has this version.
    fn write(&mut self, expects: Option<u8>, record: Record) -> Option<u8> {
        let version = self.receipt.as_ref().map(|(version, _)| *version);
        if version != expects {
            return None;
        }
        let next = version.unwrap_or_default() + 1;
        self.receipt = Some((next, record));
        Some(next)
    }
}

impl End {
    fn real(self, type_: ActionType) -> AttemptEnd {
        let why = || Why::own("m");
        match self {
            Self::NotSent => AttemptEnd::NotSent(why()),
            Self::Accepted => AttemptEnd::Accepted(type_.is_command().then(|| "77".to_owned())),
            Self::Refused => AttemptEnd::Refused(why()),
            Self::Unknown => AttemptEnd::Unknown(why()),
        }
    }
}

impl Protocol {
    fn clocks(&self, world: &World, process: usize) -> Clocks {
        let google = testing::at(TIMES[world.clock]);
        let skew = if process == 1 { self.skew } else { 0 };
        Clocks {
            own: google + SignedDuration::from_secs(skew),
            google: Some(google),
        }
    }

    fn now(&self, world: &World, process: usize) -> Timestamp {
        self.clocks(world, process).own
    }

    fn facts(&self, world: &World, process: usize) -> Facts {
        let me = &world.processes[process];
        let mut facts = self.facts.clone();
        facts.clocks = self.clocks(world, process);
        match world.action {
            None => facts.action = None,
            Some(uid) => facts.action.as_mut().unwrap().metadata.uid = Some(format!("uid-{uid}")),
        }
        if let Some(record) = world.record() {
            if let Some(last) = record.attempts.last() {
                let seen = me.seen.as_ref().filter(|(id, _)| *id == last.id);
                let since = seen.map_or(0, |(_, since)| TIMES[world.clock] - TIMES[*since]);
                facts.memory.attempt_seen = Duration::from_secs(since.unsigned_abs());
                let end = me.end.as_ref().filter(|(id, _)| *id == last.id);
                facts.memory.attempt_end = end.map(|(_, end)| end.real(self.type_));
            }
            facts.receipt = Some(DeviceActionReceipt::new("mine", record));
            facts.lookup = Lookup::NotNeeded;
        }
        facts
    }

    fn look(&self, world: &mut World, process: usize) {
        let facts = self.facts(world, process);
        let now = self.now(world, process);
        let seen = world.receipt.clone();
        let expects = seen.as_ref().map(|(version, _)| *version);
        if let Some(last) = facts
            .receipt
            .as_ref()
            .and_then(|receipt| receipt.spec.attempts.last())
        {
            let known = world.processes[process]
                .seen
                .as_ref()
                .is_some_and(|(id, _)| *id == last.id);
            if !known {
                world.processes[process].seen = Some((last.id.clone(), world.clock));
            }
        }
        match plan::plan(&facts, &testing::settings()).act {
            Act::Nothing => {}
            Act::Refuse(verdict) => {
                let request = request::request_of(facts.action.as_ref().unwrap(), None, None);
                world.write(None, Record::of(record::tombstone(fixed(request), &verdict, now)));
            }
            Act::Attempt(Target { .. }) | Act::AttemptAgain(Target { .. }) => {
                if world.processes[process].attempts < MOST_ATTEMPTS {
                    world.processes[process].step = Step::Cleared { seen };
                }
            }
            Act::End(verdict) => {
                let next = record::ended(world.record().unwrap(), &verdict, now);
                world.write(expects, Record::of(next));
            }
            Act::Record(_) => self.record_end(world, process),
            Act::AskDevice => {
                let state = if world.effects > 0 { "DISABLED" } else { "ACTIVE" };
                let device = serde_json::json!({ "deviceId": "device-1", "status": state });
                let device = serde_json::from_value(device).unwrap();
                if let Some(next) = news::of_device(&world.record().unwrap(), Some(&device), now) {
                    world.write(expects, Record::of(next));
                }
            }
            Act::AskCommand { .. } => {
                let executed = serde_json::json!({ "state": "EXECUTED_BY_CLIENT", "commandResult": { "result": "SUCCESS" } });
                let answer: CommandStatus = serde_json::from_value(executed).unwrap();
                let answer = (world.effects > 0).then_some(&answer);
                let patience = testing::settings().command_patience;
                let next = news::of_command(world.record().unwrap(), answer, patience, now);
                world.write(expects, Record::of(next));
            }
        }
    }

    /// Records how the attempt ended; somebody else's write in between is taken up.
    fn record_end(&self, world: &mut World, process: usize) {
        let Some((id, end)) = world.processes[process].end.clone() else {
            return;
        };
        if let Some((version, stored)) = world.receipt.clone() {
            let next = record::with_end(
                stored.spec(),
                &id,
                &end.real(self.type_),
                self.now(world, process),
            );
            world.write(Some(version), Record::of(next));
        }
        world.processes[process].end = None;
    }

    fn claim(&self, world: &mut World, process: usize, how: Claim) {
        let Step::Cleared { seen } = world.processes[process].step.clone() else {
            return;
        };
        let me = &mut world.processes[process];
        me.attempts += 1;
        me.step = Step::Idle;
        let id = format!("p{process}-{}", me.attempts);
        let now = self.now(world, process);
        let before = seen.as_ref().map(|(_, stored)| stored.spec());
        let number = before.as_ref().map_or(0, |record| record.attempts.len());
        let attempt = record::attempt(number, &id, "p", now, now + SignedDuration::from_secs(10));
        let wanted = if let Some(record) = before {
            record::with_attempt(record, attempt)
        } else {
            let Some(uid) = world.action else { return };
            let mut action = self.facts.action.clone().unwrap();
            action.metadata.uid = Some(format!("uid-{uid}"));
            let request = request::request_of(&action, Some(&testing::tenant()), Some(&testing::target()));
            record::claimed(fixed(request), attempt)
        };
        let (expects, record) = (seen.map(|(version, _)| version), Record::of(wanted));
        let unclear = |world: &mut World| {
            world.processes[process].end = Some((id.clone(), End::NotSent));
        };
        match how {
            Claim::Plain | Claim::Repeated => {
                let won = world.write(expects, record.clone());
                // The mistake that the model has to notice: whoever lost sends all the same.
                if won.is_none() && self.claim {
                    // Nobody has seen this ID.
                    world.processes[process].attempts -= 1;
                    return;
                }
                let at = world.clock;
                world.processes[process].step = Step::Claimed { id, record, at };
            }
            Claim::UnclearStored => {
                world.write(expects, record);
                unclear(world);
            }
            Claim::UnclearLate => {
                world.loose.push(Loose::Write { expects, record });
                unclear(world);
            }
            Claim::UnclearNever => unclear(world),
        }
    }

    fn ends(&self, world: &mut World, process: usize, id: String, end: End) {
        world.processes[process].step = Step::Idle;
        world.processes[process].end = Some((id, end));
        self.record_end(world, process);
    }

    fn answer(&self, world: &mut World, process: usize, answer: Answer) {
        let Step::Posted { id } = world.processes[process].step.clone() else {
            return;
        };
        let end = match answer {
            Answer::Done | Answer::DoneAndLost => {
                world.effects += 1;
                if answer == Answer::Done {
                    End::Accepted
                } else {
                    End::Unknown
                }
            }
            Answer::Refused => End::Refused,
            Answer::TurnedAway => End::NotSent,
            Answer::LateAndLost => {
                world.loose.push(Loose::Effect);
                End::Unknown
            }
            Answer::LostOnTheWay => End::Unknown,
        };
        self.ends(world, process, id, end);
    }
}

/// The same request whatever the clock on the wall shows while the model runs.
fn fixed(mut request: crate::api::receipt::ReceiptRequest) -> crate::api::receipt::ReceiptRequest {
    request.created_time = record::whole(testing::now());
    request
}

impl Model for Protocol {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            action: Some(1),
            uids: 1,
            receipt: None,
            processes: [Process::default(), Process::default()],
            effects: 0,
            loose: Vec::new(),
            clock: 0,
            mishaps: self.mishaps,
        }]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        for (process, me) in world.processes.iter().enumerate() {
            match me.step {
                Step::Idle => events.push(Event::Look(process)),
                Step::Cleared { .. } => {
                    events.push(Event::Claim(process, Claim::Plain));
                    if world.mishaps > 0 {
                        for how in [
                            Claim::Repeated,
                            Claim::UnclearStored,
                            Claim::UnclearLate,
                            Claim::UnclearNever,
                        ] {
                            events.push(Event::Claim(process, how));
                        }
                    }
                }
                Step::Claimed { .. } => events.push(Event::Send(process)),
                Step::Posted { .. } => {
                    events
                        .extend([Answer::Done, Answer::Refused].map(|answer| Event::Answer(process, answer)));
                    if world.mishaps > 0 {
                        for answer in [
                            Answer::TurnedAway,
                            Answer::DoneAndLost,
                            Answer::LateAndLost,
                            Answer::LostOnTheWay,
                        ] {
                            events.push(Event::Answer(process, answer));
                        }
                    }
                }
            }
            let has_something_to_lose = me.step != Step::Idle || me.end.is_some();
            if world.mishaps > 0 && has_something_to_lose {
                events.push(Event::Die(process));
            }
        }
        if world.clock < LAST {
            events.push(Event::Tick);
        }
        if world.uids == 1 {
            events.push(if world.action.is_some() {
                Event::Delete
            } else {
                Event::ApplyAgain
            });
        }
        events.extend((0..world.loose.len()).map(Event::Arrives));
    }

    fn next_state(&self, before: &World, event: Event) -> Option<World> {
        let mut world = before.clone();
        match event {
            Event::Look(process) => self.look(&mut world, process),
            Event::Claim(process, how) => {
                if how != Claim::Plain {
                    world.mishaps -= 1;
                }
                self.claim(&mut world, process, how);
            }
            Event::Send(process) => {
                let Step::Claimed { id, record, at } = world.processes[process].step.clone() else {
                    return None;
                };
                let request = &record.spec.request;
                let stands =
                    world.action.map(|uid| format!("uid-{uid}")).as_ref() == Some(&request.action_uid);
                let in_time = self.clocks(&world, process).passed(request.not_after.0) == Passed::No;
                // The gate in the body: the window of the attempt is shorter than a tick.
                if stands && in_time && at == world.clock {
                    world.processes[process].step = Step::Posted { id };
                } else {
                    self.ends(&mut world, process, id, End::NotSent);
                }
            }
            Event::Answer(process, answer) => {
                if !matches!(answer, Answer::Done | Answer::Refused) {
                    world.mishaps -= 1;
                }
                self.answer(&mut world, process, answer);
            }
            Event::Die(process) => {
                world.mishaps -= 1;
                // What it had sent may be under way: the effect comes, or it does not.
                if let Step::Posted { .. } = world.processes[process].step {
                    world.loose.push(Loose::Effect);
                }
                let attempts = world.processes[process].attempts;
                world.processes[process] = Process {
                    attempts,
                    ..Process::default()
                };
            }
            Event::Tick => world.clock += 1,
            Event::Delete => world.action = None,
            Event::ApplyAgain => {
                world.uids = 2;
                world.action = Some(2);
            }
            Event::Arrives(index) => match world.loose.remove(index) {
                Loose::Effect => world.effects += 1,
                Loose::Write { expects, record } => {
                    world.write(expects, record);
                }
            },
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("done at most once", |_, world: &World| {
                let coming = world
                    .loose
                    .iter()
                    .filter(|loose| **loose == Loose::Effect)
                    .count();
                usize::from(world.effects) + coming <= 1
            }),
            Property::always("never two senders", |_, world: &World| {
                let posted = |process: &&Process| matches!(process.step, Step::Posted { .. });
                world.processes.iter().filter(posted).count() <= 1
            }),
            Property::always("what is told to have been done was done", |_, world: &World| {
                state_of(world) != Some(ActionState::Succeeded) || world.effects > 0
            }),
            Property::always(
                "what is told not to have been done was not, and will not be",
                |_, world: &World| {
                    let denied = matches!(
                        state_of(world),
                        Some(ActionState::Failed | ActionState::Rejected | ActionState::Expired)
                    );
                    let coming = world.loose.contains(&Loose::Effect);
                    let posted = world
                        .processes
                        .iter()
                        .any(|process| matches!(process.step, Step::Posted { .. }));
                    !denied || (world.effects == 0 && !coming && !posted)
                },
            ),
            Property::always("it ends", |model: &Self, world: &World| {
                let over = world.clock == LAST
                    && world.loose.is_empty()
                    && world.processes.iter().all(|process| process.step == Step::Idle);
                if !over || (world.receipt.is_none() && world.action.is_none()) {
                    return true;
                }
                // Nothing is on its way and every deadline has passed: a few looks must end it.
                let mut world = world.clone();
                model.look(&mut world, 0);
                world.clock += 1;
                for _ in 0..3 {
                    model.look(&mut world, 0);
                }
                world.record().is_some_and(|record| record.state.is_final())
            }),
            Property::sometimes("done, and told so", |_, world: &World| {
                state_of(world) == Some(ActionState::Succeeded)
            }),
            Property::sometimes("nobody knows", |_, world: &World| {
                state_of(world) == Some(ActionState::OutcomeUnknown)
            }),
            Property::sometimes("refused", |_, world: &World| {
                state_of(world) == Some(ActionState::Failed)
            }),
            Property::sometimes("expired", |_, world: &World| {
                state_of(world) == Some(ActionState::Expired)
            }),
            Property::sometimes("deleted before it was sent", |_, world: &World| {
                state_of(world) == Some(ActionState::Rejected)
            }),
            Property::sometimes("sent by a second attempt", |_, world: &World| {
                world.effects == 1 && world.record().is_some_and(|record| record.attempts.len() > 1)
            }),
        ]
    }
}

fn state_of(world: &World) -> Option<ActionState> {
    world.record().map(|record| record.state)
}

fn explore(protocol: Protocol) -> impl Checker<Protocol> {
    protocol.checker().threads(2).spawn_dfs().join()
}

impl Protocol {
    fn new(type_: ActionType) -> Self {
        Self {
            type_,
            facts: testing::facts(type_),
            mishaps: 1,
            skew: 0,
            claim: true,
        }
    }
}

/// Explores both kinds of action, with true and with wrong clocks.
fn explore_all(mishaps: u8) {
    for (type_, skew) in [
        (ActionType::Wipe, 0),
        (ActionType::EnableLostMode, 0),
        (ActionType::Wipe, -3600),
        (ActionType::EnableLostMode, 50),
    ] {
        let checked = explore(Protocol {
            mishaps,
            skew,
            ..Protocol::new(type_)
        });
        let states = checked.unique_state_count();
        println!("{type_:?}, {mishaps} mishaps, skew {skew} s: {states} states");
        checked.assert_properties();
    }
}

#[test]
fn no_order_of_events_does_it_twice_or_lies() {
    explore_all(1);
}

#[test]
#[ignore = "explores tens of millions of states: `make prove`"]
fn no_order_of_events_with_two_mishaps_does_it_twice_or_lies() {
    explore_all(2);
}

#[test]
fn without_the_claim_the_model_finds_the_double_effect() {
    let checked = explore(Protocol {
        mishaps: 0,
        claim: false,
        ..Protocol::new(ActionType::Wipe)
    });
    let found = checked.discoveries();
    assert!(found.contains_key("done at most once"), "{:?}", found.keys());
}
