//! What the API server makes of the definitions.

use chrome_enterprise_operator::api::crds;
use kube::Api;
use serde_json::Value;

use crate::server::run;

/// The API server refuses a rule that may cost too much by its own estimate, so being served proves that too.
#[test]
fn every_definition_is_served_and_structural() {
    run(|client| async move {
        let api: Api<crds::Definition> = Api::all(client);
        for definition in crds::all() {
            let name = definition.metadata.name.as_deref().unwrap();
            let stored = api.get_status(name).await.unwrap();
            let conditions = stored
                .status
                .and_then(|status| status.conditions)
                .unwrap_or_default();
            let said: Vec<_> = conditions
                .iter()
                .map(|one| format!("{}={}", one.type_, one.status))
                .collect();
            assert!(said.contains(&"Established=True".to_owned()), "{name}: {said:?}");
            assert!(
                !said.iter().any(|one| one.starts_with("NonStructuralSchema")),
                "{name}: {said:?}"
            );
        }
    });
}

#[test]
fn the_server_keeps_every_word_of_the_definitions() {
    run(|client| async move {
        let api: Api<crds::Definition> = Api::all(client);
        for definition in crds::all() {
            let name = definition.metadata.name.as_deref().unwrap();
            let stored = api.get(name).await.unwrap();
            let (sent, kept) = (&definition.spec.versions[0], &stored.spec.versions[0]);
            assert_eq!(sent.schema, kept.schema, "{name}");
            assert_eq!(
                sent.additional_printer_columns, kept.additional_printer_columns,
                "{name}"
            );
            assert_eq!(sent.selectable_fields, kept.selectable_fields, "{name}");
        }
    });
}

/// `kubectl get chromeos`, and short names, go by what discovery says.
#[test]
fn discovery_shows_category_and_short_names() {
    run(|client| async move {
        for definition in crds::all() {
            let version = &definition.spec.versions[0].name;
            let path = format!("/apis/{}/{version}", definition.spec.group);
            let request = http::Request::get(path).body(Vec::new()).unwrap();
            let list: Value = client.request(request).await.unwrap();
            let names = &definition.spec.names;
            let resources = list["resources"].as_array().unwrap();
            let found = resources
                .iter()
                .find(|one| one["name"] == names.plural.as_str())
                .unwrap();
            assert_eq!(found["categories"], serde_json::json!(["chromeos"]));
            assert_eq!(found["shortNames"], serde_json::json!(names.short_names));
            assert_eq!(found["kind"], names.kind.as_str());
            assert_eq!(found["namespaced"], true);
        }
    });
}
