//! Signing in with a consent and without a key: what works, what is refused and why, and what becomes of a consent when
//! its connection is deleted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::api::connection::ConnectionState;
use chrome_enterprise_operator::api::{CREATED_BY_CONNECT, CREATED_BY_LABEL};
use chrome_enterprise_operator::google::{Access, CredentialKind};
use google_admin_simulator::Simulator;
use google_admin_simulator::control::devices::DeviceMode;
use google_admin_simulator::request_log::LogFilter;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::world::{
    Cluster, Operator, PATIENCE, SCHOOL, World, create_namespace, ready_message, ready_reason, run, state,
    unique,
};

const DEVICES: u32 = 20;
const SECRET: &str = "consent";
const SECRET_KEY: &str = "authorized-user.json";

/// A school whose operator logs all that it can.
async fn talkative(cluster: &Cluster, flags: &[&str]) -> World {
    let google = Simulator::builder()
        .devices(DEVICES)
        .tenants(2)
        .seed(7)
        .start()
        .await
        .unwrap();
    let flags: Vec<&str> = ["--log-filter", "trace"].iter().chain(flags).copied().collect();
    World::beside(cluster, &Arc::new(google), &flags).await
}

fn all_scopes(access: Access) -> Vec<&'static str> {
    CredentialKind::AuthorizedUser.scopes(access)
}

/// Puts the consent of an account to these scopes into the Secret; gives back the file.
async fn put_consent(world: &World, account: &str, scopes: &[&str]) -> Value {
    let file = world.google.authorized_user_json(account, scopes).unwrap();
    world.put_secret(SECRET, SECRET_KEY, &file).await;
    serde_json::from_str(&file).unwrap()
}

async fn put_own_consent(world: &World) -> Value {
    put_consent(world, &world.google.admin_email(), &all_scopes(Access::ReadWrite)).await
}

fn by_consent(secret: &str) -> Value {
    json!({ "credentials": { "serviceAccountKey": null, "authorizedUser": { "secretRef": { "name": secret } } } })
}

fn service_account(world: &World) -> String {
    let customer = world.google.customer_id();
    world
        .google
        .state()
        .auth
        .register_customer(&customer)
        .unwrap()
        .service_account
}

fn domain(world: &World) -> String {
    world.google.admin_email().split_once('@').unwrap().1.to_owned()
}

fn by_keyless(account: &str) -> Value {
    json!({ "credentials": { "serviceAccountKey": null, "keyless": { "serviceAccountEmail": account } } })
}

/// A school whose operator may sign without a key, as the rule says it. The rule is made once the names are known.
async fn keyless_school(cluster: &Cluster, rule: impl Fn(&World) -> String) -> World {
    let mut world = talkative(cluster, &[]).await;
    let rule = format!("namespace={},{}", world.namespace, rule(&world));
    world.operator.kill();
    let variable = "CHROME_ENTERPRISE_OPERATOR_ALLOW_KEYLESS".to_owned();
    world.operator.environment.push((variable, rule));
    world.operator.restart();
    world
}

fn usual_rule(world: &World) -> String {
    format!(
        "service-account={},domain={}",
        service_account(world),
        domain(world)
    )
}

/// How often a path that begins so was asked for.
fn asked(world: &World, path: &str) -> usize {
    let filter = LogFilter {
        path: Some(path.to_owned()),
        ..LogFilter::default()
    };
    world.google.state().requests(&filter).len()
}

async fn feel_it(world: &World) {
    world.google.state().auth.revoke_tokens(None);
    world.request_sync().await;
}

/// Waits for the reason; the message must name all of `says`.
async fn told(world: &World, reason: &str, says: &[&str]) {
    let connection = world.until_reason(reason).await;
    let message = ready_message(&connection);
    for part in says {
        assert!(message.contains(part), "{reason} does not name {part}: {message}");
    }
}

async fn healed(world: &World) {
    world
        .until("Active and synced", |connection| {
            ready_reason(connection) == "Synced" && state(connection) == Some(ConnectionState::Active)
        })
        .await;
}

