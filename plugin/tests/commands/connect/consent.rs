//! The sign-in without a browser: what anybody on this machine could send to its port.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use kube::api::{Patch, PatchParams};
use operator_testing::Secrets;
use serde_json::json;
use url::Url;

use super::support::{Google, Running, Shown, done, get};
use crate::world::{Operator, Printed, World, run};

const CONSENT: [&str; 5] = [
    "connect",
    "--consent",
    "--client-file",
    "client_secret.json",
    "--no-browser",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    CONSENT.iter().chain(more).copied().collect()
}

/// The address with some parameters changed.
fn changed(address: &str, changes: &[(&str, &str)]) -> String {
    let mut url = Url::parse(address).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().map(|(name, value)| {
            let change = changes.iter().find(|(changed, _)| changed == name);
            (name.as_str(), change.map_or(value.as_str(), |(_, value)| value))
        }));
    url.to_string()
}

fn parameter(address: &str, name: &str) -> String {
    let url = Url::parse(address).unwrap();
    url.query_pairs()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.into_owned())
        .unwrap()
}

/// Opens the address and agrees at Google; gives cookie and the address to come back to.
async fn agree(google: &Google, address: &str) -> (String, String) {
    let opened = get(google, address, "").await;
    assert_eq!(opened.status, 303, "{opened:?}");
    (opened.cookie, google.agree(&opened.location).await)
}

async fn come_back(google: &Google, address: &str, cookie: &str, back: &str) -> Shown {
    let answer = get(google, back, cookie).await;
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (303, "/done"),
        "{answer:?}"
    );
    get(google, &done(address), cookie).await
}

async fn nothing_left(world: &World, google: &Google, printed: &Printed, code: i32) {
    assert_eq!(printed.code, Some(code), "{}", printed.stderr);
    assert!(world.objects().await.is_empty(), "{:?}", world.objects().await);
    assert_eq!(google.consents().await, 0);
}

#[test]
fn only_the_true_answer_ends_the_wait_and_it_counts_once() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let operator = Operator::start(&world, &google.url(), &[]);
        // A browser that notes which address it is started with.
        let (program, note) = (
            world.folder.path().join("browser"),
            world.folder.path().join("opened"),
        );
        std::fs::write(
            &program,
            format!("#!/bin/sh\necho \"$@\" > {}\nsleep 3\n", note.display()),
        )
        .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let browser = program.display().to_string();
        let running = Running::start_with(&world, &google, &CONSENT[..4], &[("BROWSER", browser.as_str())]);
        let address = running.address().await;
        assert_eq!(std::fs::read_to_string(&note).unwrap().trim(), address);
        let (cookie, back) = agree(&google, &address).await;

        let other = get(&google, &address, "").await;
        assert!(
            other.status == 409 && other.text.contains("in another browser"),
            "{other:?}"
        );
        assert_eq!(get(&google, &address, &cookie).await.status, 303);
        let wrong = [
            (
                changed(&back, &[("state", "forged")]),
                cookie.as_str(),
                "not the sign-in",
            ),
            (back.clone(), "", "not the sign-in"),
            (back.clone(), "chromeos-sign-in-1=x", "not the sign-in"),
            (
                changed(&back, &[("iss", "https://evil.example")]),
                cookie.as_str(),
                "not from Google",
            ),
            (format!("{back}&state=x"), cookie.as_str(), "not the sign-in"),
        ];
        for (address, cookie, said) in &wrong {
            let shown = get(&google, address, cookie).await;
            assert!(shown.status == 400 && shown.text.contains(said), "{shown:?}");
        }
        let host = google
            .http
            .get(&back)
            .header("host", "evil.example")
            .header("cookie", &cookie);
        assert_eq!(host.send().await.unwrap().status(), 421);
        let post = google.http.post(&back).header("cookie", &cookie);
        assert_eq!(post.send().await.unwrap().status(), 405);
        let elsewhere = back.replace("/callback", "/callback/x");
        assert_eq!(get(&google, &elsewhere, &cookie).await.status, 404);
        assert!(world.objects().await.is_empty());

        let last = come_back(&google, &address, &cookie, &back).await;
        assert!(last.text.contains("You are signed in"), "{}", last.text);
        assert!(!last.text.contains("<script"));
        for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
            assert_eq!(last.headers[name], value);
        }
        let printed = running.end().await;
        assert_eq!(printed.code, Some(0), "{}\n{}", printed.stderr, operator.log());
        assert!(
            printed.stdout.contains("is Active: 3 devices"),
            "{}",
            printed.stdout
        );

        let secret = world.secrets().get("google-authorized-user").await.unwrap();
        let user: serde_json::Value =
            serde_json::from_slice(&secret.data.unwrap()["authorized-user.json"].0).unwrap();
        let secrets = Secrets::new()
            .with("the refresh token", user["refresh_token"].as_str().unwrap())
            .with("the client secret", &google.client_secret)
            .with("the code", parameter(&back, "code"))
            .with("the state", parameter(&back, "state"));
        let mut search = secrets.search();
        world.search(&mut search, &google, &operator, &printed).await;
        search.bytes("the arguments of the browser", std::fs::read(&note).unwrap());
        search.assert_none();
        assert!(!printed.stderr.contains("ya29.") && !operator.log().contains("ya29."));
        let mut search = secrets.search();
        search.bytes("a leak on purpose", format!("{back} {user}"));
        assert_eq!(search.findings().len(), 4);
    });
}

