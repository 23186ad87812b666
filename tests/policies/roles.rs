//! Every role and every type of action: who may create it, and who says no to whom.

use std::collections::BTreeSet;

use chrome_enterprise_operator::api::action::ActionType::{
    self, Deprovision, DisableLostMode, EnableLostMode, Restart, Wipe,
};
use serde_json::{Value, json};

use crate::objects::{action, action_at, actions};
use crate::people::rule;
use crate::requests::{accepted, forbidden_by, refused};
use crate::server::{Server, eventually, run};

/// Where the refusal comes from, of those types that are not allowed.
#[derive(Clone, Copy)]
enum Refusing {
    /// Plain RBAC: the user may not create any action.
    Rbac,
    /// The policy: the user lacks the verb of the type.
    Policy,
}

const HARMLESS: &[ActionType] = &[Restart, EnableLostMode, DisableLostMode];

/// What the holders of a cluster role may create.
const ROLES: [(&str, &[ActionType], Refusing); 11] = [
    ("chromeenterprise-viewer", &[], Refusing::Rbac),
    ("chromeenterprise-connection-editor", &[], Refusing::Rbac),
    ("chromeenterprise-help-desk", HARMLESS, Refusing::Policy),
    (
        "chromeenterprise-device-administrator",
        &ActionType::ALL,
        Refusing::Policy,
    ),
    ("chromeenterprise-auditor", &[], Refusing::Rbac),
    ("chromeenterprise-restore", &ActionType::ALL, Refusing::Policy),
    ("chromeenterprise-operator", &[], Refusing::Rbac),
    ("view", &[], Refusing::Rbac),
    ("edit", &[], Refusing::Rbac),
    ("admin", &[], Refusing::Rbac),
    ("cluster-admin", &ActionType::ALL, Refusing::Policy),
];

/// Tries every type in the name of a user.
async fn check(
    server: &Server,
    namespace: &str,
    name: &str,
    case: &str,
    allowed: &[ActionType],
    refusing: Refusing,
) {
    let user = server.user(name).await;
    for type_ in ActionType::ALL {
        let case = format!("{case}: {}", type_.as_str());
        let answer = user
            .try_create(&actions(namespace), &action("library-07", type_))
            .await;
        if allowed.contains(&type_) {
            accepted(&case, answer);
            continue;
        }
        match refusing {
            Refusing::Rbac => refused(
                &case,
                answer,
                403,
                &["cannot create resource \"deviceactions\" in API group"],
            ),
            Refusing::Policy => {
                forbidden_by("action-creation", &case, answer, &denial(name, type_, namespace));
            }
        }
    }
}

/// What the policy says: who, which type, where, which verb, and the roles to ask for.
fn denial<'a>(name: &'a str, type_: ActionType, namespace: &'a str) -> [&'a str; 5] {
    let roles = if HARMLESS.contains(&type_) {
        "for the role chromeenterprise-help-desk or chromeenterprise-device-administrator in that namespace."
    } else {
        "for the role chromeenterprise-device-administrator in that namespace."
    };
    let what = match type_ {
        Restart => "of type Restart in namespace",
        Wipe => "of type Wipe in namespace",
        Deprovision => "of type Deprovision in namespace",
        EnableLostMode => "of type EnableLostMode in namespace",
        DisableLostMode => "of type DisableLostMode in namespace",
    };
    [name, what, namespace, type_.verb(), roles]
}

#[test]
fn every_role_creates_the_types_that_it_is_for() {
    run(|server| async move {
        let namespace = server.namespace().await;
        for (role, allowed, refusing) in ROLES {
            let name = format!("{role}@school.example");
            server.bind(&namespace, &name, role).await;
            check(server, &namespace, &name, role, allowed, refusing).await;
        }
        let stranger = "stranger@school.example";
        check(server, &namespace, stranger, "no role", &[], Refusing::Rbac).await;
    });
}

#[test]
fn create_alone_is_not_enough_and_each_verb_opens_its_own_type_only() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let name = "create-alone@school.example";
        let create = rule("deviceactions", &["create"]);
        server.allow(&namespace, name, &[create]).await;
        check(server, &namespace, name, "create alone", &[], Refusing::Policy).await;
        for type_ in ActionType::ALL {
            let name = format!("{}@school.example", type_.verb());
            let verbs = rule("deviceactions", &["create", type_.verb()]);
            server.allow(&namespace, &name, &[verbs]).await;
            check(server, &namespace, &name, "one verb", &[type_], Refusing::Policy).await;
        }
    });
}

#[test]
fn the_verb_alone_is_not_enough() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let name = "verbs-alone@school.example";
        let verbs = ActionType::ALL.map(ActionType::verb);
        server
            .allow(&namespace, name, &[rule("deviceactions", &verbs)])
            .await;
        check(server, &namespace, name, "verbs alone", &[], Refusing::Rbac).await;
    });
}

