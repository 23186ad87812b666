use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn lines(metrics: &Metrics) -> Vec<String> {
    metrics.encode().unwrap().lines().map(ToOwned::to_owned).collect()
}

#[track_caller]
fn assert_has(metrics: &Metrics, line: &str) {
    let text = metrics.encode().unwrap();
    assert!(text.lines().any(|one| one == line), "no line {line:?} in\n{text}");
}

#[test]
fn records_calls_to_google() {
    let metrics = Metrics::new();
    metrics.google_call("chromeosdevices.list", "success", SECOND / 5, 1_000);
    metrics.google_call("chromeosdevices.list", "throttled", SECOND / 50, 24);
    metrics.google_quota_wait("sync", SECOND * 3);
    assert_has(
        &metrics,
        r#"chrome_enterprise_google_requests_total{method="chromeosdevices.list",outcome="throttled"} 1"#,
    );
    assert_has(
        &metrics,
        r#"chrome_enterprise_google_response_bytes_total{method="chromeosdevices.list"} 1024"#,
    );
    assert_has(
        &metrics,
        r#"chrome_enterprise_google_request_duration_seconds_bucket{le="0.25",method="chromeosdevices.list"} 2"#,
    );
    assert_has(
        &metrics,
        r#"chrome_enterprise_google_quota_wait_seconds_sum{lane="sync"} 3.0"#,
    );
}

#[test]
fn records_syncs_writes_and_reconciles() {
    let metrics = Metrics::new();
    metrics.sync_finished("north", "google", "full", "success", SECOND * 12);
    metrics.sync_finished("north", "google", "full", "success", SECOND * 10);
    metrics.sync_progress("north", "google", 400, Some(1_200));
    metrics.device_write("create", "success");
    metrics.device_writes("create", "success", 9);
    metrics.reconcile("connection", "success", SECOND / 100);
    for line in [
        r#"chrome_enterprise_syncs_total{namespace="north",connection="google",kind="full",outcome="success"} 2"#,
        r#"chrome_enterprise_sync_last_duration_seconds{namespace="north",connection="google",kind="full"} 10.0"#,
        r#"chrome_enterprise_sync_duration_seconds_sum{kind="full",outcome="success"} 22.0"#,
        r#"chrome_enterprise_sync_devices_read{namespace="north",connection="google"} 400"#,
        r#"chrome_enterprise_sync_devices_expected{namespace="north",connection="google"} 1200"#,
        r#"chrome_enterprise_device_writes_total{operation="create",outcome="success"} 10"#,
        r#"chrome_enterprise_reconciles_total{controller="connection",outcome="success"} 1"#,
        r#"chrome_enterprise_reconcile_duration_seconds_count{controller="connection"} 1"#,
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn exactly_one_state_of_a_connection_is_set() {
    let metrics = Metrics::new();
    metrics.connection_state("north", "google", "Syncing");
    metrics.connection_state("north", "google", "Active");
    assert_has(
        &metrics,
        r#"chrome_enterprise_connection_state{namespace="north",connection="google",state="Active"} 1"#,
    );
    assert_has(
        &metrics,
        r#"chrome_enterprise_connection_state{namespace="north",connection="google",state="Syncing"} 0"#,
    );
}

#[test]
fn a_removed_connection_leaves_no_series_and_takes_no_other_with_it() {
    let metrics = Metrics::new();
    for namespace in ["north", "south"] {
        metrics.connection_state(namespace, "google", "Active");
        metrics.devices(namespace, "google", "active", 1_200);
        metrics.last_complete(namespace, "google", 1_795_000_000);
        metrics.sync_finished(namespace, "google", "full", "success", SECOND);
        metrics.sync_progress(namespace, "google", 1_200, None);
    }
    let of = |namespace: &str| {
        lines(&metrics)
            .iter()
            .filter(|line| line.contains(namespace))
            .count()
    };
    let before = of("south");
    assert_eq!(of("north"), before);
    assert!(before >= 6, "{before} series");
    metrics.remove_connection("north", "google");
    assert_eq!(of("north"), 0);
    assert_eq!(of("south"), before);
    metrics.remove_connection("north", "google");
}

#[test]
fn clones_record_into_the_same_series() {
    let metrics = Metrics::new();
    metrics.clone().device_write("delete", "failure");
    metrics.clone().connection_state("north", "google", "Active");
    assert_has(
        &metrics,
        r#"chrome_enterprise_device_writes_total{operation="delete",outcome="failure"} 1"#,
    );
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains("connection_state{namespace=\"north\"")
    );
}

#[test]
fn tells_the_version_and_the_memory_of_the_process() {
    let metrics = Metrics::new();
    assert_has(
        &metrics,
        concat!(
            "chrome_enterprise_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
    );
    let lines = lines(&metrics);
    let bytes: u64 = lines
        .iter()
        .find_map(|line| line.strip_prefix("process_resident_memory_bytes "))
        .and_then(|value| value.parse().ok())
        .unwrap();
    assert!(bytes > 1_000_000, "{bytes}");
}

#[test]
fn labels_are_escaped() {
    let metrics = Metrics::new();
    metrics.connection_state("a\"b\\c\nd", "google", "Active");
    assert_has(
        &metrics,
        r#"chrome_enterprise_connection_state{namespace="a\"b\\c\nd",connection="google",state="Active"} 1"#,
    );
}

#[test]
fn every_family_is_described_once_and_named_by_the_conventions() {
    let metrics = Metrics::new();
    metrics.google_call("users.get", "Success", SECOND, 1);
    metrics.google_quota_wait("sync", SECOND);
    metrics.sync_finished("north", "google", "full", "success", SECOND);
    metrics.device_write("create", "success");
    metrics.reconcile("connection", "success", SECOND);
    let text = metrics.encode().unwrap();
    assert!(text.ends_with("# EOF\n"));
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("chrome_enterprise_") || name.starts_with("process_")),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.ends_with("_total")),
        "the format adds it: {names:?}"
    );
    let number = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), number);
    assert!(number >= 18, "{names:?}");
}
