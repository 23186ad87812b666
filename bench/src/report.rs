//! From measurements to claims.

use serde::Serialize;

use crate::action_claims::of_actions;
use crate::actions::Actions;
use crate::interrupted::Interrupted;
use crate::lines::Folder;
use crate::raw_writes::RawRun;
use crate::round::{CONCURRENCIES, FirstSync, Round};

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) devices: u64,
    pub(crate) cores: usize,
    pub(crate) operator_arguments: Vec<String>,
    /// None, like the rounds, if only actions were measured.
    pub(crate) interrupted: Option<Interrupted>,
    pub(crate) rounds: Vec<Round>,
    pub(crate) large: Option<FirstSync>,
    pub(crate) actions: Vec<Actions>,
    pub(crate) lines: Vec<Folder>,
}

/// A claim beside what was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) what: String,
    pub(crate) operator: String,
    pub(crate) bare: String,
    pub(crate) ratio: Option<(f64, f64)>,
    pub(crate) goal: String,
    pub(crate) reached: Option<bool>,
}

impl Report {
    /// The rows of the table.
    pub(crate) fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        if let Some(interrupted) = self.interrupted {
            claims.push(self.first_sync());
            claims.extend(self.first_sync_cpu());
            claims.extend([
                self.unchanged(),
                self.changed(),
                self.restart(),
                Claim::interrupted(interrupted),
            ]);
            let firsts: Vec<FirstSync> = self.rounds.iter().map(|round| round.first_sync).collect();
            claims.extend(memory(&firsts, Some(128.0)));
        }
        if let Some(large) = self.large {
            claims.push(Claim::plain(
                format!("First sync of {} devices", large.devices),
                format!("{:.2} s", large.seconds),
            ));
            claims.extend(memory(&[large], None));
        }
        claims.extend(self.actions.iter().flat_map(of_actions));
        claims
    }

    /// The concurrency at which raw writes are fastest, by the median of all rounds. Were the fastest of each round
    /// taken, the bare client would gain by the noise of three runs and the operator lose by that of one.
    fn best_concurrency(&self) -> usize {
        let typical = |concurrency: usize| {
            let runs = self.rounds.iter().filter_map(|round| round.raw_at(concurrency));
            median(&runs.map(|run| run.seconds).collect::<Vec<_>>())
        };
        let mut all = CONCURRENCIES;
        all.sort_by(|one, other| typical(*one).total_cmp(&typical(*other)));
        all[0]
    }

    fn first_sync(&self) -> Claim {
        let best = self.best_concurrency();
        let raw = |round: &Round| round.raw_at(best).map_or(f64::NAN, |run| run.seconds);
        let pairs: Vec<(f64, f64)> = self
            .rounds
            .iter()
            .map(|round| (round.first_sync.seconds, raw(round)))
            .collect();
        Claim::ratio(
            format!(
                "First sync of {} devices (bare: raw writes, {best} at a time)",
                self.devices
            ),
            &pairs,
            1.15,
        )
    }

    /// The same in processor time of all processes, which other work on the machine disturbs less.
    fn first_sync_cpu(&self) -> Option<Claim> {
        let best = self.best_concurrency();
        let pair = |round: &Round| Some((round.first_sync.cpu_seconds?, round.raw_at(best)?.cpu_seconds?));
        let pairs: Option<Vec<(f64, f64)>> = self.rounds.iter().map(pair).collect();
        let claim = Claim::ratio(
            "- processor time of all processes".to_owned(),
            &pairs?,
            f64::INFINITY,
        );
        Some(Claim {
            goal: String::new(),
            reached: None,
            ..claim
        })
    }

    fn unchanged(&self) -> Claim {
        let passes = self.rounds.iter().flat_map(|round| &round.unchanged);
        let pairs: Vec<(f64, f64)> = passes
            .map(|pass| (pass.pass_seconds, pass.bare.seconds()))
            .collect();
        Claim::ratio(
            "Sync without a change (bare: walk and list); 0 writes".to_owned(),
            &pairs,
            1.2,
        )
    }

    fn changed(&self) -> Claim {
        let of = |value: fn(&Round) -> u64| self.rounds.iter().map(value).sum::<u64>();
        let (devices, writes) = (
            of(|round| round.changed.devices),
            of(|round| round.changed.writes),
        );
        Claim {
            goal: "as many".to_owned(),
            reached: Some(devices == writes),
            ..Claim::plain(
                format!("Writes for {devices} changed devices, all rounds together"),
                writes.to_string(),
            )
        }
    }

    fn restart(&self) -> Claim {
        let seconds: Vec<f64> = self.rounds.iter().map(|round| round.restart.seconds).collect();
        Claim::plain(
            "SIGKILL and restart, until in step again; 0 writes".to_owned(),
            format!("{:.2} s", median(&seconds)),
        )
    }
}

