//! Lists in every format.

use serde_json::json;

use crate::world::{World, run};

#[test]
fn a_list_is_printed_in_every_format() {
    run(|cluster| async {
        let world = World::start(cluster).await;
        let nothing = world.plugin(&["devices"]).await;
        assert_eq!((nothing.stdout.as_str(), nothing.code), ("", Some(0)));
        assert_eq!(
            nothing.stderr,
            format!("There are no devices in namespace {}.\n", world.namespace)
        );

        let status =
            json!({ "serialNumber": "5CD2", "serialKey": "5CD2", "state": "ACTIVE", "model": "HP 11" });
        world.device("one", status).await;
        let table = world.plugin(&["devices"]).await;
        assert_eq!(
            table.stdout,
            "SERIAL  STATUS  MODEL  ORG UNIT  USER  LAST SYNC\n5CD2    ACTIVE  HP 11  -         -     -\n"
        );
        let names = world.plugin(&["devices", "-o", "name"]).await;
        assert_eq!(
            names.stdout,
            "chromeosdevice.inventory.chromeenterprise.dev/one\n"
        );
        let json = world.plugin(&["devices", "-o", "json"]).await;
        let list: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(list["items"][0]["status"]["serialNumber"], "5CD2");
        assert_eq!(list["items"][0]["kind"], "ChromeOSDevice");
        let yaml = world.plugin(&["devices", "-o", "yaml"]).await;
        assert!(
            yaml.stdout.starts_with("apiVersion: v1\nkind: List\nitems:\n"),
            "{}",
            yaml.stdout
        );
    });
}
