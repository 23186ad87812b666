//! The actions of one device, newest first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrome_enterprise_operator::api::device::serial_key;
use chrome_enterprise_operator::api::{ChromeOSDevice, DeviceAction};
use futures::future::try_join_all;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::{Cluster, Scope, equals, pages};
use crate::failure::Failure;

/// Actions that name the device, or that the operator has found to be for it.
pub(super) async fn of_device(
    cluster: &Cluster,
    scope: &Scope,
    device: &ChromeOSDevice,
) -> Result<Vec<DeviceAction>, Failure> {
    let id = device.name_any();
    // An action that nobody has looked at yet says only what its author wrote: a serial number as Google writes it, or
    // in the form of lookups.
    let mut selectors = BTreeSet::from([equals("status.deviceId", &id), equals("spec.deviceId", &id)]);
    let status = device.status.as_ref();
    if let Some(serial) = status.and_then(|status| status.serial_number.as_deref()) {
        selectors.insert(equals("spec.serialNumber", serial));
        selectors.insert(equals("spec.serialNumber", &serial_key(serial)));
    }
    let lists = selectors.iter().map(|selector| {
        let doing = format!("list the actions of device {id} {}", scope.words());
        pages::<DeviceAction>(
            cluster.api_in(scope),
            ListParams::default().fields(selector),
            doing,
        )
        .all()
    });
    let mut actions: Vec<DeviceAction> = try_join_all(lists).await?.into_iter().flatten().collect();
    actions.retain(|action| is_for(action, &id));
    actions.sort_by_key(|action| (Reverse(action.creation_timestamp()), action.name_any()));
    actions.dedup_by_key(|action| action.name_any());
    Ok(actions)
}

/// Another device may have the same serial number: the operator says which one is meant.
fn is_for(action: &DeviceAction, id: &str) -> bool {
    let decided = action
        .status
        .as_ref()
        .and_then(|status| status.device_id.as_deref());
    decided.is_none_or(|decided| decided == id)
}
