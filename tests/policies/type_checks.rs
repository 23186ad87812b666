//! What kube-controller-manager finds wrong with the expressions of the policies, against the published schemas.

use chrome_enterprise_operator::policies;
use serde_json::{Value, json};

use crate::people::unique;
use crate::requests::accepted;
use crate::server::{Server, documents, eventually, path_of, run};

/// Stores a copy of a policy without a binding, which does nothing, and returns the warnings about it.
async fn warnings(server: &Server, policy: &Value) -> Vec<Value> {
    let mut copy = policy.clone();
    copy["metadata"] = json!({"name": unique("checked.chromeenterprise.dev")});
    let path = path_of(&copy);
    accepted("a copy", server.admin.apply(&path, &copy).await);
    let found = eventually("the policy is checked", || async {
        let status = accepted("a copy", server.admin.get(&path).await)["status"].take();
        (status["observedGeneration"] == 1).then(|| {
            let warnings = status["typeChecking"]["expressionWarnings"].as_array();
            warnings.cloned().unwrap_or_default()
        })
    })
    .await;
    accepted("a copy", server.admin.delete(&path).await);
    found
}

/// Each policy is checked once, when it is stored, and passes unseen if the schema cannot be read yet. So a mistake in
/// every policy must be found first; then that nothing is found in the policy says something.
#[test]
fn no_expression_has_a_mistake_that_a_type_check_finds() {
    run(|server| async move {
        let mut checked = 0;
        for policy in policies::ALL.iter().flat_map(|manifest| documents(manifest.text)) {
            if policy["kind"] != "ValidatingAdmissionPolicy" {
                continue;
            }
            let name = &policy["metadata"]["name"];
            let mut sound = policy.clone();
            sound["spec"]["matchConstraints"]["resourceRules"][0]["resources"] = checked_resource(&policy);
            let mut mistaken = sound.clone();
            mistaken["spec"]["validations"][0]["expression"] = json!("object.metadata.nmespace == 'school'");
            mistaken["spec"]["validations"][0]["messageExpression"] = json!("'User ' + object.metadata.nmae");
            eventually(&format!("the mistakes in {name} are found"), || async {
                let found = json!(warnings(server, &mistaken).await).to_string();
                ["undefined field 'nmae'", "undefined field 'nmespace'"]
                    .iter()
                    .all(|mistake| found.contains(mistake))
                    .then_some(())
            })
            .await;
            assert_eq!(warnings(server, &sound).await, Vec::<Value>::new(), "{name}");
            checked += 1;
        }
        assert_eq!(checked, 4);
    });
}

/// Rules about subresources are passed over by the check; their objects are those of the resource.
fn checked_resource(policy: &Value) -> Value {
    let first = policy["spec"]["matchConstraints"]["resourceRules"][0]["resources"][0].as_str();
    json!([first.unwrap().split('/').next()])
}
