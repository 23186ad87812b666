//! `action` and `batchChangeStatus`.

use std::collections::{BTreeMap, BTreeSet};

use google_admin_simulator::DeviceStatus;
use google_admin_simulator::control::changes::{BulkChange, ChangeKind};
use google_admin_simulator::control::devices::DeviceMode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{LIST, UNKNOWN, World, codes, frozen, status_body};

/// Puts a device into a state, as a person in the console.
fn put(world: &World, id: &str, status: DeviceStatus) {
    let change = BulkChange::of(ChangeKind::Status, vec![id.to_owned()]).to(status.as_str());
    world
        .simulator
        .state()
        .change_devices(&world.customer(), &change)
        .unwrap();
}

#[tokio::test]
async fn bodies_are_checked() {
    let world = World::with_devices(5).await;
    let id = world.laptop();
    let with = |action: &str, reason: Option<&str>| {
        let mut body = status_body(&[&id], action);
        body.as_object_mut().unwrap().remove("deprovisionReason");
        if let Some(reason) = reason {
            body["deprovisionReason"] = json!(format!("DEPROVISION_REASON_{reason}"));
        }
        body
    };
    for body in [
        with("DEPROVISION", None),
        with("DEPROVISION", Some("UNSPECIFIED")),
        with("DEPROVISION", Some("BORED")),
        with("DEPROVISION", Some("REPAIR_CENTER")),
        with("DISABLE", Some("RETIRING_DEVICE")),
        with("UNSPECIFIED", None),
        with("EXPLODE", None),
        json!({ "deviceIds": [id] }),
        status_body(&[], "DISABLE"),
        status_body(&[id.as_str(); 51], "DISABLE"),
    ] {
        let answer = world
            .send(Method::POST, &format!("{LIST}:batchChangeStatus"), &body)
            .await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{body}"
        );
    }
    for body in [
        json!({ "action": "deprovision" }),
        json!({ "action": "explode" }),
        json!({}),
    ] {
        let answer = world
            .send(Method::POST, &format!("{LIST}/{id}/action"), &body)
            .await;
        assert_eq!(answer.status, 400, "{body}");
    }
    assert_eq!(world.device(&id).await["status"], "ACTIVE");
}

#[tokio::test]
async fn a_device_enters_and_leaves_its_state_everywhere() {
    let world = World::with_devices(60).await;
    let id = world.laptop();
    let before = world.device(&id).await;
    for (action, status, word) in [
        ("DISABLE", "DISABLED", "disabled"),
        ("REENABLE", "ACTIVE", "provisioned"),
        ("DEPROVISION", "DEPROVISIONED", "deprovisioned"),
    ] {
        let answer = world.change_status(&[&id], action).await;
        assert_eq!(codes(&answer), BTreeMap::from([(id.clone(), 0)]), "{action}");
        let device = world.device(&id).await;
        assert_eq!(device["status"], status);
        for other in ["disabled", "provisioned", "deprovisioned"] {
            let found = world.walk(&format!("query=status:{other}")).await;
            assert_eq!(found.contains(&id), other == word, "{action} {other}");
            let count = world
                .get(&format!("{LIST}:countChromeOsDevices?filter=status:{other}"))
                .await;
            assert_eq!(count.json()["count"], found.len().to_string());
        }
    }
    let after = world.device(&id).await;
    assert_ne!(after["etag"], before["etag"]);
    assert_eq!(
        after["deprovisionReason"],
        "deprovisionReasonSameModelReplacement"
    );
    assert_eq!(after["lastDeprovisionTimestamp"], "2026-11-23T10:00:00.000Z");
    world.advance(86_400);
    assert_eq!(
        world.device(&id).await["lastSync"],
        after["lastSync"],
        "a released device does not call"
    );
}

#[tokio::test]
async fn rows_succeed_and_fail_side_by_side() {
    let world = World::with_devices(200).await;
    let pick = |status| {
        let rows = world.truth().into_iter();
        let mut ids = rows.filter(|row| row.status == status).map(|row| row.device_id);
        ids.next().unwrap()
    };
    let (active, disabled) = (pick(DeviceStatus::Active), pick(DeviceStatus::Disabled));
    let (gone, waiting) = (
        pick(DeviceStatus::Deprovisioned),
        pick(DeviceStatus::PreProvisioned),
    );
    let laptops = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let unpaid = laptops.into_iter().find(|id| *id != active).unwrap();
    put(&world, &unpaid, DeviceStatus::Delinquent);
    let all = [&active, &disabled, &gone, &waiting, &unpaid, UNKNOWN].map(AsRef::as_ref);
    for (action, expected) in [
        ("DISABLE", [0, 9, 9, 9, 9, 5]),
        ("REENABLE", [0, 0, 9, 9, 9, 5]),
        ("DEPROVISION", [0, 0, 9, 9, 9, 5]),
        ("DEPROVISION", [9, 9, 9, 9, 9, 5]),
    ] {
        let answer = world.change_status(&all, action).await;
        let found = codes(&answer);
        assert_eq!(all.map(|id| found[id]), expected, "{action}: {}", answer.text);
    }
    let answer = world.change_status(&all, "DEPROVISION").await.json();
    let row = |id: &str| {
        let rows = answer["changeChromeOsDeviceStatusResults"].as_array().unwrap();
        rows.iter().find(|row| row["deviceId"] == id).unwrap()["error"].clone()
    };
    let error = |message: &str| json!({ "code": 9, "message": message, "details": [] });
    assert_eq!(row(&gone), error("Illegal device state transition."));
    assert_eq!(row(&unpaid), error("Delinquent account."));
    assert_eq!(row(UNKNOWN)["message"], format!("Resource Not Found: {UNKNOWN}"));
}

