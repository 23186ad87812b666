//! `kubectl chromeos devices`, `device` and `org-units`.

use jiff::{SignedDuration, Timestamp};
use operator_testing::{Size, assert_golden};
use serde_json::{Value, json};

use crate::world::{Cluster, World, run};

/// Text that does harm where it is not escaped: to a terminal, a page, a spreadsheet, and to whoever reads it.
pub(crate) const HOSTILE: &str = "=HYPERLINK(\"http://evil.example\")<script>document.title='owned'</script>\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gpj";

/// So many days ago.
pub(crate) fn days_ago(days: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_hours(24 * days) - SignedDuration::from_mins(30);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Six devices of two schools. Serial number TWIN1 belongs to a released device and to one in use.
pub(crate) async fn fleet(world: &World) {
    let device = |serial: &str, state: &str, model: &str, unit: &str, os: Option<&str>, seen: Option<i64>| {
        let mut status = json!({
            "serialNumber": serial, "serialKey": serial.to_uppercase().replace(' ', ""), "state": state, "model": model,
            "orgUnitPath": unit, "software": {}, "activity": {},
        });
        if let Some(os) = os {
            status["software"]["osVersion"] = os.into();
        }
        if let Some(days) = seen {
            status["activity"]["lastSyncTime"] = days_ago(days).into();
        }
        status
    };
    let oak = "/South/Oak School";
    let mut first = device(
        "5CD1",
        "ACTIVE",
        "HP Chromebook 11 G9",
        oak,
        Some("120.0.6099.1"),
        Some(1),
    );
    first["annotatedUser"] = "lena@school.example".into();
    first["annotatedLocation"] = "Room 5".into();
    first["software"]["autoUpdateEndTime"] = "2030-06-01T00:00:00Z".into();
    first["hardware"] = json!({ "memoryTotalBytes": 4_294_967_296_i64 });
    for (id, status) in [
        ("a-first", first),
        (
            "b-second",
            device(
                "5CD2",
                "DISABLED",
                "Dell Chromebook 3110",
                "/South",
                Some("99.0.1"),
                Some(40),
            ),
        ),
        (
            "c-silent",
            device(
                "5cd 3",
                "ACTIVE",
                "HP Chromebook 11 G9",
                "/South/Oak School/Kiosks",
                None,
                None,
            ),
        ),
        (
            "d-twin",
            device(
                "TWIN1",
                "ACTIVE",
                "Dell Chromebook 3110",
                "/North",
                Some("9.9"),
                Some(200),
            ),
        ),
        (
            "e-twin",
            device(
                "TWIN1",
                "DEPROVISIONED",
                "Dell Chromebook 3110",
                "/North",
                Some("8.0"),
                Some(900),
            ),
        ),
        (
            "f-odd",
            device(
                "ODD1",
                "A_NEW_STATE",
                "Flex",
                "/South Annex",
                Some("canary"),
                Some(2),
            ),
        ),
    ] {
        world.device(id, status).await;
    }
}

async fn start(cluster: &Cluster) -> World {
    let world = World::start(cluster).await;
    fleet(&world).await;
    world
}

/// IDs of the devices that pass these filters, without the words before them.
async fn listed(world: &World, filters: &[&str]) -> Vec<String> {
    let mut arguments = vec!["devices", "-o", "name"];
    arguments.extend(filters);
    let printed = world.plugin(&arguments).await;
    assert_eq!(printed.code, Some(0), "{filters:?}: {printed:?}");
    let names = printed.stdout.lines();
    names
        .map(|name| name.rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_filter_keeps_what_it_should() {
    run(|cluster| async {
        let world = start(cluster).await;
        for (filters, expected) in [
            (
                &[][..],
                &["a-first", "b-second", "c-silent", "d-twin", "e-twin", "f-odd"][..],
            ),
            (&["--serial", "5 cd3"], &["c-silent"]),
            (&["--serial", "twin1"], &["d-twin", "e-twin"]),
            (&["--serial", "TWIN1,metadata.name=a-first"], &[]),
            (&["--org-unit", "/south"], &["a-first", "b-second", "c-silent"]),
            (&["--org-unit", "/South/Oak School"], &["a-first", "c-silent"]),
            (&["--org-unit", "/South", "--exact-org-unit"], &["b-second"]),
            (&["--model", "chromebook 11"], &["a-first", "c-silent"]),
            (&["--model", "Flex", "--exact-model"], &["f-odd"]),
            (&["--model", "flex", "--exact-model"], &[]),
            (&["--state", "active"], &["a-first", "c-silent", "d-twin"]),
            (&["--state", "disabled,a-new-state"], &["b-second", "f-odd"]),
            (&["--used-by", "LENA"], &["a-first"]),
            (
                &["--not-seen-for", "30d"],
                &["b-second", "c-silent", "d-twin", "e-twin"],
            ),
            (
                &["--not-seen-for", "30d", "--state", "active"],
                &["c-silent", "d-twin"],
            ),
            (&["--os-older-than", "100"], &["b-second", "d-twin", "e-twin"]),
            (
                &["--os-older-than", "120.0.6099.2"],
                &["a-first", "b-second", "d-twin", "e-twin"],
            ),
            (&["room 5"], &["a-first"]),
        ] {
            assert_eq!(listed(&world, filters).await, expected, "{filters:?}");
        }
        let versions = world.plugin(&["devices", "--os-older-than", "100"]).await;
        assert_eq!(
            versions.stderr,
            "Not listed, because they report no ChromeOS version that can be compared: 5cd 3, ODD1.\n"
        );
        let none = world.plugin(&["devices", "--model", "Pixel"]).await;
        assert!(
            none.stderr.contains("passes the filters") && none.stdout.is_empty(),
            "{none:?}"
        );
        for wrong in [
            &["devices", "--not-seen-for", "soon"][..],
            &["devices", "--os-older-than", "new"],
        ] {
            let printed = world.plugin(wrong).await;
            assert_eq!(printed.code, Some(2), "{printed:?}");
        }
    });
}

#[test]
fn lists_fit_a_terminal_and_are_whole_without_one() {
    run(|cluster| async {
        let world = start(cluster).await;
        let plain = world.plugin(&["devices"]).await;
        assert_golden("tests/golden/devices.txt", &plain.stdout);
        let wide = world.plugin(&["devices", "-o", "wide"]).await;
        assert_golden("tests/golden/devices-wide.txt", &wide.stdout);
        let terminal = world.program(&["devices"]).in_terminal(Size::default()).unwrap();
        let screen = terminal.finish().await.unwrap().scroll();
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
        assert_golden("tests/golden/devices-80.txt", &screen);

        let units = world.plugin(&["org-units"]).await;
        assert_golden("tests/golden/org-units.txt", &units.stdout);
        let terminal = world
            .program(&["org-units"])
            .in_terminal(Size::default())
            .unwrap();
        assert_golden(
            "tests/golden/org-units-80.txt",
            &terminal.finish().await.unwrap().scroll(),
        );
        let json = world.plugin(&["org-units", "-o", "json"]).await;
        assert!(
            serde_json::from_str::<Value>(&json.stdout).unwrap().is_array(),
            "{json:?}"
        );
    });
}

#[test]
fn one_device_is_found_by_serial_number_or_id_and_told_whole() {
    run(|cluster| async {
        let world = start(cluster).await;
        let told = world.plugin(&["device", "5cd1"]).await;
        assert_eq!((told.stderr.as_str(), told.code), ("", Some(0)));
        let seen = told
            .stdout
            .lines()
            .find(|line| line.contains("Last sync"))
            .unwrap();
        assert!(seen.ends_with("(24h ago)"), "{seen}");
        let whole = told.stdout.replace(seen, "  Last sync         TIME");
        assert_golden("tests/golden/device.txt", &world.settled(&whole));
        let json = world.plugin(&["device", "a-first", "-o", "json"]).await;
        let object: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(object["status"]["serialNumber"], "5CD1");
        // The released one does not count while another has its serial number.
        let twin = world.plugin(&["device", "TWIN1", "-o", "name"]).await;
        assert!(twin.stdout.trim().ends_with("/d-twin"), "{twin:?}");

        let nobody = world.plugin(&["device", "5CE1"]).await;
        assert_eq!(nobody.code, Some(1));
        assert!(
            nobody.stderr.contains("5CE1") && nobody.stderr.contains("5CD1"),
            "{nobody:?}"
        );
        world
            .device(
                "g-twin",
                json!({ "serialNumber": "TWIN1", "serialKey": "TWIN1", "state": "ACTIVE" }),
            )
            .await;
        let several = world.plugin(&["device", "twin1"]).await;
        assert_eq!(several.code, Some(1));
        assert!(
            several.stderr.contains("d-twin") && several.stderr.contains("g-twin"),
            "{several:?}"
        );
        assert!(!several.stderr.contains("e-twin"), "{several:?}");
    });
}

#[test]
fn hostile_text_does_no_harm_in_any_format() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        world
            .device(
                "a-hostile",
                json!({
                    "serialNumber": "5CD9", "serialKey": "5CD9", "state": "ACTIVE",
                    "model": &HOSTILE[..60], "orgUnitPath": format!("/{HOSTILE}"), "annotatedUser": "=1+1",
                    "annotatedLocation": HOSTILE, "notes": HOSTILE, "annotatedAssetId": "@SUM(A1:A9)",
                }),
            )
            .await;
        for arguments in [
            &["devices"][..],
            &["devices", "-o", "wide"],
            &["devices", "-o", "csv"],
            &["device", "5CD9"],
            &["org-units"],
            &["org-units", "-o", "csv"],
        ] {
            let printed = world.plugin(arguments).await;
            assert_eq!(printed.code, Some(0), "{printed:?}");
            let odd = |text: &str| {
                text.chars()
                    .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
            };
            assert!(
                !odd(&printed.stdout) && !odd(&printed.stderr),
                "{arguments:?}: {printed:?}"
            );
            // Of a terminal's bytes only the program's own colours remain.
            let terminal = world.program(arguments).in_terminal(Size::default()).unwrap();
            let output = terminal.finish().await.unwrap();
            let bytes = String::from_utf8_lossy(&output.bytes).into_owned();
            assert!(
                !bytes.contains("\u{1b}]0;") && !bytes.contains("\u{1b}[2J") && !bytes.contains('\u{202e}'),
                "{bytes:?}"
            );
        }
        let csv = world.plugin(&["devices", "-o", "csv"]).await.stdout;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let fields: Vec<String> = reader
            .records()
            .next()
            .unwrap()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        assert!(
            fields.contains(&"'=1+1".to_owned()) && fields.contains(&"'@SUM(A1:A9)".to_owned()),
            "{fields:?}"
        );
        assert!(
            fields
                .iter()
                .all(|field| !field.starts_with(['=', '+', '@', '-'])),
            "{fields:?}"
        );
        let list = world.plugin(&["devices", "-o", "json"]).await.stdout;
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list["items"][0]["status"]["notes"], HOSTILE);
        let yaml = world.plugin(&["devices", "-o", "yaml"]).await.stdout;
        let list: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(list["items"][0]["status"]["notes"], HOSTILE);
    });
}

