//! What the API server accepts and refuses of a `ChromeEnterpriseConnection`.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use serde_json::{Value, json};

use crate::server::{check, create, namespace, objects, run, try_create, try_replace, try_status, with};

const KIND: &str = "ChromeEnterpriseConnection";

fn connection() -> Value {
    json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1",
        "kind": KIND,
        "metadata": {"name": "school"},
        "spec": {
            "adminEmail": "it-admin@school.example",
            "credentials": {"serviceAccountKey": {"secretRef": {"name": "google"}}}
        }
    })
}

#[test]
fn defaults_are_filled_in() {
    run(|client| async move {
        namespace(&client, "connection-defaults").await;
        let api = objects(&client, KIND, "connection-defaults");
        let stored = check("minimal", try_create(&api, &connection()).await, None).unwrap();
        assert_eq!(
            stored["spec"],
            json!({
                "access": "ReadWrite",
                "adminEmail": "it-admin@school.example",
                "credentials": {"serviceAccountKey": {"secretRef": {"name": "google"}}},
                "customerId": "my_customer",
                "sync": {"orgUnitPath": "/", "intervalSeconds": 900, "fullIntervalSeconds": 21600, "suspend": false, "includeRecentUsers": false}
            })
        );
        let typed: ChromeEnterpriseConnection = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(
            serde_json::to_value(&typed.spec).unwrap(),
            stored["spec"],
            "the type and the schema agree"
        );
    });
}

#[test]
fn specs() {
    let secret = json!({"secretRef": {"name": "google"}});
    let keyless = json!({"serviceAccountEmail": "sync@project.iam.gserviceaccount.com"});
    let one_of = Some("give exactly one of serviceAccountKey, authorizedUser and keyless");
    let key = "/spec/credentials/serviceAccountKey/secretRef/key";
    let name = "/spec/credentials/serviceAccountKey/secretRef/name";
    let cases = [
        ("/spec/credentials", json!({}), one_of),
        (
            "/spec/credentials",
            json!({"serviceAccountKey": secret, "authorizedUser": secret}),
            one_of,
        ),
        (
            "/spec/credentials",
            json!({"serviceAccountKey": secret, "authorizedUser": secret, "keyless": keyless}),
            one_of,
        ),
        ("/spec/credentials", json!({"authorizedUser": secret}), None),
        ("/spec/credentials", json!({"keyless": keyless}), None),
        (
            "/spec/credentials",
            json!({"keyless": {"serviceAccountEmail": "nobody"}}),
            Some("spec.credentials.keyless.serviceAccountEmail"),
        ),
        (
            "/spec/credentials",
            json!({"authorizedUser": {}}),
            Some("secretRef: Required value"),
        ),
        (
            "/spec/credentials",
            Value::Null,
            Some("spec.credentials: Required value"),
        ),
        (name, json!("Google"), Some("secretRef.name")),
        (name, json!("../google"), Some("secretRef.name")),
        (name, json!("g".repeat(254)), Some("Too long")),
        (key, json!("key.json"), None),
        (key, json!("../key.json"), Some("secretRef.key")),
        (
            "/spec/adminEmail",
            Value::Null,
            Some("spec.adminEmail: Required value"),
        ),
        ("/spec/adminEmail", json!("it-admin"), Some("spec.adminEmail")),
        (
            "/spec/adminEmail",
            json!("it admin@school.example"),
            Some("spec.adminEmail"),
        ),
        (
            "/spec/adminEmail",
            json!("it-admin@school"),
            Some("spec.adminEmail"),
        ),
        (
            "/spec/adminEmail",
            json!("it+admin.o'hara@mail.school.example"),
            None,
        ),
        ("/spec/customerId", json!("C01abc2de"), None),
        (
            "/spec/customerId",
            json!("school.example"),
            Some("spec.customerId"),
        ),
        ("/spec/customerId", json!("C01/devices"), Some("spec.customerId")),
        ("/spec/access", json!("ReadOnly"), None),
        ("/spec/access", json!("None"), Some("Unsupported value")),
        ("/spec/unknown", json!(1), None),
    ];
    run(|client| async move {
        namespace(&client, "connection-specs").await;
        let api = objects(&client, KIND, "connection-specs");
        for (pointer, value, refused) in cases {
            let case = format!("{pointer} = {value}");
            check(
                &case,
                try_create(&api, &with(&connection(), pointer, value)).await,
                refused,
            );
        }
    });
}

