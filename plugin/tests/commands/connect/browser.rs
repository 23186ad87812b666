//! The sign-in with a real browser.

use operator_testing::{Browser, Look, Page, artifact_path};
use serde_json::json;

use super::support::{Google, Running};
use crate::world::{Operator, World, run};

const CONSENT: [&str; 5] = [
    "connect",
    "--consent",
    "--client-file",
    "client_secret.json",
    "--no-browser",
];

/// The browser found nothing wrong with our pages. The simulated Google has no icon.
async fn no_problems(page: &mut Page, google: &Google) {
    let icon = format!("request: {}/favicon.ico: status 404", google.url());
    let mut problems = page.report().await.unwrap().problems();
    problems.retain(|problem| *problem != icon);
    assert!(problems.is_empty(), "{problems:?}");
}

/// Pictures of a page as different people see it.
async fn pictures(page: &Page, name: &str) {
    for (suffix, width, look) in [
        ("light", 1000, Look::default()),
        (
            "dark",
            1000,
            Look {
                dark: true,
                ..Look::default()
            },
        ),
        ("phone", 360, Look::default()),
    ] {
        page.viewport(width, 640).await.unwrap();
        page.look(look).await.unwrap();
        page.screenshot(artifact_path(&format!("connect-{name}-{suffix}.png")).unwrap())
            .await
            .unwrap();
        let overflow = page
            .evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            .await
            .unwrap();
        assert_eq!(overflow, false, "{name} {suffix}");
    }
}

#[test]
fn an_admin_signs_in_with_a_browser() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        google.consent(json!({ "mode": "ask" })).await;
        let operator = Operator::start(&world, &google.url(), &[]);
        let browser = Browser::launch().await.unwrap();
        let running = Running::start(&world, &google, &CONSENT);
        let mut page = browser.open(&running.address().await).await.unwrap();
        page.wait_for_text("Allow it to use").await.unwrap();
        page.click_text("Allow").await.unwrap();
        page.wait_for_text("You are signed in").await.unwrap();
        no_problems(&mut page, &google).await;
        // Neither code nor state stay in the address.
        let address = page
            .evaluate("location.pathname + location.search")
            .await
            .unwrap();
        assert_eq!(address, "/done");
        let printed = running.end().await;
        assert_eq!(printed.code, Some(0), "{}\n{}", printed.stderr, operator.log());
        pictures(&page, "signed-in").await;
        let connection = world.connections().get("google").await.unwrap();
        assert_eq!(connection.spec.admin_email, google.simulator.admin_email());
    });
}

#[test]
fn an_admin_refuses_or_takes_the_wrong_account_in_a_browser() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        google.consent(json!({ "mode": "ask" })).await;
        let browser = Browser::launch().await.unwrap();
        let admin = google.simulator.admin_email();
        for (account, button, title, name) in [
            (None, "Cancel", "You did not allow it", "refused"),
            (
                Some("device-admin@school.example"),
                "Allow",
                "This is another account",
                "wrong-account",
            ),
        ] {
            let arguments: Vec<&str> = CONSENT.iter().chain(&["--admin", &admin]).copied().collect();
            let running = Running::start(&world, &google, &arguments);
            let mut page = browser.open(&running.address().await).await.unwrap();
            if let Some(account) = account {
                page.fill("input[name=account]", account).await.unwrap();
            }
            page.click_text(button).await.unwrap();
            page.wait_for_text(title).await.unwrap();
            no_problems(&mut page, &google).await;
            pictures(&page, name).await;
            let printed = running.end().await;
            assert_eq!(printed.code, Some(1), "{}", printed.stderr);
            page.close().await.unwrap();
        }
        assert!(world.objects().await.is_empty());
        assert_eq!(google.consents().await, 0);
    });
}

#[test]
fn a_closed_tab_ends_with_the_time() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let google = Google::start(&world).await;
        google.consent(json!({ "mode": "ask" })).await;
        let browser = Browser::launch().await.unwrap();
        let arguments: Vec<&str> = CONSENT
            .iter()
            .chain(&["--sign-in-timeout", "3s"])
            .copied()
            .collect();
        let running = Running::start(&world, &google, &arguments);
        let page = browser.open(&running.address().await).await.unwrap();
        page.close().await.unwrap();
        let printed = running.end().await;
        assert_eq!(printed.code, Some(1));
        assert!(
            printed.stderr.contains("Nobody finished the sign-in within 3 s."),
            "{}",
            printed.stderr
        );
        assert!(world.objects().await.is_empty());
    });
}
