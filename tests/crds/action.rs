//! What the API server accepts and refuses of a `DeviceAction`.

use chrome_enterprise_operator::api::DeviceAction;
use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use serde_json::{Value, json};

use crate::server::{check, create, namespace, objects, run, try_create, try_replace, try_status, with};

const KIND: &str = "DeviceAction";

fn action(type_: &str) -> Value {
    let mut action = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": KIND,
        "metadata": {"name": "library-07"},
        "spec": {"serialNumber": "5CD1234XYZ", "type": type_, "notAfter": "2026-11-30T16:00:00Z"}
    });
    match type_ {
        "Wipe" => action["spec"]["wipe"] = json!({"mode": "Users"}),
        "Deprovision" => action["spec"]["deprovision"] = json!({"reason": "RetiringDevice"}),
        _ => {}
    }
    action
}

#[test]
fn every_type_is_accepted_and_read_back() {
    run(|client| async move {
        namespace(&client, "action-types").await;
        let api = objects(&client, KIND, "action-types");
        for type_ in ActionType::ALL {
            let stored = check(
                type_.as_str(),
                try_create(&api, &action(type_.as_str())).await,
                None,
            )
            .unwrap();
            let typed: DeviceAction = serde_json::from_value(stored.clone()).unwrap();
            assert_eq!(typed.spec.type_, type_);
            assert_eq!(
                serde_json::to_value(&typed.spec).unwrap(),
                stored["spec"],
                "the type and the schema agree"
            );
            assert_eq!(type_.verb(), type_.as_str().to_lowercase());
        }
        check(
            "another type",
            try_create(&api, &action("Reboot")).await,
            Some("Unsupported value: \"Reboot\""),
        );
    });
}

#[test]
fn targets() {
    let one_of = Some("give exactly one of deviceId and serialNumber");
    let id = "6d3a1a5e-6f0e-4d3b-9d0c-0f4f6a1f2b07";
    let cases = [
        (json!({"deviceId": id}), None),
        (json!({"serialNumber": "5CD1234XYZ"}), None),
        (json!({"serialNumber": "To be filled by O.E.M."}), None),
        (json!({}), one_of),
        (json!({"deviceId": id, "serialNumber": "5CD1234XYZ"}), one_of),
        (json!({"deviceId": ""}), Some("spec.deviceId")),
        (json!({"deviceId": "../commands"}), Some("spec.deviceId")),
        (json!({"deviceId": "a/b"}), Some("spec.deviceId")),
        (json!({"deviceId": "a".repeat(64)}), Some("Too long")),
        (json!({"serialNumber": ""}), Some("spec.serialNumber")),
        (json!({"serialNumber": " 5CD1234XYZ"}), Some("spec.serialNumber")),
        (json!({"serialNumber": "5CD\n1234"}), Some("spec.serialNumber")),
        (json!({"serialNumber": "5".repeat(65)}), Some("Too long")),
    ];
    run(|client| async move {
        namespace(&client, "action-targets").await;
        let api = objects(&client, KIND, "action-targets");
        for (target, refused) in cases {
            let case = target.to_string();
            let mut value = with(&action("Restart"), "/spec/serialNumber", Value::Null);
            for (name, field) in target.as_object().unwrap() {
                value["spec"][name] = field.clone();
            }
            check(&case, try_create(&api, &value).await, refused);
        }
    });
}

#[test]
fn details_go_with_their_type() {
    let wipe = Some("wipe is required with type Wipe and allowed only with it");
    let deprovision = Some("deprovision is required with type Deprovision and allowed only with it");
    let restart = Some("restart is allowed only with type Restart");
    let cases = [
        ("Restart", "/spec/restart", json!({}), None),
        (
            "Restart",
            "/spec/restart",
            json!({"userSessionDelaySeconds": 300}),
            None,
        ),
        (
            "Restart",
            "/spec/restart",
            json!({"userSessionDelaySeconds": 301}),
            Some("should be less than or equal to 300"),
        ),
        (
            "Restart",
            "/spec/restart",
            json!({"userSessionDelaySeconds": -1}),
            Some("should be greater than or equal to 0"),
        ),
        ("Wipe", "/spec/restart", json!({}), restart),
        ("EnableLostMode", "/spec/restart", json!({}), restart),
        ("Wipe", "/spec/wipe", json!({"mode": "Powerwash"}), None),
        (
            "Wipe",
            "/spec/wipe",
            json!({"mode": "Everything"}),
            Some("Unsupported value"),
        ),
        (
            "Wipe",
            "/spec/wipe",
            json!({}),
            Some("spec.wipe.mode: Required value"),
        ),
        ("Wipe", "/spec/wipe", Value::Null, wipe),
        ("Restart", "/spec/wipe", json!({"mode": "Users"}), wipe),
        ("DisableLostMode", "/spec/wipe", json!({"mode": "Users"}), wipe),
        (
            "Deprovision",
            "/spec/deprovision",
            json!({"reason": "UpgradeTransfer"}),
            None,
        ),
        (
            "Deprovision",
            "/spec/deprovision",
            json!({"reason": "Bored"}),
            Some("Unsupported value"),
        ),
        (
            "Deprovision",
            "/spec/deprovision",
            json!({}),
            Some("spec.deprovision.reason: Required value"),
        ),
        ("Deprovision", "/spec/deprovision", Value::Null, deprovision),
        (
            "Wipe",
            "/spec/deprovision",
            json!({"reason": "RetiringDevice"}),
            deprovision,
        ),
        (
            "Restart",
            "/spec/type",
            Value::Null,
            Some("spec.type: Required value"),
        ),
        ("Restart", "/spec/ttlSecondsAfterFinished", json!(0), None),
        (
            "Restart",
            "/spec/ttlSecondsAfterFinished",
            json!(-1),
            Some("should be greater than or equal to 0"),
        ),
        (
            "Restart",
            "/spec/ttlSecondsAfterFinished",
            json!(31_536_001),
            Some("should be less than or equal to"),
        ),
    ];
    run(|client| async move {
        namespace(&client, "action-details").await;
        let api = objects(&client, KIND, "action-details");
        for (type_, pointer, value, refused) in cases {
            let case = format!("{type_}: {pointer} = {value}");
            check(
                &case,
                try_create(&api, &with(&action(type_), pointer, value)).await,
                refused,
            );
        }
    });
}

