//! Lists that are written while they are read: memory does not grow with their length.

use std::io::{BufWriter, Stdout, Write as _, stdout};

use jiff::Timestamp;
use kube::Resource;
use serde::Serialize;

use super::object::{as_json, kubectl_name, to_yaml};
use super::{Cell, ListFormat, ListOutput, Table, Tone, unwritten};
use crate::failure::Failure;
use crate::terminal;

/// Where a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In every table, and in CSV.
    Always,
    /// In wide tables, and in CSV.
    Wide,
    /// Only when all namespaces are listed, and in CSV.
    AllNamespaces,
    /// In CSV only.
    CsvOnly,
    /// In every table, and not in CSV: what CSV has in another form.
    PeopleOnly,
}

/// Title of the column with the name of the object. It is never cut, because the name is typed again.
const NAME: &str = "NAME";

/// One column of a list of `K`.
pub struct Column<K> {
    /// Its head in a table, in capital letters; in CSV it is lower case with `_` for blanks.
    pub title: &'static str,
    /// Where it is shown.
    pub shown: Shown,
    /// Its value.
    pub value: fn(&K) -> Cell<'_>,
}

impl<K> std::fmt::Debug for Column<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Column")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// A list on standard output.
///
/// `write` takes the rows as they come, `finish` ends it. A JSON or YAML list that is not finished is cut off, so that a
/// program that reads it notices.
pub struct Rows<K: 'static> {
    output: ListOutput,
    columns: Vec<&'static Column<K>>,
    table: Table,
    now: Timestamp,
    written: usize,
    /// Only tables are coloured, and the filter before it takes colours away where no terminal is.
    people: Option<anstream::AutoStream<Stdout>>,
    programs: Option<BufWriter<Stdout>>,
    csv: Option<csv::Writer<Stdout>>,
}

