use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::google::mask;
use crate::google::models::{
    ActiveDay, CpuInfo, DiskSpaceUsage, KnownNetwork, OsUpdateStatus, RecentUser, TpmVersionInfo,
};

fn answer(body: impl Into<Bytes>) -> Answer {
    Answer {
        status: StatusCode::OK,
        date: None,
        retry_after: None,
        content_type: None,
        authenticate: None,
        body: body.into(),
    }
}

fn read(body: &Value) -> DevicePage {
    read_page("m", &answer(body.to_string())).unwrap()
}

fn full_device() -> Value {
    serde_json::from_str(include_str!("full_device.json")).unwrap()
}

fn at(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

#[allow(clippy::unnecessary_wraps)] // every field is optional
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Every field is written out, so a new field of the model does not compile before it is here and, by the
/// next test, in the mask.
fn expected_device() -> ChromeOsDevice {
    ChromeOsDevice {
        device_id: "6f1d2c3b-0000-4000-8000-000000000001".to_owned(),
        serial_number: text("5CD0123ABC"),
        status: text("ACTIVE"),
        org_unit_path: text("/North"),
        org_unit_id: text("03ph8a2z1"),
        annotated_asset_id: text("A-1"),
        annotated_user: text("u"),
        annotated_location: text("l"),
        notes: text("n"),
        model: text("Chromebook 11"),
        mac_address: text("a0b1c2d3e4f5"),
        ethernet_mac_address: text("a0b1c2d3e4f6"),
        meid: text("35"),
        order_number: text("7"),
        manufacture_date: text("2024-05-01"),
        chrome_os_type: text("chromeOs"),
        deprovision_reason: text("retiring_device"),
        last_deprovision_timestamp: at("2026-01-01T00:00:00Z"),
        first_enrollment_time: at("2024-08-01T08:00:00Z"),
        last_enrollment_time: at("2025-08-01T08:00:00.123Z"),
        device_license_type: text("education"),
        will_auto_renew: Some(true),
        extended_support_eligible: Some(false),
        extended_support_enabled: Some(true),
        extended_support_start: at("2029-06-01T00:00:00Z"),
        os_version: text("140.0.7339.242"),
        platform_version: text("16371.65.0 stable"),
        firmware_version: text("G.1"),
        os_version_compliance: text("compliant"),
        os_update_status: Some(OsUpdateStatus {
            state: text("updateStateNeedReboot"),
            target_os_version: text("0.0.0.0"),
            reboot_time: at("2026-11-01T00:00:00Z"),
            update_time: at("2026-11-02T00:00:00Z"),
        }),
        boot_mode: text("Verified"),
        auto_update_through: at("2033-06-01T00:00:00Z"),
        auto_update_expiration: at("2033-06-01T00:00:00Z"),
        support_end_date: at("2033-06-01T00:00:00Z"),
        system_ram_total: Some(4_294_967_296),
        cpu_info: Some(CpuInfo {
            model: text("N4020"),
            architecture: text("x64"),
        }),
        tpm_version_info: Some(TpmVersionInfo {
            family: text("322e3000"),
            firmware_version: text("1.2"),
        }),
        disk_space_usage: Some(DiskSpaceUsage {
            capacity_bytes: Some(32_000_000_000),
            used_bytes: Some(16_000_000_000),
        }),
        last_sync: at("2026-11-23T10:00:00Z"),
        last_known_network: Some(KnownNetwork {
            ip_address: text("10.0.0.7"),
            wan_ip_address: text("192.0.2.1"),
        }),
        recent_users: Some(RecentUser {
            email: text("pupil@school.example"),
        }),
        active_time_ranges: Some(ActiveDay {
            date: text("2026-11-22"),
        }),
    }
}

#[test]
fn a_full_device_is_read_whole() {
    let page = read(&json!({"chromeosdevices": [full_device()], "nextPageToken": "next"}));
    assert!(page.devices == [expected_device()]);
    assert_eq!(
        (page.unreadable, page.next_page_token.as_deref()),
        (0, Some("next"))
    );
}

#[test]
fn the_mask_asks_for_exactly_what_is_read() {
    let mask = mask::device(true);
    let mut depth = 0_i32;
    let mut asked = BTreeSet::new();
    let mut word = String::new();
    for character in mask.chars().chain([',']) {
        match character {
            '(' | ',' if depth == 0 => {
                asked.insert(std::mem::take(&mut word));
                depth += i32::from(character == '(');
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            other if depth == 0 => word.push(other),
            _ => {}
        }
    }
    asked.remove("");
    let read: BTreeSet<String> = full_device().as_object().unwrap().keys().cloned().collect();
    assert_eq!(asked, read);
}

#[test]
fn a_device_may_tell_nothing_but_its_id() {
    let page = read(&json!({"chromeosdevices": [{"deviceId": "a"}]}));
    assert_eq!(page.devices.len(), 1);
    assert!(page.devices[0].serial_number.is_none() && page.devices[0].last_sync.is_none());
}

#[test]
fn odd_values_of_harmless_fields_count_as_missing() {
    let mut odd = full_device();
    for (key, value) in odd.as_object_mut().unwrap() {
        if !["deviceId", "serialNumber", "status", "orgUnitPath"].contains(&key.as_str()) {
            *value = json!([[{"deep": [1, null, "x"]}], 2.5, true, null]);
        }
    }
    let page = read(&json!({"chromeosdevices": [odd]}));
    assert_eq!((page.devices.len(), page.unreadable), (1, 0));
    assert_eq!(page.devices[0].notes, None);
    assert_eq!(page.devices[0].cpu_info, None);
    for value in [
        json!(null),
        json!(true),
        json!(7),
        json!(1.5),
        json!("text"),
        json!({"a": {"b": 1}}),
    ] {
        let mut odd = full_device();
        for (key, field) in odd.as_object_mut().unwrap() {
            if !["deviceId", "serialNumber", "status", "orgUnitPath"].contains(&key.as_str()) {
                *field = value.clone();
            }
        }
        let page = read(&json!({"chromeosdevices": [odd]}));
        assert_eq!((page.devices.len(), page.unreadable), (1, 0), "{value}");
    }
}

#[test]
fn a_device_that_cannot_be_told_apart_costs_itself_and_is_counted() {
    let page = read(&json!({"chromeosdevices": [
        {"deviceId": "good-1", "status": "ACTIVE"},
        {"deviceId": "bad-status", "status": {"now": "ACTIVE"}},
        {"serialNumber": "no id"},
        {"deviceId": "../../users"},
        "no object",
        null,
        ["list-of-fields", "5CD", "ACTIVE"],
        {"deviceId": "bad-path", "orgUnitPath": ["/"]},
        {"deviceId": "good-2", "status": "SOMETHING_NEW"},
    ], "nextPageToken": "next"}));
    let ids: Vec<&str> = page
        .devices
        .iter()
        .map(|device| device.device_id.as_str())
        .collect();
    assert_eq!(ids, ["good-1", "good-2"]);
    assert_eq!(page.unreadable, 7);
    assert_eq!(page.unreadable_ids, ["bad-status", "bad-path"]);
    assert_eq!(page.next_page_token.as_deref(), Some("next"));
}

#[test]
fn long_texts_are_cut_between_characters() {
    let long = "ä".repeat(2_000);
    let page = read(&json!({"chromeosdevices": [{"deviceId": "a", "notes": long, "serialNumber": long}]}));
    assert_eq!(page.devices[0].notes.as_ref().unwrap().chars().count(), 500);
    assert_eq!(
        page.devices[0].serial_number.as_ref().unwrap().chars().count(),
        64
    );
}

#[test]
fn empty_text_counts_as_missing() {
    let page = read(&json!({"chromeosdevices": [{"deviceId": "a", "notes": "", "annotatedUser": ""}]}));
    assert_eq!(
        (&page.devices[0].notes, &page.devices[0].annotated_user),
        (&None, &None)
    );
}

#[test]
fn the_last_page_and_an_empty_fleet_have_no_token() {
    for body in [
        json!({}),
        json!({"chromeosdevices": null}),
        json!({"chromeosdevices": [], "nextPageToken": ""}),
    ] {
        let page = read(&body);
        assert_eq!(
            (page.devices.len(), page.next_page_token, page.unreadable),
            (0, None, 0)
        );
    }
}

#[test]
fn what_is_no_page_is_never_an_empty_page() {
    for body in [
        "",
        "null",
        "[]",
        "7",
        "\"text\"",
        "<html></html>",
        r#"{"chromeosdevices": "none"}"#,
        r#"{"chromeosdevices": {}}"#,
        r#"{"nextPageToken": 7}"#,
        r#"{"error": {"code": 403}}"#,
        r#"{"error": null, "error": {"code": 403}}"#,
        r#"{"chromeosdevices": [{"deviceId": "a"}"#,
    ] {
        let error = read_page("m", &answer(body)).unwrap_err();
        assert_eq!(
            (error.reason, error.http_status),
            (Reason::UnexpectedAnswer, Some(200)),
            "{body}"
        );
    }
}

#[test]
fn debug_shows_no_personal_data() {
    let page = read(&json!({"chromeosdevices": [full_device()]}));
    let shown = format!(
        "{page:?} {:?} {:?}",
        page.devices, page.devices[0].last_known_network
    );
    assert!(
        !shown.contains("school.example") && !shown.contains("10.0.0.7") && !shown.contains("5CD"),
        "{shown}"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_page("m", &answer(body));
    }

    #[test]
    fn no_json_makes_it_panic(body in any_json()) {
        let _ = read_page("m", &answer(body.to_string()));
    }

    #[test]
    fn every_entry_is_a_device_or_counted(
        values in proptest::collection::vec(any_json(), 0..40),
        keys in proptest::sample::subsequence(full_device().as_object().unwrap().keys().cloned().collect::<Vec<_>>(), 0..40),
    ) {
        let mut device = full_device();
        for (key, value) in keys.iter().zip(&values) {
            device[key] = value.clone();
        }
        let page = read(&json!({"chromeosdevices": [device, {"deviceId": "neighbour"}]}));
        prop_assert_eq!(page.devices.len() + page.unreadable, 2);
        prop_assert!(page.devices.iter().any(|device| device.device_id == "neighbour"));
    }
}
