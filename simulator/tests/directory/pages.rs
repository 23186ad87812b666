//! Page tokens, and walks through a fleet that does not stand still.

use std::collections::{BTreeMap, BTreeSet};

use google_admin_simulator::control::ClockChange;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::switches::{BetweenPages, PageChaos, Switches};
use serde_json::json;

use crate::support::{LIST, World, frozen};

fn advance(world: &World, seconds: i64) {
    let change = ClockChange {
        advance_seconds: Some(seconds),
        scale: None,
    };
    world.simulator.state().change_clock(change).unwrap();
}

#[tokio::test]
async fn a_walk_visits_every_device_once() {
    let world = World::with_devices(501).await;
    for query in [
        "maxResults=200",
        "maxResults=1&orgUnitPath=/",
        "maxResults=50&projection=FULL",
        "maxResults=167",
    ] {
        let ids = world.walk(query).await;
        let different: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "{query}");
        if !query.contains("orgUnitPath") {
            assert_eq!(ids.len(), 501, "{query}");
        }
    }
}

#[tokio::test]
async fn a_token_belongs_to_the_parameters_of_its_walk() {
    let world = World::with_devices(50).await;
    let token = world.page("maxResults=10&projection=BASIC").await.next().unwrap();
    let good = format!("prettyPrint=false&projection=BASIC&pageToken={token}&maxResults=10");
    assert_eq!(world.page(&good).await.rows().len(), 10);
    for other in [
        "maxResults=10",
        "maxResults=20&projection=BASIC",
        "maxResults=10&projection=FULL",
        "",
    ] {
        let answer = world.page(&format!("{other}&pageToken={token}")).await;
        let expected = (400, "invalid".to_owned(), format!("Invalid Input: {token}"));
        assert_eq!(answer.error(), expected, "{other}");
    }
}

#[tokio::test]
async fn a_token_of_another_customer_is_worth_nothing() {
    let world = World::start(frozen(50).tenants(2)).await;
    let token = world.page("maxResults=10").await.next().unwrap();
    let other = world.simulator.tenants()[1].admin_email();
    let other = crate::support::token(&world.simulator, &other, &[crate::support::DEVICES]);
    let answer = world
        .get_as(&other, &format!("{LIST}?maxResults=10&pageToken={token}"))
        .await;
    assert_eq!(answer.error().1, "invalid");
}

#[tokio::test]
async fn malformed_and_empty_tokens() {
    let world = World::with_devices(50).await;
    let answer = world.page("pageToken=nonsense").await;
    assert_eq!(
        answer.error(),
        (400, "invalid".to_owned(), "Invalid Input: nonsense".to_owned())
    );
    let answer = world.page("pageToken=").await;
    let expected = (
        503,
        "backendError".to_owned(),
        "Service unavailable. Please try again".to_owned(),
    );
    assert_eq!(answer.error(), expected);
}

#[tokio::test]
async fn a_walk_ends_after_an_hour_however_young_its_token_is() {
    let world = World::with_devices(50).await;
    let second = world.page("maxResults=10").await.next().unwrap();
    advance(&world, 3500);
    let third = world
        .page(&format!("maxResults=10&pageToken={second}"))
        .await
        .next()
        .unwrap();
    advance(&world, 100);
    assert_eq!(
        world
            .page(&format!("maxResults=10&pageToken={third}"))
            .await
            .status,
        200
    );
    advance(&world, 1);
    let answer = world.page(&format!("maxResults=10&pageToken={third}")).await;
    assert_eq!(answer.error().0, 503);
    assert_eq!(answer.error().1, "backendError");
}

