//! Quotas.

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::control::ClockChange;
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::quota::{ExceededForm, QuotaLimits};
use google_admin_simulator::switches::Switches;
use reqwest::Method;
use serde_json::json;

use crate::support::{DEVICES, LIST, World, frozen, status_body, token};

#[tokio::test]
async fn a_minute_has_its_limit_per_user_and_project() {
    let limits = QuotaLimits {
        queries_per_minute: 3,
        ..QuotaLimits::default()
    };
    let world = World::start(frozen(3).quota(limits)).await;
    for _ in 0..3 {
        assert_eq!(world.get(LIST).await.status, 200);
    }
    let (status, reason, message) = world.get(LIST).await.error();
    assert_eq!((status, reason.as_str()), (403, "userRateLimitExceeded"));
    assert_eq!(
        message,
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service \
         'admin.googleapis.com' for consumer 'project_number:428190012345'."
    );
    let other = token(&world.simulator, "device-admin@school.example", &[DEVICES]);
    assert_eq!(
        world.get_as(&other, LIST).await.status,
        200,
        "another user has another quota"
    );
    world
        .simulator
        .state()
        .change_clock(ClockChange {
            advance_seconds: Some(60),
            scale: None,
        })
        .unwrap();
    assert_eq!(
        world.get(LIST).await.status,
        200,
        "a minute later there is a new quota"
    );
    let usage = world.control(Method::GET, "/quota", &json!({})).await.json();
    let admin = &usage["usage"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["user"] == "admin@school.example");
    let admin = admin.unwrap();
    assert_eq!(
        (&admin["queries"], &admin["total"], &admin["refused"]),
        (&json!(1), &json!(5), &json!(1))
    );
}

#[tokio::test]
async fn the_quota_is_told_in_every_form_that_was_seen() {
    for (form, status, reason) in [
        (ExceededForm::UserRateLimit403, 403, "userRateLimitExceeded"),
        (ExceededForm::RateLimit403, 403, "rateLimitExceeded"),
        (ExceededForm::RateLimit429, 429, "rateLimitExceeded"),
    ] {
        let limits = QuotaLimits {
            queries_per_minute: 0,
            exceeded_as: form,
            ..QuotaLimits::default()
        };
        let world = World::start(frozen(1).quota(limits)).await;
        let answer = world.get(LIST).await;
        assert_eq!((answer.status, answer.error().1.as_str()), (status, reason));
        assert_eq!(answer.json()["error"]["errors"][0]["domain"], "usageLimits");
    }
}

#[tokio::test]
async fn every_write_costs_one_unit_of_its_own_quota() {
    let limits = QuotaLimits {
        device_writes_per_minute: 6,
        ..QuotaLimits::default()
    };
    let world = World::start(frozen(60).quota(limits)).await;
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let id = &ids[0];
    let path = format!("{LIST}/{id}");
    let many: Vec<&str> = ids.iter().take(20).map(String::as_str).collect();
    let writes = [
        (Method::PATCH, path.clone(), json!({ "notes": "a" })),
        (Method::PUT, path.clone(), json!({ "notes": "b" })),
        (
            Method::POST,
            format!("{LIST}/moveDevicesToOu?orgUnitPath=/"),
            json!({ "deviceIds": many }),
        ),
        (
            Method::POST,
            format!("{LIST}:batchChangeStatus"),
            status_body(&many, "DISABLE"),
        ),
        (
            Method::POST,
            format!("{path}/action"),
            json!({ "action": "reenable" }),
        ),
        (
            Method::POST,
            format!("{path}:issueCommand"),
            json!({ "commandType": "REBOOT" }),
        ),
    ];
    for (method, path, body) in &writes {
        let answer = world.send(method.clone(), path, body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
    }
    for (method, path, body) in &writes {
        let (status, reason, message) = world.send(method.clone(), path, body).await.error();
        assert_eq!(
            (status, reason.as_str()),
            (403, "userRateLimitExceeded"),
            "{path}"
        );
        assert_eq!(
            message,
            "Quota exceeded for quota metric 'Write requests for Chrome Devices' and limit 'Write requests for \
             Chrome Devices per minute per user' of service 'admin.googleapis.com' for consumer \
             'project_number:428190012345'."
        );
    }
    assert_eq!(world.get(&path).await.status, 200, "reads go on");
    assert_eq!(
        world.witness(id).api.disables,
        1,
        "a refused call takes no effect"
    );
    world.advance(59);
    let (method, path, body) = &writes[0];
    assert_eq!(world.send(method.clone(), path, body).await.status, 403);
    world.advance(1);
    assert_eq!(
        world.send(method.clone(), path, body).await.status,
        200,
        "the minute is one of the simulated clock"
    );
}

#[tokio::test]
async fn calls_at_the_same_time_have_a_limit() {
    let world = World::with_devices(3).await;
    let state = world.simulator.state();
    state.set_switches(Switches {
        latency_per_page_milliseconds: 400,
        ..Switches::default()
    });
    for (limits, status, reason) in [
        (
            QuotaLimits {
                concurrent_per_customer: Some(2),
                ..QuotaLimits::default()
            },
            429,
            "rateLimitExceeded",
        ),
        (
            QuotaLimits {
                concurrent_per_user: Some(2),
                ..QuotaLimits::default()
            },
            403,
            "quotaExceeded",
        ),
    ] {
        state.set_quota_limits(limits);
        let (a, b, c) = tokio::join!(world.get(LIST), world.get(LIST), world.get(LIST));
        let mut refused: Vec<_> = [a, b, c]
            .into_iter()
            .filter(|answer| answer.status != 200)
            .collect();
        assert_eq!(refused.len(), 1);
        let refused = refused.remove(0);
        assert_eq!((refused.status, refused.error().1.as_str()), (status, reason));
        assert_eq!(world.get(LIST).await.status, 200);
    }
}

#[tokio::test]
async fn limits_are_changed_strictly() {
    let world = World::with_devices(1).await;
    let answer = world
        .control(Method::PATCH, "/quota", &json!({ "queriesPerMinute": 5 }))
        .await
        .json();
    assert_eq!(answer["limits"]["queriesPerMinute"], 5);
    assert_eq!(answer["limits"]["deviceWritesPerMinute"], 60);
    let answer = world
        .control(Method::PATCH, "/quota", &json!({ "queries": 5 }))
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("queriesPerMinute")
    );
    assert_eq!(
        world.control(Method::DELETE, "/quota", &json!({})).await.status,
        204
    );
    assert_eq!(world.simulator.state().quota_limits(), QuotaLimits::default());
}
