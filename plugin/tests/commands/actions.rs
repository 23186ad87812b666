//! The list of actions, and one of them.

use chrome_enterprise_operator::api::action::DeviceAction;
use kube::api::PostParams;
use operator_testing::{Size, assert_golden};
use serde_json::json;

use crate::stage::ID;
use crate::world::{World, run};

async fn create(world: &World, name: &str, spec: serde_json::Value) {
    let mut spec = spec;
    spec["notAfter"] = json!("2099-12-01T16:00:00Z");
    let action: DeviceAction = serde_json::from_value(json!({
        "apiVersion": "chromeenterprise.dev/v1alpha1", "kind": "DeviceAction",
        "metadata": { "name": name, "annotations": { "chromeenterprise.dev/requested-by": "anna@school.example" } },
        "spec": spec,
    }))
    .unwrap();
    world
        .actions()
        .create(&PostParams::default(), &action)
        .await
        .unwrap();
}

async fn three(world: &World) {
    create(
        world,
        "lost-library-07",
        json!({ "deviceId": ID, "type": "EnableLostMode" }),
    )
    .await;
    // Times of creation are whole seconds, and the order is told by them.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    create(
        world,
        "b-wipe",
        json!({ "deviceId": "other", "type": "Wipe", "wipe": { "mode": "Users" } }),
    )
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    create(
        world,
        "a-restart",
        json!({ "serialNumber": "5cd 9", "type": "Restart" }),
    )
    .await;
    let message =
        "Google has made the change, and this sentence is long enough that it does not fit on one line.";
    world
        .say(
            "lost-library-07",
            "Succeeded",
            "ChangedAtGoogle",
            message,
            json!({}),
        )
        .await;
    let other = json!({ "deviceId": "other", "serialNumber": "5CD8", "googleMessage": "=cmd()\u{1b}[2J" });
    world
        .say("b-wipe", "Failed", "RefusedByGoogle", "Google refused it.", other)
        .await;
}

#[test]
fn the_newest_comes_first_and_filters_choose() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let nothing = world.plugin(&["actions"]).await;
        assert_eq!((nothing.stdout.as_str(), nothing.code), ("", Some(0)));
        three(&world).await;
        let names = async |arguments: &[&str]| {
            let all: Vec<&str> = ["actions", "-o", "name"]
                .into_iter()
                .chain(arguments.iter().copied())
                .collect();
            let printed = world.plugin(&all).await;
            assert_eq!(printed.code, Some(0), "{}", printed.stderr);
            let names = printed
                .stdout
                .lines()
                .map(|line| line.rsplit('/').next().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        for (arguments, expected) in [
            (vec![], "a-restart b-wipe lost-library-07"),
            (vec!["--device", "5cd1234xyz"], "lost-library-07"),
            (vec!["--device", "5CD9"], "a-restart"),
            (vec!["--device", "OTHER"], "b-wipe"),
            (vec!["--device", "5CD1234XY"], ""),
            (vec!["--type", "restart"], "a-restart"),
            (vec!["--state", "succeeded"], "lost-library-07"),
            (vec!["--state", "Failed,Succeeded"], "b-wipe lost-library-07"),
            (vec!["--open"], "a-restart"),
            (vec!["--failed"], "b-wipe"),
            (vec!["--since", "1h"], "a-restart b-wipe lost-library-07"),
            (vec!["--since", "2099-01-01T00:00:00Z"], ""),
        ] {
            assert_eq!(names(&arguments).await, expected, "{arguments:?}");
        }
        for wrong in [
            vec!["--type", "Reboot"],
            vec!["--since", "soon"],
            vec!["--open", "--failed"],
            vec!["-f"],
        ] {
            let all: Vec<&str> = ["actions"].into_iter().chain(wrong).collect();
            assert_eq!(world.plugin(&all).await.code, Some(2), "{all:?}");
        }
    });
}

/// Ages and times differ in every run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let number = word.trim_start_matches('(');
                let is_age = number
                    .strip_suffix('s')
                    .is_some_and(|digits| digits.parse::<u32>().is_ok());
                if word == "72y)" || word == "73y)" {
                    "YEARS)".to_owned()
                } else if is_age {
                    word.replace(number, "AGE")
                } else if word.len() == 20 && word.starts_with("202") {
                    "TIME".to_owned()
                } else {
                    word.to_owned()
                }
            })
            .collect();
        steady.push_str(words.join(" ").trim_end());
        steady.push('\n');
    }
    steady
}

#[test]
fn a_terminal_of_80_columns_and_none() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        three(&world).await;
        let terminal = world.program(&["actions"]).in_terminal(Size::default()).unwrap();
        let shown = terminal.finish().await.unwrap().scroll();
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert_golden("tests/golden/actions-terminal.txt", &steady(&shown));
        let plain = world.plugin(&["actions"]).await;
        assert_golden("tests/golden/actions.txt", &steady(&plain.stdout));

        let terminal = world
            .program(&["actions", "lost-library-07"])
            .in_terminal(Size::default())
            .unwrap();
        let shown = terminal
            .finish()
            .await
            .unwrap()
            .scroll()
            .replace(&world.namespace, "school");
        assert_golden("tests/golden/action-terminal.txt", &steady(&shown));
    });
}

#[test]
fn programs_get_everything() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        three(&world).await;
        let csv = world.plugin(&["actions", "-o", "csv", "--failed"]).await.stdout;
        let mut lines = csv.lines();
        let head = lines.next().unwrap();
        assert!(
            head.starts_with("namespace,name,device,type,state,reason,requested_by,created,"),
            "{head}"
        );
        let row = lines.next().unwrap();
        assert!(
            row.contains(",b-wipe,5CD8,Wipe,Failed,RefusedByGoogle,anna@school.example,20"),
            "{row}"
        );
        assert!(row.ends_with("'=cmd()\\u{1b}[2J"), "{row}");

        let one = world.plugin(&["actions", "b-wipe", "-o", "yaml"]).await;
        assert!(one.stdout.contains("kind: DeviceAction"), "{}", one.stdout);
        assert_eq!(
            world.plugin(&["actions", "b-wipe", "-o", "csv"]).await.code,
            Some(2)
        );
        for unknown in ["nothing", "../b-wipe", "B-Wipe"] {
            let printed = world.plugin(&["actions", unknown]).await;
            assert_eq!(printed.code, Some(1));
            assert!(
                printed.stderr.contains("There is no action"),
                "{}",
                printed.stderr
            );
        }
        let followed = world.plugin(&["actions", "b-wipe", "--follow"]).await;
        assert_eq!(followed.code, Some(3), "one that has ended: {}", followed.stderr);
    });
}
