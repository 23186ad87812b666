//! What is read of a fleet is what the fleet is.

use std::collections::{BTreeMap, BTreeSet};

use chrome_enterprise_operator::google::{ChromeOsDevice, ListRequest, Reason};
use google_admin_simulator::control::devices::DevicePatch;
use serde_json::{Map, Value, json};

use super::side::{Side, walk};

#[tokio::test]
async fn a_walk_reads_the_whole_fleet_as_it_is() {
    let side = Side::start(450).await;
    let customer = side.simulator.customer_id();
    let walked = walk(&side.client, &side.everything()).await.unwrap();
    assert_eq!((walked.pages, walked.unreadable), (3, 0));

    let truth = side.simulator.state().truth(&customer, 0, 10_000).unwrap();
    let truth: BTreeMap<_, _> = truth
        .into_iter()
        .filter(|row| row.listed)
        .map(|row| (row.device_id.clone(), row))
        .collect();
    assert_eq!(walked.devices.len(), truth.len());
    let mut read = BTreeMap::<&str, usize>::new();
    for device in &walked.devices {
        let row = &truth[&device.device_id];
        assert_eq!(device.serial_number.as_deref(), Some(row.serial_number.as_str()));
        assert_eq!(device.org_unit_path.as_deref(), Some(row.org_unit_path.as_str()));
        assert_eq!(device.org_unit_id.as_deref(), Some(row.org_unit_id.as_str()));
        assert_eq!(
            device.status.as_deref(),
            serde_json::to_value(row.status).unwrap().as_str()
        );
        assert_eq!(device.recent_users, None, "personal data comes only on request");
        let full = side
            .simulator
            .state()
            .device(&customer, &device.device_id)
            .unwrap()
            .full;
        compare(device, &full, &mut read);
    }
    for (field, count) in &read {
        assert!(
            *count > 0,
            "no device of the fleet tells {field}, so nothing was compared"
        );
    }
    assert!(
        side.simulator
            .state()
            .request_counts()
            .keys()
            .all(|method| !method.contains("customers"))
    );
}

