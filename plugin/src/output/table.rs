//! How wide columns are, and what is cut where a terminal is too narrow.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Tone;

/// Blanks between two columns.
const GAP: usize = 2;
/// No column is cut below this width.
const NARROWEST: usize = 8;

/// Lays out columns. Widths are decided by the first rows; later ones that are wider are cut only where a terminal has
/// an edge.
#[derive(Debug)]
pub struct Table {
    limit: usize,
    widths: Vec<usize>,
    whole: Option<usize>,
}

impl Table {
    /// A table on a terminal of this width; `usize::MAX` where there is none.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            widths: Vec::new(),
            whole: None,
        }
    }

    /// Never cuts this column: what stands there is typed again.
    #[must_use]
    pub fn keep_whole(self, column: Option<usize>) -> Self {
        Self {
            whole: column,
            ..self
        }
    }

    /// Decides the widths by these rows, once.
    pub fn measure<'a>(&mut self, rows: impl IntoIterator<Item = &'a Vec<(String, Option<Tone>)>>) {
        if !self.widths.is_empty() {
            return;
        }
        for row in rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, (text, _)) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(text.width());
            }
        }
        self.narrow();
    }

    /// Takes from the widest column until all fit.
    fn narrow(&mut self) {
        let gaps = GAP * self.widths.len().saturating_sub(1);
        while self.widths.iter().sum::<usize>() + gaps > self.limit {
            let others = self.widths.iter_mut().enumerate();
            let others = others.filter(|(number, _)| Some(*number) != self.whole);
            let Some(widest) = others.map(|(_, width)| width).max() else {
                return;
            };
            if *widest <= NARROWEST {
                return;
            }
            *widest -= 1;
        }
    }

    /// One line of the table, without blanks at its end.
    #[must_use]
    pub fn line(&self, row: &[(String, Option<Tone>)]) -> String {
        let mut line = String::new();
        let last = row.len().saturating_sub(1);
        for (number, (text, tone)) in row.iter().enumerate() {
            let width = self.widths.get(number).copied().unwrap_or_default();
            let shown = if self.limit == usize::MAX || self.whole == Some(number) {
                text.clone()
            } else {
                cut(text, width)
            };
            let style = tone.map_or_else(Style::new, Tone::style);
            // Writing into a String cannot fail.
            let _ = write!(line, "{style}{shown}{style:#}");
            if number < last {
                let blanks = width.saturating_sub(shown.width()) + GAP;
                line.extend(std::iter::repeat_n(' ', blanks));
            }
        }
        line
    }
}

/// The text, or its beginning with an ellipsis, in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut shown = String::new();
    for character in text.chars() {
        let wide = character.width().unwrap_or_default();
        if wide > left {
            break;
        }
        left -= wide;
        shown.push(character);
    }
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(texts: &[&str]) -> Vec<(String, Option<Tone>)> {
        texts.iter().map(|text| ((*text).to_owned(), None)).collect()
    }

    fn lines(limit: usize, rows: &[Vec<(String, Option<Tone>)>]) -> Vec<String> {
        let mut table = Table::new(limit);
        table.measure(rows);
        rows.iter().map(|row| table.line(row)).collect()
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [
            row(&["SERIAL", "MODEL"]),
            row(&["5CD2", "HP"]),
            row(&["日本", "x"]),
        ];
        assert_eq!(
            lines(usize::MAX, &rows),
            ["SERIAL  MODEL", "5CD2    HP", "日本    x"]
        );
    }

    #[test]
    fn the_widest_column_gives_way_to_the_edge() {
        let rows = [
            row(&["SERIAL", "ORG UNIT"]),
            row(&["5CD2", "/South District/Oak School"]),
        ];
        assert_eq!(lines(20, &rows), ["SERIAL  ORG UNIT", "5CD2    /South Dist…"]);
        assert!(lines(20, &rows).iter().all(|line| line.width() <= 20));
    }

    #[test]
    fn a_name_stays_whole() {
        let rows = [
            row(&["NAME", "ORG UNIT"]),
            row(&["restart-5cd2-k3f9x0ab", "/South District"]),
        ];
        let mut table = Table::new(32).keep_whole(Some(0));
        table.measure(&rows);
        assert_eq!(table.line(&rows[1]), "restart-5cd2-k3f9x0ab  /South D…");
    }
}
