//! Each connection by itself: what the operator says of it, and what its Secret holds.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::{ConnectionState, SecretReference};
use chrome_enterprise_operator::google::{
    Credential, CredentialError, parse_authorized_user, parse_service_account_key,
};
use k8s_openapi::api::core::v1::Secret;

use super::finding::Findings;
use crate::cluster::{Cluster, Scope};
use crate::connections::{self, name_of, namespace_of};
use crate::failure::Failure;

/// Keys of a Secret when the connection names none; see docs/reference.md.
const SERVICE_ACCOUNT_KEY: &str = "service-account.json";
const AUTHORIZED_USER: &str = "authorized-user.json";

const CHECK: &str = "connection";
const SECRET_CHECK: &str = "secret";

/// `namespace/name`, by which a finding names a connection.
pub(super) fn object(connection: &ChromeEnterpriseConnection) -> String {
    format!("{}/{}", namespace_of(connection), name_of(connection))
}

/// Says what the operator says of it.
pub(super) fn look(connection: &ChromeEnterpriseConnection, findings: &mut Findings) {
    let object = object(connection);
    let Some(state) = connections::state(connection) else {
        // The check of the operator says what that means.
        findings
            .not_checked(CHECK, "no operator has looked at it yet")
            .about(object);
        return;
    };
    let reason = connections::reason(connection).unwrap_or("no reason");
    let what = format!("{} ({reason})", connections::word(state));
    let message = connections::ready(connection).map_or("", |ready| ready.message.as_str());
    let resume = format!(
        "To go on: kubectl chromeos resume {} -n {}",
        name_of(connection),
        namespace_of(connection)
    );
    match state {
        ConnectionState::Active => {
            let devices = connection.status.as_ref().and_then(|status| status.devices);
            let devices =
                devices.map_or_else(String::new, |devices| format!(" with {} devices", devices.synced));
            findings
                .ok(CHECK, format!("Active{devices}."))
                .about(object.clone());
        }
        ConnectionState::Suspended => {
            findings
                .warning(CHECK, "It is suspended.")
                .about(object.clone())
                .advise(resume);
        }
        ConnectionState::Degraded | ConnectionState::Conflict => {
            findings
                .problem(CHECK, format!("{what}."))
                .about(object.clone())
                .advise(message);
        }
        ConnectionState::Connecting | ConnectionState::Syncing if connections::needs_a_person(connection) => {
            findings
                .problem(CHECK, format!("{what}."))
                .about(object.clone())
                .advise(message);
        }
        ConnectionState::Connecting | ConnectionState::Syncing | ConnectionState::Deleting => {
            findings
                .warning(CHECK, format!("{what}: it is not at its end yet."))
                .about(object.clone())
                .advise(message);
        }
    }
    let Some(sync) = connection.status.as_ref().and_then(|status| status.sync.as_ref()) else {
        return;
    };
    if let Some(hold) = &sync.prune_hold {
        let command = format!(
            "Check org unit, query and privileges. If they are really gone: kubectl -n {} annotate --overwrite cec {} \
             chromeenterprise.dev/allow-prune={}",
            namespace_of(connection),
            name_of(connection),
            hold.id
        );
        findings
            .warning(
                CHECK,
                format!(
                    "{} vanished devices are kept until somebody agrees.",
                    hold.devices
                ),
            )
            .about(object.clone())
            .advise(command);
    }
    if let Some(skipped) = sync.devices_skipped.filter(|skipped| *skipped > 0) {
        findings
            .warning(
                CHECK,
                format!("{skipped} devices have no object, because Google's records of them cannot be read."),
            )
            .about(object)
            .advise("The log of the operator names them.");
    }
}

/// Says what its Secret holds. The credential, if the user may read it and it can be used.
pub(super) async fn look_at_secret(
    cluster: &Cluster,
    connection: &ChromeEnterpriseConnection,
    findings: &mut Findings,
) -> Option<Credential> {
    let object = object(connection);
    let credentials = &connection.spec.credentials;
    let (reference, default, parse): (&SecretReference, _, Parser) =
        match (&credentials.service_account_key, &credentials.authorized_user) {
            (Some(source), _) => (&source.secret_ref, SERVICE_ACCOUNT_KEY, |content| {
                parse_service_account_key(content).map(Into::into)
            }),
            (None, Some(source)) => (&source.secret_ref, AUTHORIZED_USER, |content| {
                parse_authorized_user(content).map(Into::into)
            }),
            (None, None) => {
                findings
                    .ok(
                        SECRET_CHECK,
                        "It needs none: the operator signs with its own identity.",
                    )
                    .about(object);
                return None;
            }
        };
    let (name, key) = (&reference.name, reference.key.as_deref().unwrap_or(default));
    let secrets = cluster.api_in::<Secret>(&Scope::Namespace(namespace_of(connection)));
    let secret = match secrets.get(name).await {
        Ok(secret) => secret,
        Err(kube::Error::Api(status)) if status.code == 404 => {
            findings
                .problem(SECRET_CHECK, format!("There is no Secret {name}."))
                .about(object)
                .advise(format!("Make it with the credentials under the key {key}, or let `kubectl chromeos connect` do it."));
            return None;
        }
        Err(error) => {
            let why = Failure::kubernetes(&format!("read Secret {name}"), &error);
            findings.not_checked(SECRET_CHECK, &why.to_string()).about(object);
            return None;
        }
    };
    let Some(content) = secret.data.as_ref().and_then(|data| data.get(key)) else {
        findings
            .problem(SECRET_CHECK, format!("Secret {name} has no key {key}."))
            .about(object)
            .advise("Put the credentials under it, or name the right key in secretRef.key.");
        return None;
    };
    match parse(&content.0) {
        Ok(credential) => {
            findings
                .ok(SECRET_CHECK, format!("Secret {name} holds usable credentials."))
                .about(object);
            Some(credential)
        }
        Err(error) => {
            findings
                .problem(
                    SECRET_CHECK,
                    format!("Key {key} of Secret {name} cannot be used: {error}."),
                )
                .about(object)
                .advise(
                    "Put the file into it as it was downloaded, or let `kubectl chromeos connect` do it.",
                );
            None
        }
    }
}

/// Reads a credential from what a Secret holds.
type Parser = fn(&[u8]) -> Result<Credential, CredentialError>;
