//! The plugin as kubectl runs it, and kubectl's own completion of it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use devcluster::{Assets, Program};
use serde_json::json;

use crate::connections::active;
use crate::world::{Printed, World, finish, run};

/// kubectl with the plugin and the completion script on its PATH.
async fn kubectl(world: &World, arguments: &[&str]) -> Printed {
    let kubectl = tokio::task::spawn_blocking(|| Assets::ensure(&[Program::Kubectl]).unwrap())
        .await
        .unwrap();
    let folder = world.folder.path().join("bin");
    if !folder.is_dir() {
        std::fs::create_dir(&folder).unwrap();
        symlink(
            env!("CARGO_BIN_EXE_kubectl-chromeos"),
            folder.join("kubectl-chromeos"),
        )
        .unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kubectl_complete-chromeos");
        symlink(script, folder.join("kubectl_complete-chromeos")).unwrap();
    }
    let mut command = Command::new(kubectl.path(Program::Kubectl).unwrap());
    command
        .args(arguments)
        .env_clear()
        .env("KUBECONFIG", world.kubeconfig())
        .env("HOME", world.folder.path())
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    finish(command).await
}

#[test]
fn kubectl_runs_the_plugin_and_passes_its_exit_code_on() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        let printed = kubectl(&world, &["chromeos", "status", "-n", &world.namespace]).await;
        assert_eq!((printed.stderr.as_str(), printed.code), ("", Some(0)));
        assert!(
            printed.stdout.contains("school  Active  1200     30m"),
            "{printed:?}"
        );
        world
            .connection_status("school", json!({ "state": "Degraded" }))
            .await;
        let checked = kubectl(&world, &["chromeos", "status", "--check", "-n", &world.namespace]).await;
        assert_eq!(checked.code, Some(3), "{checked:?}");
    });
}

#[test]
fn kubectl_completes_the_plugin() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        let commands = kubectl(&world, &["__complete", "chromeos", "s"]).await;
        assert!(
            commands.stdout.contains("status\tShow how connections are"),
            "{commands:?}"
        );
        assert!(commands.stdout.ends_with(":4\n"), "{commands:?}");
        let names = kubectl(
            &world,
            &["__complete", "chromeos", "sync", "-n", &world.namespace, ""],
        )
        .await;
        assert!(names.stdout.starts_with("school\tActive\n"), "{names:?}");
        let flags = kubectl(&world, &["__complete", "chromeos", "status", "--o"]).await;
        assert!(flags.stdout.starts_with("--output\t"), "{flags:?}");
        let values = kubectl(&world, &["__complete", "chromeos", "status", "-o", "j"]).await;
        assert!(values.stdout.starts_with("json\t"), "{values:?}");
    });
}
