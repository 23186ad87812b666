//! The operator dies at any moment and is started again: the end is as if nothing had happened.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use google_admin_simulator::Simulator;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::switches::Switches;
use serde_json::json;

use crate::draw::Draw;
use crate::world::{Cluster, SCHOOL, World, assert_same_devices, run};

/// Devices of the fleet at its start.
const FLEET: u32 = 300;
/// Runs that are the same each time; one more has a fresh seed.
const SEEDS: std::ops::Range<u64> = 1..20;
/// Few writes at a time make the moments between two of them long.
const SLOWLY: [&str; 4] = ["--write-concurrency", "2", "--page-size", "50"];

/// How many kills fell into the middle of the work, seen by the number of objects.
#[derive(Default)]
struct Hits {
    first_sync: u32,
    deletion: u32,
}

/// The disturbed school and one beside it with the same Google that nobody disturbs.
struct Pair {
    disturbed: World,
    quiet: World,
}

impl Pair {
    async fn start(cluster: &Cluster) -> Self {
        let switches = Switches {
            latency_per_page_milliseconds: 60,
            ..Switches::default()
        };
        let google = Simulator::builder().devices(FLEET).seed(7).switches(switches);
        let google = Arc::new(google.start().await.unwrap());
        let disturbed = World::beside(cluster, &google, &SLOWLY).await;
        let quiet = World::beside(cluster, &google, &[]).await;
        quiet.connect(json!({})).await;
        quiet.until_active().await;
        Self { disturbed, quiet }
    }

    /// Kills the operator after at most so many milliseconds, looks how far it was, and starts it again a little later.
    async fn kill(&mut self, draw: &mut Draw, within: u64) -> usize {
        tokio::time::sleep(Duration::from_millis(draw.below(within))).await;
        self.disturbed.operator.kill();
        let objects = self.disturbed.device_versions().await.len();
        tokio::time::sleep(Duration::from_millis(draw.below(100))).await;
        self.disturbed.operator.restart();
        objects
    }

    async fn assert_same(&self, when: &str) {
        let (is, should_be) = (
            self.disturbed.device_objects().await,
            self.quiet.device_objects().await,
        );
        assert_same_devices(&is, &should_be, when);
        self.disturbed.assert_inventory_is_true().await;
    }

    /// The life of a connection, with a kill in each part.
    async fn life(&mut self, seed: u64, hits: &mut Hits) {
        let mut draw = Draw(seed);
        let fleet = self.disturbed.truth().len();
        self.disturbed.connect(json!({})).await;
        // The process is new in the first life only; the others begin at once.
        let objects = self.kill(&mut draw, 1500).await;
        hits.first_sync += u32::from(objects > 0 && objects < fleet);
        if draw.below(2) == 0 {
            let objects = self.kill(&mut draw, 1500).await;
            hits.first_sync += u32::from(objects > 0 && objects < fleet);
        }
        let active = self.disturbed.until_active().await;
        assert_eq!(
            active.status.unwrap().devices.unwrap().synced,
            i64::try_from(fleet).unwrap(),
            "seed {seed}"
        );
        self.assert_same(&format!("seed {seed}, first sync")).await;

        let customer = self.quiet.google.customer_id();
        for (kind, percent) in [
            (ChangeKind::Notes, 30.0),
            (ChangeKind::AnnotatedUser, 20.0),
            (ChangeKind::OrgUnit, 20.0),
        ] {
            let change = BulkChange::percent(kind, percent, seed);
            self.quiet
                .google
                .state()
                .change_devices(&customer, &change)
                .unwrap();
        }
        for (kind, count) in [(ChangeKind::Vanish, 3), (ChangeKind::ReEnrol, 2)] {
            let change = BulkChange::count(kind, count, seed);
            self.quiet
                .google
                .state()
                .change_devices(&customer, &change)
                .unwrap();
        }
        self.quiet.sync().await;
        let request = self.disturbed.request_sync().await;
        self.kill(&mut draw, 1200).await;
        self.disturbed
            .until("synced as requested", |connection| {
                let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
                sync.and_then(|sync| sync.handled_request.as_deref()) == Some(&request)
            })
            .await;
        self.assert_same(&format!("seed {seed}, changes")).await;

        self.disturbed.delete_connection(SCHOOL).await;
        let objects = self.kill(&mut draw, 400).await;
        hits.deletion += u32::from(objects > 0 && objects < self.disturbed.truth().len());
        self.disturbed.until_gone(SCHOOL).await;
        let left = self.disturbed.device_objects().await.len();
        assert_eq!(left, 0, "seed {seed}: devices are gone with their connection");
    }
}

#[test]
fn an_operator_that_is_killed_at_any_moment_ends_with_the_same_inventory() {
    run(async |cluster| {
        let began = Instant::now();
        let mut pair = Pair::start(cluster).await;
        let fresh = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let fresh = u64::from(fresh.subsec_nanos());
        println!("seeds: {SEEDS:?} and {fresh}");
        let mut hits = Hits::default();
        for seed in SEEDS.chain([fresh]) {
            pair.life(seed, &mut hits).await;
        }
        println!(
            "{} kills hit the middle of a first sync and {} that of a deletion; {:?}",
            hits.first_sync,
            hits.deletion,
            began.elapsed()
        );
        assert!(
            hits.first_sync > 0 && hits.deletion > 0,
            "the kills hit what they are meant for"
        );
    });
}

#[test]
fn an_operator_that_is_asked_to_end_does_so_in_the_middle_of_a_sync() {
    run(async |cluster| {
        let switches = Switches {
            latency_per_page_milliseconds: 1000,
            ..Switches::default()
        };
        let google = Simulator::builder().devices(400).seed(7).switches(switches);
        let google = Arc::new(google.start().await.unwrap());
        let mut world = World::beside(cluster, &google, &["--page-size", "50"]).await;
        world.connect(json!({})).await;
        world
            .until("some devices are read", |connection| {
                let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
                sync.and_then(|sync| sync.devices_read)
                    .is_some_and(|read| read > 0)
            })
            .await;
        world.operator.signal("TERM");
        let code = world.operator.until_exit(Duration::from_secs(5)).await;
        assert_eq!(code, Some(0), "{}", world.operator.log_tail());
        assert!(
            world.device_versions().await.len() < 400,
            "it ended in the middle"
        );
        google.state().set_switches(Switches::default());
        world.operator.restart();
        world.until_active().await;
        world.assert_inventory_is_true().await;
        world.operator.signal("TERM");
        let code = world.operator.until_exit(Duration::from_secs(5)).await;
        assert_eq!(code, Some(0), "{}", world.operator.log_tail());
    });
}
