//! Who may sign in without a key.
//!
//! Without a key the operator signs with its own identity, and that identity may be good for many service accounts. So a
//! connection gets nothing by naming one: whoever runs the operator has to have mapped this namespace to that service
//! account and to the customer behind it. What is signed for is taken from that rule, not from the connection.

use super::problem::Problem;
use crate::api::connection::{ChromeEnterpriseConnectionSpec, MY_CUSTOMER};
use crate::controllers::settings::KeylessRule;
use crate::google::Keyless;

/// The service account that the operator may sign for on behalf of this connection.
///
/// # Errors
/// The problem of a connection that no rule allows. Nothing was asked of anybody.
pub(super) fn permit(
    rules: &[KeylessRule],
    namespace: &str,
    spec: &ChromeEnterpriseConnectionSpec,
    service_account: &str,
) -> Result<Keyless, Problem> {
    let allowing: Vec<&KeylessRule> = rules
        .iter()
        .filter(|rule| rule.namespace == namespace)
        .filter(|rule| rule.service_account.eq_ignore_ascii_case(service_account))
        .filter(|rule| {
            rule.domain
                .as_deref()
                .is_none_or(|domain| is_in(&spec.admin_email, domain))
        })
        .filter(|rule| {
            rule.customer
                .as_deref()
                .is_none_or(|customer| may_name(spec, customer))
        })
        .collect();
    let Some(first) = allowing.first() else {
        return Err(not_allowed(namespace, spec, service_account));
    };
    // One rule that asks for no customer is enough.
    let customers: Option<Vec<String>> = allowing.iter().map(|rule| rule.customer.clone()).collect();
    Ok(Keyless::new(
        &first.service_account,
        customers.unwrap_or_default(),
    ))
}

/// Whether the account is in exactly this domain, and not in one below it.
fn is_in(email: &str, domain: &str) -> bool {
    email
        .rsplit_once('@')
        .is_some_and(|(_, its)| its.eq_ignore_ascii_case(domain))
}

/// Whether the connection asks for no other customer. Which one `my_customer` is, Google says later.
fn may_name(spec: &ChromeEnterpriseConnectionSpec, customer: &str) -> bool {
    spec.customer_id == MY_CUSTOMER || spec.customer_id == customer
}

fn not_allowed(namespace: &str, spec: &ChromeEnterpriseConnectionSpec, service_account: &str) -> Problem {
    let domain = spec.admin_email.rsplit_once('@').map_or("", |(_, domain)| domain);
    Problem::stalled(
        "KeylessNotAllowed",
        format!(
            "The operator may not sign as {service_account} for {} in this namespace. Whoever runs the operator allows it with \
             --allow-keyless namespace={namespace},service-account={service_account},domain={domain}; else use other credentials.",
            spec.admin_email
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ACCOUNT: &str = "fleet@project.iam.gserviceaccount.com";

    fn rule(namespace: &str, domain: Option<&str>, customer: Option<&str>) -> KeylessRule {
        KeylessRule {
            namespace: namespace.into(),
            service_account: ACCOUNT.into(),
            domain: domain.map(Into::into),
            customer: customer.map(Into::into),
        }
    }

    /// What is allowed: the customers that the admin may belong to (none: any), or nothing.
    fn allowed(rules: &[KeylessRule], namespace: &str, admin: &str, customer: &str) -> Option<Vec<String>> {
        let spec = json!({ "adminEmail": admin, "customerId": customer, "credentials": {} });
        let spec = serde_json::from_value(spec).unwrap();
        let permitted = permit(rules, namespace, &spec, ACCOUNT);
        permitted.ok().map(|keyless| {
            assert_eq!(keyless.service_account(), ACCOUNT);
            format!("{keyless:?}")
                .split('"')
                .filter(|part| part.starts_with('C'))
                .map(str::to_owned)
                .collect()
        })
    }

    #[test]
    fn the_rule_must_fit_in_every_part() {
        let any = Some(Vec::new());
        let by_domain = [rule("school", Some("school.example"), None)];
        for (namespace, admin, expected) in [
            ("school", "admin@school.example", any.clone()),
            ("school", "admin@School.Example", any),
            ("other", "admin@school.example", None),
            ("school", "admin@other.example", None),
            ("school", "admin@north.school.example", None),
            ("school", "admin@myschool.example", None),
            ("school", "admin@school.example.evil.example", None),
            ("school", "admin@school.example@evil.example", None),
            ("school", "school.example", None),
        ] {
            let found = allowed(&by_domain, namespace, admin, "my_customer");
            assert_eq!(found, expected, "{namespace} {admin}");
        }
        assert_eq!(
            allowed(&[], "school", "admin@school.example", "my_customer"),
            None
        );
    }

    #[test]
    fn a_customer_is_asked_for_unless_a_rule_does_without() {
        let one = Some(vec!["C1".to_owned()]);
        let admin = "admin@school.example";
        let by_customer = [rule("school", None, Some("C1"))];
        assert_eq!(allowed(&by_customer, "school", admin, "my_customer"), one);
        assert_eq!(allowed(&by_customer, "school", admin, "C1"), one);
        assert_eq!(allowed(&by_customer, "school", admin, "C2"), None);
        let both = [rule("school", Some("school.example"), Some("C1"))];
        assert_eq!(allowed(&both, "school", admin, "my_customer"), one);
        assert_eq!(
            allowed(&both, "school", "admin@other.example", "my_customer"),
            None
        );
        let several = [
            rule("school", None, Some("C1")),
            rule("school", Some("other.example"), None),
            rule("school", None, Some("C2")),
        ];
        let two = Some(vec!["C1".to_owned(), "C2".to_owned()]);
        assert_eq!(allowed(&several, "school", admin, "my_customer"), two);
        assert_eq!(allowed(&several, "school", admin, "C1"), one);
        assert_eq!(
            allowed(&several, "school", "a@other.example", "my_customer"),
            Some(Vec::new())
        );
    }

    #[test]
    fn another_service_account_is_refused_and_the_flag_is_shown() {
        let spec = json!({ "adminEmail": "admin@school.example", "credentials": {} });
        let spec = serde_json::from_value(spec).unwrap();
        let rules = [rule("school", Some("school.example"), None)];
        let problem = permit(&rules, "school", &spec, "rich@project.iam.gserviceaccount.com").unwrap_err();
        assert_eq!(problem.reason, "KeylessNotAllowed");
        assert!(problem.needs_a_person);
        let flag = "--allow-keyless namespace=school,service-account=rich@project.iam.gserviceaccount.com,domain=school.example;";
        assert!(problem.message.contains(flag), "{}", problem.message);
        // The identity is the rule's, letter by letter.
        let permitted = permit(&rules, "school", &spec, &ACCOUNT.to_uppercase()).unwrap();
        assert_eq!(permitted.service_account(), ACCOUNT);
    }
}
