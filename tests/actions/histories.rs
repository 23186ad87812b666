//! Random histories of many devices under an operator that dies again and again: whatever happens, each name is done at
//! most once, every action has an end, and what is told is true.
//!
//! Every history follows from its seed. What the threads of operator and API server make of it does not, so a failure
//! may need several runs to come again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, ActionType, DeviceAction};
use chrome_enterprise_operator::api::receipt::DeviceActionReceiptSpec;
use google_admin_simulator::Simulator;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PostParams};

use crate::disturbed::MOMENTS;
use crate::draw::Draw;
use crate::orders::{Answer, Order};
use crate::school::{PLENTY, QUICK, School, reason, state};
use crate::world::{Cluster, Operator, run};

/// Devices under one operator process, each with a history of its own.
const BATCH: usize = 50;
/// Not every device of a fleet takes every command.
const FLEET: u32 = 80;
/// Batches at the same time.
const SCHOOLS: usize = 5;
/// The operator dies at one of so many moments, on average.
const RARITY: u64 = 900;

/// What came of one or more batches.
#[derive(Default)]
struct Tally {
    histories: AtomicUsize,
    actions: AtomicUsize,
    effects: AtomicUsize,
    unknown: AtomicUsize,
    deaths: AtomicUsize,
}

/// One device and what happened to it.
struct History<'a> {
    school: &'a School,
    device: String,
    draw: Draw,
    /// The orders under their names.
    given: Vec<(String, Order)>,
}

