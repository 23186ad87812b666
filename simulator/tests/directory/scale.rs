//! A large fleet: memory and time per page.

use std::time::{Duration, Instant};

use crate::support::{LIST, World, frozen};

/// Resident memory of this process in kilobytes.
fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn two_hundred_thousand_devices_fit_and_answer_quickly() {
    let begun = Instant::now();
    let world = World::start(frozen(200_000)).await;
    let started = begun.elapsed();
    let memory = resident_kilobytes();
    // The other tests of this process are counted too, so this is an upper bound.
    assert!(memory < 1024 * 1024, "{memory} kB");
    let mut slowest = Duration::ZERO;
    let mut token = String::new();
    let mut seen = 0;
    for _ in 0..20 {
        let query = format!("maxResults=200&projection=FULL&prettyPrint=false{token}");
        let begun = Instant::now();
        let page = world.page(&query).await;
        slowest = slowest.max(begun.elapsed());
        seen += page.rows().len();
        token = format!("&pageToken={}", page.next().unwrap());
    }
    assert_eq!(seen, 4000);
    let count = world.get(&format!("{LIST}:countChromeOsDevices")).await.json();
    assert_eq!(count["count"], "200000");
    println!("200,000 devices: ready in {started:?}, {memory} kB resident, slowest FULL page {slowest:?}");
    // Generous, since other tests run at the same time: this catches a walk that begins anew for every page.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}
