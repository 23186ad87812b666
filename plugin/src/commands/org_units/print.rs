//! The tree in every format.

use std::io::{IsTerminal as _, Write as _, stdout};

use serde::Serialize;

use super::{Arguments, Format};
use crate::cluster::Scope;
use crate::failure::Failure;
use crate::inventory::{OrgUnit, grouped};
use crate::output::{Table, Tone, clean, harmless, to_yaml, unwritten};
use crate::terminal;

/// One org unit, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    namespace: &'a str,
    /// Absent for devices of which Google tells no org unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    devices: u64,
    devices_with_below: u64,
    not_seen: u64,
    not_seen_with_below: u64,
}

impl<'a> Record<'a> {
    fn of(unit: &'a OrgUnit) -> Self {
        Self {
            namespace: &unit.namespace,
            path: unit.path.as_deref(),
            devices: unit.direct.devices,
            devices_with_below: unit.with_below.devices,
            not_seen: unit.direct.not_seen,
            not_seen_with_below: unit.with_below.not_seen,
        }
    }
}

pub(super) fn print(tree: &[OrgUnit], arguments: &Arguments, scope: &Scope) -> Result<(), Failure> {
    let records: Vec<Record<'_>> = tree.iter().map(Record::of).collect();
    match arguments.output {
        Format::Table => table(tree, arguments, scope),
        Format::Csv => csv(&records),
        Format::Json => {
            let json = serde_json::to_string_pretty(&records)
                .map_err(|error| Failure::new(format!("The list cannot be written as JSON: {error}.")))?;
            write(&json)
        }
        Format::Yaml => write(&to_yaml(&records)?),
    }
}

fn write(text: &str) -> Result<(), Failure> {
    writeln!(stdout().lock(), "{}", text.trim_end()).map_err(|error| unwritten(&error))
}

fn csv(records: &[Record<'_>]) -> Result<(), Failure> {
    let unwritten_record = |error: csv::Error| {
        let text = error.to_string();
        if let csv::ErrorKind::Io(error) = error.into_kind() {
            return unwritten(&error);
        }
        Failure::new(format!("The list cannot be written as CSV: {text}."))
    };
    let mut csv = csv::Writer::from_writer(stdout().lock());
    csv.write_record([
        "namespace",
        "org_unit",
        "devices",
        "devices_with_below",
        "not_seen",
        "not_seen_with_below",
    ])
    .map_err(unwritten_record)?;
    for record in records {
        csv.write_record([
            record.namespace.to_owned(),
            harmless(record.path.unwrap_or_default()),
            record.devices.to_string(),
            record.devices_with_below.to_string(),
            record.not_seen.to_string(),
            record.not_seen_with_below.to_string(),
        ])
        .map_err(unwritten_record)?;
    }
    csv.flush().map_err(|error| unwritten(&error))
}

fn table(tree: &[OrgUnit], arguments: &Arguments, scope: &Scope) -> Result<(), Failure> {
    if tree.is_empty() {
        terminal::say(&format!("There are no devices {}.", scope.words()));
        return Ok(());
    }
    let has_lines = stdout().is_terminal();
    let mut head = vec!["ORG UNIT", "DEVICES", "WITH BELOW", "NOT SEEN"];
    if arguments.all_namespaces {
        head.insert(0, "NAMESPACE");
    }
    let widths: Vec<usize> = head.iter().map(|title| title.len()).collect();
    let mut rows = vec![head.into_iter().map(|title| (title.to_owned(), None)).collect()];
    for unit in tree {
        let name = if has_lines {
            format!("{}{}", lines(&unit.is_last), clean(&unit.name))
        } else {
            clean(unit.path.as_deref().unwrap_or(&unit.name)).into_owned()
        };
        let mut row = vec![(name, None)];
        if arguments.all_namespaces {
            row.insert(0, (unit.namespace.clone(), None));
        }
        let not_seen = unit.with_below.not_seen;
        let tone = (not_seen > 0).then_some(Tone::Notice);
        let numbers = [
            (unit.direct.devices, None),
            (unit.with_below.devices, None),
            (not_seen, tone),
        ];
        for (number, tone) in numbers {
            let width = widths.get(row.len()).copied().unwrap_or_default();
            row.push((format!("{:>width$}", grouped(number)), tone));
        }
        rows.push(row);
    }
    let mut table = Table::new(terminal::width());
    table.measure(&rows);
    let text: String = rows.iter().map(|row| table.line(row) + "\n").collect();
    anstream::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(|error| unwritten(&error))
}

/// The lines of a tree before a name: `│  ├─ `.
fn lines(is_last: &[bool]) -> String {
    let Some((own, above)) = is_last.split_last() else {
        return String::new();
    };
    let above = above.iter().map(|is_last| if *is_last { "   " } else { "│  " });
    let own = if *own { "└─ " } else { "├─ " };
    above.chain([own]).collect()
}