/// Nothing secret is in the log, whatever it was asked to tell.
fn no_secret_is_told(world: &World, files: &[Value]) {
    let log = world.operator.log();
    assert!(
        log.contains("\"DEBUG\"") || log.contains("\"level\":\"DEBUG\""),
        "the log is talkative"
    );
    let of_files = files.iter().flat_map(|file| {
        ["client_secret", "refresh_token"].map(|field| file[field].as_str().unwrap().to_owned())
    });
    let secrets = ["ya29.", "eyJ", "1//sim", "GOCSPX", "PRIVATE KEY"].map(str::to_owned);
    for secret in secrets.into_iter().chain(of_files) {
        assert!(!log.contains(&secret), "the log tells {secret}");
    }
}

#[test]
fn a_consent_connects_and_what_is_wrong_with_it_heals_without_a_restart() {
    run(async |cluster| {
        let world = talkative(cluster, &[]).await;
        let admin = world.google.admin_email();
        world.connect(by_consent(SECRET)).await;
        told(
            &world,
            "SecretNotFound",
            &[SECRET, SECRET_KEY, "kubectl chromeos connect"],
        )
        .await;

        let first = put_own_consent(&world).await;
        let connection = world.until_active().await;
        let status = connection.status.unwrap();
        assert_eq!(status.connected_account.as_deref(), Some(admin.as_str()));
        let oauth = status.oauth.unwrap();
        assert_eq!(oauth.client_id.as_deref(), first["client_id"].as_str());
        assert_eq!(oauth.scopes, all_scopes(Access::ReadWrite));
        world.assert_inventory_is_true().await;

        feel_it(&world).await;
        told(&world, "CredentialRevoked", &["kubectl chromeos connect"]).await;
        let connection = world.connection().await;
        assert_eq!(state(&connection), Some(ConnectionState::Degraded));
        assert!(
            !ready_message(&connection).contains("key"),
            "{}",
            ready_message(&connection)
        );
        world.assert_inventory_is_true().await;
        let second = put_own_consent(&world).await;
        healed(&world).await;

        let scopes = all_scopes(Access::ReadWrite);
        let third = put_consent(&world, &admin, &scopes[1..]).await;
        told(&world, "ConsentIncomplete", &[scopes[0], "tick every box"]).await;
        put_own_consent(&world).await;
        healed(&world).await;

        let teacher = format!("teacher@{}", domain(&world));
        let fourth = put_consent(&world, &teacher, &scopes).await;
        told(&world, "AccountMismatch", &[&admin, &teacher]).await;
        world.assert_inventory_is_true().await;
        put_own_consent(&world).await;
        healed(&world).await;

        world
            .put_secret(SECRET, SECRET_KEY, &world.google.service_account_json().unwrap())
            .await;
        told(&world, "SecretInvalid", &["type is not authorized_user"]).await;
        put_own_consent(&world).await;
        healed(&world).await;
        no_secret_is_told(&world, &[first, second, third, fourth]);
    });
}

