//! The committed files are those that the types give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrome_enterprise_operator::api::{crds, generated};
use serde_json::Value;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn committed_files_are_up_to_date() {
    for (path, expected) in generated::files() {
        let committed = fs::read_to_string(root().join(&path))
            .unwrap_or_else(|error| panic!("{}: {error}; run `make generate`", path.display()));
        assert!(
            committed == expected,
            "{} is not what src/api says; run `make generate`",
            path.display()
        );
    }
}

#[test]
fn no_definition_is_left_over() {
    let expected: BTreeSet<PathBuf> = generated::files().into_iter().map(|(path, _)| path).collect();
    for entry in fs::read_dir(root().join("crds")).unwrap() {
        let path = Path::new("crds").join(entry.unwrap().file_name());
        assert!(
            expected.contains(&path),
            "{} belongs to no resource type; delete it",
            path.display()
        );
    }
}

#[test]
fn the_yaml_says_what_the_definition_says() {
    for definition in crds::all() {
        let text = crds::to_yaml(&definition);
        let read: crds::Definition = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, definition, "{}", crds::file_name(&definition));
        let plain: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(
            crds::to_yaml(&read),
            text,
            "written twice, it must be the same text"
        );
        assert_eq!(
            plain["metadata"]["name"],
            definition.metadata.name.as_deref().unwrap()
        );
    }
}

#[test]
fn the_reference_names_every_kind_and_every_link_leads_somewhere() {
    let page = chrome_enterprise_operator::api::reference::markdown();
    for definition in crds::all() {
        assert!(page.contains(&format!("\n## {}\n", definition.spec.names.kind)));
    }
    let anchors: BTreeSet<String> = page
        .lines()
        .filter_map(|line| {
            line.trim_start_matches('#')
                .strip_prefix(' ')
                .filter(|_| line.starts_with('#'))
        })
        .map(|heading| {
            let kept = heading.to_lowercase().replace(' ', "-");
            kept.chars()
                .filter(|letter| letter.is_alphanumeric() || *letter == '-')
                .collect()
        })
        .collect();
    let links: Vec<_> = page
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() > 20, "the reference has lost its links");
    for link in links {
        assert!(anchors.contains(link), "#{link} leads nowhere");
    }
}