/// A time that the API server accepts and the operator cannot read would stop the watch for everybody.
#[test]
fn every_accepted_time_can_be_read() {
    let refused = Some("spec.notAfter");
    let cases = [
        (json!("2026-11-30T16:00:00Z"), None),
        (json!("2026-11-30T17:00:00+01:00"), None),
        (json!("2026-11-30T16:00:00.123456789Z"), None),
        (json!("2020-01-02T00:00:00Z"), None),
        (Value::Null, Some("spec.notAfter: Required value")),
        (json!("tomorrow"), refused),
        (json!("2026-11-30"), refused),
        (json!("2026-11-30T16:00:00"), refused),
        (json!("2026-11-30 16:00:00Z"), refused),
        (json!("2026-11-30t16:00:00z"), refused),
        (json!("2026-02-30T16:00:00Z"), refused),
        (json!("2026-11-30T24:00:00Z"), refused),
        (json!("2026-11-30T16:60:00Z"), refused),
        (json!("2026-11-30T16:00:60Z"), refused),
        (json!("2026-11-30T16:00:00+99:99"), refused),
        (json!("2026-11-30T16:00:00.1234567890Z"), refused),
        (json!("0000-01-01T00:00:00Z"), refused),
        (json!("9999-12-31T23:59:59-23:59"), refused),
        (
            json!("2200-01-01T00:00:00Z"),
            Some("notAfter must be a time between the years 2020 and 2200"),
        ),
        (
            json!("2019-12-31T23:59:59Z"),
            Some("notAfter must be a time between the years 2020 and 2200"),
        ),
        (json!(1_764_518_400), refused),
    ];
    run(|client| async move {
        namespace(&client, "action-times").await;
        let api = objects(&client, KIND, "action-times");
        for (time, refused) in cases {
            let answer = try_create(&api, &with(&action("Restart"), "/spec/notAfter", time.clone())).await;
            if let Some(stored) = check(&time.to_string(), answer, refused) {
                serde_json::from_value::<DeviceAction>(stored).expect("accepted and not readable");
            }
        }
    });
}

#[test]
fn a_spec_never_changes() {
    let cases = [
        ("/spec/notAfter", json!("2026-12-30T16:00:00Z")),
        ("/spec/type", json!("EnableLostMode")),
        ("/spec/serialNumber", json!("5CD1234XYA")),
        ("/spec/ttlSecondsAfterFinished", json!(60)),
        ("/spec/restart", json!({"userSessionDelaySeconds": 5})),
    ];
    run(|client| async move {
        namespace(&client, "action-immutable").await;
        let api = objects(&client, KIND, "action-immutable");
        let stored = serde_json::to_value(create(&api, &action("Restart")).await).unwrap();
        for (pointer, value) in cases {
            let answer = try_replace(&api, &with(&stored, pointer, value)).await;
            check(
                pointer,
                answer,
                Some(
                    "the spec of a DeviceAction never changes; create another DeviceAction with another name",
                ),
            );
        }
        check(
            "a label",
            try_replace(&api, &with(&stored, "/metadata/labels", json!({"cart": "7"}))).await,
            None,
        );
        check("the same again", try_replace(&api, &stored).await, None);
    });
}

#[test]
fn statuses() {
    run(|client| async move {
        namespace(&client, "action-status").await;
        let api = objects(&client, KIND, "action-status");
        create(&api, &action("Restart")).await;
        for state in ActionState::ALL {
            let stored = check(
                state.as_str(),
                try_status(&api, "library-07", &json!({"state": state.as_str()})).await,
                None,
            );
            let typed: DeviceAction = serde_json::from_value(stored.unwrap()).unwrap();
            assert_eq!(typed.status.unwrap().state, Some(state));
        }
        check(
            "no state",
            try_status(&api, "library-07", &json!({"state": "Done"})).await,
            Some("Unsupported value"),
        );
        let long = json!({"googleMessage": "x".repeat(1025)});
        check(
            "a long message",
            try_status(&api, "library-07", &long).await,
            Some("Too long"),
        );
    });
}