/// Labels the Secret as `kubectl chromeos connect` does.
async fn label(world: &World, secret: &str) {
    let api: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    let patch = json!({ "metadata": { "labels": { CREATED_BY_LABEL: CREATED_BY_CONNECT } } });
    api.patch(secret, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
}

fn living_consents(world: &World) -> usize {
    world.google.state().auth.consents().len()
}

async fn delete(world: &World) -> Duration {
    let began = Instant::now();
    world.delete_connection(SCHOOL).await;
    world.until_gone(SCHOOL).await;
    began.elapsed()
}

#[test]
fn a_deleted_connection_revokes_its_consent_only_if_it_is_its_own_and_nobody_elses() {
    run(async |cluster| {
        let world = talkative(cluster, &[]).await;
        let own = put_own_consent(&world).await;
        world.connect(by_consent(SECRET)).await;
        world.until_active().await;
        delete(&world).await;
        assert_eq!(living_consents(&world), 1, "not labelled: not revoked");

        label(&world, SECRET).await;
        world.connect(by_consent(SECRET)).await;
        world.until_active().await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        world.connect_as("younger", by_consent(SECRET)).await;
        world
            .until_named("younger", "Conflict", |it| {
                state(it) == Some(ConnectionState::Conflict)
            })
            .await;
        delete(&world).await;
        assert_eq!(living_consents(&world), 1, "another one uses it");
        let younger = |it: &_| state(it) == Some(ConnectionState::Active);
        world.until_named("younger", "Active", younger).await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        world.connect(by_consent(SECRET)).await;
        world
            .until("Conflict", |it| state(it) == Some(ConnectionState::Conflict))
            .await;
        delete(&world).await;
        assert_eq!(living_consents(&world), 1, "in conflict nothing is revoked");

        world.delete_connection("younger").await;
        world.until_gone("younger").await;
        assert_eq!(living_consents(&world), 0, "{}", world.operator.log_tail());
        assert_eq!(asked(&world, "/revoke"), 1);

        // Revoked before: the deletion does not mind.
        world.connect(by_consent(SECRET)).await;
        world.until_reason("CredentialRevoked").await;
        delete(&world).await;
        assert!(!world.operator.log().contains("could not be revoked"));
        no_secret_is_told(&world, &[own]);
    });
}

#[test]
fn a_consent_that_another_namespace_lives_by_is_kept() {
    run(async |cluster| {
        let mut world = talkative(cluster, &[]).await;
        let second = unique("school");
        create_namespace(&world.client, &second).await;
        let google = world.google.url();
        world.operator = Operator::start(cluster, &[&world.namespace, &second], &google);
        let file = put_own_consent(&world).await;
        label(&world, SECRET).await;
        world.connect(by_consent(SECRET)).await;
        world.until_active().await;

        // The same token under another name, in the other namespace.
        let first = std::mem::replace(&mut world.namespace, second);
        world.put_secret("copy", SECRET_KEY, &file.to_string()).await;
        label(&world, "copy").await;
        world.connect(by_consent("copy")).await;
        world.until_active().await;
        let second = std::mem::replace(&mut world.namespace, first);
        delete(&world).await;
        assert_eq!(living_consents(&world), 1, "another namespace uses it");
        world.namespace = second;
        world.sync().await;
        delete(&world).await;
        assert_eq!(living_consents(&world), 0, "{}", world.operator.log_tail());
    });
}

#[test]
fn a_deletion_ends_although_its_consent_cannot_be_revoked() {
    run(async |cluster| {
        let world = talkative(cluster, &[]).await;
        put_own_consent(&world).await;
        label(&world, SECRET).await;
        world.connect(by_consent(SECRET)).await;
        world.until_active().await;
        world.google.go_offline().await;
        let took = delete(&world).await;
        assert!(took < Duration::from_secs(20), "{took:?}");
        world.google.go_online().await.unwrap();
        assert_eq!(living_consents(&world), 1);
        let told = || world.operator.log().matches("could not be revoked").count();
        assert_eq!(told(), 1);
        assert!(world.operator.log().contains("myaccount.google.com"));

        world.connect(by_consent(SECRET)).await;
        world.until_active().await;
        let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
        secrets.delete(SECRET, &DeleteParams::default()).await.unwrap();
        delete(&world).await;
        assert_eq!(told(), 2);
        assert_eq!(living_consents(&world), 1);
    });
}

#[test]
fn keyless_connects_and_what_is_wrong_with_it_heals_without_a_restart() {
    run(async |cluster| {
        let world = keyless_school(cluster, usual_rule).await;
        let account = service_account(&world);
        world.connect(by_keyless(&account)).await;
        let connection = world.until_active().await;
        let oauth = connection.status.unwrap().oauth.unwrap();
        assert_eq!(oauth.client_id, None, "nobody knows it without a key");
        assert_eq!(oauth.scopes, CredentialKind::Keyless.scopes(Access::ReadWrite));
        world.assert_inventory_is_true().await;

        let auth = &world.google.state().auth;
        auth.set_token_creators(&account, [].into()).unwrap();
        feel_it(&world).await;
        told(
            &world,
            "SigningForbidden",
            &["roles/iam.serviceAccountTokenCreator", &account],
        )
        .await;
        let workload = "workload@chromeos-platform.iam.gserviceaccount.com";
        auth.set_token_creators(&account, [workload.to_owned()].into())
            .unwrap();
        healed(&world).await;

        let client = auth.register_customer(&world.google.customer_id()).unwrap();
        let client = client.service_account_client_id;
        auth.delegate(&client, &world.google.customer_id(), [].into());
        feel_it(&world).await;
        told(
            &world,
            "DelegationMissing",
            &["gcloud iam service-accounts describe", &account],
        )
        .await;
        let scopes = CredentialKind::Keyless.scopes(Access::ReadWrite);
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        auth.delegate(&client, &world.google.customer_id(), scopes);
        healed(&world).await;
        no_secret_is_told(&world, &[]);
    });
}

#[test]
fn keyless_that_nobody_allowed_is_refused_and_nothing_is_asked() {
    run(async |cluster| {
        let world = keyless_school(cluster, usual_rule).await;
        let account = service_account(&world);
        let second = world.google.tenants()[1].clone();
        let state = world.google.state();
        let rich = state
            .auth
            .register_customer(second.customer_id())
            .unwrap()
            .service_account;
        let admins = [second.admin_email(), format!("admin@sub.{}", domain(&world))];
        let mut refused = vec![by_keyless(&rich)];
        for admin in admins {
            let mut settings = by_keyless(&account);
            settings["adminEmail"] = json!(admin);
            refused.push(settings);
        }
        state.clear_requests();
        for settings in refused {
            world.connect(settings).await;
            told(
                &world,
                "KeylessNotAllowed",
                &["--allow-keyless", &world.namespace],
            )
            .await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let connection = world.connections().get(SCHOOL).await.unwrap();
            assert_eq!(ready_reason(&connection), "KeylessNotAllowed");
            delete(&world).await;
        }
        assert_eq!(
            state.requests(&LogFilter::default()),
            vec![],
            "nothing was asked of anybody"
        );

        let nobody = talkative(cluster, &[]).await;
        nobody.google.state().clear_requests();
        nobody.connect(by_keyless(&service_account(&nobody))).await;
        told(&nobody, "KeylessNotAllowed", &["--allow-keyless"]).await;
        assert_eq!(nobody.google.state().requests(&LogFilter::default()), vec![]);
    });
}

#[test]
fn keyless_for_a_customer_reads_nothing_of_another() {
    run(async |cluster| {
        let rule = |world: &World| {
            let customer = world.google.customer_id();
            format!("service-account={},customer={customer}", service_account(world))
        };
        let world = keyless_school(cluster, rule).await;
        let account = service_account(&world);
        let other = world.google.tenants()[1].clone();
        // The other customer has delegated to this service account as well.
        let auth = &world.google.state().auth;
        let client = auth
            .register_customer(&world.google.customer_id())
            .unwrap()
            .service_account_client_id;
        let scopes = CredentialKind::Keyless.scopes(Access::ReadWrite);
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        auth.delegate(&client, other.customer_id(), scopes);
        let mut settings = by_keyless(&account);
        settings["adminEmail"] = json!(other.admin_email());
        world.google.state().clear_requests();
        world.connect(settings.clone()).await;
        told(&world, "KeylessNotAllowed", &["--allow-keyless"]).await;
        let user = format!("/admin/directory/v1/users/{}", other.admin_email());
        assert_eq!(
            asked(&world, "/admin/"),
            asked(&world, &user),
            "only the admin itself is read"
        );
        assert_eq!(world.device_objects().await.len(), 0);

        world.google.state().clear_requests();
        settings["customerId"] = json!(other.customer_id());
        delete(&world).await;
        world.connect(settings).await;
        told(&world, "KeylessNotAllowed", &["--allow-keyless"]).await;
        assert_eq!(
            asked(&world, "/admin/"),
            0,
            "another customer by name: nothing is asked"
        );

        delete(&world).await;
        world.connect(by_keyless(&account)).await;
        world.until_active().await;
        world.assert_inventory_is_true().await;
    });
}

#[test]
fn keyless_without_a_metadata_server_says_so_and_heals() {
    run(async |cluster| {
        let mut world = keyless_school(cluster, usual_rule).await;
        world.operator.kill();
        // Nobody listens at the discard port.
        world
            .operator
            .environment
            .push(("GCE_METADATA_HOST".to_owned(), "127.0.0.1:9".to_owned()));
        world.operator.restart();
        world.connect(by_keyless(&service_account(&world))).await;
        told(
            &world,
            "IdentityUnavailable",
            &["metadata server", "--google-metadata-endpoint"],
        )
        .await;
        assert_eq!(asked(&world, "/token"), 0);
        world.operator.kill();
        world.operator.environment.pop();
        world.operator.restart();
        world.until_active().await;
    });
}

/// A device that takes every command, online.
fn device(world: &World) -> String {
    let google = &world.google;
    let device = world
        .truth()
        .into_values()
        .find(|row| {
            row.last_enrolled_seconds != 0
                && row.mode == DeviceMode::UserSession
                && json!(row.status) == "ACTIVE"
        })
        .unwrap()
        .device_id;
    google
        .state()
        .set_connectivity(&google.customer_id(), &device, true)
        .unwrap();
    device
}

/// Restarts a device, and waits for the end of that.
async fn restart(world: &World, name: &str) -> (ActionState, String) {
    let api: Api<DeviceAction> = Api::namespaced(world.client.clone(), &world.namespace);
    let not_after = Timestamp::now() + SignedDuration::from_secs(3600);
    let action = json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction", "metadata": { "name": name },
        "spec": { "deviceId": device(world), "type": "Restart", "notAfter": not_after.to_string() },
    });
    let params = PatchParams::apply("tests").force();
    api.patch(name, &params, &Patch::Apply(&action)).await.unwrap();
    let began = Instant::now();
    loop {
        let status = api.get(name).await.unwrap().status.unwrap_or_default();
        if let Some(state) = status.state.filter(|state| state.is_final()) {
            let ended = status
                .conditions
                .iter()
                .find(|condition| condition.type_ == "Succeeded");
            return (
                state,
                ended.map_or_else(String::new, |ended| ended.reason.clone()),
            );
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{status:?}\n{}",
            world.operator.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn an_action_is_carried_out_with_every_way_of_signing_in_and_refused_where_only_reading_is_allowed() {
    run(async |cluster| {
        let world = keyless_school(cluster, usual_rule).await;
        let consent = put_own_consent(&world).await;
        let ways = [
            ("key", json!({})),
            ("consent", by_consent(SECRET)),
            ("keyless", by_keyless(&service_account(&world))),
        ];
        for (name, way) in ways {
            world.connect(way.clone()).await;
            world.until_active().await;
            let done = restart(&world, &format!("restart-by-{name}")).await;
            assert_eq!(done.0, ActionState::Succeeded, "{name}: {done:?}");

            let mut reading = way;
            reading["access"] = json!("ReadOnly");
            world.connect(reading).await;
            let accepted = asked_commands(&world);
            world.sync().await;
            world.assert_inventory_is_true().await;
            let refused = restart(&world, &format!("refused-by-{name}")).await;
            assert_eq!(
                refused,
                (ActionState::Rejected, "ConnectionReadOnly".to_owned()),
                "{name}"
            );
            assert_eq!(asked_commands(&world), accepted, "{name}: nothing was sent");
            delete(&world).await;
        }
        no_secret_is_told(&world, &[consent]);
    });
}

/// How many commands were sent to Google.
fn asked_commands(world: &World) -> usize {
    let requests = world.google.state().requests(&LogFilter::default());
    requests
        .iter()
        .filter(|request| request.path.ends_with(":issueCommand"))
        .count()
}
