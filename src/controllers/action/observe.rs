//! Reads everything that a decision about an action needs. Google is not asked here: only attempts and questions do.

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use kube::core::DeserializeGuard;

use super::Context;
use super::claim::bounded;
use super::facts::{Facts, Lookup, Tenant};
use super::flights::Key;
use super::preflight::Target;
use super::rivals::{self, Asking, Contender, Progress};
use crate::api::action::{DeviceAction, DeviceActionSpec};
use crate::api::connection::{Access, ChromeEnterpriseConnection, MY_CUSTOMER};
use crate::api::device::{ChromeOSDevice, serial_key};
use crate::api::receipt::{AttemptOutcome, DeviceActionReceipt};
use crate::controllers::inventory::Scope;
use crate::controllers::tenant::credentials::{self, CredentialFacts};
use crate::controllers::tenant::owner;
use crate::google::Credential;

/// What was observed: the facts to decide from, and what work at Google needs.
pub(super) struct Observed {
    pub(super) facts: Facts,
    pub(super) access: Option<GoogleAccess>,
}

/// What work at Google needs; the credential never becomes a fact.
pub(super) struct GoogleAccess {
    pub(super) connection: ChromeEnterpriseConnection,
    pub(super) credentials: CredentialFacts,
    pub(super) credential: Credential,
}

/// Reads action, receipt, connection and device of this name.
///
/// # Errors
/// When the API server cannot be asked.
pub(super) async fn observe(context: &Context, key: &Key) -> kube::Result<Observed> {
    let (actions, receipts) = (context.actions(&key.namespace), context.receipts(&key.namespace));
    let (action, receipt) = tokio::join!(bounded(actions.get_opt(&key.name)), receipts.get(&key.name));
    let (action, receipt) = (action?, receipt?);
    let last_attempt = receipt.as_ref().and_then(|receipt| receipt.spec.attempts.last());
    let memory = context
        .flights
        .memory(key, last_attempt.map(|attempt| attempt.id.as_str()));
    let unclaimed = action.is_some() && receipt.is_none();
    let goes_on = receipt.as_ref().is_some_and(|receipt| receipt.spec.open);
    let (mut tenant, mut access, mut lookup, mut rival) = (None, None, Lookup::NotNeeded, None);
    if (unclaimed || goes_on) && memory.stage.is_none() {
        (tenant, access) = read_tenant(context, &key.namespace).await?;
        if let (Some(action), None, Some(_)) = (&action, &receipt, &tenant) {
            lookup = look_up(context, &key.namespace, &action.spec).await?;
        }
        rival = first_rival(context, action.as_ref(), receipt.as_ref(), &lookup);
    }
    Ok(Observed {
        facts: Facts {
            action,
            receipt,
            tenant,
            lookup,
            rival,
            memory,
            clocks: context.clocks(),
        },
        access,
    })
}

/// The connection that owns the namespace, with its credentials.
async fn read_tenant(
    context: &Context,
    namespace: &str,
) -> kube::Result<(Option<Tenant>, Option<GoogleAccess>)> {
    let api: Api<ChromeEnterpriseConnection> = Api::namespaced(context.client.clone(), namespace);
    let all = bounded(api.list_metadata(&ListParams::default())).await?;
    let oldest = owner::oldest(all.items.into_iter().map(|item| item.metadata));
    let Some(name) = oldest.and_then(|meta| meta.name) else {
        return Ok((None, None));
    };
    let Some(connection) = bounded(api.get_opt(&name)).await? else {
        return Ok((None, None));
    };
    let rules = context.tenants.keyless();
    let read = credentials::read(&context.client, rules, namespace, &connection.spec);
    let (credentials, credential) = bounded(read).await?;
    let tenant = tenant(&connection, &credentials);
    let access = credential.map(|credential| GoogleAccess {
        connection,
        credentials,
        credential,
    });
    Ok((Some(tenant), access))
}

fn tenant(connection: &ChromeEnterpriseConnection, credentials: &CredentialFacts) -> Tenant {
    let spec = &connection.spec;
    let status = connection.status.as_ref();
    let scope = Scope::of(spec);
    let completed = status.and_then(|status| status.sync.as_ref()?.completed_scope.as_deref());
    // Only a customer that belongs to this spec: another admin may belong to another customer.
    let resolved = status
        .filter(|status| status.observed_generation == connection.metadata.generation)
        .and_then(|status| status.customer_id.clone());
    Tenant {
        name: connection.name_any(),
        uid: connection.uid().unwrap_or_default(),
        customer_id: match spec.customer_id.as_str() {
            MY_CUSTOMER => resolved.unwrap_or_else(|| spec.customer_id.clone()),
            named => named.to_owned(),
        },
        inventory_complete: completed == Some(scope.digest().as_str()),
        scope,
        deleting: connection.metadata.deletion_timestamp.is_some(),
        suspended: spec.sync.suspend,
        read_only: spec.access == Access::ReadOnly,
        unusable: match credentials {
            CredentialFacts::Usable { .. } => None,
            CredentialFacts::Unusable(problem) => Some(problem.clone()),
        },
    }
}

