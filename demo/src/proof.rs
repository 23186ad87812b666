//! Compares the three sides. Pure.

use std::fmt::Write as _;

use chrome_enterprise_operator::api::connection::DeviceCounts;
use indicatif::HumanCount;

use crate::count::{Devices, count, named};

/// How many disagreements are named one by one.
const NAMED: usize = 5;

/// What the three sides say at the end.
#[derive(Debug)]
pub(crate) struct Proof {
    /// What Google has.
    pub(crate) google: Devices,
    /// What the cluster has.
    pub(crate) objects: Devices,
    /// What the connection says.
    pub(crate) status: DeviceCounts,
}

impl Proof {
    /// The numbers side by side.
    pub(crate) fn table(&self) -> String {
        let heads = ["", "Google", "objects", "connection"];
        let mut text = format!(
            "{:15}{:>10}{:>10}{:>12}\n",
            heads[0], heads[1], heads[2], heads[3]
        );
        let sides = [count(&self.google), count(&self.objects), self.status].map(|counts| named(&counts));
        for (row, (name, google)) in sides[0].iter().enumerate() {
            let [google, objects, connection] = [*google, sides[1][row].1, sides[2][row].1].map(human);
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name:15}{google:>10}{objects:>10}{connection:>12}");
        }
        text
    }

    /// Everything that does not agree, as sentences. Empty is success.
    pub(crate) fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        let missing = self.google.keys().filter(|id| !self.objects.contains_key(*id));
        push(
            &mut found,
            "devices of Google have no ChromeOSDevice object",
            missing,
        );
        let surplus = self.objects.keys().filter(|id| !self.google.contains_key(*id));
        push(
            &mut found,
            "ChromeOSDevice objects have no device at Google",
            surplus,
        );
        let different: Vec<String> = self
            .google
            .iter()
            .filter_map(|(id, device)| {
                let difference = self.objects.get(id)?.difference(device)?;
                Some(format!("{id} ({difference})"))
            })
            .collect();
        push(
            &mut found,
            "objects differ from Google's device",
            different.iter(),
        );
        for ((name, truth), (_, told)) in named(&count(&self.objects)).into_iter().zip(named(&self.status)) {
            if truth != told {
                found.push(format!(
                    "The connection counts {told} devices as {name}, and there are {truth}."
                ));
            }
        }
        found
    }
}

fn push<'a>(found: &mut Vec<String>, what: &str, ids: impl Iterator<Item = &'a String>) {
    let ids: Vec<&str> = ids.map(String::as_str).collect();
    if ids.is_empty() {
        return;
    }
    let more = if ids.len() > NAMED { ", …" } else { "" };
    found.push(format!(
        "{} {what}: {}{more}",
        ids.len(),
        ids[..ids.len().min(NAMED)].join(", ")
    ));
}

/// A number with thousands separators.
pub(crate) fn human(number: i64) -> String {
    match u64::try_from(number) {
        Ok(number) => HumanCount(number).to_string(),
        Err(_) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::Device;

    fn device(state: &str) -> Device {
        Device {
            state: state.to_owned(),
            ..Device::default()
        }
    }

    fn devices(rows: &[(&str, &str)]) -> Devices {
        rows.iter()
            .map(|(id, state)| ((*id).to_owned(), device(state)))
            .collect()
    }

    fn agreeing() -> Proof {
        let fleet = devices(&[("a", "ACTIVE"), ("b", "ACTIVE"), ("c", "DISABLED")]);
        Proof {
            status: count(&fleet),
            google: fleet.clone(),
            objects: fleet,
        }
    }

    #[test]
    fn agreement_has_no_disagreements() {
        assert_eq!(agreeing().disagreements(), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_disagreement_is_named() {
        let mut proof = agreeing();
        proof.objects = devices(&[("a", "ACTIVE"), ("c", "ACTIVE"), ("d", "DEPROVISIONED")]);
        let found = proof.disagreements();
        for expected in [
            "1 devices of Google have no ChromeOSDevice object: b",
            "1 ChromeOSDevice objects have no device at Google: d",
            "1 objects differ from Google's device: c (state is ACTIVE, not DISABLED)",
            "The connection counts 1 devices as disabled, and there are 0.",
            "The connection counts 0 devices as deprovisioned, and there are 1.",
        ] {
            assert!(
                found.iter().any(|sentence| sentence == expected),
                "{expected} is not in {found:?}"
            );
        }
        assert_eq!(found.len(), 5, "{found:?}");
    }

    #[test]
    fn a_wrong_total_alone_is_a_disagreement() {
        let mut proof = agreeing();
        proof.status.synced = 4;
        assert_eq!(
            proof.disagreements(),
            ["The connection counts 4 devices as total, and there are 3."]
        );
    }

    #[test]
    fn many_disagreements_are_shortened() {
        let mut proof = agreeing();
        proof.google = (0..2_000)
            .map(|id| (format!("{id:04}"), device("ACTIVE")))
            .collect();
        let found = proof.disagreements();
        assert!(
            found[0].starts_with("2000 devices") && found[0].ends_with("0000, 0001, 0002, 0003, 0004, …"),
            "{found:?}"
        );
    }

    #[test]
    fn the_table_shows_the_three_sides() {
        let mut proof = agreeing();
        proof.google = (0..1_200).map(|id| (id.to_string(), device("ACTIVE"))).collect();
        let text = proof.table();
        assert!(
            text.contains("active              1,200         2           2\n"),
            "{text}"
        );
        assert!(
            text.ends_with("total               1,200         3           3\n"),
            "{text}"
        );
    }
}
