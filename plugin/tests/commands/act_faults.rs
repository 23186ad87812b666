//! Whatever becomes of the one request that creates an action: there is one action in the end, or none, never two.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::proxy::{Fault, Proxy};
use crate::stage::SERIAL;
use crate::world::{Cluster, PATIENCE, Printed, World, finish, run};

/// A world whose kubeconfig leads over a bad road.
async fn far_away(cluster: &Cluster, faults: &[Fault]) -> (World, Proxy) {
    let world = World::start(cluster).await;
    world.device_and_connection().await;
    let proxy = Proxy::start(world.client.clone(), faults).await;
    std::fs::write(world.kubeconfig(), proxy.kubeconfig()).unwrap();
    (world, proxy)
}

/// Restarts over such a road, and returns what was printed, with the number of actions in the end.
async fn restart(cluster: &Cluster, faults: &[Fault]) -> (Printed, usize) {
    let (world, proxy) = far_away(cluster, faults).await;
    let printed = world.plugin(&["restart", SERIAL, "--timeout", "1s"]).await;
    assert_eq!(proxy.faults_left(), 0, "{faults:?}: {}", printed.stderr);
    (printed, world.all_actions().await.len())
}

#[test]
fn a_lost_answer_makes_no_second_action() {
    run(async |cluster| {
        let cases: &[&[Fault]] = &[
            &[],
            &[Fault::LostAnswer],
            &[Fault::LostRequest],
            &[Fault::LostRequest, Fault::LostAnswer],
            &[Fault::Instead(503)],
            &[Fault::Instead(429)],
            &[Fault::Instead(504)],
            &[Fault::Instead(500)],
            &[Fault::Instead(502)],
            &[Fault::Silence],
            &[Fault::Hole, Fault::Instead(503)],
        ];
        let all = cases
            .iter()
            .map(|faults| async move { (faults, restart(cluster, faults).await) });
        for (faults, (printed, actions)) in futures::future::join_all(all).await {
            assert_eq!(actions, 1, "{faults:?}: {}", printed.stderr);
            // It follows the one action until its wait is over, because no operator is there.
            assert_eq!(printed.code, Some(5), "{faults:?}: {}", printed.stderr);
        }
    });
}

#[test]
fn one_command_asks_the_cluster_a_few_times() {
    run(|cluster| async {
        let (world, proxy) = far_away(cluster, &[]).await;
        let printed = world.plugin(&["restart", SERIAL, "--timeout", "1s"]).await;
        assert_eq!(printed.code, Some(5), "{}", printed.stderr);
        let requests = proxy.requests();
        println!("{}", requests.join("\n"));
        assert_eq!(requests.len(), 6, "{requests:?}");
        let posts = requests.iter().filter(|request| request.starts_with("POST"));
        assert_eq!(posts.count(), 1, "{requests:?}");

        let before = proxy.requests().len();
        let printed = world
            .plugin(&["wipe", SERIAL, "--mode", "users", "--dry-run=client"])
            .await;
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        let requests = proxy.requests().split_off(before);
        assert!(
            requests.iter().all(|request| request.starts_with("GET")),
            "{requests:?}"
        );
    });
}

/// Starts a restart, kills the program with no chance to do anything when the request has gone out, and returns the
/// number of actions.
async fn killed(cluster: &Cluster, fault: Fault) -> usize {
    let (world, proxy) = far_away(cluster, &[fault]).await;
    let mut command = world.command(&["restart", SERIAL]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while proxy.faults_left() > 0 {
        assert!(began.elapsed() < PATIENCE, "nothing was asked for");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    world.all_actions().await.len()
}

#[test]
fn a_killed_program_leaves_one_action_or_none() {
    run(|cluster| async {
        assert_eq!(killed(cluster, Fault::Hole).await, 0);
        assert_eq!(killed(cluster, Fault::Silence).await, 1);
    });
}

#[test]
fn an_api_server_that_is_gone_is_said() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let proxy = Proxy::start(world.client.clone(), &[]).await;
        let kubeconfig = proxy.kubeconfig();
        drop(proxy);
        std::fs::write(world.kubeconfig(), kubeconfig).unwrap();
        let printed = finish(world.command(&["restart", SERIAL])).await;
        assert_eq!(printed.code, Some(1));
        assert!(
            printed.stderr.contains("the cluster does not answer"),
            "{}",
            printed.stderr
        );
    });
}

#[test]
fn a_watch_that_breaks_begins_again() {
    run(|cluster| async {
        let (world, proxy) = far_away(cluster, &[]).await;
        let play = async {
            let name = world.only_action().await.metadata.name.unwrap();
            let began = Instant::now();
            while !proxy
                .requests()
                .iter()
                .any(|request| request.contains("watch=true"))
            {
                assert!(began.elapsed() < PATIENCE, "nothing is watched");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            for number in 0..3 {
                proxy.cut();
                world
                    .say(
                        &name,
                        "Pending",
                        "WaitingForQuota",
                        &format!("Turn {number}."),
                        json!({}),
                    )
                    .await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            proxy.cut();
            world
                .say(
                    &name,
                    "Succeeded",
                    "ChangedAtGoogle",
                    "Google has made the change.",
                    json!({}),
                )
                .await;
        };
        let arguments = ["lost-mode", "on", SERIAL, "--timeout", "60s"];
        let (printed, ()) = tokio::join!(world.plugin(&arguments), play);
        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        assert!(printed.stderr.contains("Pending: Turn "), "{}", printed.stderr);
        assert!(
            printed.stdout.contains("Succeeded (ChangedAtGoogle)"),
            "{}",
            printed.stdout
        );
    });
}