impl History<'_> {
    async fn live(&mut self, number: usize) {
        for step in 0..2 + self.draw.below(3) {
            let order = self.draw_order();
            if self.draw.below(2) == 0 {
                let answer = Answer::ALL[self.index(Answer::ALL.len())];
                answer.prepare(self.school, order, &self.device);
            }
            let name = format!("history-{number}-{step}");
            self.school.online(&self.device, self.draw.below(4) > 0);
            self.give(&name, order).await;
            match self.draw.below(6) {
                0 => self.delete_and_apply_again(&name, order).await,
                1 => {
                    let (other, beside) = (self.draw_order(), format!("{name}-beside"));
                    self.give(&beside, other).await;
                    self.school.online(&self.device, true);
                    self.school.until_done(&beside).await;
                }
                2 => {
                    self.school.online(&self.device, true);
                    self.school.until_done(&name).await;
                    self.delete_and_apply_again(&name, order).await;
                }
                _ => self.pause(1500).await,
            }
            self.school.online(&self.device, true);
            self.school.until_done(&name).await;
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.draw.below(u64::try_from(length).unwrap())).unwrap()
    }

    fn draw_order(&mut self) -> Order {
        // Deprovisioning ends the useful life of a device, so it comes seldom.
        let order = Order::ALL[self.index(Order::ALL.len())];
        let ends_it = order.type_ == ActionType::Deprovision;
        if ends_it && self.draw.below(3) > 0 {
            Order::ALL[0]
        } else {
            order
        }
    }

    async fn pause(&mut self, most: u64) {
        tokio::time::sleep(Duration::from_millis(self.draw.below(most))).await;
    }

    async fn give(&mut self, name: &str, order: Order) {
        self.school.create(name, order.spec(&self.device)).await;
        self.given.push((name.to_owned(), order));
    }

    /// As Argo CD does when somebody prunes and syncs again.
    async fn delete_and_apply_again(&mut self, name: &str, order: Order) {
        self.pause(400).await;
        let spec = self.school.action(name).await.spec;
        self.school.delete(name).await;
        self.pause(400).await;
        let mut again = DeviceAction::new(name, spec);
        again.metadata.namespace = Some(self.school.world.namespace.clone());
        let created = self.school.actions().create(&PostParams::default(), &again).await;
        created.unwrap_or_else(|error| panic!("{name} {order:?}: {error}"));
    }

    /// Compares what is told with what was done.
    fn judge(&self, receipts: &[(String, DeviceActionReceiptSpec)], seed: u64, tally: &Tally) {
        for order in Order::ALL {
            let of_order = |name: &String| self.given.iter().any(|(given, of)| given == name && *of == order);
            let own: Vec<_> = receipts.iter().filter(|(name, _)| of_order(name)).collect();
            let sure = own.iter().filter(|(_, receipt)| surely_done(receipt)).count();
            let maybe = own
                .iter()
                .filter(|(_, receipt)| receipt.state == ActionState::OutcomeUnknown && !surely_done(receipt))
                .count();
            let done = usize::try_from(order.done(self.school, &self.device)).unwrap();
            assert!(
                (sure..=sure + maybe).contains(&done),
                "batch {seed}, {} of {}: {order:?} was done {done} times, told to be done {sure} times and maybe {maybe} times more\n{own:#?}\n{:?}",
                self.school.world.namespace,
                self.device,
                self.school.witness(&self.device)
            );
            tally.effects.fetch_add(done, Ordering::Relaxed);
            tally.unknown.fetch_add(maybe, Ordering::Relaxed);
        }
        tally.actions.fetch_add(self.given.len(), Ordering::Relaxed);
        tally.histories.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the receipt says that it was done: Google accepted it, or the device was seen to be as asked for.
fn surely_done(receipt: &DeviceActionReceiptSpec) -> bool {
    receipt.accepted_time.is_some() || receipt.reason.as_deref() == Some("ObservedInRequestedState")
}

/// Starts the operator again whenever it has died, until told to end. The last life is a quiet one.
async fn keep_alive(mut operator: Operator, seed: u64, ended: &AtomicBool, tally: &Tally) -> Operator {
    let mut life = 0;
    while !ended.load(Ordering::Relaxed) {
        if !operator.is_running() {
            life += 1;
            tally.deaths.fetch_add(1, Ordering::Relaxed);
            operator.environment = vec![wish(seed, life)];
            operator.restart();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    operator
}

fn wish(seed: u64, life: u64) -> (String, String) {
    let seed = seed.wrapping_mul(1000).wrapping_add(life);
    (MOMENTS.to_owned(), format!("any=kill~{seed}/{RARITY}"))
}

async fn batch(cluster: &Cluster, seed: u64, tally: &Tally) {
    let google = Simulator::builder().devices(FLEET).seed(seed);
    let google = Arc::new(google.start().await.unwrap());
    let mut school = School::beside(cluster, &google, &[]).await;
    school.world.operator.kill();
    let (kubeconfig, namespace) = (cluster.server.kubeconfig(), school.world.namespace.clone());
    // A device that is deprovisioned while it has a command never fetches it.
    let patience = ["--action-patience-seconds=15"];
    let flags = [QUICK.as_slice(), PLENTY.as_slice(), patience.as_slice()].concat();
    let mut operator = Operator::start_with(kubeconfig, &[&namespace], &google.url(), &flags);
    operator.kill();
    operator.environment = vec![wish(seed, 0)];
    operator.restart();
    let (ended, school) = (AtomicBool::new(false), &school);
    let lives = async {
        let histories = (0..BATCH).map(async |number| {
            let mut draw = Draw(
                seed.wrapping_mul(10_000)
                    .wrapping_add(u64::try_from(number).unwrap()),
            );
            let order = Order::ALL[if draw.below(5) == 0 { 5 } else { 0 }];
            let mut history = History {
                school,
                device: school.prepared(number, order),
                draw,
                given: Vec::new(),
            };
            history.live(number).await;
            history
        });
        let histories = futures::future::join_all(histories).await;
        ended.store(true, Ordering::Relaxed);
        histories
    };
    let (mut operator, histories) = tokio::join!(keep_alive(operator, seed, &ended, tally), lives);
    // Late effects come, and an operator that was started again has time for mischief.
    operator.kill();
    operator.environment.clear();
    operator.restart();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let receipts = school.receipts().list(&ListParams::default()).await.unwrap();
    let receipts: Vec<_> = receipts
        .items
        .into_iter()
        .map(|receipt| (receipt.name_any(), receipt.spec))
        .collect();
    for (name, receipt) in &receipts {
        let followed = receipt.open && receipt.reason.as_deref() == Some("StillPendingAtGoogle");
        assert!(
            receipt.state.is_final() && (followed || !receipt.open),
            "batch {seed}, {name}: {receipt:?}"
        );
        let action = school.action(name).await;
        let told = (state(&action), reason(&action));
        let repeated = told.1 == "AlreadyExecuted" && told.0 == Some(receipt.state);
        let own = told == (Some(receipt.state), receipt.reason.as_deref().unwrap());
        assert!(own || repeated, "batch {seed}, {name}: {told:?}, {receipt:?}");
    }
    for history in histories {
        history.judge(&receipts, seed, tally);
    }
    // The API server keeps what was, and many batches would slow each other down.
    school.world.delete_connection("school").await;
    school.world.until_gone("school").await;
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    namespaces
        .delete(&school.world.namespace, &DeleteParams::default())
        .await
        .unwrap();
}

/// Lives so many histories, in batches from this seed on.
fn live(histories: usize, first_seed: u64) {
    run(async |cluster| {
        let (began, tally) = (Instant::now(), Tally::default());
        let batches = u64::try_from(histories.div_ceil(BATCH)).unwrap();
        let seeds: Mutex<VecDeque<u64>> = Mutex::new((first_seed..first_seed + batches).collect());
        let schools = (0..SCHOOLS).map(async |_| {
            loop {
                let seed = seeds.lock().unwrap().pop_front();
                let Some(seed) = seed else { break };
                Box::pin(batch(cluster, seed, &tally)).await;
            }
        });
        futures::future::join_all(schools).await;
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        println!(
            "{} histories with {} actions in {:?}: {} effects, {} unknown ends, 0 duplicates; the operator died {} times, {:.1} times in each history",
            count(&tally.histories),
            count(&tally.actions),
            began.elapsed(),
            count(&tally.effects),
            count(&tally.unknown),
            count(&tally.deaths),
            ratio(count(&tally.deaths), usize::try_from(batches).unwrap()),
        );
        assert!(count(&tally.histories) >= histories);
        assert!(
            count(&tally.deaths) >= 3 * usize::try_from(batches).unwrap(),
            "too few deaths to mean something"
        );
    });
}

#[allow(clippy::cast_precision_loss, reason = "small numbers, for people")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[test]
fn a_thousand_devices_live_through_the_deaths_of_their_operator() {
    live(1_000, 1);
}

#[test]
#[ignore = "takes hours; `make prove` runs it"]
fn very_many_devices_live_through_the_deaths_of_their_operator() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    live(
        usize::try_from(number("HISTORIES", 100_000)).unwrap(),
        number("SEED", 1_000),
    );
}