impl<K> std::fmt::Debug for Rows<K> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Rows")
            .field("output", &self.output)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl<K: Resource<DynamicType = ()> + Serialize> Rows<K> {
    /// A list with nothing in it yet.
    #[must_use]
    pub fn new(output: ListOutput, columns: &'static [Column<K>], all_namespaces: bool) -> Self {
        let format = output.output;
        let is_shown = |column: &&Column<K>| match column.shown {
            Shown::Always => true,
            Shown::Wide => matches!(format, ListFormat::Wide | ListFormat::Csv),
            Shown::AllNamespaces => all_namespaces || format == ListFormat::Csv,
            Shown::CsvOnly => format == ListFormat::Csv,
            Shown::PeopleOnly => format != ListFormat::Csv,
        };
        let people = matches!(format, ListFormat::Table | ListFormat::Wide);
        // A wide table was asked for: nothing of it is cut.
        let limit = if format == ListFormat::Wide {
            usize::MAX
        } else {
            terminal::width()
        };
        let columns: Vec<_> = columns.iter().filter(is_shown).collect();
        let name = columns.iter().position(|column| column.title == NAME);
        Self {
            output,
            columns,
            table: Table::new(limit).keep_whole(name),
            now: Timestamp::now(),
            written: 0,
            people: people.then(|| anstream::AutoStream::auto(stdout())),
            programs: matches!(format, ListFormat::Json | ListFormat::Yaml | ListFormat::Name)
                .then(|| BufWriter::new(stdout())),
            csv: (format == ListFormat::Csv).then(|| csv::Writer::from_writer(stdout())),
        }
    }

    /// How many rows were written.
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }

    /// Writes some rows.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn write(&mut self, objects: &[K]) -> Result<(), Failure> {
        match self.output.output {
            ListFormat::Table | ListFormat::Wide => self.write_table(objects)?,
            ListFormat::Csv => self.write_csv(objects)?,
            ListFormat::Json => self.write_json(objects)?,
            ListFormat::Yaml => self.write_yaml(objects)?,
            ListFormat::Name => self.write_names(objects)?,
        }
        self.written += objects.len();
        Ok(())
    }

    /// Ends the list. `nothing` is said to people, beside the output, when it is empty.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn finish(mut self, nothing: &str) -> Result<(), Failure> {
        match self.output.output {
            ListFormat::Table | ListFormat::Wide if self.written == 0 => terminal::say(nothing),
            ListFormat::Csv if self.written == 0 => self.write_csv(&[])?,
            ListFormat::Json if self.written == 0 => {
                self.program("{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": []\n}\n")?;
            }
            ListFormat::Json => self.program("\n  ]\n}\n")?,
            ListFormat::Yaml if self.written == 0 => {
                self.program("apiVersion: v1\nkind: List\nitems: []\n")?;
            }
            ListFormat::Table | ListFormat::Wide | ListFormat::Name | ListFormat::Csv | ListFormat::Yaml => {}
        }
        if let Some(programs) = &mut self.programs {
            programs.flush().map_err(|error| unwritten(&error))?;
        }
        if let Some(csv) = &mut self.csv {
            csv.flush().map_err(|error| unwritten(&error))?;
        }
        Ok(())
    }

    fn write_table(&mut self, objects: &[K]) -> Result<(), Failure> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<Vec<(String, Option<Tone>)>> = Vec::with_capacity(objects.len() + 1);
        if self.written == 0 && !self.output.no_headers {
            let head = self.columns.iter().map(|column| (column.title.to_owned(), None));
            rows.push(head.collect());
        }
        for object in objects {
            let cell = |column: &&Column<K>| {
                let cell = (column.value)(object);
                (cell.for_people(self.now).into_owned(), cell.tone())
            };
            rows.push(self.columns.iter().map(cell).collect());
        }
        self.table.measure(&rows);
        let Some(people) = &mut self.people else {
            return Ok(());
        };
        let mut text = String::new();
        for row in &rows {
            text.push_str(&self.table.line(row));
            text.push('\n');
        }
        people
            .write_all(text.as_bytes())
            .map_err(|error| unwritten(&error))
    }

    fn write_csv(&mut self, objects: &[K]) -> Result<(), Failure> {
        let Some(csv) = &mut self.csv else { return Ok(()) };
        let unwritten = |error: csv::Error| {
            let text = error.to_string();
            if let csv::ErrorKind::Io(error) = error.into_kind() {
                return unwritten(&error);
            }
            Failure::new(format!("The list cannot be written as CSV: {text}."))
        };
        if self.written == 0 && !self.output.no_headers {
            let head = self
                .columns
                .iter()
                .map(|column| column.title.to_lowercase().replace([' ', '-'], "_"));
            csv.write_record(head).map_err(unwritten)?;
        }
        for object in objects {
            let fields = self
                .columns
                .iter()
                .map(|column| harmless((column.value)(object).for_programs().as_ref()));
            csv.write_record(fields).map_err(unwritten)?;
        }
        Ok(())
    }

    fn write_json(&mut self, objects: &[K]) -> Result<(), Failure> {
        for (number, object) in objects.iter().enumerate() {
            let json = serde_json::to_string_pretty(&as_json(object)?)
                .map_err(|error| Failure::new(format!("The list cannot be written as JSON: {error}.")))?;
            let before = if self.written + number == 0 {
                "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n    "
            } else {
                ",\n    "
            };
            self.program(before)?;
            self.program(&json.replace('\n', "\n    "))?;
        }
        Ok(())
    }

    fn write_yaml(&mut self, objects: &[K]) -> Result<(), Failure> {
        for (number, object) in objects.iter().enumerate() {
            if self.written + number == 0 {
                self.program("apiVersion: v1\nkind: List\nitems:\n")?;
            }
            // A list of one, so that the library itself decides about blanks and text of several lines.
            let yaml = to_yaml(&[as_json(object)?])?;
            self.program(&yaml)?;
            if !yaml.ends_with('\n') {
                self.program("\n")?;
            }
        }
        Ok(())
    }

    fn write_names(&mut self, objects: &[K]) -> Result<(), Failure> {
        for object in objects {
            self.program(&format!("{}\n", kubectl_name(object)))?;
        }
        Ok(())
    }

    fn program(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.programs {
            Some(programs) => programs
                .write_all(text.as_bytes())
                .map_err(|error| unwritten(&error)),
            None => Ok(()),
        }
    }
}

/// A field that no spreadsheet takes for a formula (OWASP, "CSV Injection"). Characters that steer a terminal are
/// written out, because CSV is looked at there too.
#[must_use]
pub fn harmless(field: &str) -> String {
    let shown = super::clean(field);
    if shown.trim_start().starts_with(['=', '+', '-', '@']) && shown.parse::<f64>().is_err() {
        format!("'{shown}")
    } else {
        shown.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for (field, written) in [
            (
                "=HYPERLINK(\"http://evil.example\")",
                "'=HYPERLINK(\"http://evil.example\")",
            ),
            ("+1+1", "'+1+1"),
            ("-5", "-5"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("Room 5", "Room 5"),
        ] {
            assert_eq!(harmless(field), written);
        }
    }
}