#[test]
fn a_right_counts_in_its_own_namespace_only() {
    run(|server| async move {
        let (north, south) = (server.namespace().await, server.namespace().await);
        let name = "anna@school.example";
        server
            .bind(&north, name, "chromeenterprise-device-administrator")
            .await;
        server.bind(&south, name, "chromeenterprise-help-desk").await;
        check(server, &north, name, "north", &ActionType::ALL, Refusing::Policy).await;
        check(server, &south, name, "south", HARMLESS, Refusing::Policy).await;
    });
}

/// Server-side apply creates too, and needs the same verb.
#[test]
fn every_way_of_creation_is_checked() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let anna = server.user("anna@school.example").await;
        let verbs = rule("deviceactions", &["create", "get", "patch", "update", "restart"]);
        server.allow(&namespace, &anna.name, &[verbs]).await;
        let (wipe, restart) = (action("a-wipe", Wipe), action("a-restart", Restart));
        let at = |name| action_at(&namespace, name);
        let words = denial(&anna.name, Wipe, &namespace);
        for dry_run in ["?dryRun=All", ""] {
            let answer = anna.apply(&format!("{}{dry_run}", at("a-wipe")), &wipe).await;
            forbidden_by("action-creation", "apply", answer, &words);
            let path = format!("{}{dry_run}", at("a-restart"));
            accepted("apply", anna.apply(&path, &restart).await);
        }
        accepted("the same again", anna.apply(&at("a-restart"), &restart).await);
        let answer = anna.create(&actions(&namespace), &wipe).await;
        forbidden_by("action-creation", "create", answer, &words);
        let mut generated = wipe.clone();
        generated["metadata"] = json!({"generateName": "a-wipe-"});
        let answer = anna.create(&actions(&namespace), &generated).await;
        forbidden_by("action-creation", "generateName", answer, &words);
        let stored = accepted("the list", server.admin.get(&actions(&namespace)).await);
        assert_eq!(stored["items"].as_array().map(Vec::len), Some(1), "{stored}");
    });
}

/// `view`, `edit` and `admin` are gathered from other roles, so what they hold is seen in a cluster only.
#[test]
fn the_roles_of_every_cluster_gain_what_they_should_and_no_more() {
    run(|server| async move {
        let verbs_of = async |role: &str, resource: &str| {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}");
            let stored = accepted(role, server.admin.get(&path).await);
            let mut verbs = BTreeSet::new();
            for rule in stored["rules"].as_array().unwrap() {
                if rule["resources"]
                    .as_array()
                    .is_some_and(|all| all.contains(&resource.into()))
                {
                    let texts = rule["verbs"].as_array().into_iter().flatten();
                    verbs.extend(texts.filter_map(Value::as_str).map(ToOwned::to_owned));
                }
            }
            verbs.into_iter().collect::<Vec<_>>().join(" ")
        };
        let namespace = server.namespace().await;
        for role in ["view", "edit", "admin"] {
            // Returns when the roles have been gathered.
            server.bind(&namespace, "anna@school.example", role).await;
            assert_eq!(verbs_of(role, "deviceactions").await, "get list watch", "{role}");
            assert_eq!(
                verbs_of(role, "chromeosdevices").await,
                "get list watch",
                "{role}"
            );
            assert_eq!(verbs_of(role, "deviceactionreceipts").await, "", "{role}");
            let connections = verbs_of(role, "chromeenterpriseconnections").await;
            let all = "create delete deletecollection get list patch update watch";
            let expected = if role == "view" { "get list watch" } else { all };
            assert_eq!(connections, expected, "{role}");
        }
    });
}

/// Nobody can give what they do not have, so who administers a namespace does not thereby administer devices. The right
/// to hand out one role can be given by its name.
#[test]
fn only_who_may_hand_out_a_role_does() {
    run(|server| async move {
        let namespace = server.namespace().await;
        let lena = server.user("lena@school.example").await;
        server.bind(&namespace, &lena.name, "admin").await;
        let bindings =
            format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings?dryRun=All");
        let (help_desk, administrator) = (
            handing_out("chromeenterprise-help-desk"),
            handing_out("chromeenterprise-device-administrator"),
        );
        let words = [
            "is attempting to grant RBAC permissions not currently held",
            "\"restart\"",
        ];
        for binding in [&help_desk, &administrator] {
            refused("admin", lena.create(&bindings, binding).await, 403, &words);
        }
        let one_role = json!({
            "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"],
            "resourceNames": ["chromeenterprise-help-desk"]
        });
        let bind = [rule("deviceactions", &["list"]), one_role];
        let marta = server.user("marta@school.example").await;
        server.bind(&namespace, &marta.name, "admin").await;
        server.allow(&namespace, &marta.name, &bind).await;
        eventually("marta hands out the role", || async {
            marta.create(&bindings, &help_desk).await.ok()
        })
        .await;
        let answer = marta.create(&bindings, &administrator).await;
        refused("another role", answer, 403, &words);
    });
}

fn handing_out(role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "handed-out"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "otto@school.example"}]
    })
}
