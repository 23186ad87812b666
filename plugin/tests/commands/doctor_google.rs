//! `kubectl chromeos doctor` at a Google where something is wrong.

use google_admin_simulator::Simulator;
use operator_testing::Secrets;
use serde_json::{Value, json};

use crate::connections::{active, stalled};
use crate::doctor::{doctor, told};
use crate::sync::control;
use crate::world::{World, run};

/// A connection whose Secret holds the key of this Google.
async fn connect(world: &World, google: &Simulator) {
    let key = google.service_account_json().unwrap();
    world.secret("google", "service-account.json", &key).await;
    world.connection("school", json!({}), active()).await;
    let admin = json!({ "spec": { "adminEmail": google.admin_email() } });
    world.change_connection("school", admin).await;
}

/// What the doctor tells of Google, with this verdict.
async fn at_google(world: &World, google: &Simulator, verdict: &str) -> String {
    let (report, _) = doctor(world, &["--google-endpoint", &google.url()]).await;
    let told = told(&report, verdict);
    told.into_iter()
        .filter(|line| line.starts_with("google"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is advised in the finding of this check.
fn advice(report: &Value, check: &str) -> String {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut found = findings.filter(|finding| finding["check"] == check && finding["remedy"].is_string());
    found.next().unwrap_or_else(|| panic!("{check}: {report:#}"))["remedy"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_delegation_that_is_not_whole_names_the_scopes() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Simulator::builder().devices(5).seed(7).start().await.unwrap();
        connect(&world, &google).await;
        let key: Value = serde_json::from_str(&google.service_account_json().unwrap()).unwrap();
        let client = key["client_id"].as_str().unwrap();
        let some = json!({ "scopes": ["https://www.googleapis.com/auth/admin.directory.user.readonly",
            "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"] });
        control(&google, "PUT", &format!("auth/delegations/{client}"), some).await;
        let (report, code) = doctor(&world, &["--google-endpoint", &google.url()]).await;
        assert_eq!(code, 3);
        let problems = told(&report, "problem").join("\n");
        assert!(
            problems.contains(
                "Google does not grant these scopes (DelegationMissing): \
                 https://www.googleapis.com/auth/admin.directory.device.chromeos."
            ),
            "{problems}"
        );
        let advice = advice(&report, "google scopes");
        assert!(
            advice.contains(&format!(
                "give the client ID {client} exactly these scopes: https://"
            )),
            "{advice}"
        );
        assert!(
            told(&report, "notChecked").join("\n").contains("google devices"),
            "{report:#}"
        );
    });
}

#[test]
fn an_account_that_does_not_do_is_found() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Simulator::builder().devices(5).seed(7).start().await.unwrap();
        connect(&world, &google).await;
        assert_eq!(at_google(&world, &google, "problem").await, "");

        let user = format!("tenants/{}/users/{}", google.customer_id(), google.admin_email());
        let weak = json!({ "isAdmin": false, "isDelegatedAdmin": true, "privileges": { "chromeDevices": false, "orgUnits": true, "users": true } });
        control(&google, "PATCH", &user, weak).await;
        let problem = at_google(&world, &google, "problem").await;
        assert!(
            problem.contains("google devices") && problem.contains("(PrivilegeMissing)"),
            "{problem}"
        );
        assert!(!problem.contains("google org units"), "{problem}");

        control(&google, "PATCH", &user, json!({ "suspended": true })).await;
        let problem = at_google(&world, &google, "problem").await;
        assert!(
            problem.contains("google sign-in") && problem.contains("Account"),
            "{problem}"
        );
    });
}

#[test]
fn quota_clock_and_a_google_that_is_away_are_told() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Simulator::builder().devices(5).seed(7).start().await.unwrap();
        connect(&world, &google).await;
        // The simulated Google tells this machine's time; how a difference is judged has a test of its own.
        let fine = at_google(&world, &google, "ok").await;
        assert!(
            fine.contains("google clock: It agrees with this machine."),
            "{fine}"
        );

        let limits = json!({ "queriesPerMinute": 1, "exceededAs": "rateLimit429" });
        control(&google, "PATCH", "quota", limits).await;
        let warning = at_google(&world, &google, "warning").await;
        assert!(
            warning.contains("Google refuses it (QuotaExhausted)."),
            "{warning}"
        );

        google.go_offline().await;
        let warning = at_google(&world, &google, "warning").await;
        assert!(
            warning.contains("Google cannot be reached from this machine"),
            "{warning}"
        );
    });
}

#[test]
fn what_the_operator_says_and_a_secret_that_cannot_be_used_are_told() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world
            .connection(
                "school",
                json!({}),
                stalled("Degraded", "AccountSuspended", "Restore it."),
            )
            .await;
        let (report, code) = doctor(&world, &[]).await;
        assert_eq!(code, 3);
        let problems = told(&report, "problem").join("\n");
        assert!(
            problems.contains("/school: Degraded (AccountSuspended)."),
            "{problems}"
        );
        assert!(
            problems.contains("/school: There is no Secret google."),
            "{problems}"
        );
        assert_eq!(advice(&report, "connection"), "Restore it.");

        world.secret("google", "other", "{}").await;
        let (report, _) = doctor(&world, &[]).await;
        assert!(
            told(&report, "problem")
                .join("\n")
                .contains("Secret google has no key service-account.json.")
        );
        world
            .secret(
                "google",
                "service-account.json",
                "{\"type\": \"authorized_user\", \"private_key\": \"hush-hush\"}",
            )
            .await;
        let (report, _) = doctor(&world, &[]).await;
        let problems = told(&report, "problem").join("\n");
        assert!(
            problems.contains("Key service-account.json of Secret google cannot be used: "),
            "{problems}"
        );
        assert!(!report.to_string().contains("hush-hush"));
    });
}

#[test]
fn no_secret_is_printed() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Simulator::builder().devices(5).seed(7).start().await.unwrap();
        connect(&world, &google).await;
        let key: Value = serde_json::from_str(&google.service_account_json().unwrap()).unwrap();
        let secrets = Secrets::new().with("private key", key["private_key"].as_str().unwrap());
        let mut search = secrets.search();
        for arguments in [
            &["doctor", "--google-endpoint", &google.url()][..],
            &["status", "school"],
            &["status", "-o", "yaml"],
        ] {
            let printed = world.plugin(arguments).await;
            search.bytes(arguments[0], format!("{}{}", printed.stdout, printed.stderr));
        }
        search.assert_none();
    });
}
