//! Refusals, outages and quotas.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::google::{
    Access, DirectoryClient, ErrorClass, Lane, ListRequest, QuotaSettings, Reason, RetrySettings,
};
use google_admin_simulator::Simulator;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::api_error::ErrorShape;
use google_admin_simulator::control::ClockChange;
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use google_admin_simulator::quota::{ExceededForm, QuotaLimits};
use google_admin_simulator::switches::Switches;
use url::Url;

use super::side::{Side, walk};
use crate::fake::{context, quick};

#[tokio::test]
async fn every_refusal_in_every_form_is_understood() {
    let side = Side::start(5).await;
    for shape in [ErrorShape::Natural, ErrorShape::V1, ErrorShape::V2] {
        for (reason, expected) in [
            (ForbiddenReason::Forbidden, Reason::PrivilegeMissing),
            (ForbiddenReason::InsufficientPermissions, Reason::ScopeMissing),
            (ForbiddenReason::AccessNotConfigured, Reason::ApiDisabled),
            (
                ForbiddenReason::DomainCannotUseApis,
                Reason::DomainApiAccessDisabled,
            ),
            (ForbiddenReason::UserRateLimitExceeded, Reason::QuotaExhausted),
            (ForbiddenReason::RateLimitExceeded, Reason::QuotaExhausted),
            (ForbiddenReason::QuotaExceeded, Reason::QuotaExhausted),
            (ForbiddenReason::DailyLimitExceeded, Reason::QuotaExhausted),
        ] {
            side.simulator.state().clear_faults();
            let mut rule = FaultRule::on(ApiMethod::DevicesList, Fault::Forbidden { reason });
            rule.shape = shape;
            side.fault(rule);
            let error = side
                .client
                .list_devices(&side.everything(), None)
                .await
                .unwrap_err();
            assert_eq!(error.reason, expected, "{reason:?} {shape:?}: {error}");
        }
    }
}

#[tokio::test]
async fn trouble_on_the_way_is_survived_in_the_middle_of_a_walk() {
    for fault in [
        Fault::ConnectionReset {},
        Fault::TruncatedBody { keep_percent: 50 },
        Fault::BadGateway {},
        Fault::Internal {},
        Fault::GatewayTimeout {},
        Fault::Unavailable {
            retry_after_seconds: None,
        },
        Fault::TooManyRequests {
            retry_after_seconds: None,
        },
        Fault::InvalidJson {},
        Fault::PageTokenRejected {},
        Fault::SlowBody {
            chunk_bytes: 4_000,
            delay_milliseconds: 1,
        },
    ] {
        let side = Side::start(450).await;
        side.fault(
            FaultRule::on(ApiMethod::DevicesList, fault.clone())
                .on_page(2)
                .times(2),
        );
        let walked = walk(&side.client, &side.everything()).await;
        let walked = walked.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!((walked.devices.len(), walked.pages), (450, 3), "{fault:?}");
        let ids: BTreeSet<_> = walked.devices.iter().map(|device| &device.device_id).collect();
        assert_eq!(ids.len(), 450);
    }
}

#[tokio::test]
async fn good_page_tokens_that_are_refused_at_first_are_insisted_on() {
    let side = Side::start(450).await;
    side.switch(|switches| switches.reject_page_tokens = 2);
    assert_eq!(
        walk(&side.client, &side.everything())
            .await
            .unwrap()
            .devices
            .len(),
        450
    );
}

#[tokio::test]
async fn a_walk_of_more_than_an_hour_is_told_from_an_outage() {
    let side = Side::start(450).await;
    let first = side.client.list_devices(&side.everything(), None).await.unwrap();
    let later = ClockChange {
        advance_seconds: Some(61 * 60),
        ..ClockChange::default()
    };
    side.simulator.state().change_clock(later).unwrap();
    let walk_started = Instant::now().checked_sub(Duration::from_mins(61));
    let old = ListRequest {
        walk_started,
        ..side.everything()
    };
    let error = side
        .client
        .list_devices(&old, first.next_page_token.as_deref())
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::PageTokenExpired);
    assert_eq!(
        walk(&side.client, &side.everything())
            .await
            .unwrap()
            .devices
            .len(),
        450
    );
}

