//! What is made from the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kubectl_chromeos::commands::generate;

use crate::world::{World, run};

#[test]
fn committed_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, expected) in generate::files() {
        let committed = fs::read_to_string(root.join(&path))
            .unwrap_or_else(|error| panic!("{}: {error}; run `make generate`", path.display()));
        assert!(
            committed == expected,
            "{} is not what the help texts say; run `make generate`",
            path.display()
        );
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let printed = world.plugin(&["man", "--output", "man"]).await;
        assert_eq!((printed.stderr.as_str(), printed.code), ("", Some(0)));
        let pages: BTreeSet<_> = fs::read_dir(world.folder.path().join("man"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(
            pages.contains("kubectl-chromeos.1") && pages.contains("kubectl-chromeos-doctor.1"),
            "{pages:?}"
        );
        assert!(
            !pages
                .iter()
                .any(|page| page.contains("generate") || page.contains("__")),
            "{pages:?}"
        );
        let page = fs::read_to_string(world.folder.path().join("man/kubectl-chromeos-doctor.1")).unwrap();
        assert!(page.contains("operator\\-service\\-account"), "{page}");
    });
}
