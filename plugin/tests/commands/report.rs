//! `kubectl chromeos report`, in the browser in which people open it.

use operator_testing::{Browser, Look, Page, artifact_path};
use serde_json::json;

use crate::connections::active;
use crate::inventory::{HOSTILE, days_ago, fleet};
use crate::world::{World, run};

async fn open(browser: &Browser, world: &World, file: &str) -> Page {
    let path = world.folder.path().join(file);
    browser.open(&format!("file://{}", path.display())).await.unwrap()
}

async fn is_sound(page: &mut Page) {
    let report = page.report().await.unwrap();
    assert_eq!(report.problems(), Vec::<String>::new());
    assert_eq!(
        report.requests.len(),
        1,
        "nothing but the file itself: {:?}",
        report.requests
    );
    // Nothing sticks out to the right.
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(page.evaluate(fits).await.unwrap(), json!(true));
}

#[test]
fn the_page_opens_everywhere_and_needs_nothing_else() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        fleet(&world).await;
        world.connection("school", json!({}), active()).await;
        for number in 0..60 {
            let status = json!({
                "serialNumber": format!("M{number}"), "serialKey": format!("M{number}"), "state": "ACTIVE",
                "model": format!("Model {}", number % 17), "orgUnitPath": format!("/North/School {}", number % 9),
                "software": { "osVersion": format!("{}.0.1", 120 + number % 5), "autoUpdateEndTime": "2027-06-01T00:00:00Z" },
                "activity": { "lastSyncTime": days_ago(number * 3) },
            });
            world.device(&format!("m-{number}"), status).await;
        }
        let made = world.plugin(&["report", "-o", "fleet.html"]).await;
        assert_eq!(
            (made.stderr.as_str(), made.code),
            ("Wrote fleet.html: 66 devices.\n", Some(0))
        );
        let again = world.plugin(&["report", "-o", "fleet.html"]).await;
        assert_eq!(
            again.code,
            Some(2),
            "an existing file is not replaced unasked: {again:?}"
        );
        assert!(again.stderr.contains("--overwrite"), "{again:?}");

        let browser = Browser::launch().await.unwrap();
        let mut page = open(&browser, &world, "fleet.html").await;
        for (width, name) in [(1280, "report-1280.png"), (390, "report-390.png")] {
            page.viewport(width, 900).await.unwrap();
            is_sound(&mut page).await;
            page.screenshot(artifact_path(name).unwrap()).await.unwrap();
        }
        let dark = Look {
            dark: true,
            ..Look::default()
        };
        page.look(dark).await.unwrap();
        page.viewport(1280, 900).await.unwrap();
        page.screenshot(artifact_path("report-dark.png").unwrap())
            .await
            .unwrap();
        let paper = Look {
            print: true,
            no_colors: true,
            ..Look::default()
        };
        page.look(paper).await.unwrap();
        page.screenshot(artifact_path("report-print.png").unwrap())
            .await
            .unwrap();
        page.look(Look::default()).await.unwrap();

        // By keyboard: the first stop leads past the navigation, and everything that can be reached is visible.
        page.press("Tab").await.unwrap();
        let focused = "document.activeElement.getAttribute('href')";
        assert_eq!(page.evaluate(focused).await.unwrap(), json!("#content"));
        page.press("Enter").await.unwrap();
        assert_eq!(
            page.evaluate("document.activeElement.id").await.unwrap(),
            json!("content")
        );
        let hidden = "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')].filter(e => !e.checkVisibility()).length";
        assert_eq!(page.evaluate(hidden).await.unwrap(), json!(0));
        let unnamed =
            "[...document.querySelectorAll('table th')].filter(e => !e.hasAttribute('scope')).length";
        assert_eq!(page.evaluate(unnamed).await.unwrap(), json!(0));
        let text = page.text("main").await.unwrap();
        for number in ["66", "DISABLED", "TWIN1"] {
            assert!(text.contains(number), "{number} is not on the page");
        }
        assert!(
            !text.contains("lena@school.example"),
            "users are left out unless they are asked for"
        );
    });
}

#[test]
fn hostile_text_stays_text() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world
            .device(
                "a-hostile",
                json!({
                    "serialNumber": "<b>5CD9</b>", "serialKey": "<B>5CD9</B>", "state": "DISABLED", "model": "</table><img src=x onerror=alert(1)>",
                    "orgUnitPath": format!("/{HOSTILE}"), "annotatedUser": "\"><script>document.title='owned'</script>",
                    "annotatedLocation": HOSTILE, "notes": HOSTILE,
                }),
            )
            .await;
        let made = world
            .plugin(&["report", "-o", "fleet.html", "--include-users"])
            .await;
        assert_eq!(made.code, Some(0), "{made:?}");
        let html = std::fs::read_to_string(world.folder.path().join("fleet.html")).unwrap();
        assert!(
            !html.contains("<script") && !html.contains("<img") && !html.contains('\u{202e}'),
            "escaped"
        );
        let browser = Browser::launch().await.unwrap();
        let mut page = open(&browser, &world, "fleet.html").await;
        is_sound(&mut page).await;
        assert_ne!(page.evaluate("document.title").await.unwrap(), json!("owned"));
        assert_eq!(
            page.evaluate("document.querySelectorAll('script, img').length")
                .await
                .unwrap(),
            json!(0)
        );
        let text = page.text("main").await.unwrap();
        assert!(
            text.contains("<b>5CD9</b>") && text.contains("onerror=alert(1)"),
            "shown as it is"
        );
    });
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_devices_are_read() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let printed = world.plugin(&["report", "-o", "missing/fleet.html"]).await;
        assert_eq!(printed.code, Some(1));
        assert!(printed.stderr.contains("missing/fleet.html"), "{printed:?}");
        let empty = world.plugin(&["report", "-o", "-"]).await;
        assert_eq!(empty.code, Some(0));
        assert!(empty.stdout.contains("There are no devices here."), "{empty:?}");
    });
}
