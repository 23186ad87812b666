//! What people are told when nothing works: a sentence and what to do, never a backtrace.

use std::fs;

use devcluster::DevCluster;
use serde_json::json;

use crate::connections::active;
use crate::world::{Printed, World, run};

/// Commands that ask for a connection first.
const COMMANDS: [&[&str]; 7] = [
    &["status"],
    &["status", "school"],
    &["status", "--watch"],
    &["sync"],
    &["suspend", "school"],
    &["resume"],
    &["disconnect", "school", "--yes"],
];

fn is_told(printed: &Printed, sentence: &str, remedy: &str) {
    assert_eq!(
        (printed.stdout.as_str(), printed.code),
        ("", Some(1)),
        "{printed:?}"
    );
    let lines: Vec<_> = printed.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{printed:?}");
    assert!(
        lines[0].starts_with("error: ") && lines[0].contains(sentence),
        "{printed:?}"
    );
    assert!(lines[1].contains(remedy), "{printed:?}");
    for odd in ["panicked", "backtrace", "Error(", "Api(", "Some(", "Status {"] {
        assert!(!printed.stderr.contains(odd), "{printed:?}");
    }
}

#[test]
fn a_cluster_without_the_resource_types_is_told_how_to_get_them() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let bare = DevCluster::builder().start().await.unwrap();
        fs::write(world.kubeconfig(), bare.kubeconfig()).unwrap();
        for command in COMMANDS {
            let printed = world.plugin(command).await;
            is_told(
                &printed,
                "this cluster does not know that resource type",
                "chrome-enterprise-operator crds | kubectl apply",
            );
        }
        let doctor = world.plugin(&["doctor"]).await;
        assert_eq!((doctor.stderr.as_str(), doctor.code), ("", Some(3)), "{doctor:?}");
        for problem in [
            "problem      resource type chromeenterpriseconnections.chromeenterprise.dev: It is not installed.\n",
            "problem      policy action-creation.chromeenterprise.dev: It is not installed, so whoever may create actions may also wipe devices.\n",
            "problem      policy binding receipt-writers.chromeenterprise.dev: It is not installed, so its policy has no effect.\n",
            "not checked  connections: not checked: the resource types are not served.\n",
        ] {
            assert!(doctor.stdout.contains(problem), "{problem}\n{}", doctor.stdout);
        }
    });
}

#[test]
fn somebody_without_rights_is_told_whom_to_ask() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world.connection("school", json!({}), active()).await;
        for command in COMMANDS {
            let command: Vec<_> = command
                .iter()
                .copied()
                .chain(["--as", "stranger@school.example"])
                .collect();
            let printed = world.plugin(&command).await;
            is_told(
                &printed,
                "stranger@school.example",
                "for a role: docs/permissions.md lists them",
            );
        }
        let doctor = world.plugin(&["doctor", "--as", "stranger@school.example"]).await;
        assert_eq!(
            doctor.code,
            Some(0),
            "what cannot be looked at is no problem: {doctor:?}"
        );
        for line in [
            "ok           resource type chromeenterpriseconnections.chromeenterprise.dev: It is served.\n",
            "not checked  definition chromeenterpriseconnections.chromeenterprise.dev: not checked: Cannot read the definition",
            "not checked  policy action-creation.chromeenterprise.dev: not checked: Cannot read ValidatingAdmissionPolicy",
            "warning      your rights: You have none of the roles in namespace",
            "not checked  rights of the operator: not checked: Cannot look for the operator's account",
            "             Name it with --operator-service-account NAMESPACE/NAME.\n",
            "not checked  connections: not checked: Cannot list connections in namespace",
        ] {
            assert!(doctor.stdout.contains(line), "{line}\n{}", doctor.stdout);
        }
    });
}

#[test]
fn a_cluster_that_is_not_there_is_told_with_its_cause() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let elsewhere = cluster.server.kubeconfig().replace(
            cluster.server.api_url().trim_end_matches('/'),
            "https://127.0.0.1:1",
        );
        assert!(elsewhere.contains("https://127.0.0.1:1"), "{elsewhere}");
        fs::write(world.kubeconfig(), elsewhere).unwrap();
        for command in [&["status"][..], &["sync", "school"]] {
            is_told(
                &world.plugin(command).await,
                "the cluster does not answer",
                "kubectl cluster-info",
            );
        }
        let doctor = world.plugin(&["doctor", "-o", "json"]).await;
        assert_eq!(doctor.code, Some(3), "{doctor:?}");
        let report: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
        assert_eq!(report["healthy"], false);
        assert_eq!(report["findings"][0]["check"], "cluster");
        assert_eq!(report["findings"][0]["verdict"], "problem");
    });
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_named() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let remedy = "`kubectl config get-contexts`";
        for command in [&["status"][..], &["doctor"]] {
            let context: Vec<_> = command
                .iter()
                .copied()
                .chain(["--context", "elsewhere"])
                .collect();
            is_told(&world.plugin(&context).await, "elsewhere", remedy);
            let missing: Vec<_> = command
                .iter()
                .copied()
                .chain(["--kubeconfig", "no-such-file"])
                .collect();
            is_told(&world.plugin(&missing).await, "no-such-file", remedy);
        }
        fs::write(world.kubeconfig(), "clusters: 7").unwrap();
        is_told(
            &world.plugin(&["status"]).await,
            "kubeconfig cannot be used",
            remedy,
        );
        let help = world.plugin(&["completion", "bash"]).await;
        assert_eq!(
            help.code,
            Some(0),
            "what needs no cluster works without one: {help:?}"
        );
    });
}
