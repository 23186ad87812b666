//! The operator dies at each named moment, for every order and every answer of Google: nothing is done twice, every
//! action has an end, and the end is true.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::runtime::moments::Moment;

use crate::disturbed::Disturbed;
use crate::orders::{Answer, Order, assert_true};
use crate::school::{School, state, told};
use crate::world::{Cluster, run};

/// Schools that are disturbed at the same time.
const SCHOOLS: usize = 12;
/// Cases of a school before another takes its place, each with a device of its own.
const CASES: usize = 60;
/// Not every device of a fleet takes every command.
const FLEET: u32 = 100;

#[derive(Debug, Clone, Copy)]
struct Case {
    moment: Moment,
    order: Order,
    answer: Answer,
}

impl Case {
    /// All, or so few of them that every two of moment, order and answer meet.
    fn all(pairwise: bool) -> VecDeque<Self> {
        let mut cases = VecDeque::new();
        for (m, moment) in Moment::ALL.into_iter().enumerate() {
            for (o, order) in Order::ALL.into_iter().enumerate() {
                for (a, answer) in Answer::ALL.into_iter().enumerate() {
                    if !pairwise || (m + a) % Order::ALL.len() == o {
                        cases.push_back(Self {
                            moment,
                            order,
                            answer,
                        });
                    }
                }
            }
        }
        cases
    }

    /// A refusal needs a device whose state does not allow the order; Google is then not asked to do anything.
    fn is_refused(self) -> bool {
        matches!(self.moment, Moment::BeforeRefusal | Moment::AfterRefusal)
    }

    /// Whether a death at this moment leaves the end as if nobody had died: nothing is claimed yet, or the end of the
    /// attempt is recorded. In between nobody but the dead process knew whether it had sent something. The moments after
    /// that belong to work beside an attempt, and that may be of the case before.
    fn keeps_the_end(self) -> bool {
        self.moment as usize <= Moment::BeforeClaim as usize || self.moment == Moment::AfterRecord
    }

    fn prepare(self, school: &School, number: usize) -> String {
        let device = school.prepared(number, self.order);
        if self.is_refused() {
            school.set_state(&device, "DEPROVISIONED");
        } else {
            self.answer.prepare(school, self.order, &device);
        }
        device
    }

    fn assert_end(self, told: &str, done: u64) {
        if self.is_refused() {
            assert_eq!(done, 0, "{self:?}");
            let ends = ["Rejected/StateForbids", "Succeeded/AlreadyInState"];
            assert!(ends.contains(&told), "{self:?}: {told}");
        } else if self.keeps_the_end() && self.answer != Answer::ClosedUnread {
            assert_eq!((told, done), self.answer.expected(self.order), "{self:?}");
        }
    }
}

/// What came of the cases.
#[derive(Default)]
struct Tally {
    cases: usize,
    deaths: BTreeMap<&'static str, usize>,
}

/// One school works cases off until none is left or its devices are used up.
async fn work(cluster: &Cluster, cases: &Mutex<VecDeque<Case>>, tally: &Mutex<Tally>) {
    let mut disturbed = Disturbed::start(cluster, FLEET).await;
    let mut ended = Vec::new();
    for number in 0..CASES {
        let Some(case) = cases.lock().unwrap().pop_front() else {
            break;
        };
        let device = case.prepare(&disturbed.school, number);
        disturbed.die_at(case.moment);
        let name = format!("case-{number}");
        disturbed.school.create(&name, case.order.spec(&device)).await;
        let (action, died) = disturbed.follow(&name).await;
        let mut tally = tally.lock().unwrap();
        tally.cases += 1;
        *tally.deaths.entry(case.moment.name()).or_default() += usize::from(died);
        ended.push((case, device, name, told(&action)));
    }
    // Late effects come, and an operator that was started again has had time for mischief.
    tokio::time::sleep(Duration::from_secs(3)).await;
    disturbed.revive();
    let school = &disturbed.school;
    for (case, device, name, first) in ended {
        let action = school.action(&name).await;
        assert_eq!(told(&action), first, "{case:?}: an end never changes");
        let done = case.order.done(school, &device);
        if !case.is_refused() {
            assert_true(state(&action).unwrap(), done, &format!("{case:?}"));
        }
        case.assert_end(&first, done);
        let receipt = school.receipt(&name).await.spec;
        assert_eq!(Some(receipt.state), state(&action), "{case:?}");
    }
}

fn prove(pairwise: bool) {
    run(async |cluster| {
        let (began, cases) = (Instant::now(), Mutex::new(Case::all(pairwise)));
        let (count, tally) = (cases.lock().unwrap().len(), Mutex::new(Tally::default()));
        let schools = (0..SCHOOLS).map(async |_| {
            while !cases.lock().unwrap().is_empty() {
                Box::pin(work(cluster, &cases, &tally)).await;
            }
        });
        futures::future::join_all(schools).await;
        let tally = tally.into_inner().unwrap();
        println!(
            "{} cases in {:?}, the operator died in {}: {:?}",
            tally.cases,
            began.elapsed(),
            tally.deaths.values().sum::<usize>(),
            tally.deaths
        );
        assert_eq!(tally.cases, count);
        for moment in Moment::ALL {
            assert!(
                tally.deaths.get(moment.name()).is_some_and(|deaths| *deaths > 0),
                "nobody died at {}: that moment is never reached",
                moment.name()
            );
        }
    });
}

#[test]
fn every_two_of_moment_order_and_answer() {
    let cases = Case::all(true);
    assert_eq!(cases.len(), Moment::ALL.len() * Answer::ALL.len());
    prove(true);
}

#[test]
#[ignore = "takes a quarter of an hour; `make prove` runs it"]
fn every_moment_with_every_order_and_every_answer() {
    prove(false);
}