/// The most memory that a program held, in KiB, and its output's length.
async fn peak(world: &World, arguments: &[&str]) -> (u64, usize) {
    // GNU time is not everywhere; the shell reads what the kernel kept of its child, which waits for its reader.
    let mut command = world.command(arguments);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null());
    tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut child = command.spawn().unwrap();
        let (mut highest, mut length) = (0, 0);
        let mut buffer = vec![0; 64 * 1024];
        let mut output = child.stdout.take().unwrap();
        loop {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            highest = highest.max(now.unwrap_or_default());
            let read = output.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            length += read;
        }
        assert!(child.wait().unwrap().success());
        (highest, length)
    })
    .await
    .unwrap()
}

#[test]
fn memory_does_not_grow_with_the_fleet() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let add = async |from: usize, to: usize| {
            let devices = (from..to).map(|number| {
                let world = &world;
                async move {
                    let serial = format!("S{number:05}");
                    let status = json!({
                        "serialNumber": serial, "serialKey": serial, "state": "ACTIVE", "model": "HP Chromebook 11 G9",
                        "orgUnitPath": "/South/Oak School", "notes": "x".repeat(400),
                    });
                    world.device(&format!("device-{number}"), status).await;
                }
            });
            let made: Vec<()> = futures::StreamExt::collect(futures::StreamExt::buffer_unordered(
                futures::stream::iter(devices),
                16,
            ))
            .await;
            assert_eq!(made.len(), to - from);
        };
        add(0, 600).await;
        let (small, _) = peak(&world, &["devices", "-o", "json"]).await;
        add(600, 3_000).await;
        let (large, length) = peak(&world, &["devices", "-o", "json"]).await;
        assert!(length > 3_000 * 600, "{length} bytes");
        // A list that is held as a whole would need some 20 MiB more.
        assert!(
            large < small + 6 * 1024,
            "{small} KiB for 600 devices, {large} KiB for 3,000"
        );
    });
}
