//! Counts as bars. Every bar has its label and its numbers as text.

use std::collections::BTreeMap;

use super::tally::{Seen, Tally, Updates};
use crate::inventory::{State, grouped, meaning};
use crate::output::clean;

/// So many bars are shown at once; more can be opened.
const SHOWN: usize = 10;
/// How many bars a chart has; the rest is counted together.
const LISTED: usize = 100;

/// Bars that belong together.
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    /// Head of the column of labels.
    pub(super) label: &'static str,
    pub(super) bars: Vec<Bar>,
    /// Those that have to be opened, and the words for them.
    pub(super) more: Vec<Bar>,
    pub(super) more_words: String,
}

/// One bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) hint: &'static str,
    pub(super) count: String,
    pub(super) percent: String,
    /// Length in percent of the longest one.
    pub(super) length: String,
    /// A class of the style sheet: colour and pattern. The label tells the same.
    pub(super) tone: &'static str,
}

pub(super) fn charts(tally: &Tally) -> Vec<Chart> {
    vec![
        states(tally),
        fixed(
            "seen",
            "When devices reported last",
            "By the time of the last sync with Google, which is recorded once a day.",
            "Last report",
            Seen::ALL.into_iter().map(|seen| {
                let tone = match seen {
                    Seen::Week => "good",
                    Seen::Month => "calm",
                    Seen::Quarter => "warn",
                    Seen::Year | Seen::Earlier | Seen::Never => "bad",
                };
                (
                    seen.words(),
                    tone,
                    tally.seen.get(&seen).copied().unwrap_or_default(),
                )
            }),
        ),
        fixed(
            "updates",
            "Automatic updates",
            "Until when Google gives updates to the model.",
            "Updates",
            Updates::ALL.into_iter().map(|updates| {
                let tone = match updates {
                    Updates::Ended => "bad",
                    Updates::HalfYear | Updates::Year => "warn",
                    Updates::TwoYears | Updates::Unknown => "calm",
                    Updates::Later => "good",
                };
                (
                    updates.words(),
                    tone,
                    tally.updates.get(&updates).copied().unwrap_or_default(),
                )
            }),
        ),
        versions(tally),
        models(tally),
    ]
}

fn states(tally: &Tally) -> Chart {
    let total = tally.states.values().sum();
    let bars = by_count(&tally.states).into_iter().map(|(word, count)| {
        let tone = match State::of(word) {
            State::Active => "good",
            State::Disabled | State::Delinquent => "bad",
            State::Inactive | State::Other => "warn",
            State::Deprovisioned | State::PreProvisioned => "calm",
        };
        (
            named(word, "State unknown"),
            meaning(word).unwrap_or_default(),
            tone,
            count,
        )
    });
    chart(
        "states",
        "State of the devices",
        "All devices, in the words of Google.",
        "State",
        bars.collect(),
        total,
    )
}

fn models(tally: &Tally) -> Chart {
    let total = tally.models.values().sum();
    let bars = by_count(&tally.models)
        .into_iter()
        .map(|(model, count)| (named(model, "Model unknown"), "", "plain", count));
    chart(
        "models",
        "Models",
        "Of the devices in use.",
        "Model",
        bars.collect(),
        total,
    )
}

fn versions(tally: &Tally) -> Chart {
    let total = tally.versions.values().sum();
    // Newest first; those without a version come last.
    let bars = tally.versions.iter().rev().map(|(milestone, count)| {
        let (label, tone) = match milestone {
            Some(milestone) => (format!("ChromeOS {milestone}"), "plain"),
            None => ("Version unknown".to_owned(), "calm"),
        };
        (label, "", tone, *count)
    });
    chart(
        "versions",
        "ChromeOS versions",
        "Of the devices in use, newest first.",
        "Version",
        bars.collect(),
        total,
    )
}

fn fixed(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    label: &'static str,
    bars: impl Iterator<Item = (&'static str, &'static str, u64)>,
) -> Chart {
    let bars: Vec<_> = bars
        .map(|(words, tone, count)| (words.to_owned(), "", tone, count))
        .collect();
    let total = bars.iter().map(|(_, _, _, count)| count).sum();
    chart(id, title, note, label, bars, total)
}

fn chart(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    label: &'static str,
    all: Vec<(String, &'static str, &'static str, u64)>,
    total: u64,
) -> Chart {
    let longest = all
        .iter()
        .map(|(_, _, _, count)| *count)
        .max()
        .unwrap_or_default();
    let others: u64 = all.iter().skip(LISTED).map(|(_, _, _, count)| count).sum();
    let left_out = all.len().saturating_sub(LISTED);
    let mut bars: Vec<Bar> = all
        .into_iter()
        .take(LISTED)
        .map(|(label, hint, tone, count)| bar(label, hint, tone, count, total, longest))
        .collect();
    if left_out > 0 {
        let label = format!("{left_out} others");
        bars.push(bar(label, "", "calm", others, total, longest));
    }
    // Nobody opens a list for one or two more.
    let more = if bars.len() > SHOWN + 2 {
        bars.split_off(SHOWN)
    } else {
        Vec::new()
    };
    Chart {
        id,
        title,
        note,
        label,
        more_words: format!("{} more", more.len()),
        bars,
        more,
    }
}

fn bar(label: String, hint: &'static str, tone: &'static str, count: u64, total: u64, longest: u64) -> Bar {
    Bar {
        label,
        hint,
        count: grouped(count),
        percent: percent(count, total),
        length: format!("{:.1}", ratio(count, longest) * 100.0),
        tone,
    }
}

/// Most first; equal ones in the order of their names.
fn by_count(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut counts: Vec<(&str, u64)> = counts
        .iter()
        .map(|(text, count)| (text.as_str(), *count))
        .collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn named(text: &str, unknown: &str) -> String {
    if text.trim().is_empty() {
        unknown.to_owned()
    } else {
        clean(text).into_owned()
    }
}

/// A share that is never rounded to nothing, and never to everything.
pub(super) fn percent(count: u64, total: u64) -> String {
    let percent = ratio(count, total) * 100.0;
    match () {
        () if count == 0 => "0 %".to_owned(),
        () if count == total => "100 %".to_owned(),
        () if percent < 0.1 => "under 0.1 %".to_owned(),
        () if percent > 99.9 => "over 99.9 %".to_owned(),
        () => format!("{percent:.1} %"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a share is shown with three digits")]
fn ratio(count: u64, total: u64) -> f64 {
    if total == 0 {
        0.0
    } else {
        count as f64 / total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_away() {
        for (count, total, shown) in [
            (0, 0, "0 %"),
            (0, 5, "0 %"),
            (5, 5, "100 %"),
            (1, 3, "33.3 %"),
            (1, 100_000, "under 0.1 %"),
            (99_999, 100_000, "over 99.9 %"),
        ] {
            assert_eq!(percent(count, total), shown);
        }
    }

    #[test]
    fn a_long_chart_counts_the_rest_together() {
        let all = (0..250)
            .map(|number| (format!("Model {number}"), "", "plain", 2))
            .collect();
        let chart = chart("models", "Models", "", "Model", all, 500);
        assert_eq!(chart.bars.len(), SHOWN);
        assert_eq!(chart.more.len(), LISTED - SHOWN + 1);
        let last = chart.more.last().unwrap();
        assert_eq!((last.label.as_str(), last.count.as_str()), ("150 others", "300"));
    }
}
