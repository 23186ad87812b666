//! The page about permissions shows what the API server really says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrome_enterprise_operator::api::action::ActionType;
use chrome_enterprise_operator::policies;
use serde_json::json;

use crate::objects::{REQUESTED_BY, action, action_at, actions, in_future, receipt, receipt_at, receipts};
use crate::people::{ALL_COMMON_VERBS, rule};
use crate::requests::accepted;
use crate::server::{documents, run};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/permissions.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_role_and_every_policy_is_explained() {
    let page = page();
    let names: BTreeSet<String> = policies::ALL
        .iter()
        .flat_map(|manifest| documents(manifest.text))
        .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/permissions.md does not name {name}"
        );
    }
    for verb in ActionType::ALL.map(ActionType::verb) {
        assert!(page.contains(&format!("`{verb}`")), "{verb}");
    }
}

/// One denial of each policy, in the namespace and with the names that the page uses.
#[test]
fn the_denials_on_the_page_are_those_of_the_server() {
    run(|server| async move {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "school"}});
        let created = server.admin.create("/api/v1/namespaces", &namespace).await;
        accepted("the namespace", created);
        let mona = server.user("mona@school.example").await;
        let administrator = "chromeenterprise-device-administrator";
        server.bind("school", &mona.name, administrator).await;
        let anna = server.user("anna@school.example").await;
        let help_desk = "chromeenterprise-help-desk";
        server.bind("school", &anna.name, help_desk).await;
        let berta = server.user("berta@school.example").await;
        let rules = ["deviceactions", "deviceactions/status", "deviceactionreceipts"]
            .map(|resource| rule(resource, &ALL_COMMON_VERBS));
        server.allow("school", &berta.name, &rules).await;

        let name = "wipe-library-07";
        let wipe = action(name, ActionType::Wipe);
        let lacking = anna.create(&actions("school"), &wipe).await;
        accepted("a wipe", mona.create(&actions("school"), &wipe).await);
        let path = action_at("school", name);
        let forged = json!({"metadata": {"annotations": {REQUESTED_BY: "anna@school.example"}}});
        let forged = berta.merge(&path, &forged).await;
        let status = json!({"status": {"state": "Succeeded"}});
        let faked = berta.merge(&format!("{path}/status"), &status).await;
        let created = server.admin.create(&receipts("school"), &receipt(name)).await;
        accepted("a receipt", created);
        let deleted = berta.delete(&receipt_at("school", name)).await;
        let page = page();
        for answer in [lacking, forged, faked, deleted] {
            let message = answer.unwrap_err().message;
            assert!(
                page.contains(&message),
                "docs/permissions.md does not show\n{message}"
            );
        }
    });
}

/// kubectl puts words of its own before this one, and the times in it are those of the request.
#[test]
fn the_denial_about_the_time_is_that_of_the_server() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let mut late = action("restart-library-07", ActionType::Restart);
        late["spec"]["notAfter"] = json!(in_future(Duration::from_hours(200)));
        let answer = server.admin.create(&actions(&namespace), &late).await;
        let message = answer.unwrap_err().message;
        let message = &message[message.find("ValidatingAdmissionPolicy").unwrap()..];
        assert!(
            without_times(&page()).contains(&without_times(message)),
            "docs/permissions.md does not show\n{message}"
        );
    });
}

fn without_times(text: &str) -> String {
    let words = text.split_whitespace();
    words
        .map(|word| if word.starts_with("20") { "TIME" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