#[tokio::test]
async fn a_token_that_dies_in_a_walk_is_replaced_on_the_same_page() {
    let side = Side::start(450).await;
    let first = side.client.list_devices(&side.everything(), None).await.unwrap();
    assert!(side.simulator.state().auth.revoke_tokens(None) > 0);
    let second = side
        .client
        .list_devices(&side.everything(), first.next_page_token.as_deref())
        .await
        .unwrap();
    assert_eq!((second.devices.len(), side.listings()), (200, 3));
    let both: BTreeSet<_> = first
        .devices
        .iter()
        .chain(&second.devices)
        .map(|device| &device.device_id)
        .collect();
    assert_eq!(both.len(), 400);
}

#[tokio::test]
async fn an_absent_google_is_unreachable_and_comes_back() {
    let side = Side::start(5).await;
    side.client.verify().await.unwrap();
    side.simulator.go_offline().await;
    let error = side
        .client
        .list_devices(&side.everything(), None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason.clone(), error.class()),
        (Reason::NetworkUnreachable, ErrorClass::Transient)
    );
    side.simulator.go_online().await.unwrap();
    assert_eq!(
        walk(&side.client, &side.everything())
            .await
            .unwrap()
            .devices
            .len(),
        5
    );
}

#[tokio::test]
async fn a_spent_minute_is_waited_out_in_every_form() {
    for exceeded_as in [
        ExceededForm::UserRateLimit403,
        ExceededForm::RateLimit403,
        ExceededForm::RateLimit429,
    ] {
        let limits = QuotaLimits {
            queries_per_minute: 4,
            exceeded_as,
            ..QuotaLimits::default()
        };
        // A simulated minute lasts a tenth of a second.
        let builder = Simulator::builder().devices(5).quota(limits).time_scale(600.0);
        let side = Side::of(builder.start().await.unwrap());
        let mut settings = quick();
        settings.retry = RetrySettings {
            base_delay: Duration::from_millis(20),
            max_retries: 6,
        };
        let context = context(&Url::parse(&side.simulator.url()).unwrap(), settings);
        let admin = side.simulator.admin_email();
        let client = DirectoryClient::new(&context, side.key.clone(), &admin, Access::ReadWrite).unwrap();
        for _ in 0..12 {
            client.list_devices(&side.everything(), None).await.unwrap();
        }
        let refused: u64 = side
            .simulator
            .state()
            .quota_usage()
            .iter()
            .map(|usage| usage.refused)
            .sum();
        assert!(refused > 0, "the quota was never met, so nothing was tested");
    }
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_the_account_may_have() {
    let limits = QuotaLimits {
        concurrent_per_user: Some(8),
        ..QuotaLimits::default()
    };
    let switches = Switches {
        latency_per_page_milliseconds: 30,
        ..Switches::default()
    };
    let builder = Simulator::builder().devices(5).quota(limits).switches(switches);
    let side = Arc::new(Side::of(builder.start().await.unwrap()));
    let calls = (0..40).map(|number| {
        // Two clients of one account share its quota.
        let lane = if number % 2 == 0 {
            Lane::Sync
        } else {
            Lane::Interactive
        };
        let client = side
            .client_as(&side.simulator.admin_email(), Access::ReadWrite)
            .in_lane(lane);
        let request = side.everything();
        async move {
            client
                .list_devices(&request, None)
                .await
                .map(|page| page.devices.len())
        }
    });
    let pages = futures::future::join_all(calls).await;
    assert!(pages.into_iter().all(|page| page == Ok(5)));
    let refused: u64 = side
        .simulator
        .state()
        .quota_usage()
        .iter()
        .map(|usage| usage.refused)
        .sum();
    assert_eq!((refused, side.listings()), (0, 40));
    assert_eq!(QuotaSettings::default().concurrent, 8);
}
