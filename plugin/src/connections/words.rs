//! What a connection's state means for people, and whether somebody has to act.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::conditions::{self, READY, STALLED};
use chrome_enterprise_operator::api::connection::{ConnectionState, Credentials, SecretReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::output::Tone;

/// The state that the operator wrote last.
#[must_use]
pub fn state(connection: &ChromeEnterpriseConnection) -> Option<ConnectionState> {
    connection.status.as_ref()?.state
}

/// The state as it is written in a status.
#[must_use]
pub const fn word(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting => "Connecting",
        ConnectionState::Syncing => "Syncing",
        ConnectionState::Active => "Active",
        ConnectionState::Degraded => "Degraded",
        ConnectionState::Suspended => "Suspended",
        ConnectionState::Conflict => "Conflict",
        ConnectionState::Deleting => "Deleting",
    }
}

/// What the state means, in a sentence.
#[must_use]
pub const fn sentence(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting => "It is not signed in to Google yet.",
        ConnectionState::Syncing => {
            "It is signed in, and reads all devices for the first time with these settings."
        }
        ConnectionState::Active => "The inventory is complete and kept in step with Google.",
        ConnectionState::Degraded => "It worked before and does not now. The devices are kept as they are.",
        ConnectionState::Suspended => {
            "Somebody stopped it. The devices are kept as they are, and actions wait."
        }
        ConnectionState::Conflict => "An older connection works in this namespace, so this one does nothing.",
        ConnectionState::Deleting => "It is being deleted; its device objects are removed first.",
    }
}

/// What the state means for whoever looks: one that needs a person is bad, whatever its word.
#[must_use]
pub fn tone(connection: &ChromeEnterpriseConnection) -> Tone {
    if needs_a_person(connection) {
        return Tone::Bad;
    }
    match state(connection) {
        Some(ConnectionState::Active) => Tone::Good,
        Some(ConnectionState::Degraded | ConnectionState::Conflict) => Tone::Bad,
        Some(
            ConnectionState::Connecting
            | ConnectionState::Syncing
            | ConnectionState::Suspended
            | ConnectionState::Deleting,
        )
        | None => Tone::Notice,
    }
}

/// Whether no retry can heal it.
#[must_use]
pub fn needs_a_person(connection: &ChromeEnterpriseConnection) -> bool {
    condition(connection, STALLED).is_some_and(|stalled| stalled.status == "True")
}

/// The condition that says how it is, and why.
#[must_use]
pub fn ready(connection: &ChromeEnterpriseConnection) -> Option<&Condition> {
    condition(connection, READY)
}

/// Why it is as it is, in one word.
#[must_use]
pub fn reason(connection: &ChromeEnterpriseConnection) -> Option<&str> {
    ready(connection).map(|ready| ready.reason.as_str())
}

fn condition<'a>(connection: &'a ChromeEnterpriseConnection, type_: &str) -> Option<&'a Condition> {
    conditions::find(&connection.status.as_ref()?.conditions, type_)
}

/// How it signs in: the way, and the Secret if there is one. Never what is in the Secret.
#[must_use]
pub fn way_to_sign_in(credentials: &Credentials) -> String {
    let secret = |kind: &str, secret: &SecretReference| {
        let key = secret
            .key
            .as_ref()
            .map_or_else(String::new, |key| format!(", key {key}"));
        format!("{kind} in Secret {}{key}", secret.name)
    };
    if let Some(source) = &credentials.service_account_key {
        return secret("service account key", &source.secret_ref);
    }
    if let Some(source) = &credentials.authorized_user {
        return secret("consent of an administrator", &source.secret_ref);
    }
    match &credentials.keyless {
        Some(keyless) => format!("without a key, as {}", keyless.service_account_email),
        None => "no way is given".to_owned(),
    }
}
