//! What the user and the operator's account may do.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, PostParams};

use super::finding::Findings;
use super::policies;
use crate::cluster::{Cluster, Scope};
use crate::failure::Failure;

const OPERATOR_ROLE: &str = "chromeenterprise-operator";
const OPERATOR_CHECK: &str = "rights of the operator";
/// Questions to the API server at the same time.
const AT_ONCE: usize = 16;

/// Roles for people, with the words for what each lets them do.
const PEOPLE: [(&str, &str); 5] = [
    ("chromeenterprise-viewer", "see devices, actions and connections"),
    (
        "chromeenterprise-connection-editor",
        "make and change connections",
    ),
    ("chromeenterprise-help-desk", "restart devices and use lost mode"),
    (
        "chromeenterprise-device-administrator",
        "wipe and deprovision devices",
    ),
    ("chromeenterprise-auditor", "read receipts"),
];

/// A `ServiceAccount`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceAccount {
    namespace: String,
    name: String,
}

impl std::fmt::Display for ServiceAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// Reads `NAMESPACE/NAME`.
pub(super) fn service_account(text: &str) -> Result<ServiceAccount, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        }
        Some(_) | None => Err("it looks like NAMESPACE/NAME".to_owned()),
    }
}

/// One right, in the words of the API server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    group: String,
    resource: String,
    subresource: Option<String>,
    verb: String,
}

impl Right {
    fn words(&self) -> String {
        let subresource = self
            .subresource
            .as_ref()
            .map_or_else(String::new, |name| format!("/{name}"));
        format!("{} {}{subresource}", self.verb, self.resource)
    }

    fn attributes(&self, scope: &Scope) -> ResourceAttributes {
        ResourceAttributes {
            group: Some(self.group.clone()),
            resource: Some(self.resource.clone()),
            subresource: self.subresource.clone(),
            verb: Some(self.verb.clone()),
            // An empty namespace asks for all of them.
            namespace: match scope {
                Scope::Namespace(name) => Some(name.clone()),
                Scope::All => None,
            },
            ..ResourceAttributes::default()
        }
    }
}

/// The rights of each role that this program carries.
fn roles() -> Result<BTreeMap<String, BTreeSet<Right>>, String> {
    let mut by_role = BTreeMap::new();
    for object in policies::carried()? {
        let Some(rules) = object.data.get("rules") else {
            continue;
        };
        let rules: Vec<PolicyRule> =
            serde_json::from_value(rules.clone()).map_err(|error| error.to_string())?;
        by_role.insert(object.name_any(), rules.iter().flat_map(rights).collect());
    }
    Ok(by_role)
}

fn rights(rule: &PolicyRule) -> Vec<Right> {
    let groups = rule.api_groups.iter().flatten();
    groups
        .flat_map(|group| {
            rule.resources
                .iter()
                .flatten()
                .map(move |resource| (group, resource))
        })
        .flat_map(|(group, resource)| rule.verbs.iter().map(move |verb| (group, resource, verb)))
        .map(|(group, resource, verb)| {
            let (resource, subresource) = match resource.split_once('/') {
                Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
                None => (resource.as_str(), None),
            };
            Right {
                group: group.clone(),
                resource: resource.to_owned(),
                subresource,
                verb: verb.clone(),
            }
        })
        .collect()
}

