//! Checks the documentation against the code: whoever adds a reason writes down its remedy.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrome_enterprise_operator::api::{self, ChromeEnterpriseConnection};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts between `mark`s in `text` that are one word in `UpperCamelCase`.
fn words_between(mark: char, text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(mark).skip(1))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter(|word| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_alphabetic()))
        .filter(|word| word.contains(|letter: char| letter.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// Every word in `UpperCamelCase` that the code of the connection puts into a status: states, conditions and reasons.
fn words_of_the_code() -> BTreeSet<String> {
    let mut files = vec![PathBuf::from("src/google/errors.rs")];
    for folder in ["connection", "tenant"] {
        for entry in fs::read_dir(root().join("src/controllers").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if !name.contains("test") {
                files.push(path);
            }
        }
    }
    let mut words: BTreeSet<String> = files
        .iter()
        .map(read)
        .flat_map(|text| words_between('"', text.split("#[cfg(test)]\nmod tests {").next().unwrap()))
        .collect();
    words.extend(
        [
            api::conditions::READY,
            api::conditions::RECONCILING,
            api::conditions::STALLED,
        ]
        .map(str::to_owned),
    );
    // Values of a condition, and the kind itself.
    let others = ["True", "False", "Unknown", "ChromeEnterpriseConnection"];
    words.retain(|word| !others.contains(&word.as_str()));
    words
}

#[test]
fn words_are_found_as_they_stand_in_code_and_tables() {
    let code = "condition(READY, \"SigningIn\", \"The operator is signing in.\"); // \"Aside\"\n/// \"Comment\"\n\"API\" \"x\"";
    assert_eq!(
        words_between('"', code),
        BTreeSet::from(["SigningIn".to_owned(), "Aside".to_owned()])
    );
    assert_eq!(
        words_between('`', "| `Active` | `kubectl get` |"),
        BTreeSet::from(["Active".to_owned()])
    );
    let found = words_of_the_code();
    for word in [
        "Active",
        "PruneHeld",
        "Stalled",
        "DelegationMissing",
        "SecretForbidden",
        "InternalError",
        "Synced",
    ] {
        assert!(found.contains(word), "{word} is not found in the code: {found:?}");
    }
}

#[test]
fn every_state_condition_and_reason_of_a_connection_is_explained() {
    let documented = words_between('`', &table_rows(&read("docs/connection.md")));
    let missing: Vec<_> = words_of_the_code()
        .into_iter()
        .filter(|word| !documented.contains(word))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/connection.md has no table row for {missing:?}; add what it means and what to do"
    );
}

#[test]
fn no_explained_word_is_gone_from_the_code() {
    let code = words_of_the_code();
    let stale: Vec<_> = explained("docs/connection.md")
        .into_iter()
        .filter(|word| !code.contains(word))
        .collect();
    assert!(
        stale.is_empty(),
        "docs/connection.md explains {stale:?}, which the code does not say any more"
    );
}

/// The words in the first column of the tables of a page.
fn explained(page: &str) -> BTreeSet<String> {
    let rows = table_rows(&read(page));
    let cells: String = rows
        .lines()
        .filter_map(|row| Some(format!("{}\n", row.split('|').nth(1)?)))
        .collect();
    words_between('`', &cells)
}

/// Every state and reason of an action. Reasons stand in one table of the code: `Name => "sentence",`.
fn words_of_actions() -> BTreeSet<String> {
    let code = read("src/controllers/action/reason.rs");
    let reasons = code.lines().filter_map(|line| {
        let (name, sentence) = line.trim().split_once(" => \"")?;
        (sentence.len() > 10).then(|| name.to_owned())
    });
    let states = api::action::ActionState::ALL.map(|state| state.as_str().to_owned());
    reasons
        .chain(states)
        .chain(["Ready", "Stalled", "ReceiptNotWritten"].map(str::to_owned))
        .collect()
}

#[test]
fn every_state_condition_and_reason_of_an_action_is_explained_and_no_other() {
    let words = words_of_actions();
    assert!(words.len() > 40, "{words:?}");
    assert_eq!(explained("docs/actions.md"), words);
}

fn table_rows(markdown: &str) -> String {
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    rows.join("\n")
}

#[test]
fn annotations_and_the_finalizer_are_named_as_they_are() {
    let text = read("docs/connection.md");
    for name in [
        api::SYNC_REQUESTED_ANNOTATION,
        api::ALLOW_PRUNE_ANNOTATION,
        api::CLEANUP_FINALIZER,
        api::CREATED_BY_LABEL,
        api::CREATED_BY_CONNECT,
    ] {
        assert!(text.contains(name), "docs/connection.md does not name {name}");
    }
}

#[test]
fn connections_in_the_documentation_are_valid() {
    let mut found = 0;
    for page in ["README.md", "docs/connection.md"] {
        for block in read(page).split("```yaml\n").skip(1) {
            let yaml = block.split("```").next().unwrap();
            let parsed: Result<ChromeEnterpriseConnection, _> = serde_saphyr::from_str(yaml);
            let connection = parsed.unwrap_or_else(|error| panic!("{page}: {error}\n{yaml}"));
            let credentials = connection.spec.credentials;
            let ways = [
                credentials.service_account_key.is_some(),
                credentials.authorized_user.is_some(),
                credentials.keyless.is_some(),
            ];
            assert_eq!(ways.iter().filter(|given| **given).count(), 1, "{page}");
            found += 1;
        }
    }
    assert_eq!(found, 4);
}

#[test]
fn links_inside_the_repository_lead_somewhere() {
    let pages: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| PathBuf::from("docs").join(entry.unwrap().file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain([PathBuf::from("README.md")])
        .collect();
    assert!(pages.len() >= 4, "{pages:?}");
    for page in pages {
        let text = read(&page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            // The reference shows patterns, which look like links: `[a-z]([-a-z]*[a-z])?`.
            if target.contains("://") || target.contains('[') {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            assert!(
                root().join(&file).exists(),
                "{}: {target} leads nowhere",
                page.display()
            );
            if !anchor.is_empty() {
                let anchors = anchors(&read(&file));
                assert!(
                    anchors.contains(anchor),
                    "{}: {target} is no heading there",
                    page.display()
                );
            }
        }
    }
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(markdown: &str) -> BTreeSet<String> {
    markdown
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}