#[tokio::test]
async fn rows_come_in_another_order_which_the_seed_decides() {
    let order = |answer: Value| -> Vec<String> {
        let rows = answer["changeChromeOsDeviceStatusResults"]
            .as_array()
            .unwrap()
            .clone();
        rows.iter()
            .map(|row| row["deviceId"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut orders = Vec::new();
    for _ in 0..2 {
        let world = World::with_devices(60).await;
        let ids = world.walk("").await;
        let sent: Vec<&str> = ids.iter().take(50).map(String::as_str).collect();
        let seen = order(world.change_status(&sent, "DISABLE").await.json());
        assert_ne!(seen, sent);
        assert_eq!(
            BTreeSet::from_iter(seen.iter().map(String::as_str)),
            BTreeSet::from_iter(sent)
        );
        orders.push(seen);
    }
    assert_eq!(orders[0], orders[1]);
}

#[test]
fn there_is_exactly_one_row_for_every_distinct_id() {
    use proptest::prelude::*;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::start(frozen(40).quota(
        google_admin_simulator::quota::QuotaLimits {
            device_writes_per_minute: 10_000,
            ..Default::default()
        },
    )));
    let mut known: Vec<String> = world.truth().into_iter().map(|row| row.device_id).collect();
    known.extend([UNKNOWN.to_owned(), "no id at all".to_owned()]);
    let count = known.len();
    let picks = prop::collection::vec((0..count, any::<bool>()), 1..=50);
    let actions = prop::sample::select(vec!["DISABLE", "REENABLE", "DEPROVISION"]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let outcome = runner.run(&(picks, actions), |(picks, action)| {
        let spelt = |(index, upper): &(usize, bool)| match upper {
            true => known[*index].to_uppercase(),
            false => known[*index].clone(),
        };
        let sent: Vec<String> = picks.iter().map(spelt).collect();
        let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
        let answer = runtime.block_on(world.change_status(&sent, action));
        let rows = answer.json()["changeChromeOsDeviceStatusResults"].clone();
        let mut seen: Vec<String> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["deviceId"].as_str().unwrap().to_lowercase())
            .collect();
        seen.sort();
        let wanted: BTreeSet<String> = sent.iter().map(|id| id.to_lowercase()).collect();
        prop_assert_eq!(seen, wanted.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(codes(&answer).len(), rows.as_array().unwrap().len());
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn an_id_that_is_sent_twice_has_one_row() {
    let world = World::with_devices(20).await;
    let id = world.laptop();
    let answer = world
        .change_status(&[&id, &id, &id.to_uppercase()], "DISABLE")
        .await;
    assert_eq!(codes(&answer), BTreeMap::from([(id.clone(), 0)]));
    let rows = answer.json()["changeChromeOsDeviceStatusResults"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(world.witness(&id).api.disables, 1);
}

#[tokio::test]
async fn licences_can_run_out() {
    let world = World::with_devices(60).await;
    let state = world.simulator.state();
    let customer = world.customer();
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let three: Vec<&str> = ids.iter().take(3).map(String::as_str).collect();
    assert_eq!(state.licences(&customer).unwrap(), None);
    state.set_licences(&customer, Some(0)).unwrap();
    world.change_status(&three, "DISABLE").await;
    assert_eq!(state.licences(&customer).unwrap(), Some(3), "they came back");
    let set = world
        .control(
            Method::PATCH,
            &format!("/tenants/{customer}/licences"),
            &json!({ "available": 1 }),
        )
        .await;
    assert_eq!(set.status, 200, "{}", set.text);
    let answer = world.change_status(&three, "REENABLE").await;
    let mut found: Vec<i64> = codes(&answer).into_values().collect();
    found.sort_unstable();
    assert_eq!(found, [0, 9, 9], "one licence is enough for one device");
    assert!(
        answer.text.contains("No licenses are available."),
        "{}",
        answer.text
    );
    let enabled = world
        .truth()
        .into_iter()
        .filter(|row| three.contains(&row.device_id.as_str()) && row.status == DeviceStatus::Active);
    assert_eq!(enabled.count(), 1);
    let still = codes(&answer).into_iter().find(|(_, code)| *code == 9).unwrap().0;
    let refused = world
        .send(
            Method::POST,
            &format!("{LIST}/{still}/action"),
            &json!({ "action": "reenable" }),
        )
        .await;
    assert_eq!(refused.error().2, "No licenses are available.");
    state.set_licences(&customer, None).unwrap();
    assert_eq!(
        codes(&world.change_status(&[&still], "REENABLE").await)[&still],
        0
    );
    let shown = world
        .control(
            Method::GET,
            &format!("/tenants/{customer}/licences"),
            &Value::Null,
        )
        .await;
    assert_eq!(shown.json(), json!({ "available": null }));
    for bad in [json!({}), json!({ "available": -1 }), json!({ "left": 1 })] {
        let path = format!("/tenants/{customer}/licences");
        assert_eq!(
            world.control(Method::PATCH, &path, &bad).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn the_old_action_answers_with_nothing_or_412() {
    let world = World::with_devices(200).await;
    let id = world.laptop();
    let act = async |id: &str, body: Value| {
        world
            .send(Method::POST, &format!("{LIST}/{id}/action"), &body)
            .await
    };
    for (action, status) in [("disable", "DISABLED"), ("reenable", "ACTIVE")] {
        let answer = act(&id, json!({ "action": action })).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(world.device(&id).await["status"], status);
        let again = act(&id, json!({ "action": action })).await;
        assert_eq!(
            again.error(),
            (
                412,
                "conditionNotMet".to_owned(),
                "Illegal device state transition.".to_owned()
            )
        );
        assert_eq!(
            again.json()["error"]["errors"][0]["location"],
            "If-Match",
            "{}",
            again.text
        );
    }
    let body = json!({ "action": "deprovision", "deprovisionReason": "upgrade_transfer" });
    assert_eq!(act(&id, body.clone()).await.status, 200);
    assert_eq!(
        world.device(&id).await["deprovisionReason"],
        "deprovisionReasonUpgradeTransfer"
    );
    assert_eq!(act(&id, body.clone()).await.status, 412);
    put(&world, &id, DeviceStatus::Delinquent);
    assert_eq!(act(&id, body.clone()).await.error().2, "Delinquent account.");
    assert_eq!(act(UNKNOWN, body).await.status, 404);
}

#[tokio::test]
async fn waiting_records_have_their_own_actions() {
    let world = World::with_devices(200).await;
    let rows = world.truth().into_iter();
    let mut waiting = rows.filter(|row| row.status == DeviceStatus::PreProvisioned);
    let (waiting, laptop) = (waiting.next().unwrap().device_id, world.laptop());
    for action in ["pre_provisioned_disable", "pre_provisioned_reenable"] {
        let before = world.device(&waiting).await;
        let body = json!({ "action": action });
        let path = format!("{LIST}/{waiting}/action");
        assert_eq!(
            world.send(Method::POST, &path, &body).await.status,
            200,
            "{action}"
        );
        let after = world.device(&waiting).await;
        assert_eq!(after["status"], "PRE_PROVISIONED");
        assert_ne!(after["etag"], before["etag"]);
        let path = format!("{LIST}/{laptop}/action");
        assert_eq!(
            world.send(Method::POST, &path, &body).await.status,
            412,
            "{action}"
        );
    }
    let row = world.witness(&waiting);
    assert_eq!((row.api.disables, row.api.reenables), (1, 1));
}

#[tokio::test]
async fn a_batch_of_calls_reaches_the_writes() {
    let world = World::start(frozen(60)).await;
    let ids = world.devices(DeviceStatus::Active, DeviceMode::UserSession);
    let part = |verb: &str, path: &str, body: &Value| {
        format!(
            "--b\r\nContent-Type: application/http\r\n\r\n{verb} {path} HTTP/1.1\r\nContent-Type: \
             application/json\r\n\r\n{body}\r\n"
        )
    };
    let body = [
        part(
            "PATCH",
            &format!("{LIST}/{}", ids[0]),
            &json!({ "notes": "in a batch" }),
        ),
        part(
            "POST",
            &format!("{LIST}/moveDevicesToOu?orgUnitPath=/"),
            &json!({ "deviceIds": [ids[1]] }),
        ),
        part(
            "POST",
            &format!("{LIST}:batchChangeStatus"),
            &status_body(&[&ids[2]], "DISABLE"),
        ),
        part(
            "POST",
            &format!("{LIST}/{}/action", ids[3]),
            &json!({ "action": "disable" }),
        ),
        part(
            "POST",
            &format!("{LIST}/{}:issueCommand", ids[4]),
            &json!({ "commandType": "WIPE_USERS" }),
        ),
    ];
    let request = world
        .http
        .post(world.url("/batch"))
        .bearer_auth(&world.token)
        .header("content-type", "multipart/mixed; boundary=b")
        .body(format!("{}--b--\r\n", body.concat()));
    let answer = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 5, "{answer}");
    assert_eq!(world.device(&ids[0]).await["notes"], "in a batch");
    assert_eq!(world.device(&ids[1]).await["orgUnitPath"], "/");
    assert_eq!(world.device(&ids[2]).await["status"], "DISABLED");
    assert_eq!(world.device(&ids[3]).await["status"], "DISABLED");
    assert_eq!(
        world
            .witness(&ids[4])
            .accepted(google_admin_simulator::command::CommandType::WipeUsers),
        1
    );
}
