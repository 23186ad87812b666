use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;

use super::*;
use crate::artifact_path;

const FLEET: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Fleet</title>
<link rel="icon" href="data:,">
<style>
  body { font: 16px sans-serif; color: rgb(200, 0, 0) }
  @media print { .screen { display: none } }
  @media (prefers-color-scheme: dark) { body { background: black } }
  #tall { height: 3000px }
</style>
<h1>Devices</h1>
<p id="count">none yet</p>
<label for="name">Name</label> <input id="name" value="old">
<button id="show"><span>Show   devices</span></button>
<button id="off" disabled>Forget</button>
<button hidden>Show devices</button>
<button class="twin">Twin</button><button class="twin">Twin</button>
<a class="screen" href="/second">Second page</a>
<div id="tall"></div>
<button id="last" onclick="document.title = 'reached'">Far below</button>
<script>
  document.querySelector('#show').addEventListener('click', () =>
    setTimeout(() => { document.querySelector('#count').textContent = 'hello ' + document.querySelector('#name').value }, 100));
</script>"#;

const FAULTY: &str = r"<!doctype html><meta charset='utf-8'><title>Faulty</title>
<img src='http://school.example/picture.png' alt=''>
<img src='http://192.0.2.1/picture.png' alt=''>
<img src='/missing.png' alt=''>
<script>console.log('fine', 1, {a: 1}); console.warn('careful'); console.error('broken', 42);</script>
<script>throw new Error('not caught')</script>
<script>Promise.reject(new Error('rejected'))</script>";

const FINE: &str = "<!doctype html><meta charset='utf-8'><link rel='icon' href='data:,'><title>Second</title><h1>Second</h1>";