impl Round {
    fn raw_at(&self, concurrency: usize) -> Option<&RawRun> {
        self.raw.iter().find(|run| run.concurrency == concurrency)
    }
}

impl Claim {
    fn interrupted(measured: Interrupted) -> Self {
        let Interrupted {
            created_before,
            created_after,
            seconds,
            ..
        } = measured;
        Self::plain(
            format!(
                "SIGKILL in a first sync after {created_before} devices, until Active; {created_after} created then"
            ),
            format!("{seconds:.2} s"),
        )
    }

    pub(crate) fn plain(what: String, operator: String) -> Self {
        Self {
            what,
            operator,
            bare: String::new(),
            ratio: None,
            goal: String::new(),
            reached: None,
        }
    }

    /// Each pair is what the operator and what the bare client took in the same round.
    fn ratio(what: String, pairs: &[(f64, f64)], goal: f64) -> Self {
        let ratios: Vec<f64> = pairs.iter().map(|(operator, bare)| operator / bare).collect();
        let of = |value: fn(&(f64, f64)) -> f64| median(&pairs.iter().map(value).collect::<Vec<_>>());
        let ratio = (minimum(&ratios), median(&ratios));
        Self {
            what,
            operator: format!("{:.2} s", of(|pair| pair.0)),
            bare: format!("{:.2} s", of(|pair| pair.1)),
            ratio: Some(ratio),
            goal: format!("{goal:.2} or less"),
            reached: Some(ratio.1 <= goal),
        }
    }
}

fn memory(syncs: &[FirstSync], goal: Option<f64>) -> Vec<Claim> {
    let devices = syncs.first().map_or(0, |sync| sync.devices);
    let row = |what: &str, bytes: fn(&FirstSync) -> Option<u64>, goal: Option<f64>| {
        // A system that does not tell has no row.
        let most = syncs.iter().filter_map(bytes).max()?;
        let mebibytes = as_mebibytes(most);
        Some(Claim {
            goal: goal.map_or_else(String::new, |goal| format!("below {goal} MiB")),
            reached: goal.map(|goal| mebibytes < goal),
            ..Claim::plain(format!("{what} {devices} devices"), format!("{mebibytes:.1} MiB"))
        })
    };
    let now = row("Memory after the first sync of", |sync| sync.memory, goal);
    let peak = row("Most memory in the first sync of", |sync| sync.memory_peak, goal);
    now.into_iter().chain(peak).collect()
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
fn as_mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Of an even number of values, the mean of the two in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => f64::NAN,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(sorted[middle - 1], *upper),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_goal_is_judged_by_the_median() {
        let claim = Claim::ratio("a".to_owned(), &[(1.0, 1.0), (1.2, 1.0), (1.3, 1.0)], 1.15);
        assert_eq!(claim.reached, Some(false));
        let claim = Claim::ratio("a".to_owned(), &[(1.0, 1.0), (1.1, 1.0), (1.3, 1.0)], 1.15);
        assert_eq!(claim.reached, Some(true));
        assert_eq!(
            (claim.operator.as_str(), claim.bare.as_str()),
            ("1.10 s", "1.00 s")
        );
    }

    #[test]
    fn memory_is_the_most_of_all_rounds() {
        let sync = |memory| FirstSync {
            devices: 10,
            seconds: 1.0,
            cpu_seconds: None,
            pass_seconds: 1.0,
            memory,
            memory_peak: None,
        };
        let claims = memory(&[sync(Some(64 << 20)), sync(Some(200 << 20))], Some(128.0));
        assert_eq!(claims.len(), 1);
        assert_eq!(
            (claims[0].operator.as_str(), claims[0].reached),
            ("200.0 MiB", Some(false))
        );
    }
}
