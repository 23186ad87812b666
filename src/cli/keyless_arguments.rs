//! Signing in without a key: who may, and where the operator's own identity comes from.

use clap::Args;
use url::Url;

use super::google_arguments::endpoint;
use super::run_arguments::namespace;
use crate::controllers::settings::KeylessRule;
use crate::google::Endpoints;

/// The variable by which Google's own libraries are told of another metadata server: host, and port if need be.
const METADATA_HOST: &str = "GCE_METADATA_HOST";

/// Flags about signing in without a key.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing in without a key")]
pub struct KeylessArguments {
    /// Let connections of a namespace sign in as a service account without its key; can be repeated [default: nobody]
    ///
    /// RULE is namespace=NAME,service-account=EMAIL,domain=DOMAIN, or customer=C0xxxxxxx in place of the domain, or both.
    /// The admin account of the connection has to be of exactly that domain, or belong to that customer. The operator's
    /// own cloud identity signs, so without a rule a namespace could act for every customer that this identity can act
    /// for. Several rules in the environment variable are separated by semicolons.
    #[arg(
        long, value_name = "RULE", env = "CHROME_ENTERPRISE_OPERATOR_ALLOW_KEYLESS", value_delimiter = ';',
        value_parser = rule
    )]
    pub allow_keyless: Vec<KeylessRule>,

    /// Where the metadata server is that gives tokens of the operator's own cloud identity
    ///
    /// Without it: the host in GCE_METADATA_HOST, then --google-endpoint, then http://metadata.google.internal. It is asked
    /// without a proxy, and only for connections that sign in without a key.
    #[arg(
        long, value_name = "URL", env = "CHROME_ENTERPRISE_OPERATOR_GOOGLE_METADATA_ENDPOINT", value_parser = endpoint
    )]
    pub google_metadata_endpoint: Option<Url>,
}

impl KeylessArguments {
    /// The endpoints with the metadata server that these flags and the environment name.
    ///
    /// # Errors
    /// A sentence for the administrator, when the environment variable holds no host.
    pub(super) fn endpoints(&self, endpoints: Endpoints) -> Result<Endpoints, String> {
        let host = std::env::var(METADATA_HOST).ok();
        Ok(match self.metadata(host.as_deref())? {
            Some(url) => endpoints.with_metadata_at(&url),
            None => endpoints,
        })
    }

    fn metadata(&self, host: Option<&str>) -> Result<Option<Url>, String> {
        let host = host.filter(|host| !host.is_empty());
        match (&self.google_metadata_endpoint, host) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(host)) => endpoint(&format!("http://{host}"))
                .map(Some)
                .map_err(|error| format!("{METADATA_HOST} {host} is no host with an optional port: {error}")),
            (None, None) => Ok(None),
        }
    }
}

/// Reads one rule.
fn rule(text: &str) -> Result<KeylessRule, String> {
    let (mut its_namespace, mut service_account, mut domain, mut customer) = (None, None, None, None);
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            format!("\"{part}\" has no =; a rule is namespace=NAME,service-account=EMAIL,domain=DOMAIN")
        })?;
        let (name, value) = (name.trim(), value.trim());
        let (place, checked) = match name {
            "namespace" => (&mut its_namespace, namespace(value)?),
            "service-account" => (&mut service_account, email(value)?),
            "domain" => (&mut domain, host(value)?),
            "customer" => (&mut customer, customer_id(value)?),
            other => {
                return Err(format!(
                    "a rule has namespace, service-account, domain and customer, but no \"{other}\""
                ));
            }
        };
        if place.replace(checked).is_some() {
            return Err(format!("{name} is given twice; repeat the flag for another rule"));
        }
    }
    if domain.is_none() && customer.is_none() {
        return Err("a rule needs domain= or customer=, else it would hold for every customer".to_owned());
    }
    Ok(KeylessRule {
        namespace: its_namespace.ok_or("a rule needs namespace=")?,
        service_account: service_account.ok_or("a rule needs service-account=")?,
        domain,
        customer,
    })
}

fn email(text: &str) -> Result<String, String> {
    let good = text.len() <= 254
        && text
            .split_once('@')
            .is_some_and(|(name, domain)| is_word(name, "-._+") && host(domain).is_ok());
    good.then(|| text.to_owned())
        .ok_or_else(|| format!("\"{text}\" is not the e-mail address of a service account"))
}

