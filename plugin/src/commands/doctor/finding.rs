//! What was found.

use serde::Serialize;

use crate::output::Tone;

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should know about it.
    Warning,
    /// Something does not work until somebody acts.
    Problem,
    /// It could not be looked at.
    NotChecked,
}

impl Verdict {
    /// Every verdict, the worst first.
    pub(super) const ALL: [Self; 4] = [Self::Problem, Self::Warning, Self::NotChecked, Self::Ok];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::NotChecked => "not checked",
        }
    }

    pub(super) const fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warning => Tone::Notice,
            Self::Problem => Tone::Bad,
            Self::NotChecked => Tone::Faint,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    /// What was looked at. The same in every version, for programs.
    pub(super) check: String,
    /// What it means.
    pub(super) verdict: Verdict,
    /// The object, where it is one of several: `school/school`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object: Option<String>,
    /// What was found.
    pub(super) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    /// About this object.
    pub(super) fn about(&mut self, object: impl Into<String>) -> &mut Self {
        self.object = Some(object.into());
        self
    }

    /// With what to do.
    pub(super) fn advise(&mut self, remedy: impl Into<String>) -> &mut Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) all: Vec<Finding>,
}

impl Findings {
    /// As it should be.
    pub(super) fn ok(&mut self, check: &str, message: impl Into<String>) -> &mut Finding {
        self.add(check, Verdict::Ok, message.into())
    }

    /// It works, and somebody should know about it.
    pub(super) fn warning(&mut self, check: &str, message: impl Into<String>) -> &mut Finding {
        self.add(check, Verdict::Warning, message.into())
    }

    /// Somebody has to act.
    pub(super) fn problem(&mut self, check: &str, message: impl Into<String>) -> &mut Finding {
        self.add(check, Verdict::Problem, message.into())
    }

    /// It could not be looked at, and why. A remedy that comes with the reason in a further line is kept apart.
    pub(super) fn not_checked(&mut self, check: &str, why: &str) -> &mut Finding {
        let mut lines = why.lines();
        let why = lines.next().unwrap_or_default().trim_end_matches('.');
        let remedy: Vec<_> = lines.collect();
        let finding = self.add(check, Verdict::NotChecked, format!("not checked: {why}."));
        if !remedy.is_empty() {
            finding.advise(remedy.join(" "));
        }
        finding
    }

    fn add(&mut self, check: &str, verdict: Verdict, message: String) -> &mut Finding {
        let finding = Finding {
            check: check.to_owned(),
            verdict,
            object: None,
            message,
            remedy: None,
        };
        self.all.push_mut(finding)
    }

    /// Whether somebody has to act.
    pub(super) fn has_problem(&self) -> bool {
        self.count(Verdict::Problem) > 0
    }

    /// How many findings have this verdict.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.all
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    }
}
