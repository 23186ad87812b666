//! How the findings are printed.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};

use serde_json::json;

use super::Format;
use super::finding::{Finding, Findings, Verdict};
use crate::failure::Failure;
use crate::output::{clean, unwritten};
use crate::terminal;

/// Width of the verdicts on the left.
const VERDICTS: usize = 13;

/// Prints them.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn print(findings: &Findings, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => write!(anstream::stdout().lock(), "{}", text(findings, terminal::width())),
        Format::Json => writeln!(stdout().lock(), "{:#}", json(findings)),
    }
    .map_err(|error| unwritten(&error))
}

/// `version` is that of the program, which says what was compared with.
fn json(findings: &Findings) -> serde_json::Value {
    let summary: serde_json::Map<_, _> = Verdict::ALL
        .into_iter()
        .filter_map(|verdict| Some((key(verdict)?, findings.count(verdict).into())))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "healthy": !findings.has_problem(),
        "summary": summary,
        "findings": findings.all,
    })
}

/// The word of a verdict in JSON.
fn key(verdict: Verdict) -> Option<String> {
    let value = serde_json::to_value(verdict).ok()?;
    value.as_str().map(str::to_owned)
}

fn text(findings: &Findings, width: usize) -> String {
    let mut text = String::new();
    for finding in &findings.all {
        write_finding(&mut text, finding, width);
    }
    let counts: Vec<_> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.word(), findings.count(verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    // Writing into a String cannot fail.
    let _ = writeln!(text, "\n{}", counts.join(", "));
    text
}

fn write_finding(text: &mut String, finding: &Finding, width: usize) {
    let head = match &finding.object {
        Some(object) => format!("{} {object}: {}", finding.check, finding.message),
        None => format!("{}: {}", finding.check, finding.message),
    };
    let style = finding.verdict.tone().style();
    let mut verdict = finding.verdict.word();
    for line in wrapped(&head, width) {
        let _ = writeln!(text, "{style}{verdict:<VERDICTS$}{style:#}{line}");
        verdict = "";
    }
    for line in finding.remedy.iter().flat_map(|remedy| wrapped(remedy, width)) {
        let _ = writeln!(text, "{:<VERDICTS$}{line}", "");
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let text = clean(text);
    if width == usize::MAX {
        return vec![text.into_owned()];
    }
    let room = width.saturating_sub(VERDICTS).max(20);
    textwrap::wrap(&text, textwrap::Options::new(room).break_words(false))
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_remedy_and_counted() {
        let mut findings = Findings::default();
        findings.ok("server", "Kubernetes v1.37.2 answers.");
        findings
            .problem("policy", "action-creation.chromeenterprise.dev is not installed.")
            .advise("Install it.");
        findings.not_checked("google", "you may not read Secret google.\nAsk for the right.");
        assert_eq!(
            anstream::adapter::strip_str(&text(&findings, usize::MAX)).to_string(),
            "ok           server: Kubernetes v1.37.2 answers.\n\
             problem      policy: action-creation.chromeenterprise.dev is not installed.\n             Install it.\n\
             not checked  google: not checked: you may not read Secret google.\n             Ask for the right.\n\
             \n1 problem, 1 not checked, 1 ok\n",
        );
        let json = json(&findings);
        assert_eq!(json["healthy"], false);
        assert_eq!(json["summary"]["notChecked"], 1);
        assert_eq!(json["findings"][1]["remedy"], "Install it.");
    }
}