#[test]
fn sync_settings() {
    let query = Some("spec.sync.query");
    let path = Some("spec.sync.orgUnitPath");
    let order = Some("fullIntervalSeconds must be at least intervalSeconds");
    let cases = [
        (json!({"query": "status:provisioned"}), None),
        (json!({"query": "user:\"help desk\""}), None),
        (json!({"query": "sync:2026-01-01..2026-02-01"}), None),
        (
            json!({"query": "status:provisioned note:cart_7 aue:..2027-06-01"}),
            None,
        ),
        (json!({"query": "chrome_version:111;prefix"}), None),
        (json!({"query": "foo"}), query),
        (json!({"query": "id:a?b"}), query),
        (json!({"query": "user:\"what?\""}), query),
        (json!({"query": "user:help desk"}), query),
        (json!({"query": "user:\"help desk"}), query),
        (json!({"query": "user:\"\""}), query),
        (json!({"query": "status: provisioned"}), query),
        (json!({"query": "status:provisioned\nid:1"}), query),
        (json!({"query": "status:provisioned "}), query),
        (json!({"query": ":provisioned"}), query),
        (json!({"query": ""}), query),
        (json!({"query": "note:a".to_owned() + &"a".repeat(1024)}), query),
        (json!({"orgUnitPath": "/"}), None),
        (
            json!({"orgUnitPath": "/Students/Primary School & Co (Nørre)"}),
            None,
        ),
        (json!({"orgUnitPath": "/A/1"}), None),
        (json!({"orgUnitPath": ""}), path),
        (json!({"orgUnitPath": "Students"}), path),
        (json!({"orgUnitPath": "/Students/"}), path),
        (json!({"orgUnitPath": "/Students//Year 7"}), path),
        (json!({"orgUnitPath": "/Students "}), path),
        (json!({"orgUnitPath": "//"}), path),
        (json!({"intervalSeconds": 60, "fullIntervalSeconds": 60}), None),
        (
            json!({"intervalSeconds": 59}),
            Some("should be greater than or equal to 60"),
        ),
        (
            json!({"intervalSeconds": 604_801, "fullIntervalSeconds": 2_592_000}),
            Some("should be less than or equal to 604800"),
        ),
        (
            json!({"fullIntervalSeconds": 2_592_001}),
            Some("should be less than or equal to 2592000"),
        ),
        (
            json!({"intervalSeconds": 3600, "fullIntervalSeconds": 1800}),
            order,
        ),
        (json!({"intervalSeconds": 86_400}), order),
        (
            json!({"intervalSeconds": 900.5}),
            Some("spec.sync.intervalSeconds"),
        ),
        (json!({"suspend": true, "includeRecentUsers": true}), None),
        (json!({"suspend": "yes"}), Some("spec.sync.suspend")),
    ];
    run(|client| async move {
        namespace(&client, "connection-sync").await;
        let api = objects(&client, KIND, "connection-sync");
        for (sync, refused) in cases {
            let case = format!("sync = {sync}");
            let answer = try_create(&api, &with(&connection(), "/spec/sync", sync)).await;
            if let Some(stored) = check(&case, answer, refused) {
                serde_json::from_value::<ChromeEnterpriseConnection>(stored)
                    .expect("accepted and not readable");
            }
        }
    });
}

#[test]
fn a_spec_may_change() {
    run(|client| async move {
        namespace(&client, "connection-change").await;
        let api = objects(&client, KIND, "connection-change");
        let stored = serde_json::to_value(create(&api, &connection()).await).unwrap();
        let suspended = with(&stored, "/spec/sync/suspend", json!(true));
        check("suspend", try_replace(&api, &suspended).await, None);
        let both = with(
            &stored,
            "/spec/credentials/authorizedUser",
            json!({"secretRef": {"name": "other"}}),
        );
        check(
            "two credentials",
            try_replace(&api, &both).await,
            Some("give exactly one of"),
        );
    });
}

#[test]
fn statuses() {
    let cases = [
        (
            json!({"state": "Active", "devices": {"synced": 3, "active": 1, "disabled": 1, "deprovisioned": 1, "other": 0}}),
            None,
        ),
        (json!({"state": "Fine"}), Some("Unsupported value")),
        (
            json!({"devices": {"synced": -1, "active": 0, "disabled": 0, "deprovisioned": 0, "other": 0}}),
            Some("greater than or equal to 0"),
        ),
        (
            json!({"conditions": [condition("Ready"), condition("Stalled")]}),
            None,
        ),
        (
            json!({"conditions": [condition("Ready"), condition("Ready")]}),
            Some("Duplicate value"),
        ),
        (
            json!({"conditions": [with(&condition("Ready"), "/status", json!("Maybe"))]}),
            Some("Unsupported value"),
        ),
        (
            json!({"conditions": [with(&condition("Ready"), "/reason", Value::Null)]}),
            Some("reason: Required value"),
        ),
        (
            json!({"conditions": [with(&condition("Ready"), "/message", json!("m".repeat(2049)))]}),
            Some("Too long"),
        ),
        (
            json!({"oauth": {"clientId": "1", "scopes": vec!["https://www.googleapis.com/auth/x"; 9]}}),
            Some("Too many"),
        ),
        (json!({"sync": {"phase": "Sleeping"}}), Some("Unsupported value")),
        (
            json!({"lastCheckInTime": "yesterday"}),
            Some("status.lastCheckInTime"),
        ),
    ];
    run(|client| async move {
        namespace(&client, "connection-status").await;
        let api = objects(&client, KIND, "connection-status");
        create(&api, &connection()).await;
        for (status, refused) in cases {
            let case = format!("status = {status}");
            check(&case, try_status(&api, "school", &status).await, refused);
        }
    });
}

fn condition(type_: &str) -> Value {
    json!({
        "type": type_, "status": "True", "reason": "Synced", "message": "all devices are mirrored",
        "lastTransitionTime": "2026-11-24T08:00:00Z", "observedGeneration": 1
    })
}