/// What Google holds and what was read must be there, or missing, together.
fn compare(device: &ChromeOsDevice, full: &Value, read: &mut BTreeMap<&'static str, usize>) {
    let text = |value: &Option<String>| value.is_some();
    let rows: [(&'static str, bool); 25] = [
        ("model", text(&device.model)),
        ("annotatedUser", text(&device.annotated_user)),
        ("annotatedLocation", text(&device.annotated_location)),
        ("annotatedAssetId", text(&device.annotated_asset_id)),
        ("notes", text(&device.notes)),
        ("macAddress", text(&device.mac_address)),
        ("ethernetMacAddress", text(&device.ethernet_mac_address)),
        ("manufactureDate", text(&device.manufacture_date)),
        ("chromeOsType", text(&device.chrome_os_type)),
        ("firstEnrollmentTime", device.first_enrollment_time.is_some()),
        ("lastEnrollmentTime", device.last_enrollment_time.is_some()),
        (
            "lastDeprovisionTimestamp",
            device.last_deprovision_timestamp.is_some(),
        ),
        ("deprovisionReason", text(&device.deprovision_reason)),
        ("deviceLicenseType", text(&device.device_license_type)),
        ("willAutoRenew", device.will_auto_renew.is_some()),
        ("osVersion", text(&device.os_version)),
        ("platformVersion", text(&device.platform_version)),
        ("osUpdateStatus", device.os_update_status.is_some()),
        ("autoUpdateExpiration", device.auto_update_expiration.is_some()),
        ("supportEndDate", device.support_end_date.is_some()),
        ("systemRamTotal", device.system_ram_total.is_some()),
        ("cpuInfo", device.cpu_info.is_some()),
        ("tpmVersionInfo", device.tpm_version_info.is_some()),
        ("diskSpaceUsage", device.disk_space_usage.is_some()),
        ("lastSync", device.last_sync.is_some()),
    ];
    for (field, was_read) in rows {
        let there = match &full[field] {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
        };
        assert_eq!(was_read, there, "{field} of {full}");
        *read.entry(field).or_default() += usize::from(there);
    }
}

#[tokio::test]
async fn one_device_is_read_and_a_vanished_one_is_none() {
    let side = Side::start(20).await;
    let customer = side.simulator.customer_id();
    let id = side.simulator.state().truth(&customer, 3, 1).unwrap()[0]
        .device_id
        .clone();
    for customer in [customer.as_str(), "my_customer"] {
        let device = side
            .client
            .get_device(customer, &id, false)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(device.device_id, id);
        assert!(device.last_sync.is_some() || device.os_version.is_none());
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert!(
        side.client
            .get_device(&customer, unknown, false)
            .await
            .unwrap()
            .is_none()
    );
    let vanish = DevicePatch {
        vanished: Some(true),
        ..DevicePatch::default()
    };
    side.simulator
        .state()
        .patch_device(&customer, &id, &vanish)
        .unwrap();
    assert!(
        side.client
            .get_device(&customer, &id, false)
            .await
            .unwrap()
            .is_none()
    );
    let error = side.client.get_device("C0notmine", &id, false).await.unwrap_err();
    assert!(
        matches!(error.reason, Reason::CustomerNotFound | Reason::PrivilegeMissing),
        "{error}"
    );
}

#[tokio::test]
async fn recent_users_come_only_on_request() {
    let side = Side::start(100).await;
    let asked = ListRequest {
        include_recent_users: true,
        ..side.everything()
    };
    let walked = walk(&side.client, &asked).await.unwrap();
    assert!(walked.devices.iter().any(|device| device.recent_users.is_some()));
}

#[tokio::test]
async fn org_units_scope_a_listing_and_its_count() {
    let side = Side::start(300).await;
    let units = side
        .client
        .list_org_units(&side.simulator.customer_id())
        .await
        .unwrap();
    assert!(
        units
            .iter()
            .any(|unit| unit.org_unit_path.as_deref() == Some("/"))
    );
    let all = walk(&side.client, &side.everything()).await.unwrap().devices;
    let of_units: BTreeSet<_> = units
        .iter()
        .filter_map(|unit| unit.org_unit_id.as_deref())
        .collect();
    assert!(
        all.iter()
            .all(|device| of_units.contains(device.org_unit_id.as_deref().unwrap()))
    );
    let path = units.iter().find_map(|unit| {
        let path = unit.org_unit_path.as_deref()?;
        let devices = all
            .iter()
            .filter(|device| device.org_unit_path.as_deref() == Some(path))
            .count();
        (path != "/" && devices > 0).then_some((path.to_owned(), devices))
    });
    let (path, direct) = path.expect("an org unit with devices");
    let only = ListRequest {
        org_unit_path: Some(path),
        include_child_org_units: false,
        ..side.everything()
    };
    assert_eq!(walk(&side.client, &only).await.unwrap().devices.len(), direct);
    assert_eq!(side.client.count_devices(&only).await.unwrap(), direct as u64);
    assert_eq!(
        side.client.count_devices(&side.everything()).await.unwrap(),
        all.len() as u64
    );
    let nowhere = ListRequest {
        org_unit_path: Some("/No such place".to_owned()),
        ..side.everything()
    };
    let error = side.client.list_devices(&nowhere, None).await.unwrap_err();
    assert_eq!(error.reason, Reason::OrgUnitNotFound);
}

#[tokio::test]
async fn the_page_size_that_google_allows_is_named() {
    let side = Side::start(120).await;
    side.switch(|switches| switches.page_size_limit = 100);
    let error = side
        .client
        .list_devices(&side.everything(), None)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::PageSizeRange { min: 1, max: 100 });
    assert_eq!(side.listings(), 1);
    let smaller = ListRequest {
        page_size: 100,
        ..side.everything()
    };
    assert_eq!(walk(&side.client, &smaller).await.unwrap().pages, 2);
}

#[tokio::test]
async fn a_device_that_google_garbles_costs_only_itself() {
    let side = Side::start(30).await;
    let customer = side.simulator.customer_id();
    let rows = side.simulator.state().truth(&customer, 0, 30).unwrap();
    let garble = |index: usize, raw: Value| {
        let raw: Map<String, Value> = serde_json::from_value(raw).unwrap();
        let patch = DevicePatch {
            raw: Some(raw),
            ..DevicePatch::default()
        };
        side.simulator
            .state()
            .patch_device(&customer, &rows[index].device_id, &patch)
            .unwrap();
    };
    garble(4, json!({"status": {"was": "ACTIVE"}}));
    garble(
        9,
        json!({"cpuInfo": "fast", "systemRamTotal": "much", "lastSync": "yesterday", "notes": ["x"]}),
    );
    garble(
        12,
        json!({"status": "SOMETHING_NEW", "chromeOsType": "chromeOsNext"}),
    );
    let walked = walk(&side.client, &side.everything()).await.unwrap();
    assert_eq!((walked.devices.len(), walked.unreadable), (29, 1));
    assert_eq!(walked.unreadable_ids, [rows[4].device_id.clone()]);
    let find = |index: usize| {
        walked
            .devices
            .iter()
            .find(|device| device.device_id == rows[index].device_id)
    };
    let odd = find(9).unwrap();
    assert!(odd.cpu_info.is_none() && odd.system_ram_total.is_none() && odd.last_sync.is_none());
    assert_eq!(find(12).unwrap().status.as_deref(), Some("SOMETHING_NEW"));
    let error = side
        .client
        .get_device(&customer, &rows[4].device_id, false)
        .await
        .unwrap_err();
    assert_eq!(error.reason, Reason::UnexpectedAnswer);
}
