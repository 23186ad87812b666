//! `kubectl chromeos completion`, and what is offered while somebody types.

use std::fs;

use serde_json::json;

use crate::connections::{active, stalled};
use crate::world::{World, run};

/// The candidates, and the line that ends them.
async fn offered(world: &World, words: &[&str]) -> (Vec<String>, String) {
    let mut command = world.command(&[]);
    // The words of the namespace that `command` adds come after `--` as well.
    command = {
        let mut bare = std::process::Command::new(command.get_program());
        bare.args(["__complete", "--"]).args(words);
        bare.env_clear()
            .env("KUBECONFIG", world.kubeconfig())
            .env("HOME", world.folder.path());
        bare
    };
    let printed = crate::world::finish(command).await;
    assert_eq!((printed.stderr.as_str(), printed.code), ("", Some(0)));
    let mut lines: Vec<_> = printed.stdout.lines().map(str::to_owned).collect();
    let directive = lines.pop().unwrap();
    (lines, directive)
}

fn names(candidates: &[String]) -> Vec<&str> {
    candidates
        .iter()
        .filter_map(|candidate| candidate.split('\t').next())
        .collect()
}

#[test]
fn commands_flags_and_values_are_offered() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let (commands, directive) = offered(&world, &["s"]).await;
        assert_eq!(
            (names(&commands), directive.as_str()),
            (vec!["status", "sync", "suspend"], ":4")
        );
        assert!(commands[0].contains('\t'), "with a few words: {commands:?}");
        let (flags, _) = offered(&world, &["doctor", "--o"]).await;
        assert_eq!(names(&flags), ["--operator-service-account", "--output"]);
        let (hidden, _) = offered(&world, &["doctor", "--google"]).await;
        assert!(hidden.is_empty(), "{hidden:?}");
        let (values, _) = offered(&world, &["status", "--output=j"]).await;
        assert_eq!(names(&values), ["--output=json"]);
        let (shells, _) = offered(&world, &["completion", ""]).await;
        assert_eq!(names(&shells), ["bash", "elvish", "fish", "powershell", "zsh"]);
        let (files, directive) = offered(&world, &["status", "--kubeconfig", ""]).await;
        assert_eq!(
            (files, directive.as_str()),
            (vec![], ":0"),
            "the shell completes files"
        );
    });
}

#[test]
fn names_in_the_cluster_are_offered() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        world
            .connection("south", json!({}), stalled("Degraded", "x", "y"))
            .await;
        let here = ["-n", world.namespace.as_str()];
        let (found, directive) = offered(&world, &["status", here[0], here[1], "so"]).await;
        assert_eq!(
            (found, directive.as_str()),
            (vec!["south\tDegraded".to_owned()], ":4")
        );
        for command in ["sync", "suspend", "resume", "disconnect"] {
            let (found, _) = offered(&world, &[command, here[0], here[1], ""]).await;
            assert_eq!(names(&found), ["school", "south"]);
        }
        let (namespaces, _) = offered(&world, &["status", "-n", &world.namespace]).await;
        assert!(
            names(&namespaces).contains(&world.namespace.as_str()),
            "{namespaces:?}"
        );
        let (contexts, _) = offered(&world, &["status", "--context", ""]).await;
        assert!(!contexts.is_empty());
    });
}

#[test]
fn devices_are_offered_by_the_beginning_of_their_serial_numbers() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        for (id, serial) in [
            ("a", "5CD2001"),
            ("b", "5CD2002"),
            ("c", "9XYZ"),
            ("d", "5CD; rm -rf $HOME\n"),
        ] {
            let status = json!({ "serialNumber": serial, "model": "HP 11\tG9", "orgUnitPath": "/Oak" });
            world.device(id, status).await;
        }
        let here = ["-n", world.namespace.as_str()];
        for words in [
            &["restart"][..],
            &["device"],
            &["wipe"],
            &["actions", "--device"],
            &["devices", "--serial"],
        ] {
            let words: Vec<_> = here.iter().chain(words).copied().chain(["5cd"]).collect();
            let (found, directive) = offered(&world, &words).await;
            assert_eq!(names(&found), ["5CD2001", "5CD2002"], "{words:?}");
            assert_eq!(
                (found[0].as_str(), directive.as_str()),
                ("5CD2001\tHP 11 G9, /Oak", ":4")
            );
        }
        let confirmed = [here[0], here[1], "wipe", "5CD2001", "--confirm", ""];
        assert!(
            offered(&world, &confirmed).await.0.is_empty(),
            "that is for a person to type"
        );
        for number in 0..60 {
            world
                .device(
                    &format!("x{number}"),
                    json!({ "serialNumber": format!("MANY{number}") }),
                )
                .await;
        }
        assert_eq!(
            offered(&world, &[here[0], here[1], "device", "MANY"])
                .await
                .0
                .len(),
            50
        );
    });
}

#[test]
fn without_a_cluster_nothing_is_offered_and_nothing_is_said() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        fs::write(world.kubeconfig(), "clusters: 7").unwrap();
        assert_eq!(offered(&world, &["status", ""]).await, (vec![], ":4".to_owned()));
        let silent = cluster.server.kubeconfig().replace(
            cluster.server.api_url().trim_end_matches('/'),
            "https://127.0.0.1:1",
        );
        fs::write(world.kubeconfig(), silent).unwrap();
        assert_eq!(offered(&world, &["sync", ""]).await, (vec![], ":4".to_owned()));
    });
}

#[test]
fn each_shell_has_a_script() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        for (shell, mark) in [
            ("bash", "complete -F _kubectl__chromeos"),
            ("zsh", "#compdef kubectl-chromeos"),
            ("fish", "complete -c kubectl-chromeos"),
            ("powershell", "Register-ArgumentCompleter"),
        ] {
            let script = world.plugin(&["completion", shell]).await;
            assert!(script.stdout.contains(mark), "{shell}: {}", script.stdout);
        }
        // bash itself finds no fault with it.
        let script = world.plugin(&["completion", "bash"]).await.stdout;
        fs::write(world.folder.path().join("script"), script).unwrap();
        let mut bash = std::process::Command::new("bash");
        bash.args(["-n", "script"]).current_dir(world.folder.path());
        let checked = crate::world::finish(bash).await;
        assert_eq!((checked.stderr.as_str(), checked.code), ("", Some(0)));
    });
}
