//! The objects that are wanted, and how they are printed for Git.

use std::io::{Write as _, stdout};

use chrome_enterprise_operator::api::{CREATED_BY_CONNECT, CREATED_BY_LABEL};
use chrome_enterprise_operator::google::{Access, required_scopes};
use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use super::arguments::{Arguments, Wishes};
use super::way::Way;
use crate::failure::Failure;
use crate::output::{to_yaml, unwritten};

/// What stands in place of a secret where it would be seen.
const REDACTED: &str = "REDACTED";

/// The bound of `spec.sync.fullIntervalSeconds`, which must not be shorter than the other interval.
const DEFAULT_FULL_INTERVAL_SECONDS: i64 = 21_600;

/// A connection, and the Secret that it reads.
#[derive(Debug)]
pub(super) struct Manifest {
    name: String,
    namespace: String,
    secret: Option<SecretKey>,
    credentials: Value,
    spec: Map<String, Value>,
    access: Access,
}

/// Where the credential is kept.
#[derive(Debug)]
pub(super) struct SecretKey {
    pub(super) name: String,
    pub(super) key: &'static str,
}

impl Manifest {
    pub(super) fn new(arguments: &Arguments, way: &Way, namespace: &str) -> Self {
        let name = &arguments.name;
        let kept = |suffix: &str, key| SecretKey {
            name: format!("{name}-{suffix}"),
            key,
        };
        let (secret, credentials) = match way {
            Way::Key(_) => {
                let secret = kept("service-account", "service-account.json");
                let reference = json!({ "serviceAccountKey": { "secretRef": { "name": secret.name } } });
                (Some(secret), reference)
            }
            Way::Consent(_) => {
                let secret = kept("authorized-user", "authorized-user.json");
                let reference = json!({ "authorizedUser": { "secretRef": { "name": secret.name } } });
                (Some(secret), reference)
            }
            Way::Keyless(email) => (None, json!({ "keyless": { "serviceAccountEmail": email } })),
        };
        Self {
            name: name.clone(),
            namespace: namespace.to_owned(),
            secret,
            credentials,
            spec: wishes(&arguments.wishes),
            access: if arguments.wishes.read_only {
                Access::ReadOnly
            } else {
                Access::ReadWrite
            },
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) const fn secret_key(&self) -> Option<&SecretKey> {
        self.secret.as_ref()
    }

    /// The scopes that Google has to grant.
    pub(super) const fn scopes(&self) -> [&'static str; 3] {
        required_scopes(self.access)
    }

    /// The connection with the fields that were asked for, and no others: defaults stay defaults.
    pub(super) fn connection(&self, admin: &str) -> Value {
        let mut spec = self.spec.clone();
        spec.insert("adminEmail".to_owned(), admin.into());
        spec.insert("credentials".to_owned(), self.credentials.clone());
        json!({
            "apiVersion": "chromeenterprise.dev/v1alpha1",
            "kind": "ChromeEnterpriseConnection",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "spec": spec,
        })
    }

    /// The Secret with this content, if the way of signing in needs one.
    pub(super) fn secret(&self, content: &[u8]) -> Option<Value> {
        let SecretKey { name, key } = self.secret.as_ref()?;
        let mut secret = self.secret_head(name);
        secret["data"] = json!({ *key: ByteString(content.to_vec()) });
        Some(secret)
    }

    fn secret_head(&self, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": { CREATED_BY_LABEL: CREATED_BY_CONNECT },
            },
            "type": "Opaque",
        })
    }

    /// Prints both as YAML, without the secret.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn print(&self, admin: &str) -> Result<(), Failure> {
        let mut text = String::new();
        if let Some(SecretKey { name, key }) = &self.secret {
            // Without the label: who makes the Secret by other means keeps it, and its token, by other means.
            let mut secret = self.secret_head(name);
            if let Some(metadata) = secret["metadata"].as_object_mut() {
                metadata.remove("labels");
            }
            secret["stringData"] = json!({ *key: REDACTED });
            text = format!(
                "# This Secret shows only the form: {REDACTED} is no credential. Do not apply it and do not put a\n\
                 # credential into Git. Let your secret store make it (External Secrets, Sealed Secrets, SOPS), or:\n\
                 #   kubectl -n {namespace} create secret generic {name} --from-file={key}=FILE\n\
                 # Then delete this document.\n{secret}---\n",
                namespace = self.namespace,
                secret = to_yaml(&secret)?,
            );
        }
        text.push_str(&to_yaml(&self.connection(admin))?);
        writeln!(stdout().lock(), "{}", text.trim_end()).map_err(|error| unwritten(&error))
    }
}

/// The part of the spec that flags decide.
fn wishes(wishes: &Wishes) -> Map<String, Value> {
    let mut sync = Map::new();
    let mut put = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            sync.insert(field.to_owned(), value);
        }
    };
    put("orgUnitPath", wishes.org_unit.clone().map(Value::from));
    put("query", wishes.query.clone().map(Value::from));
    put("intervalSeconds", wishes.interval.map(Value::from));
    let longer = wishes
        .interval
        .filter(|seconds| *seconds > DEFAULT_FULL_INTERVAL_SECONDS);
    put("fullIntervalSeconds", longer.map(Value::from));
    put(
        "includeRecentUsers",
        wishes.include_recent_users.then(|| true.into()),
    );
    let mut spec = Map::new();
    if let Some(customer) = &wishes.customer_id {
        spec.insert("customerId".to_owned(), customer.clone().into());
    }
    if wishes.read_only {
        spec.insert("access".to_owned(), "ReadOnly".into());
    }
    if !sync.is_empty() {
        spec.insert("sync".to_owned(), sync.into());
    }
    spec
}
