//! Which device is meant by a serial number or an ID.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::ChromeOSDevice;
use chrome_enterprise_operator::api::device::{ChromeOSDeviceStatus, serial_key};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};

use super::{Cluster, Scope, equals, pages};
use crate::failure::Failure;
use crate::inventory::State;
use crate::output::clean;

/// How long a mistyped serial number is compared with the others. A large fleet is not read to its end for a hint.
const TYPO_SEARCH: Duration = Duration::from_secs(3);
/// How many devices or serial numbers a message names.
const NAMED: usize = 10;

/// The one device with this serial number or ID in the namespace that is meant.
///
/// A serial number is compared without regard to case and blanks. Of several devices that share one, deprovisioned ones
/// do not count when another is there. A device that is deprovisioned and the only one is found.
///
/// # Errors
/// When there is none, or more than one, or the cluster refuses or cannot be asked.
pub async fn find_device(cluster: &Cluster, serial_or_id: &str) -> Result<ChromeOSDevice, Failure> {
    find_device_in(cluster, &cluster.scope(false), serial_or_id).await
}

/// The same in some namespaces.
///
/// # Errors
/// As [`find_device`].
pub async fn find_device_in(
    cluster: &Cluster,
    scope: &Scope,
    serial_or_id: &str,
) -> Result<ChromeOSDevice, Failure> {
    let wanted = serial_or_id.trim();
    if wanted.is_empty() {
        return Err(Failure::usage(
            "Give the serial number or the ID of a device: the text is empty.",
        ));
    }
    let mut found = candidates(cluster, scope, wanted).await?;
    match found.len() {
        0 => Err(nothing(cluster, scope, wanted).await),
        1 => Ok(found.swap_remove(0)),
        _ => Err(several(scope, wanted, &found)),
    }
}

/// Every device that may be meant. Two questions, both answered from an index of names or by a field selector.
async fn candidates(cluster: &Cluster, scope: &Scope, wanted: &str) -> Result<Vec<ChromeOSDevice>, Failure> {
    let doing = format!("look up device {} {}", clean(wanted), scope.words());
    let api: Api<ChromeOSDevice> = cluster.api_in(scope);
    let by_serial = ListParams::default().fields(&equals("status.serialKey", &serial_key(wanted)));
    let with_serial = pages(api.clone(), by_serial, doing.as_str()).all().await?;
    let (released, mut found): (Vec<_>, Vec<_>) = with_serial.into_iter().partition(is_deprovisioned);
    if found.is_empty() {
        found = released;
    }
    let by_name = ListParams::default().fields(&equals("metadata.name", wanted));
    for device in pages(api, by_name, doing).all().await? {
        if !found.iter().any(|other| other.uid() == device.uid()) {
            found.push(device);
        }
    }
    Ok(found)
}

fn is_deprovisioned(device: &ChromeOSDevice) -> bool {
    State::of_device(device) == State::Deprovisioned
}

fn status(device: &ChromeOSDevice) -> Option<&ChromeOSDeviceStatus> {
    device.status.as_ref()
}

fn several(scope: &Scope, wanted: &str, found: &[ChromeOSDevice]) -> Failure {
    let mut message = format!(
        "{} {} belongs to {} devices:",
        clean(wanted),
        scope.words(),
        found.len()
    );
    for device in found.iter().take(NAMED) {
        message.push_str("\n  ");
        message.push_str(&described(scope, device));
    }
    if found.len() > NAMED {
        // Writing into a String cannot fail.
        let _ = write!(message, "\n  and {} more", found.len() - NAMED);
    }
    let remedy = match scope {
        Scope::Namespace(_) => "Give the ID of the one that you mean in place of the serial number.",
        Scope::All => "Give the ID of the one that you mean, or its namespace with --namespace.",
    };
    Failure::new(message).advise(remedy)
}

/// `1a2b-3c (ACTIVE, HP Chromebook 11, org unit /Oak)`.
fn described(scope: &Scope, device: &ChromeOSDevice) -> String {
    let mut parts = Vec::new();
    if let Some(status) = status(device) {
        parts.extend(status.state.as_deref().map(|state| clean(state).into_owned()));
        parts.extend(status.model.as_deref().map(|model| clean(model).into_owned()));
        let path = status.org_unit_path.as_deref();
        parts.extend(path.map(|path| format!("org unit {}", clean(path))));
    }
    if *scope == Scope::All {
        parts.extend(device.namespace().map(|name| format!("namespace {name}")));
    }
    if parts.is_empty() {
        parts.push("not read from Google yet".to_owned());
    }
    format!("{} ({})", device.name_any(), parts.join(", "))
}

async fn nothing(cluster: &Cluster, scope: &Scope, wanted: &str) -> Failure {
    let failure = Failure::new(format!(
        "There is no device with serial number or ID {} {}.",
        clean(wanted),
        scope.words()
    ));
    if let Some(elsewhere) = elsewhere(cluster, scope, wanted).await {
        return failure.advise(elsewhere);
    }
    let similar = similar(cluster, scope, wanted).await;
    if !similar.is_empty() {
        let similar = similar.join(", ");
        return failure.advise(format!("Is it mistyped? There is {similar}."));
    }
    failure.advise(match scope {
        Scope::Namespace(_) => {
            "Check the serial number. `kubectl chromeos devices` lists what is here, --namespace names another \
             namespace, and `kubectl chromeos sync` reads the devices from Google now."
        }
        Scope::All => {
            "Check the serial number. `kubectl chromeos devices -A` lists all devices, and `kubectl chromeos sync` \
             reads those of a namespace from Google now."
        }
    })
}

/// Which other namespace has it, for who may look there.
async fn elsewhere(cluster: &Cluster, scope: &Scope, wanted: &str) -> Option<String> {
    if *scope == Scope::All {
        return None;
    }
    // A hint only: most people may not list all namespaces.
    let found = candidates(cluster, &Scope::All, wanted).await.ok()?;
    let namespace = found.first()?.namespace()?;
    Some(format!(
        "Namespace {namespace} has it: add `--namespace {namespace}`."
    ))
}

/// Serial numbers that differ by one character, or by two that changed places.
async fn similar(cluster: &Cluster, scope: &Scope, wanted: &str) -> Vec<String> {
    let wanted = serial_key(wanted);
    let began = Instant::now();
    let mut similar = Vec::new();
    let api: Api<ChromeOSDevice> = cluster.api_in(scope);
    let mut pages = pages(api, ListParams::default(), "look for similar serial numbers");
    // A hint only: without it the message is still right.
    while let Ok(Some(page)) = pages.next().await {
        for status in page.iter().filter_map(status) {
            if let (Some(key), Some(serial)) = (&status.serial_key, &status.serial_number)
                && strsim::osa_distance(key, &wanted) == 1
            {
                similar.push(clean(serial).into_owned());
            }
        }
        if similar.len() >= NAMED || began.elapsed() > TYPO_SEARCH {
            break;
        }
    }
    similar.truncate(NAMED);
    similar
}
