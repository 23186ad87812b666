use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

/// Has characters that every encoding changes: `>?` are `+` and `/` in base64 at some offset.
const SECRET: &str = "s3cr~t?>/\"k\ny+ value>?~";

fn secrets() -> Secrets {
    Secrets::new()
        .with("the token", SECRET)
        .with("the other", "never-anywhere")
}

fn forms(text: impl AsRef<[u8]>) -> Vec<&'static str> {
    let mut search = secrets().search();
    search.bytes("a blob", text);
    for finding in search.findings() {
        assert_eq!((&*finding.secret, &*finding.place), ("the token", "a blob"));
    }
    search.findings().iter().map(|finding| finding.form).collect()
}

#[test]
fn nothing_is_found_where_nothing_is() {
    assert!(forms("").is_empty());
    assert!(forms("s3cr~t and other words %zz %").is_empty());
    let mut search = secrets().search();
    search.bytes("a blob", "words");
    assert_eq!(search.searched(), 1);
    search.assert_none();
}

#[test]
fn the_plain_secret_is_found() {
    assert_eq!(forms(format!("before {SECRET} after")), ["plain"]);
}

#[test]
fn the_json_form_is_found() {
    let text = serde_json::json!({ "key": SECRET }).to_string();
    assert_eq!(forms(&text), ["JSON"]);
}

#[test]
fn base64_is_found_at_every_offset_in_both_alphabets_and_wrapped() {
    for before in ["", "a", "ab", "abc", "Bearer "] {
        for after in ["", "z", "yz"] {
            let whole = format!("{before}{SECRET}{after}");
            assert_eq!(forms(STANDARD.encode(&whole)), ["base64"], "{before} {after}");
            assert_eq!(
                forms(URL_SAFE_NO_PAD.encode(&whole)),
                ["base64"],
                "{before} {after}"
            );
            let wrapped: Vec<String> = STANDARD
                .encode(&whole)
                .as_bytes()
                .chunks(10)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            assert_eq!(forms(wrapped.join("\r\n")), ["base64"], "{before} {after}");
        }
    }
}

#[test]
fn base64_of_a_json_file_is_found() {
    let file = serde_json::json!({ "private_key": SECRET }).to_string();
    assert_eq!(forms(STANDARD.encode(file)), ["base64"]);
}

#[test]
fn url_encoded_forms_are_found() {
    let strict = utf8_percent_encode(SECRET, NON_ALPHANUMERIC).to_string();
    assert_eq!(
        forms(format!("https://a.example/?t={strict}&x=1")),
        ["URL-encoded"]
    );
    assert_eq!(forms(strict.to_lowercase()), ["URL-encoded"]);
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    assert!(form.contains('+'), "{form}");
    assert_eq!(forms(format!("t={form}")), ["URL-encoded"]);
    let base64 = utf8_percent_encode(&STANDARD.encode(SECRET), NON_ALPHANUMERIC).to_string();
    assert_eq!(forms(base64), ["URL-encoded"]);
}

#[test]
fn objects_are_searched_in_strings_and_names() {
    // Go escapes more than JSON asks for, so the text alone would not show it.
    let escaped = serde_json::json!(SECRET).to_string().replace('>', "\\u003e");
    for object in [
        format!("{{\"status\":[{{\"message\":{escaped}}}]}}"),
        format!("{{{escaped}:1}}"),
        format!("{{\"data\":{{\"token\":\"{}\"}}}}", STANDARD.encode(SECRET)),
    ] {
        let mut search = secrets().search();
        search.json("an object", &object);
        assert_eq!(search.findings().len(), 1, "{object}");
        assert_eq!(search.searched(), 1);
    }
}

#[test]
fn folders_are_searched_with_names_and_links_but_a_finding_never_shows_the_secret() {
    let name = "never-anywhere";
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("log"), format!("\u{0}binary {SECRET}\u{ff}")).unwrap();
    std::fs::create_dir(below.join(name)).unwrap();
    std::fs::write(below.join(name).join("log"), SECRET).unwrap();
    std::os::unix::fs::symlink(format!("/nowhere/{name}"), folder.path().join("link")).unwrap();

    let mut search = secrets().search();
    search.folder(folder.path()).unwrap();
    let found: Vec<String> = search.findings().iter().map(ToString::to_string).collect();
    let all = found.join("\n");
    assert!(
        all.contains(&format!("the token (plain) in {}", below.join("log").display())),
        "{all}"
    );
    assert!(
        all.contains("the token (plain) in a place whose name holds a secret"),
        "{all}"
    );
    assert!(
        all.contains(&format!("the other (plain) in a name in {}", below.display())),
        "{all}"
    );
    assert!(
        all.contains(&format!(
            "the other (plain) in a name in {}\n",
            folder.path().display()
        )) || all.ends_with(&format!("a name in {}", folder.path().display())),
        "{all}"
    );
    assert!(!all.contains(name) && !all.contains(SECRET), "{all}");
    assert!(
        !format!("{search:?}").contains(SECRET),
        "not even in a debug message"
    );
}

#[test]
fn command_lines_are_searched() {
    let secret = "command-line-token-4711";
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", "read line", "sh", &format!("--token={secret}")])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let secrets = Secrets::new().with("a token", secret);
    let mut one = secrets.search();
    let mut all = secrets.search();
    let looked = (one.process(child.id()).is_ok(), all.processes().is_ok());
    let place = format!("a token (plain) in the command line of process {}", child.id());
    drop(child.stdin.take());
    child.wait().unwrap();

    assert_eq!(looked, (true, true));
    let found: Vec<String> = one.findings().iter().map(ToString::to_string).collect();
    assert_eq!(found.join("\n"), place);
    assert!(all.findings().iter().any(|finding| finding.to_string() == place));
    assert!(secrets.search().process(child.id()).is_err(), "it has ended");
}

#[test]
fn a_place_that_is_not_there_is_an_error() {
    assert!(secrets().search().file("/no/such/file").is_err());
    assert!(secrets().search().folder("/no/such/folder").is_err());
}

#[test]
#[should_panic(expected = "the token (plain) in a log")]
fn asserting_names_the_secret_and_the_place() {
    secrets().search().bytes("a log", SECRET).assert_none();
}

#[test]
#[should_panic(expected = "nothing was searched")]
fn asserting_after_no_search_fails() {
    secrets().search().assert_none();
}

#[test]
#[should_panic(expected = "fewer than 8 bytes")]
fn a_short_secret_is_refused() {
    let _ = Secrets::new().with("a pin", " 1234\n");
}
