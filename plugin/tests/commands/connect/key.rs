//! With the key of a service account, and without any; what is printed for Git.

use operator_testing::{Secrets, assert_golden};
use serde_json::json;

use super::support::{Google, Running};
use crate::world::{Operator, run};

const SCOPES: &str = "https://www.googleapis.com/auth/admin.directory.device.chromeos,\
                      https://www.googleapis.com/auth/admin.directory.user.readonly,\
                      https://www.googleapis.com/auth/admin.directory.orgunit.readonly";

#[test]
fn with_a_key_it_says_what_is_missing_and_becomes_active_once_it_is_there() {
    run(|cluster| async {
        let world = crate::world::World::start(cluster).await;
        let google = Google::start(&world).await;
        let delegation = format!("/auth/delegations/{}", google.client_id);
        google.control("DELETE", &delegation, json!({})).await;
        let operator = Operator::start(&world, &google.url(), &[]);
        let admin = google.simulator.admin_email();
        let running = Running::start(
            &world,
            &google,
            &[
                "connect",
                "--key-file",
                "key.json",
                "--admin",
                &admin,
                "--look-again",
                "1s",
            ],
        );
        running.says("(DelegationMissing)").await;
        let said = running.stderr();
        let pasted = format!(
            "Domain-wide delegation\n  Client ID:\n    {}\n  OAuth scopes:\n    {SCOPES}\n",
            google.client_id
        );
        // Once before the wait, and once when the operator found out.
        assert_eq!(said.matches(&pasted).count(), 2, "{said}");
        assert!(said.contains("Delete the file key.json"), "{said}");

        let scopes: Vec<&str> = SCOPES.split(',').collect();
        google
            .control("PUT", &delegation, json!({ "scopes": scopes }))
            .await;
        let printed = running.end().await;
        assert_eq!(printed.code, Some(0), "{}\n{}", printed.stderr, operator.log());
        assert_eq!(
            printed.stdout,
            format!(
                "Connection google is Active: 3 devices of customer {}, read as {admin}.\n",
                google.simulator.customer_id()
            )
        );
        let secret = world.secrets().get("google-service-account").await.unwrap();
        let label = secret.metadata.labels.unwrap()["chromeenterprise.dev/created-by"].clone();
        assert_eq!(label, "kubectl-chromeos");

        let line = google.private_key.lines().nth(3).unwrap().to_owned();
        let secrets = Secrets::new().with("the key", &line);
        let mut search = secrets.search();
        world.search(&mut search, &google, &operator, &printed).await;
        search.assert_none();
        let mut search = secrets.search();
        search.bytes("a leak on purpose", format!("key: {line}"));
        assert_eq!(search.findings().len(), 1);

        // Again with other wishes: the same connection is changed, and nothing else.
        let arguments = [
            "connect",
            "--key-file",
            "key.json",
            "--admin",
            &admin,
            "--interval",
            "30m",
            "--include-recent-users",
        ];
        let again = Running::start(&world, &google, &arguments).end().await;
        assert_eq!(again.code, Some(0), "{}", again.stderr);
        let connection = world.connections().get("google").await.unwrap();
        assert_eq!(connection.spec.sync.interval_seconds, 1800);
        assert_eq!(world.objects().await, ["google-service-account", "google"]);
    });
}

#[test]
fn a_dry_run_prints_what_belongs_into_git_and_changes_nothing() {
    run(|cluster| async {
        let world = crate::world::World::start(cluster).await;
        let google = Google::start(&world).await;
        for (golden, arguments) in [
            (
                "key",
                &[
                    "--key-file",
                    "key.json",
                    "--interval",
                    "12h",
                    "--query",
                    "status:provisioned",
                ][..],
            ),
            (
                "consent",
                &["--consent", "--client-file", "client_secret.json", "--read-only"][..],
            ),
            (
                "keyless",
                &[
                    "--keyless",
                    "fleet@project.iam.gserviceaccount.com",
                    "--org-unit",
                    "/North",
                ][..],
            ),
        ] {
            let mut all = vec![
                "connect",
                "district",
                "--dry-run=client",
                "-o",
                "yaml",
                "--admin",
                "a@school.example",
            ];
            all.extend(arguments);
            let printed = world.plugin(&all).await;
            assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
            let yaml = printed.stdout.replace(&world.namespace, "school");
            assert_golden(format!("tests/golden/connect-{golden}.yaml"), &yaml);
        }
        assert!(world.objects().await.is_empty());
        assert_eq!(google.consents().await, 0);
        let printed = world
            .plugin(&[
                "connect",
                "--consent",
                "--client-file",
                "client_secret.json",
                "--dry-run=client",
            ])
            .await;
        assert_eq!(printed.code, Some(2));
        assert!(
            printed.stderr.contains("--dry-run needs --admin"),
            "{}",
            printed.stderr
        );
    });
}

#[test]
fn without_an_operator_and_without_a_key() {
    run(|cluster| async {
        let world = crate::world::World::start(cluster).await;
        let google = Google::start(&world).await;
        let account = "fleet@north.iam.gserviceaccount.com";
        let arguments = [
            "connect",
            "--keyless",
            account,
            "--admin",
            "a@school.example",
            "--silence",
            "1s",
            "--timeout",
            "2s",
        ];
        let printed = Running::start(&world, &google, &arguments).end().await;
        assert_eq!(printed.code, Some(5), "{}", printed.stderr);
        let flag = format!(
            "--allow-keyless namespace={},service-account={account},domain=school.example\n",
            world.namespace
        );
        for said in [
            flag.as_str(),
            "--project north\n",
            "No operator has looked at connection google for 1 s.",
            "The time is over: connection google in namespace",
            "The operator goes on without this program.",
        ] {
            assert!(printed.stderr.contains(said), "{said:?} in: {}", printed.stderr);
        }
        assert_eq!(world.objects().await, ["google"]);

        let arguments = ["connect", "--keyless", account, "--admin", "a@school.example"];
        let running = Running::start(&world, &google, &arguments);
        running.says("Waiting for the operator").await;
        running.interrupt();
        let printed = running.end().await;
        assert_eq!(printed.code, Some(130), "{}", printed.stderr);
        assert!(printed.stderr.contains("Stopped waiting: "), "{}", printed.stderr);
    });
}
