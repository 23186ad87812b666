//! Rows as kubectl shows them: the API server makes the cells, this lays them out.

use serde::Deserialize;
use serde_json::Value;

/// What the API server answers to a request for a table (`as=Table;g=meta.k8s.io;v=v1`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Table {
    column_definitions: Vec<Column>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
struct Column {
    name: String,
    #[serde(default)]
    priority: i32,
}

#[derive(Debug, Clone, Deserialize)]
struct Row {
    #[serde(default)]
    cells: Vec<Value>,
}

impl Table {
    /// Aligned lines with the columns that kubectl shows without `-o wide`, headings first. A cell is cut at
    /// `widest` characters.
    pub(crate) fn lines(&self, widest: usize) -> Vec<String> {
        let shown: Vec<usize> = (0..self.column_definitions.len())
            .filter(|column| self.column_definitions[*column].priority == 0)
            .collect();
        let mut grid: Vec<Vec<String>> = vec![
            shown
                .iter()
                .map(|column| self.column_definitions[*column].name.to_uppercase())
                .collect(),
        ];
        grid.extend(self.rows.iter().map(|row| {
            shown
                .iter()
                .map(|column| text(row.cells.get(*column), widest))
                .collect()
        }));
        let widths: Vec<usize> = (0..shown.len())
            .map(|column| {
                grid.iter()
                    .map(|row: &Vec<String>| row[column].chars().count())
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        grid.iter().map(|row| line(row, &widths)).collect()
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

/// A cell without what would break a line or a terminal: texts in it come from Google.
fn text(cell: Option<&Value>, widest: usize) -> String {
    let text = match cell {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            other.to_string()
        }
    };
    let mut clean: Vec<char> = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if clean.len() > widest {
        clean.truncate(widest.saturating_sub(1));
        clean.push('…');
    }
    clean.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Table {
        serde_json::from_value(json!({
            "kind": "Table",
            "columnDefinitions": [
                { "name": "Name", "type": "string", "priority": 0 },
                { "name": "Serial", "type": "string" },
                { "name": "Hidden", "type": "string", "priority": 1 },
                { "name": "Org unit", "type": "string", "priority": 0 },
            ],
            "rows": [
                { "cells": ["a", "5CD1", "x", "/Schools/a very long path"], "object": {} },
                { "cells": ["bcd", null, "y", "/\u{1b}[31m"], "object": {} },
                { "cells": ["e", 7] },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn columns_are_aligned_and_hidden_ones_left_out() {
        assert_eq!(
            table().lines(12),
            [
                "NAME  SERIAL  ORG UNIT",
                "a     5CD1    /Schools/a …",
                "bcd           / [31m",
                "e     7",
            ]
        );
    }

    #[test]
    fn no_rows_leave_the_headings() {
        let empty: Table =
            serde_json::from_value(json!({ "columnDefinitions": [{ "name": "Name" }] })).unwrap();
        assert_eq!(empty.lines(10), ["NAME"]);
    }
}
