//! Google fails in the middle of a walk: nothing is lost, the status says what happened, and it heals.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnection, ConnectionState};
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::control::ClockChange;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use google_admin_simulator::switches::{BetweenPages, PageChaos, Switches};
use google_admin_simulator::{Simulator, SimulatorBuilder};
use serde_json::json;

use crate::world::{Cluster, World, ready_reason, run, state};

/// How a read of a device reports itself in the simulator's log of requests.
const GET_DEVICE: &str = "directory.chromeosdevices.get";

/// A fleet of ten pages that is in step.
async fn school_of_ten_pages(cluster: &Cluster) -> World {
    let google = Arc::new(small_fleet().start().await.unwrap());
    let world = World::beside(cluster, &google, &["--page-size", "100"]).await;
    world.connect(json!({})).await;
    world.until_active().await;
    world.assert_inventory_is_true().await;
    world
}

fn small_fleet() -> SimulatorBuilder {
    Simulator::builder().devices(1000).seed(11)
}

fn change(world: &World, change: &BulkChange) -> Vec<String> {
    let customer = world.google.customer_id();
    let report = world.google.state().change_devices(&customer, change).unwrap();
    report.device_ids
}

fn names(world_names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    world_names.into_iter().collect()
}

fn has_handled(connection: &ChromeEnterpriseConnection, request: &str) -> bool {
    let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
    sync.and_then(|sync| sync.handled_request.as_deref()) == Some(request)
}

#[test]
fn whatever_fails_in_mid_walk_nothing_is_deleted_and_it_heals() {
    let html = "<html><body>Please sign in to the guest network.</body></html>";
    let forbidden = |reason| Fault::Forbidden { reason };
    let answer = |status, content_type: &str, body: &str| Fault::Answer {
        status,
        content_type: content_type.to_owned(),
        body: body.to_owned(),
    };
    let rows = [
        (Fault::Unauthorized {}, "CredentialRevoked"),
        (
            forbidden(ForbiddenReason::UserRateLimitExceeded),
            "QuotaExhausted",
        ),
        (forbidden(ForbiddenReason::QuotaExceeded), "QuotaExhausted"),
        (forbidden(ForbiddenReason::DailyLimitExceeded), "QuotaExhausted"),
        (forbidden(ForbiddenReason::Forbidden), "PrivilegeMissing"),
        (
            forbidden(ForbiddenReason::InsufficientPermissions),
            "ScopeMissing",
        ),
        (Fault::NotFound {}, "CustomerNotFound"),
        (
            Fault::TooManyRequests {
                retry_after_seconds: None,
            },
            "QuotaExhausted",
        ),
        (Fault::Internal {}, "GoogleUnavailable"),
        (Fault::BadGateway {}, "GoogleUnavailable"),
        (
            Fault::Unavailable {
                retry_after_seconds: None,
            },
            "GoogleUnavailable",
        ),
        (Fault::ConnectionReset {}, "ConnectionLost"),
        (Fault::TruncatedBody { keep_percent: 50 }, "ConnectionLost"),
        (Fault::InvalidJson {}, "UnexpectedAnswer"),
        (answer(200, "text/html", html), "UnexpectedAnswer"),
        (answer(403, "text/html", html), "UnexpectedAnswer"),
        (Fault::PageTokenRejected {}, "PageTokenRejected"),
        // Google does not say that a token is too old; only a walk of 55 minutes makes that of a 503.
        (Fault::PageTokenExpired {}, "GoogleUnavailable"),
    ];
    run(async move |cluster| {
        let world = school_of_ten_pages(cluster).await;
        for (round, (fault, reason)) in (0..).zip(rows) {
            // After a spent day's quota the operator pauses for an hour; a person can ask it to look at once.
            let pauses = fault == forbidden_daily();
            let row = format!("{fault:?}");
            let vanished = change(&world, &BulkChange::count(ChangeKind::Vanish, 1, round));
            change(&world, &BulkChange::count(ChangeKind::Notes, 20, round));
            let before = world.device_objects().await;
            let rule = FaultRule::on(ApiMethod::DevicesList, fault).on_page(3);
            world.google.state().add_fault(rule).unwrap();
            let request = world.request_sync().await;
            let failed = world.until_reason(reason).await;
            assert_eq!(state(&failed), Some(ConnectionState::Degraded), "{row}");
            assert!(!has_handled(&failed, &request), "{row}");
            let during = world.device_objects().await;
            assert!(
                before.keys().eq(during.keys()),
                "{row}: a partial walk removes nothing"
            );
            assert!(during.contains_key(&vanished[0]), "{row}");

            world.google.state().clear_faults();
            if pauses {
                world.sync().await;
            } else {
                world
                    .until("healed by itself", |connection| has_handled(connection, &request))
                    .await;
            }
            let healed = world.until_active().await;
            assert_eq!(ready_reason(&healed), "Synced", "{row}");
            world.assert_inventory_is_true().await;
        }
    });
}