/// Says which roles the user has, by what they give.
pub(super) async fn look_at_user(cluster: &Cluster, scope: &Scope, findings: &mut Findings) {
    const CHECK: &str = "your rights";
    let roles = match roles() {
        Ok(roles) => roles,
        Err(why) => {
            findings.not_checked(CHECK, &why);
            return;
        }
    };
    let wanted: BTreeSet<_> = PEOPLE
        .iter()
        .filter_map(|(role, _)| roles.get(*role))
        .flatten()
        .collect();
    let answers = stream::iter(wanted)
        .map(|right| async move { Ok::<_, Failure>((right, may_i(cluster, right, scope).await?)) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>();
    let granted: BTreeSet<_> = match answers.await {
        Ok(answers) => answers
            .into_iter()
            .filter(|(_, allowed)| *allowed)
            .map(|(right, _)| right)
            .collect(),
        Err(failure) => {
            findings.not_checked(CHECK, &failure.to_string());
            return;
        }
    };
    let has = |role: &str| {
        roles
            .get(role)
            .is_some_and(|rights| rights.iter().all(|right| granted.contains(right)))
    };
    let (may, may_not): (Vec<_>, Vec<_>) = PEOPLE.iter().partition(|(role, _)| has(role));
    let words = |roles: &[&(&str, &str)]| {
        roles
            .iter()
            .map(|(_, words)| *words)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let place = scope.words();
    if may.is_empty() {
        findings
            .warning(
                CHECK,
                format!("You have none of the roles {place}, and may do little here."),
            )
            .advise("Ask whoever administers the namespace for one; docs/permissions.md lists them.");
    } else if may_not.is_empty() {
        findings.ok(CHECK, format!("You may {place}: {}.", words(&may)));
    } else {
        findings.ok(
            CHECK,
            format!(
                "You may {place}: {}. You may not: {}.",
                words(&may),
                words(&may_not)
            ),
        );
    }
}

async fn may_i(cluster: &Cluster, right: &Right, scope: &Scope) -> Result<bool, Failure> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(right.attributes(scope)),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client().clone());
    let answer = api
        .create(&PostParams::default(), &review)
        .await
        .map_err(|error| Failure::kubernetes("ask what you may do", &error))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Says whether the operator's account has what it needs in these namespaces.
pub(super) async fn look_at_operator(
    cluster: &Cluster,
    scope: &Scope,
    named: Option<&ServiceAccount>,
    findings: &mut Findings,
) {
    let account = match named {
        Some(account) => Ok(account.clone()),
        None => find_account(cluster, scope).await,
    };
    let needed = roles().map(|mut roles| roles.remove(OPERATOR_ROLE).unwrap_or_default());
    let (account, needed) = match (account, needed) {
        (Ok(account), Ok(needed)) => (account, needed),
        (Err(why), _) | (_, Err(why)) => {
            findings.not_checked(OPERATOR_CHECK, &why);
            return;
        }
    };
    let answers = stream::iter(&needed)
        .map(|right| {
            let account = &account;
            async move { Ok::<_, Failure>((right, may(cluster, account, right, scope).await?)) }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>();
    let mut missing: Vec<_> = match answers.await {
        Ok(answers) => answers
            .into_iter()
            .filter(|(_, allowed)| !allowed)
            .map(|(right, _)| right)
            .collect(),
        Err(failure) => {
            findings
                .not_checked(OPERATOR_CHECK, &failure.to_string())
                .about(account.to_string());
            return;
        }
    };
    missing.sort();
    if missing.is_empty() {
        findings
            .ok(
                OPERATOR_CHECK,
                format!("It may do {} what it needs.", scope.words()),
            )
            .about(account.to_string());
        return;
    }
    let words: Vec<_> = missing.iter().take(4).map(|right| right.words()).collect();
    let more = match missing.len().saturating_sub(words.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    findings
        .problem(OPERATOR_CHECK, format!("It may not do {}: {}{more}.", scope.words(), words.join(", ")))
        .about(account.to_string())
        .advise(format!(
            "Give it the role: kubectl create clusterrolebinding {OPERATOR_ROLE} --clusterrole={OPERATOR_ROLE} \
             --serviceaccount={}:{}",
            account.namespace, account.name
        ));
}

async fn may(
    cluster: &Cluster,
    account: &ServiceAccount,
    right: &Right,
    scope: &Scope,
) -> Result<bool, Failure> {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!(
                "system:serviceaccount:{}:{}",
                account.namespace, account.name
            )),
            groups: Some(vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{}", account.namespace),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(right.attributes(scope)),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(cluster.client().clone());
    let answer = api
        .create(&PostParams::default(), &review)
        .await
        .map_err(|error| Failure::kubernetes("ask what the operator's account may do", &error))?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// The account that has the operator's role, by the bindings of it.
async fn find_account(cluster: &Cluster, scope: &Scope) -> Result<ServiceAccount, String> {
    let everything = ListParams::default();
    let refused = |error: kube::Error| {
        let text = Failure::kubernetes(
            "look for the operator's account in the bindings of its role",
            &error,
        )
        .to_string();
        let reason = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned();
        format!("{reason}.\nName it with --operator-service-account NAMESPACE/NAME.")
    };
    let mut found = BTreeSet::new();
    let bindings: Api<ClusterRoleBinding> = Api::all(cluster.client().clone());
    for binding in bindings.list(&everything).await.map_err(refused)? {
        found.extend(accounts(&binding.role_ref, binding.subjects.as_deref(), ""));
    }
    for binding in cluster
        .api_in::<RoleBinding>(scope)
        .list(&everything)
        .await
        .map_err(refused)?
    {
        let namespace = binding.namespace().unwrap_or_default();
        found.extend(accounts(
            &binding.role_ref,
            binding.subjects.as_deref(),
            &namespace,
        ));
    }
    let count = found.len();
    let names: Vec<_> = found.iter().map(ToString::to_string).collect();
    match found.pop_first() {
        Some(account) if count == 1 => Ok(account),
        Some(_) => Err(format!(
            "several accounts have the role {OPERATOR_ROLE} ({}).\nName the operator's with --operator-service-account.",
            names.join(", ")
        )),
        None => Err(format!(
            "no ServiceAccount is bound to the role {OPERATOR_ROLE}.\nName the operator's account with \
             --operator-service-account NAMESPACE/NAME."
        )),
    }
}

fn accounts(role: &RoleRef, subjects: Option<&[Subject]>, namespace: &str) -> Vec<ServiceAccount> {
    if role.name != OPERATOR_ROLE {
        return Vec::new();
    }
    let subjects = subjects.unwrap_or_default().iter();
    subjects
        .filter(|subject| subject.kind == "ServiceAccount")
        .map(|subject| ServiceAccount {
            namespace: subject.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
            name: subject.name.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_that_is_told_about_is_carried() {
        let roles = roles().unwrap();
        for (role, _) in PEOPLE {
            assert!(!roles[role].is_empty(), "{role}");
        }
        let claim = roles[OPERATOR_ROLE]
            .iter()
            .find(|right| right.verb == "claim")
            .unwrap();
        assert_eq!(claim.words(), "claim deviceactionreceipts");
        assert!(
            roles[OPERATOR_ROLE]
                .iter()
                .any(|right| right.words() == "patch deviceactions/status")
        );
    }

    #[test]
    fn an_account_has_a_namespace_and_a_name() {
        assert_eq!(service_account("a/b").unwrap().to_string(), "a/b");
        for text in ["a", "a/", "/b", "a/b/c", ""] {
            assert!(service_account(text).is_err(), "{text}");
        }
    }
}
