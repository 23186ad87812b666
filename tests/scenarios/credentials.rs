//! Everything that can be wrong with credentials and settings has its own reason, names what is wrong, and heals
//! without a restart once it is repaired.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::connection::{ConnectionState, SyncPhase};
use google_admin_simulator::Simulator;
use google_admin_simulator::auth::keys::SigningKey;
use google_admin_simulator::auth::{AuthSwitches, TokenErrorKind, TokenFaultRule, scopes};
use google_admin_simulator::control::UserPatch;
use google_admin_simulator::switches::Switches;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::world::{Cluster, PATIENCE, World, ready_message, ready_reason, run, state};

const SECRET: &str = "google";
const SECRET_KEY: &str = "service-account.json";
const DEVICES: u32 = 30;
const LIST_DEVICES: &str = "directory.chromeosdevices.list";

/// An active connection whose operator logs all that it can.
async fn talkative_school(cluster: &Cluster) -> World {
    let google = Arc::new(
        Simulator::builder()
            .devices(DEVICES)
            .seed(7)
            .start()
            .await
            .unwrap(),
    );
    let world = World::beside(cluster, &google, &["--log-filter", "trace"]).await;
    world.connect(json!({})).await;
    world.until_active().await;
    world
}

fn key_file(world: &World) -> Value {
    serde_json::from_str(&world.google.service_account_json().unwrap()).unwrap()
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

async fn put_key(world: &World, content: &str) {
    world.put_secret(SECRET, SECRET_KEY, content).await;
}

async fn put_current_key(world: &World) {
    put_key(world, &world.google.service_account_json().unwrap()).await;
}

/// Something changed at Google: no access token is good any more, and the operator looks at once.
async fn feel_it(world: &World) {
    world.google.state().auth.revoke_tokens(None);
    world.request_sync().await;
}

/// Waits for the reason; the message must name all of `says`, and every device is kept.
async fn told(world: &World, reason: &str, says: &[&str]) -> String {
    let connection = world
        .until(&format!("Degraded because of {reason}"), |connection| {
            ready_reason(connection) == reason && state(connection) == Some(ConnectionState::Degraded)
        })
        .await;
    let message = ready_message(&connection).to_owned();
    for part in says {
        assert!(message.contains(part), "{reason} does not name {part}: {message}");
    }
    assert_eq!(
        world.device_versions().await.len(),
        usize::try_from(DEVICES).unwrap()
    );
    message
}

async fn healed(world: &World) {
    world
        .until("Active again", |connection| {
            ready_reason(connection) == "Synced" && state(connection) == Some(ConnectionState::Active)
        })
        .await;
}

/// No line of a private key, no token and no signed request is in the log, the status, the events.
async fn no_secret_is_told(world: &World, private_keys: &[String]) {
    let log = world.operator.log();
    assert!(!log.is_empty());
    let connection = serde_json::to_string(&world.connection().await).unwrap();
    let events: Api<Event> = Api::namespaced(world.client.clone(), &world.namespace);
    let events = events.list(&ListParams::default()).await.unwrap();
    let events = serde_json::to_string(&events.items).unwrap();
    let lines: Vec<&str> = private_keys
        .iter()
        .flat_map(|key| key.lines())
        .filter(|line| line.len() > 20)
        .chain(["PRIVATE KEY", "ya29.", "eyJ"])
        .collect();
    assert!(lines.len() > 20, "a private key has more lines: {}", lines.len());
    for (place, content) in [("log", &log), ("connection", &connection), ("events", &events)] {
        for line in &lines {
            assert!(!content.contains(line), "the {place} tells a secret: {line}");
        }
    }
}

#[test]
fn what_is_wrong_at_google_is_told_and_heals_without_a_restart() {
    run(async |cluster| {
        let mut world = talkative_school(cluster).await;
        let process = world.operator.id();
        let first_key = text(&key_file(&world), "private_key");
        keys_and_accounts(&world).await;
        delegation(&world).await;
        project_and_domain(&world).await;
        assert!(world.operator.is_running() && world.operator.id() == process);
        world.assert_inventory_is_true().await;
        no_secret_is_told(&world, &[first_key, text(&key_file(&world), "private_key")]).await;
    });
}

async fn keys_and_accounts(world: &World) {
    let google = world.google.state();
    let (customer, admin) = (world.google.customer_id(), world.google.admin_email());
    let file = key_file(world);
    google
        .auth
        .delete_key(&text(&file, "client_email"), &text(&file, "private_key_id"))
        .unwrap();
    feel_it(world).await;
    told(world, "CredentialRevoked", &["new key", "Secret"]).await;
    put_current_key(world).await;
    healed(world).await;

    let suspend = |suspended| UserPatch {
        suspended: Some(suspended),
        ..UserPatch::default()
    };
    google.patch_user(&customer, &admin, &suspend(true)).unwrap();
    feel_it(world).await;
    // Google says the same of an unknown and of a suspended account, so both are named.
    told(world, "AccountNotFound", &["suspended", &admin]).await;
    google.patch_user(&customer, &admin, &suspend(false)).unwrap();
    healed(world).await;

    let archive = |archived| UserPatch {
        archived: Some(archived),
        ..UserPatch::default()
    };
    google.patch_user(&customer, &admin, &archive(true)).unwrap();
    feel_it(world).await;
    told(world, "AccountSuspended", &["archived", &admin]).await;
    google.patch_user(&customer, &admin, &archive(false)).unwrap();
    healed(world).await;

    let skew = |clock_skew_seconds| AuthSwitches {
        clock_skew_seconds,
        ..AuthSwitches::default()
    };
    google.auth.set_switches(skew(7200));
    feel_it(world).await;
    told(world, "ClockSkew", &["clock"]).await;
    google.auth.set_switches(skew(0));
    healed(world).await;

    let blocked = TokenFaultRule {
        kind: Some(TokenErrorKind::AdminPolicyEnforced),
        ..TokenFaultRule::default()
    };
    google.auth.add_token_fault(blocked).unwrap();
    feel_it(world).await;
    told(world, "AccessBlocked", &["API controls"]).await;
    google.auth.clear_token_faults();
    healed(world).await;
}

async fn delegation(world: &World) {
    let (auth, customer) = (&world.google.state().auth, world.google.customer_id());
    let client = text(&key_file(world), "client_id");
    let required = [
        scopes::CHROMEOS_DEVICES,
        scopes::USERS_READ_ONLY,
        scopes::ORG_UNITS_READ_ONLY,
    ];
    let all: BTreeSet<String> = required.map(str::to_owned).into();
    let shown = world.connection().await.status.unwrap().oauth.unwrap();
    assert_eq!(shown.client_id.as_deref(), Some(client.as_str()));
    assert_eq!(shown.scopes.iter().cloned().collect::<BTreeSet<_>>(), all);

    auth.delegate(&client, &customer, BTreeSet::new());
    feel_it(world).await;
    let pasted = shown.scopes.join(",");
    told(
        world,
        "DelegationMissing",
        &["Domain-wide delegation", &client, &pasted],
    )
    .await;
    auth.delegate(&client, &customer, all.clone());
    healed(world).await;

    for missing in required {
        let granted = all.iter().filter(|scope| *scope != missing).cloned().collect();
        auth.delegate(&client, &customer, granted);
        feel_it(world).await;
        let exactly = format!("these scopes to the service account: {missing}. ");
        told(world, "DelegationMissing", &[&exactly, &client, &pasted]).await;
        auth.delegate(&client, &customer, all.clone());
        healed(world).await;
    }
}

async fn project_and_domain(world: &World) {
    let (google, customer) = (world.google.state(), world.google.customer_id());
    let project = google.auth.register_customer(&customer).unwrap().project_number;
    google.auth.set_api_enabled(&project, false).unwrap();
    feel_it(world).await;
    told(world, "ApiDisabled", &["Admin SDK API", "Enable"]).await;
    google.auth.set_api_enabled(&project, true).unwrap();
    healed(world).await;

    google.set_switches(Switches {
        domain_without_apis: [customer].into(),
        ..Switches::default()
    });
    feel_it(world).await;
    told(world, "DomainApiAccessDisabled", &["API controls"]).await;
    google.set_switches(Switches::default());
    healed(world).await;
}

#[test]
fn what_is_wrong_in_the_spec_is_told_and_heals_without_a_restart() {
    run(async |cluster| {
        let world = talkative_school(cluster).await;
        let domain = world.google.admin_email().split_once('@').unwrap().1.to_owned();
        let email = |name: &str| format!("{name}@{domain}");
        let rows = [
            (
                json!({ "adminEmail": email("nobody") }),
                "AccountNotFound",
                email("nobody"),
            ),
            (
                json!({ "adminEmail": email("teacher") }),
                "PrivilegeMissing",
                email("teacher"),
            ),
            (
                json!({ "customerId": "C0wrong12" }),
                "CustomerNotFound",
                "C0wrong12".to_owned(),
            ),
            (
                json!({ "sync": { "orgUnitPath": "/No Such School" } }),
                "OrgUnitNotFound",
                "/No Such School".to_owned(),
            ),
        ];
        for (settings, reason, named) in rows {
            world.connect(settings).await;
            told(&world, reason, &[&named]).await;
            world.connect(json!({})).await;
            healed(&world).await;
        }
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn what_is_wrong_with_the_secret_is_told_and_heals_without_a_restart() {
    run(async |cluster| {
        let world = talkative_school(cluster).await;
        let good = key_file(&world);
        let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);

        secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
        told(&world, "SecretNotFound", &["Secret google", SECRET_KEY]).await;
        put_current_key(&world).await;
        healed(&world).await;

        world.put_secret(SECRET, "other.json", &good.to_string()).await;
        told(
            &world,
            "SecretInvalid",
            &["Secret google has no key service-account.json"],
        )
        .await;
        put_current_key(&world).await;
        healed(&world).await;

        let user = json!({ "type": "authorized_user", "client_id": "1", "client_secret": "hush-hush", "refresh_token": "1//sim" });
        let stranger = SigningKey::generate("stranger").unwrap();
        let mut wrong_key = good.clone();
        wrong_key["private_key"] = json!(stranger.private_pem());
        let mut no_key = good.clone();
        no_key["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n");
        let rows = [
            ("{ \"hush-hush\": ".to_owned(), "SecretInvalid", "no valid JSON"),
            (user.to_string(), "SecretInvalid", "type is not service_account"),
            (no_key.to_string(), "SecretInvalid", "private_key"),
            (wrong_key.to_string(), "CredentialRevoked", "new key"),
        ];
        for (content, reason, named) in rows {
            put_key(&world, &content).await;
            let message = told(&world, reason, &[named]).await;
            assert!(!message.contains("hush-hush"), "{message}");
            put_current_key(&world).await;
            healed(&world).await;
        }
        assert!(!world.operator.log().contains("hush-hush"));
        no_secret_is_told(
            &world,
            &[text(&good, "private_key"), stranger.private_pem().to_owned()],
        )
        .await;
        a_rotated_key_is_noticed(&world, &good).await;
    });
}

/// The old key is disabled and the new one is put into the Secret before its token ends: no failure in between.
async fn a_rotated_key_is_noticed(world: &World, old: &Value) {
    let google = world.google.state();
    google
        .auth
        .set_key_enabled(&text(old, "client_email"), &text(old, "private_key_id"), false)
        .unwrap();
    let new = key_file(world);
    assert_ne!(new["private_key_id"], old["private_key_id"]);
    google.clear_requests();
    put_current_key(world).await;
    let began = Instant::now();
    while !google.request_counts().contains_key(LIST_DEVICES) {
        assert_eq!(state(&world.connection().await), Some(ConnectionState::Active));
        assert!(began.elapsed() < PATIENCE, "the new key is not tried");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    google.auth.revoke_tokens(None);
    let connection = world.sync().await;
    assert_eq!(ready_reason(&connection), "Synced");
    no_secret_is_told(world, &[text(&new, "private_key")]).await;
}

#[test]
fn an_address_in_the_secret_is_never_called() {
    run(async |cluster| {
        let world = World::start(cluster, 20).await;
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let address = elsewhere.local_addr().unwrap();
        let mut file = key_file(&world);
        for field in [
            "token_uri",
            "auth_uri",
            "auth_provider_x509_cert_url",
            "client_x509_cert_url",
        ] {
            file[field] = json!(format!("http://{address}/token"));
        }
        file["universe_domain"] = json!(address.to_string());
        put_key(&world, &file.to_string()).await;
        world.connect(json!({})).await;
        world.until_active().await;
        world.sync().await;
        world.assert_inventory_is_true().await;
        let called = elsewhere.accept();
        assert!(
            called
                .as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
            "{called:?}"
        );
    });
}

#[test]
fn recent_users_are_only_there_while_they_are_wanted() {
    run(async |cluster| {
        let world = talkative_school(cluster).await;
        let users = async || -> Vec<(String, String)> {
            let objects = world.device_objects().await;
            objects
                .into_iter()
                .filter_map(|(name, device)| Some((name, device.status?.activity.recent_user?)))
                .collect()
        };
        assert_eq!(users().await, vec![], "off is the default");
        world
            .connect(json!({ "sync": { "includeRecentUsers": true } }))
            .await;
        world.sync().await;
        let found = users().await;
        assert!(!found.is_empty(), "somebody used a device");
        for (device, user) in &found {
            let report = world
                .google
                .state()
                .device(&world.google.customer_id(), device)
                .unwrap();
            let entries = report.full["recentUsers"].as_array().unwrap();
            assert!(
                entries.iter().any(|entry| entry["email"] == json!(user)),
                "{device}: {user}"
            );
        }
        world.connect(json!({})).await;
        world.sync().await;
        assert_eq!(users().await, vec![], "switched off: taken away");
        let log = world.operator.log();
        for (_, user) in &found {
            assert!(!log.contains(user), "the log names a user");
        }
    });
}

#[test]
fn progress_moves_while_google_is_slow_and_the_status_is_not_written_too_often() {
    run(async |cluster| {
        let google = Arc::new(Simulator::builder().devices(1000).seed(7).start().await.unwrap());
        google.state().set_switches(Switches {
            latency_per_page_milliseconds: 700,
            ..Switches::default()
        });
        let world = World::beside(cluster, &google, &["--page-size", "50"]).await;
        world.connect(json!({})).await;
        world
            .until("reading", |connection| {
                let sync = connection.status.as_ref().and_then(|status| status.sync.as_ref());
                sync.is_some_and(|sync| sync.phase == Some(SyncPhase::Reading))
            })
            .await;
        let (began, mut moved) = (Instant::now(), Instant::now());
        let (mut versions, mut read, mut steps) = (BTreeSet::new(), None, 0);
        let mut longest = Duration::ZERO;
        while began.elapsed() < Duration::from_secs(12) {
            let connection = world.connection().await;
            versions.insert(connection.metadata.resource_version.clone());
            let sync = connection.status.unwrap().sync.unwrap();
            if sync.phase != Some(SyncPhase::Reading) {
                break;
            }
            longest = longest.max(moved.elapsed());
            if sync.devices_read != read {
                (read, moved, steps) = (sync.devices_read, Instant::now(), steps + 1);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            began.elapsed() > Duration::from_secs(8),
            "the sync was long enough"
        );
        assert!(longest < Duration::from_secs(5), "nothing moved for {longest:?}");
        assert!(steps >= 3, "{steps} steps");
        assert!(versions.len() < 30, "{} writes of the status", versions.len());
        google.state().set_switches(Switches::default());
        world.until_active().await;
        world.assert_inventory_is_true().await;
    });
}