const fn forbidden_daily() -> Fault {
    Fault::Forbidden {
        reason: ForbiddenReason::DailyLimitExceeded,
    }
}

#[test]
fn a_walk_that_google_cuts_repeats_or_tears_is_told_from_a_true_one() {
    run(async |cluster| {
        let world = school_of_ten_pages(cluster).await;
        expired_page_tokens(&world).await;
        repeated_devices(&world).await;
        omitted_devices(&world).await;
        a_hop_between_org_units(&world).await;
        a_list_that_ends_too_early(&world).await;
    });
}

/// Google's clock runs so fast that every walk is older than an hour after some pages.
async fn expired_page_tokens(world: &World) {
    let google = world.google.state();
    let before = world.device_versions().await;
    google.set_switches(Switches {
        latency_per_page_milliseconds: 200,
        ..Switches::default()
    });
    let scale = |scale| ClockChange {
        scale: Some(scale),
        ..ClockChange::default()
    };
    google.change_clock(scale(7200.0)).unwrap();
    world.request_sync().await;
    let failed = world.until_reason("GoogleUnavailable").await;
    assert_eq!(state(&failed), Some(ConnectionState::Degraded));
    assert!(before.keys().eq(world.device_versions().await.keys()));
    google.change_clock(scale(1.0)).unwrap();
    google.set_switches(Switches::default());
    world.sync().await;
    world.until_active().await;
    world.assert_inventory_is_true().await;
}

/// Devices of earlier pages come again.
async fn repeated_devices(world: &World) {
    let page_chaos = PageChaos {
        duplicates_per_page: 7,
        ..PageChaos::default()
    };
    world.google.state().set_switches(Switches {
        page_chaos,
        ..Switches::default()
    });
    let connection = world.sync().await;
    assert_eq!(ready_reason(&connection), "Synced");
    let sync = connection.status.unwrap().sync.unwrap();
    assert_eq!(sync.devices_read, Some(1000), "each device counts once");
    world.assert_inventory_is_true().await;
}

/// Every page lacks devices that are there.
async fn omitted_devices(world: &World) {
    let page_chaos = PageChaos {
        omissions_per_page: 5,
        seed: 3,
        ..PageChaos::default()
    };
    world.google.state().set_switches(Switches {
        page_chaos,
        ..Switches::default()
    });
    world.google.state().clear_requests();
    let connection = world.sync().await;
    assert_eq!(ready_reason(&connection), "Synced");
    assert_eq!(connection.status.unwrap().sync.unwrap().devices_read, Some(950));
    let asked = world.google.state().request_counts()[GET_DEVICE];
    assert_eq!(asked, 50, "each absent device is asked for by itself");
    world.assert_inventory_is_true().await;
    world.google.state().set_switches(Switches::default());
}

/// A device moves behind the back of the walk, so that no page has it.
async fn a_hop_between_org_units(world: &World) {
    let truth = world.truth();
    let hopper = truth
        .values()
        .rfind(|row| row.org_unit_path.starts_with("/South District/"))
        .unwrap();
    let hop = BulkChange::of(ChangeKind::OrgUnit, vec![hopper.device_id.clone()]).to("/North District");
    world.google.state().set_switches(Switches {
        between_pages: vec![BetweenPages {
            tenant: None,
            after_page: Some(4),
            times: Some(1),
            change: hop,
        }],
        ..Switches::default()
    });
    world.google.state().clear_requests();
    let connection = world.sync().await;
    assert_eq!(
        connection.status.unwrap().sync.unwrap().devices_read,
        Some(999),
        "the walk missed it"
    );
    assert_eq!(world.google.state().request_counts()[GET_DEVICE], 1);
    assert_eq!(world.truth()[&hopper.device_id].org_unit_path, "/North District");
    world.assert_inventory_is_true().await;
    world.google.state().set_switches(Switches::default());
}

/// A page without devices and without a next page looks like the end: the loss is too large to be believed.
async fn a_list_that_ends_too_early(world: &World) {
    let before = names(world.device_versions().await.into_keys());
    let empty = Fault::Answer {
        status: 200,
        content_type: "application/json".to_owned(),
        body: "{}".to_owned(),
    };
    let rule = FaultRule::on(ApiMethod::DevicesList, empty).on_page(3);
    world.google.state().add_fault(rule).unwrap();
    let connection = world.sync().await;
    let hold = connection.status.unwrap().sync.unwrap().prune_hold.unwrap();
    assert_eq!(hold.devices, 800);
    assert_eq!(names(world.device_versions().await.into_keys()), before);
    world.google.state().clear_faults();
    let connection = world.sync().await;
    assert_eq!(connection.status.unwrap().sync.unwrap().prune_hold, None);
    world.assert_inventory_is_true().await;
}