#[tokio::test]
async fn a_good_token_can_be_refused_once_or_twice() {
    for times in [1_u8, 2] {
        let world = World::with_devices(50).await;
        world.simulator.state().set_switches(Switches {
            reject_page_tokens: times,
            ..Switches::default()
        });
        let token = world.page("maxResults=10").await.next().unwrap();
        for _ in 0..times {
            let answer = world.page(&format!("maxResults=10&pageToken={token}")).await;
            assert_eq!(
                answer.error(),
                (400, "invalid".to_owned(), format!("Invalid Input: {token}"))
            );
        }
        assert_eq!(
            world
                .page(&format!("maxResults=10&pageToken={token}"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_mask_without_the_token_hides_it() {
    let world = World::with_devices(50).await;
    let page = world.page("maxResults=10&fields=chromeosdevices(deviceId)").await;
    assert_eq!((page.rows().len(), page.next()), (10, None));
    let page = world.page("maxResults=10&fields=nextPageToken").await;
    assert!(page.next().is_some() && page.json().as_object().unwrap().len() == 1);
}

#[tokio::test]
async fn a_device_that_hops_is_missed_or_comes_twice() {
    let world = World::with_devices(300).await;
    let everything = world.walk("maxResults=50").await;
    // The last device of the walk moves to the unit that is visited first …
    let last = everything.last().unwrap().clone();
    let hop = |id: &str, to: &str| BetweenPages {
        tenant: None,
        after_page: Some(1),
        times: Some(1),
        change: BulkChange::of(ChangeKind::OrgUnit, vec![id.to_owned()]).to(to),
    };
    let switches = Switches {
        between_pages: vec![hop(&last, "/")],
        ..Switches::default()
    };
    world.simulator.state().set_switches(switches);
    let seen = world.walk("maxResults=50").await;
    assert!(
        !seen.contains(&last),
        "a device that moves behind the walk is missed"
    );
    assert_eq!(seen.len(), 299);
    // … and a device of the first page to the one that is visited last.
    let first = seen[0].clone();
    let truth = world.simulator.state().truth(&world.customer(), 0, 1000).unwrap();
    let units = world
        .get("/admin/directory/v1/customer/my_customer/orgunits?type=all")
        .await
        .json();
    let last_unit = units["organizationUnits"].as_array().unwrap().last().unwrap()["orgUnitPath"].clone();
    assert_eq!(truth.len(), 300);
    let switches = Switches {
        between_pages: vec![hop(&first, last_unit.as_str().unwrap())],
        ..Switches::default()
    };
    world.simulator.state().set_switches(switches);
    let seen = world.walk("maxResults=50").await;
    assert_eq!(seen.iter().filter(|id| **id == first).count(), 2);
    assert_eq!(world.walk("maxResults=50").await.len(), 300, "once is once");
}

#[tokio::test]
async fn devices_vanish_and_are_released_between_pages() {
    let world = World::with_devices(200).await;
    let after_each_page = |change: BulkChange| BetweenPages {
        tenant: None,
        after_page: None,
        times: None,
        change,
    };
    let switches = Switches {
        between_pages: vec![
            after_each_page(BulkChange::count(ChangeKind::Vanish, 2, 1)),
            after_each_page(BulkChange::count(ChangeKind::Status, 3, 2).to("DEPROVISIONED")),
        ],
        ..Switches::default()
    };
    world.simulator.state().set_switches(switches);
    let before = world.simulator.tenants()[0].report();
    world.walk("maxResults=50").await;
    world.simulator.state().set_switches(Switches::default());
    let after = world.simulator.tenants()[0].report();
    assert_eq!(before.devices - after.devices, 8);
    assert!(after.devices_by_status["DEPROVISIONED"] > before.devices_by_status["DEPROVISIONED"]);
}

#[tokio::test]
async fn chaos_repeats_and_leaves_out() {
    let world = World::with_devices(400).await;
    let chaos = PageChaos {
        duplicates_per_page: 5,
        omissions_per_page: 2,
        ..PageChaos::default()
    };
    world.simulator.state().set_switches(Switches {
        page_chaos: chaos,
        ..Switches::default()
    });
    let ids = world.walk("maxResults=100").await;
    let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
    for id in &ids {
        *counts.entry(id).or_default() += 1;
    }
    assert!(counts.values().any(|count| *count > 1), "some come twice");
    assert!(counts.len() < 400, "some are left out");
    let chaos = PageChaos {
        sorted_walks_only: true,
        ..chaos
    };
    world.simulator.state().set_switches(Switches {
        page_chaos: chaos,
        ..Switches::default()
    });
    assert_eq!(world.walk("maxResults=100").await.len(), 400);
    assert_ne!(world.walk("maxResults=100&orderBy=serialNumber").await.len(), 400);
}

#[tokio::test]
async fn pages_take_their_time_and_full_ones_longer() {
    let world = World::with_devices(10).await;
    let switches = json!({ "latencyPerPageMilliseconds": 60, "latencyPerFullPageMilliseconds": 100 });
    world
        .control(reqwest::Method::PATCH, "/switches", &switches)
        .await;
    for (query, expected) in [("projection=BASIC", 60), ("projection=FULL", 160)] {
        let begun = std::time::Instant::now();
        world.page(query).await;
        let taken = begun.elapsed().as_millis();
        assert!(taken >= expected, "{query}: {taken} ms");
    }
}

#[tokio::test]
async fn walks_survive_a_restart_of_the_port() {
    let world = World::with_devices(50).await;
    let token = world.page("maxResults=10").await.next().unwrap();
    world.simulator.go_offline().await;
    let refused = world.http.get(world.url(LIST)).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    world.simulator.go_online().await.unwrap();
    assert_eq!(
        world
            .page(&format!("maxResults=10&pageToken={token}"))
            .await
            .rows()
            .len(),
        10
    );
}