#[test]
fn an_answer_comes_once_and_a_second_one_is_told_so() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        // Nobody makes it Active, so the command goes on.
        let running = Running::start(&world, &google, &with(&["--timeout", "4s"]));
        let address = running.address().await;
        let (cookie, back) = agree(&google, &address).await;
        let last = come_back(&google, &address, &cookie, &back).await;
        assert!(last.text.contains("You are signed in"), "{}", last.text);
        for again in [&back, &address] {
            let shown = get(&google, again, &cookie).await;
            assert!(shown.text.contains("already done"), "{}", shown.text);
        }
        assert_eq!(google.consents().await, 1);
        assert_eq!(running.end().await.code, Some(5));

        // Google ends all consents of an account to a client together, so a new one that is of no use stays: the connection
        // lives from an older one.
        let secret = world.secrets().get("google-authorized-user").await.unwrap();
        let withheld = "https://www.googleapis.com/auth/admin.directory.user.readonly";
        google.consent(json!({ "withheldScopes": [withheld] })).await;
        let running = Running::start(&world, &google, &with(&[]));
        let address = running.address().await;
        let (cookie, back) = agree(&google, &address).await;
        let last = come_back(&google, &address, &cookie, &back).await;
        assert!(
            last.text.contains("was not taken back at Google"),
            "{}",
            last.text
        );
        let printed = running.end().await;
        assert_eq!(printed.code, Some(1), "{}", printed.stderr);
        assert!(
            printed.stderr.contains("was not taken back at Google"),
            "{}",
            printed.stderr
        );
        assert_eq!(google.consents().await, 2);
        let after = world.secrets().get("google-authorized-user").await.unwrap();
        assert_eq!(after.data, secret.data);
    });
}

#[test]
fn a_code_of_somebody_elses_sign_in_is_of_no_use() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let theirs = Running::start(&world, &google, &with(&[]));
        let (_, stolen) = agree(&google, &theirs.address().await).await;
        let ours = Running::start(&world, &google, &with(&[]));
        let address = ours.address().await;
        let (cookie, back) = agree(&google, &address).await;
        let mixed = changed(&back, &[("code", &parameter(&stolen, "code"))]);
        let last = come_back(&google, &address, &cookie, &mixed).await;
        assert!(last.text.contains("The sign-in did not work"), "{}", last.text);
        let printed = ours.end().await;
        assert!(
            printed.stderr.contains("Google gave no token"),
            "{}",
            printed.stderr
        );
        nothing_left(&world, &google, &printed, 1).await;
    });
}

