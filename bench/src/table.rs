//! The result, as people read it. It is Markdown, so that it can be copied into a document.

use crate::lines::Folder;
use crate::report::Claim;

/// The table of the claims.
pub(crate) fn claims(claims: &[Claim]) -> String {
    let mut grid = vec![
        [
            "What",
            "Operator",
            "Bare client",
            "Ratio: least",
            "median",
            "Goal",
            "",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for claim in claims {
        let ratio = |value: f64| format!("{value:.2}");
        grid.push(vec![
            claim.what.clone(),
            claim.operator.clone(),
            claim.bare.clone(),
            claim.ratio.map_or_else(String::new, |(least, _)| ratio(least)),
            claim.ratio.map_or_else(String::new, |(_, median)| ratio(median)),
            claim.goal.clone(),
            match claim.reached {
                Some(true) => "reached",
                Some(false) => "MISSED",
                None => "",
            }
            .to_owned(),
        ]);
    }
    markdown(&grid)
}

/// The table of the code.
pub(crate) fn lines(folders: &[Folder]) -> String {
    let mut grid = vec![["Folder", "Rust files", "Lines"].map(str::to_owned).to_vec()];
    for folder in folders {
        grid.push(vec![
            folder.path.to_owned(),
            folder.files.to_string(),
            folder.lines.to_string(),
        ]);
    }
    markdown(&grid)
}

fn markdown(grid: &[Vec<String>]) -> String {
    let columns = grid.first().map_or(0, Vec::len);
    let width = |column: usize| {
        grid.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).max(3)).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut lines: Vec<String> = grid.iter().map(|row| line(row)).collect();
    lines.insert(1, line(&rule));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let folder = |path, lines| Folder {
            path,
            files: 1,
            lines,
        };
        assert_eq!(
            lines(&[folder("bench", 7), folder("src/google", 1234)]),
            "| Folder     | Rust files | Lines |\n\
             | ---------- | ---------- | ----- |\n\
             | bench      | 1          | 7     |\n\
             | src/google | 1          | 1234  |"
        );
    }
}