fn host(text: &str) -> Result<String, String> {
    let good = text.contains('.') && text.split('.').all(|label| is_word(label, "-"));
    good.then(|| text.to_owned())
        .ok_or_else(|| format!("\"{text}\" is not a domain such as school.example; it has no wildcard"))
}

fn customer_id(text: &str) -> Result<String, String> {
    let good = text.len() > 1 && text.starts_with('C') && is_word(text, "");
    good.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "\"{text}\" is not a customer ID such as C0xxxxxxx; it stands in the Admin console under Account > Account \
             settings > Profile"
        )
    })
}

/// Whether the text has letters, digits and these characters only, and at least one.
fn is_word(text: &str, others: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
    !text.is_empty() && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACCOUNT: &str = "fleet@project.iam.gserviceaccount.com";

    fn arguments(endpoint: Option<&str>) -> KeylessArguments {
        KeylessArguments {
            allow_keyless: Vec::new(),
            google_metadata_endpoint: endpoint.map(|text| Url::parse(text).unwrap()),
        }
    }

    #[test]
    fn a_rule_is_read_in_any_order() {
        let by_domain = rule(&format!(
            "namespace=school, service-account={ACCOUNT} ,domain=school.example"
        ));
        let expected = KeylessRule {
            namespace: "school".into(),
            service_account: ACCOUNT.into(),
            domain: Some("school.example".into()),
            customer: None,
        };
        assert_eq!(by_domain.unwrap(), expected);
        let by_both = rule(&format!(
            "customer=C0abc12,domain=school.example,service-account={ACCOUNT},namespace=school"
        ));
        assert_eq!(by_both.unwrap().customer.as_deref(), Some("C0abc12"));
        assert!(
            rule(&format!(
                "customer=C0abc12,service-account={ACCOUNT},namespace=school"
            ))
            .is_ok()
        );
    }

    #[test]
    fn a_wrong_rule_is_refused_with_what_is_wrong() {
        let account = format!("service-account={ACCOUNT}");
        for (text, says) in [
            (String::new(), "has no ="),
            (
                format!("namespace=school,{account}"),
                "needs domain= or customer=",
            ),
            (format!("{account},domain=school.example"), "needs namespace="),
            (
                "namespace=school,domain=school.example".to_owned(),
                "needs service-account=",
            ),
            (
                format!("namespace=school,{account},domain=school.example,sub=x"),
                "no \"sub\"",
            ),
            (
                format!("namespace=school,namespace=other,{account},domain=a.example"),
                "given twice",
            ),
            (
                format!("namespace=school,{account},domain=a.example,domain=b.example"),
                "given twice",
            ),
            (
                format!("namespace=School,{account},domain=school.example"),
                "lower-case",
            ),
            (
                format!("namespace=*,{account},domain=school.example"),
                "lower-case",
            ),
            (
                format!("namespace=school,{account},domain=*.school.example"),
                "no wildcard",
            ),
            (format!("namespace=school,{account},domain="), "not a domain"),
            (
                format!("namespace=school,{account},customer=my_customer"),
                "not a customer ID",
            ),
            (
                format!("namespace=school,{account},customer=C"),
                "not a customer ID",
            ),
            (
                "namespace=school,service-account=a/b@c.d,domain=a.example".to_owned(),
                "e-mail address",
            ),
            (
                "namespace=school,service-account=fleet,domain=a.example".to_owned(),
                "e-mail address",
            ),
        ] {
            let error = rule(&text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn the_metadata_server_is_where_the_flag_or_the_environment_says() {
        let of = |flag, host| {
            arguments(flag)
                .metadata(host)
                .map(|url| url.map(|url| url.to_string()))
        };
        assert_eq!(of(None, None), Ok(None));
        assert_eq!(of(None, Some("")), Ok(None));
        let own = Some("http://127.0.0.1:1/".to_owned());
        assert_eq!(of(None, Some("127.0.0.1:1")), Ok(own.clone()));
        assert_eq!(of(Some("http://127.0.0.1:1"), Some("127.0.0.1:2")), Ok(own));
        for host in ["user@host", "a b", "host?x"] {
            let error = of(None, Some(host)).unwrap_err();
            assert!(error.contains("GCE_METADATA_HOST"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = rule(&text);
            let _ = arguments(None).metadata(Some(&text));
        }
    }
}
