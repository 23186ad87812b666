//! Reads objects, as any client of the cluster can.

use anyhow::{Context as _, Result};
use chrome_enterprise_operator::api::ChromeOSDevice;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use crate::count::{Device, Devices};
use crate::setup::NAMESPACE;
use crate::table::Table;

const PAGE: u32 = 500;
/// What kubectl asks for.
const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// How many device objects there are. One object is read, the server counts the rest.
///
/// # Errors
/// When the API server does not answer.
pub(crate) async fn count_objects(client: &Client) -> Result<i64, kube::Error> {
    let devices: Api<ChromeOSDevice> = Api::namespaced(client.clone(), NAMESPACE);
    let list = devices.list_metadata(&ListParams::default().limit(1)).await?;
    let first = i64::try_from(list.items.len()).unwrap_or(i64::MAX);
    Ok(first.saturating_add(list.metadata.remaining_item_count.unwrap_or_default()))
}

/// Every device object with its state.
///
/// # Errors
/// When the API server does not answer.
pub(crate) async fn read_objects(client: &Client) -> Result<Devices> {
    let api: Api<ChromeOSDevice> = Api::namespaced(client.clone(), NAMESPACE);
    let mut devices = Devices::new();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = api
            .list(&page)
            .await
            .context("cannot list the ChromeOSDevice objects")?;
        for device in list.items {
            devices.insert(device.name_any(), read(&device));
        }
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(devices),
        }
    }
}

fn read(object: &ChromeOSDevice) -> Device {
    let status = object.status.clone().unwrap_or_default();
    Device {
        state: status.state.unwrap_or_default(),
        serial_number: status.serial_number.unwrap_or_default(),
        model: status.model.unwrap_or_default(),
        org_unit_path: status.org_unit_path.unwrap_or_default(),
        os_version: status.software.os_version.unwrap_or_default(),
    }
}

/// What is at this path, as the API server presents it to kubectl.
///
/// # Errors
/// When the API server does not answer.
pub(crate) async fn read_table(client: &Client, path: &str) -> Result<Table> {
    let request = http::Request::get(path)
        .header(http::header::ACCEPT, AS_TABLE)
        .body(Vec::new())?;
    client
        .request(request)
        .await
        .with_context(|| format!("cannot read a table of {path}"))
}
