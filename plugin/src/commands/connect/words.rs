//! What the person is told.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use chrome_enterprise_operator::api::conditions::{READY, find};
use chrome_enterprise_operator::api::connection::ChromeEnterpriseConnectionStatus;

use super::arguments::Arguments;
use super::follow::message;
use super::manifest::Manifest;
use super::way::Way;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::{clean, unwritten};
use crate::terminal::say;

/// Where a super admin delegates scopes.
const DELEGATION_PAGE: &str =
    "Admin console > Security > Access and data control > API controls > Domain-wide delegation";

/// What is about to happen, before anything does.
pub(super) fn what_will_be_done(manifest: &Manifest, arguments: &Arguments, way: &Way, cluster: &Cluster) {
    let wishes = &arguments.wishes;
    let signs_in = match way {
        Way::Key(key) => format!("with the key of {}", key.email()),
        Way::Consent(_) => "with the consent of an admin, in a browser".to_owned(),
        Way::Keyless(email) => format!("as {email}, without a key"),
    };
    let account = arguments.way.admin.as_deref().unwrap_or("whoever signs in");
    let secret = manifest.secret_key().map(|secret| secret.name.as_str());
    let devices = match (&wishes.org_unit, &wishes.query) {
        (None, None) => "all of the customer".to_owned(),
        (Some(path), None) => format!("org unit {path} and below"),
        (None, Some(query)) => format!("those that match {query}"),
        (Some(path), Some(query)) => format!("org unit {path} and below, those that match {query}"),
    };
    let may = if wishes.read_only {
        "read devices"
    } else {
        "read and change devices"
    };
    say(&format!(
        "Connecting a Google customer to namespace {} of {}:",
        clean(manifest.namespace()),
        clean(cluster.address())
    ));
    let customer = wishes.customer_id.as_deref().unwrap_or("that of the account");
    for (what, value) in [
        ("connection", Some(manifest.name())),
        ("customer", Some(customer)),
        ("account", Some(account)),
        ("signs in", Some(signs_in.as_str())),
        ("Secret", secret),
        ("devices", Some(devices.as_str())),
        ("may", Some(may)),
        ("last users", wishes.include_recent_users.then_some("recorded")),
    ] {
        if let Some(value) = value {
            say(&format!("  {what:<11} {}", clean(value)));
        }
    }
}

/// What a super admin has to paste.
pub(super) fn delegation(client_id: &str, manifest: &Manifest) {
    say(&format!(
        "A super admin has to allow this once, if nobody did yet:\n{}",
        paste(client_id, &manifest.scopes().join(","))
    ));
}

fn paste(client_id: &str, scopes: &str) -> String {
    format!(
        "  {DELEGATION_PAGE}\n  Client ID:\n    {}\n  OAuth scopes:\n    {}",
        clean(client_id),
        clean(scopes)
    )
}

/// What the operator waits for somebody to do.
pub(super) fn what_is_missing(status: &ChromeEnterpriseConnectionStatus) -> String {
    let reason = find(&status.conditions, READY).map_or("", |ready| ready.reason.as_str());
    let message = message(status);
    let client_id = status.oauth.as_ref().and_then(|oauth| oauth.client_id.as_deref());
    match (reason, client_id, &status.oauth) {
        ("DelegationMissing", Some(client_id), Some(oauth)) => {
            // The rest of the sentence says the same as what is there to be pasted.
            let what = message.split(" In the Admin console").next().unwrap_or(&message);
            format!("{what} ({reason})\n{}", paste(client_id, &oauth.scopes.join(",")))
        }
        _ => format!("{message} ({})", clean(reason)),
    }
}

/// The key is in the cluster now, and a copy of it on the disk.
pub(super) fn key_file_left(path: &Path) {
    say(&format!(
        "The key is in the Secret now. Delete the file {}: whoever has it can do what the operator can.",
        clean(&path.display().to_string())
    ));
}

/// What others have to do before the operator may sign in without a key.
pub(super) fn keyless(service_account: &str, admin: &str, manifest: &Manifest) {
    let account = clean(service_account);
    let domain = service_account
        .split_once('@')
        .map_or(service_account, |(_, domain)| domain);
    let project = clean(
        domain
            .strip_suffix(".iam.gserviceaccount.com")
            .unwrap_or("PROJECT"),
    );
    let admin_domain = clean(admin.split_once('@').map_or(admin, |(_, domain)| domain));
    say(&format!(
        "1. Whoever runs the operator allows it for this namespace, with the flag\n     \
         --allow-keyless namespace={namespace},service-account={account},domain={admin_domain}\n\
         2. Whoever owns the Google Cloud project lets the operator's identity sign for the service account:\n     \
         gcloud services enable iamcredentials.googleapis.com admin.googleapis.com --project {project}\n     \
         gcloud iam service-accounts add-iam-policy-binding {account} \\\n       \
         --role roles/iam.serviceAccountTokenCreator --member \"$OPERATOR_IDENTITY\"\n\
         3. A super admin delegates to the client ID that this prints:\n     \
         gcloud iam service-accounts describe {account} --format 'value(uniqueId)'\n{paste}",
        namespace = clean(manifest.namespace()),
        paste = paste("what step 3 printed", &manifest.scopes().join(",")),
    ));
}

/// The wait was not wanted.
pub(super) fn not_waiting(name: &str, namespace: &str) {
    say(&format!(
        "The connection {name} is written. See how it is: `kubectl chromeos status --namespace {namespace}`."
    ));
}

/// Nobody looks at the connection.
pub(super) fn no_operator(name: &str, namespace: &str, silence: Duration) -> String {
    format!(
        "No operator has looked at connection {name} for {} s. Check that one is running and watches namespace \
         {namespace}: `kubectl chromeos doctor --namespace {namespace}`.",
        silence.as_secs()
    )
}

/// It is done.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn active(
    name: &str,
    namespace: &str,
    status: &ChromeEnterpriseConnectionStatus,
) -> Result<(), Failure> {
    let devices = status.devices.map_or(0, |devices| devices.synced);
    let devices = if devices == 1 {
        "1 device".to_owned()
    } else {
        format!("{devices} devices")
    };
    let customer = status.customer_id.as_deref().unwrap_or("of the account");
    let account = status.connected_account.as_deref().unwrap_or("the account");
    writeln!(
        anstream::stdout().lock(),
        "Connection {name} is Active: {devices} of customer {}, read as {}.",
        clean(customer),
        clean(account)
    )
    .map_err(|error| unwritten(&error))?;
    say(&format!(
        "Look at them: `kubectl chromeos devices --namespace {namespace}`."
    ));
    Ok(())
}

/// Nothing is read because somebody wanted that.
pub(super) fn suspended(name: &str, namespace: &str) {
    say(&format!(
        "The connection {name} is written, and suspended as before. To go on: `kubectl chromeos resume {name} \
         --namespace {namespace}`."
    ));
}