/// Finds the device in the inventory of the namespace: never by a search at Google, which may find another.
async fn look_up(context: &Context, namespace: &str, spec: &DeviceActionSpec) -> kube::Result<Lookup> {
    let api: Api<DeserializeGuard<ChromeOSDevice>> = Api::namespaced(context.client.clone(), namespace);
    if let Some(device_id) = &spec.device_id {
        let found = bounded(api.get_opt(device_id)).await?;
        return Ok(match found {
            None => Lookup::NotFound,
            // An object is created first and gets its status a moment later.
            Some(DeserializeGuard(device)) => match device.ok().and_then(|device| device.status) {
                None => Lookup::NotRead,
                Some(status) => Lookup::Found(target(device_id, status.serial_number)),
            },
        });
    }
    let wanted = serial_key(spec.serial_number.as_deref().unwrap_or_default());
    let params = ListParams::default().fields(&format!("status.serialKey={}", escaped(&wanted)));
    let list = bounded(api.list(&params)).await?;
    let devices = list
        .items
        .into_iter()
        .filter_map(|DeserializeGuard(device)| device.ok());
    let with_serial: Vec<ChromeOSDevice> = devices
        .filter(|device| {
            let key = device
                .status
                .as_ref()
                .and_then(|status| status.serial_key.as_deref());
            key == Some(wanted.as_str())
        })
        .collect();
    let is_deprovisioned = |device: &&ChromeOSDevice| {
        let state = device.status.as_ref().and_then(|status| status.state.as_deref());
        state == Some("DEPROVISIONED")
    };
    let (released, in_use): (Vec<_>, Vec<_>) = with_serial.iter().partition(is_deprovisioned);
    Ok(match (in_use.as_slice(), released.len()) {
        ([], 0) => Lookup::NotFound,
        ([], released) => Lookup::OnlyDeprovisioned(released),
        ([one], _) => Lookup::Found(target(
            &one.name_any(),
            one.status
                .as_ref()
                .and_then(|status| status.serial_number.clone()),
        )),
        (several, _) => Lookup::Ambiguous(several.len()),
    })
}

/// A value in a field selector, where commas, equals signs and backslashes mean something.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '=') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

fn target(device_id: &str, serial_number: Option<String>) -> Target {
    Target {
        device_id: device_id.to_owned(),
        serial_number,
    }
}

/// The action that comes first on the same device, from what the watches have seen.
fn first_rival(
    context: &Context,
    action: Option<&DeviceAction>,
    receipt: Option<&DeviceActionReceipt>,
    lookup: &Lookup,
) -> Option<String> {
    let action = action?;
    let (device_id, serial) = match (lookup, receipt) {
        (Lookup::Found(target), _) => (target.device_id.as_str(), target.serial_number.as_deref()),
        (_, Some(receipt)) => (
            receipt.spec.request.device_id.as_deref()?,
            receipt.spec.request.serial_number.as_deref(),
        ),
        (_, None) => return None,
    };
    let (name, serial_key) = (action.name_any(), serial.map(serial_key));
    let asking = Asking {
        name: &name,
        created: created(action.creation_timestamp()),
        type_: action.spec.type_,
        device_id,
        serial_key: serial_key.as_deref(),
    };
    let namespace = action.namespace().unwrap_or_default();
    let contenders = context.contenders(&namespace);
    rivals::first(&asking, &contenders).map(str::to_owned)
}

fn created(time: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>) -> Timestamp {
    time.map_or(Timestamp::MAX, |time| time.0)
}

/// An action that nobody has claimed yet, as far as the watches have seen.
pub(super) fn waiting(action: &DeviceAction) -> Contender {
    Contender {
        name: action.name_any(),
        created: created(action.creation_timestamp()),
        device_id: action
            .spec
            .device_id
            .clone()
            .or_else(|| action.status.as_ref()?.device_id.clone()),
        serial_key: action.spec.serial_number.as_deref().map(serial_key),
        progress: Progress::Waiting,
    }
}

/// An action that somebody has claimed.
pub(super) fn claimed(receipt: &DeviceActionReceipt) -> Contender {
    let spec = &receipt.spec;
    let last = spec.attempts.last().map(|attempt| attempt.outcome);
    let progress = match last {
        _ if spec.state.is_final() => Progress::Accepted,
        Some(None | Some(AttemptOutcome::Unknown)) => Progress::InFlight,
        Some(Some(AttemptOutcome::NotSent)) => Progress::BetweenAttempts,
        Some(Some(AttemptOutcome::Accepted | AttemptOutcome::Refused)) | None => Progress::Accepted,
    };
    Contender {
        name: receipt.name_any(),
        created: created(receipt.creation_timestamp()),
        device_id: spec.request.device_id.clone(),
        serial_key: spec.request.serial_number.as_deref().map(serial_key),
        progress,
    }
}