#[test]
fn a_consent_that_is_of_no_use_is_taken_back() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let withheld = "https://www.googleapis.com/auth/admin.directory.user.readonly";
        let admin = google.simulator.admin_email();
        for (switches, more, title, said) in [
            (
                json!({ "mode": "deny" }),
                &[][..],
                "You did not allow it",
                "refused on Google&#39;s page",
            ),
            (
                json!({ "mode": "approve", "withheldScopes": [withheld] }),
                &[][..],
                "did not work",
                withheld,
            ),
            (
                json!({ "withheldScopes": ["https://www.googleapis.com/auth/userinfo.email"] }),
                &[][..],
                "did not work",
                "who signed in",
            ),
        ] {
            google.consent(switches).await;
            let running = Running::start(&world, &google, &with(more));
            let address = running.address().await;
            let (cookie, back) = agree(&google, &address).await;
            let last = come_back(&google, &address, &cookie, &back).await;
            assert!(last.text.contains(title), "{}", last.text);
            let printed = running.end().await;
            let said = said.replace("&#39;", "'");
            assert!(printed.stderr.contains(&said), "{said:?} in: {}", printed.stderr);
            nothing_left(&world, &google, &printed, 1).await;
        }
        google.consent(json!({ "withheldScopes": [] })).await;
        let running = Running::start(&world, &google, &with(&["--admin", &admin]));
        let address = running.address().await;
        let opened = get(&google, &address, "").await;
        let page = changed(&opened.location, &[("login_hint", "device-admin@school.example")]);
        let back = google.agree(&page).await;
        let last = come_back(&google, &address, &opened.cookie, &back).await;
        assert!(last.text.contains("This is another account"), "{}", last.text);
        let printed = running.end().await;
        let said = format!("device-admin@school.example signed in, but --admin names {admin}.");
        assert!(printed.stderr.contains(&said), "{}", printed.stderr);
        assert!(
            printed.stderr.contains("taken back at Google"),
            "{}",
            printed.stderr
        );
        nothing_left(&world, &google, &printed, 1).await;
    });
}

#[test]
fn what_the_cluster_does_not_take_is_taken_back_at_google() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let running = Running::start(&world, &google, &with(&[]));
        let address = running.address().await;
        let (cookie, back) = agree(&google, &address).await;
        // Meanwhile somebody else keeps a connection of this name.
        let other = json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": "google" },
            "spec": { "adminEmail": "other@school.example",
                "credentials": { "authorizedUser": { "secretRef": { "name": "x" } } } },
        });
        let connections = world.connections();
        let by_argo = PatchParams::apply("argocd-controller");
        connections
            .patch("google", &by_argo, &Patch::Apply(&other))
            .await
            .unwrap();
        let last = come_back(&google, &address, &cookie, &back).await;
        assert!(last.text.contains("Nothing was connected"), "{}", last.text);
        let printed = running.end().await;
        for said in [
            "belongs to argocd-controller",
            "is deleted.",
            "The consent was taken back at Google.",
        ] {
            assert!(printed.stderr.contains(said), "{said:?} in: {}", printed.stderr);
        }
        assert_eq!(printed.code, Some(1));
        assert_eq!(world.objects().await, ["google"]);
        assert_eq!(google.consents().await, 0);
    });
}

#[test]
fn google_may_be_away_and_a_port_may_be_taken_and_nobody_may_come() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        let running = Running::start(&world, &google, &with(&[]));
        let address = running.address().await;
        let (cookie, back) = agree(&google, &address).await;
        google.simulator.go_offline().await;
        let last = come_back(&google, &address, &cookie, &back).await;
        assert!(last.text.contains("The sign-in did not work"), "{}", last.text);
        let printed = running.end().await;
        assert!(
            printed.stderr.contains("(NetworkUnreachable)"),
            "{}",
            printed.stderr
        );
        google.simulator.go_online().await.unwrap();
        nothing_left(&world, &google, &printed, 1).await;

        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let printed = Running::start(&world, &google, &with(&["--port", &port]))
            .end()
            .await;
        assert!(
            printed.stderr.contains("another program uses this port"),
            "{}",
            printed.stderr
        );
        nothing_left(&world, &google, &printed, 1).await;

        let printed = Running::start(&world, &google, &with(&["--sign-in-timeout", "1s"]))
            .end()
            .await;
        assert!(
            printed.stderr.contains("Nobody finished the sign-in within 1 s."),
            "{}",
            printed.stderr
        );
        nothing_left(&world, &google, &printed, 1).await;
    });
}