async fn serve() -> SocketAddr {
    let router = Router::new()
        .route("/", get(Html(FLEET)))
        .route("/second", get(Html(FINE)))
        .route("/faulty", get(Html(FAULTY)))
        .fallback(StatusCode::NOT_FOUND);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn evaluate_text(page: &Page, script: &str) -> String {
    page.evaluate(script).await.unwrap().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_clicks_and_types() {
    let address = serve().await;
    let browser = Browser::launch().await.unwrap();
    let mut page = browser.open(&format!("http://{address}/")).await.unwrap();

    assert_eq!(page.text("#count").await.unwrap(), "none yet");
    page.fill("#name", "Zoë, 9 «A»").await.unwrap();
    page.click_text("Show devices").await.unwrap();
    page.wait_for_text("hello Zoë, 9 «A»").await.unwrap();

    page.click("#last").await.unwrap();
    page.wait_until("document.title === 'reached'").await.unwrap();

    page.click_text("Second page").await.unwrap();
    page.wait_for("h1").await.unwrap();
    page.wait_until("document.title === 'Second'").await.unwrap();

    let report = page.report().await.unwrap();
    assert_eq!(report.problems(), Vec::<String>::new());
    assert_eq!(report.outside_requests(), Vec::<&str>::new());
    let local = [format!("http://{address}/"), format!("http://{address}/second")];
    let requested: Vec<_> = report
        .requests
        .iter()
        .filter(|url| url.starts_with("http"))
        .collect();
    assert_eq!(requested, local.iter().collect::<Vec<_>>());
    page.close().await.unwrap();
}

#[tokio::test]
async fn the_keyboard_alone_works() {
    let address = serve().await;
    let browser = Browser::launch().await.unwrap();
    let page = browser.open(&format!("http://{address}/")).await.unwrap();
    let focused =
        "document.activeElement.id || document.activeElement.className || document.activeElement.tagName";

    page.press("Tab").await.unwrap();
    assert_eq!(evaluate_text(&page, focused).await, "name");
    page.press("Control+a").await.unwrap();
    page.type_text("a+B").await.unwrap();
    assert_eq!(evaluate_text(&page, "document.activeElement.value").await, "a+B");
    page.press("Tab").await.unwrap();
    assert_eq!(evaluate_text(&page, focused).await, "show");
    page.press("Enter").await.unwrap();
    page.wait_for_text("hello a+B").await.unwrap();
    page.press("Shift+Tab").await.unwrap();
    assert_eq!(evaluate_text(&page, focused).await, "name");
    assert!(page.press("Tabulator").await.is_err());
}

#[tokio::test]
async fn what_nobody_could_click_is_not_clicked() {
    let address = serve().await;
    let browser = Browser::launch().await.unwrap();
    let mut page = browser.open(&format!("http://{address}/")).await.unwrap();
    page.patience(Duration::from_millis(200));

    let error = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert!(error(page.click_text("No such").await).contains("nothing visible matches"));
    assert!(error(page.click_text("Forget").await).contains("is disabled"));
    assert!(error(page.click(".twin").await).contains("2 elements match"));
    assert!(error(page.wait_for("button[hidden]").await).contains("not true"));
    assert!(error(page.wait_for_text("never").await).contains("the page shows:\nDevices"));
    assert!(error(page.click("b[").await).contains("SyntaxError"));
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<div id=veil style=\"position:fixed;inset:0\"></div>')",
    )
    .await
    .unwrap();
    assert!(error(page.click("#show").await).contains("is covered by <div id=\"veil\""));
}

#[tokio::test]
async fn faults_are_reported_and_no_other_host_is_reached() {
    let address = serve().await;
    let browser = Browser::launch().await.unwrap();
    let mut page = browser.open(&format!("http://{address}/faulty")).await.unwrap();

    let report = page.report().await.unwrap();
    let said = |level: &str, text: &str| ConsoleMessage {
        level: level.to_owned(),
        text: text.to_owned(),
    };
    let console: Vec<_> = report
        .console
        .iter()
        .filter(|message| message.level != "verbose")
        .collect();
    assert_eq!(
        console,
        [
            &said("log", "fine 1 Object"),
            &said("warning", "careful"),
            &said("error", "broken 42")
        ]
    );
    assert_eq!(report.exceptions.len(), 2, "{report:?}");
    assert!(report.exceptions[0].contains("Error: not caught"), "{report:?}");
    assert!(report.exceptions[1].contains("Error: rejected"), "{report:?}");
    assert_eq!(
        report.outside_requests(),
        [
            "http://school.example/picture.png",
            "http://192.0.2.1/picture.png"
        ]
    );
    let mut failed: Vec<String> = report
        .failed_requests
        .iter()
        .map(|failed| format!("{} {}", failed.url, failed.reason))
        .filter(|failed| !failed.contains("favicon"))
        .collect();
    failed.sort();
    assert_eq!(
        failed,
        [
            format!("http://{address}/missing.png status 404"),
            "http://192.0.2.1/picture.png net::ERR_NAME_NOT_RESOLVED".to_owned(),
            "http://school.example/picture.png net::ERR_NAME_NOT_RESOLVED".to_owned(),
        ]
    );
    assert!(report.problems().len() >= 7, "{:?}", report.problems());

    // A report goes on, and holds what was said right before it.
    page.evaluate("console.error('late')").await.unwrap();
    let report = page.report().await.unwrap();
    assert_eq!(report.console.last(), Some(&said("error", "late")));

    assert!(browser.open("http://school.example/").await.is_err());
}

#[tokio::test]
async fn pages_are_shown_in_every_way() {
    let address = serve().await;
    let browser = Browser::launch().await.unwrap();
    let page = browser.open(&format!("http://{address}/")).await.unwrap();
    page.viewport(400, 300).await.unwrap();
    assert_eq!(
        page.evaluate("[innerWidth, innerHeight]").await.unwrap(),
        serde_json::json!([400, 300])
    );
    let matches = async |query: &str| {
        page.evaluate(&format!("matchMedia('{query}').matches"))
            .await
            .unwrap()
            == true
    };

    let looks = [
        (
            "print",
            Look {
                print: true,
                ..Look::default()
            },
        ),
        (
            "(prefers-color-scheme: dark)",
            Look {
                dark: true,
                ..Look::default()
            },
        ),
        (
            "(forced-colors: active)",
            Look {
                forced_colors: true,
                ..Look::default()
            },
        ),
        (
            "(prefers-reduced-motion: reduce)",
            Look {
                reduced_motion: true,
                ..Look::default()
            },
        ),
    ];
    for (query, look) in looks {
        assert!(!matches(query).await, "{query} before");
        page.look(look).await.unwrap();
        assert!(matches(query).await, "{query}");
        page.look(Look::default()).await.unwrap();
        assert!(!matches(query).await, "{query} after");
    }

    let picture = async |name: &str, look: Look| {
        page.look(look).await.unwrap();
        let path = artifact_path(name).unwrap();
        page.screenshot(&path).await.unwrap();
        std::fs::read(path).unwrap()
    };
    let colored = picture("self-test.png", Look::default()).await;
    let gray = picture(
        "self-test-no-colors.png",
        Look {
            no_colors: true,
            ..Look::default()
        },
    )
    .await;
    assert!(colored.starts_with(b"\x89PNG\r\n\x1a\n"));
    // Width and height are where every PNG has them: the whole page, not only what is visible.
    let number = |at: usize| u32::from_be_bytes(colored[at..at + 4].try_into().unwrap());
    assert_eq!(number(16), 400);
    assert!(number(20) > 3000, "{}", number(20));
    assert_ne!(colored, gray);
    // The size is as before.
    assert_eq!(
        page.evaluate("[innerWidth, innerHeight]").await.unwrap(),
        serde_json::json!([400, 300])
    );
}

#[tokio::test]
async fn files_are_opened_and_scripts_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, FINE).unwrap();
    let browser = Browser::launch().await.unwrap();
    let mut page = browser.open(&format!("file://{}", file.display())).await.unwrap();
    assert_eq!(page.text("h1").await.unwrap(), "Second");
    assert_eq!(
        page.evaluate("Promise.resolve({a: [1, 'b']})").await.unwrap(),
        serde_json::json!({"a": [1, "b"]})
    );
    let error = page.evaluate("missing()").await.unwrap_err().to_string();
    assert!(error.contains("missing is not defined"), "{error}");
    assert!(page.report().await.unwrap().problems().is_empty());
}

/// The processes of the browser with this profile.
fn processes(profile: &std::path::Path) -> Vec<String> {
    let profile = profile.display().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|id| {
            std::fs::read(format!("/proc/{id}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&profile))
        })
        .collect()
}

#[tokio::test]
async fn nothing_is_left_after_a_panic() {
    let (send, receive) = std::sync::mpsc::channel();
    let task = tokio::spawn(async move {
        let browser = Browser::launch().await.unwrap();
        let profile = browser.process.profile().to_owned();
        send.send((browser.process_id(), processes(&profile), profile))
            .unwrap();
        panic!("on purpose");
    });
    assert!(task.await.unwrap_err().is_panic());
    let (id, ids, profile) = receive.recv().unwrap();
    assert!(ids.len() > 1 && ids.contains(&id.to_string()), "{id} in {ids:?}");
    for id in ids {
        crate::terminal::tests::wait_until_gone(&id);
    }
    assert!(!profile.exists());
}
