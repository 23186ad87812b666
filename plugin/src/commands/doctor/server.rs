//! The API server: whether it answers, which version it has, and what its clock shows.

use http::Request;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::client::Body;

use super::finding::Findings;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::clean;

/// The oldest minor version of Kubernetes 1 with everything that admission policies need.
const OLDEST: u32 = 30;
/// The first one that records who asked for an action.
const WITH_STAMP: u32 = 36;
/// A clock that is further off than this is told.
const NOTABLE_SKEW: i64 = 30;
/// Google refuses what is signed by a clock that is further off than this.
pub(super) const FATAL_SKEW: i64 = 300;

/// What is known of the API server.
#[derive(Debug)]
pub(super) struct Server {
    /// The minor version, if the server told it in the usual form.
    minor: Option<u32>,
}

impl Server {
    /// Whether it has mutating admission policies.
    pub(super) fn can_stamp(&self) -> bool {
        self.minor.is_none_or(|minor| minor >= WITH_STAMP)
    }
}

/// Looks at it; nothing if it cannot be reached.
pub(super) async fn look(cluster: &Cluster, findings: &mut Findings) -> Option<Server> {
    let version = match ask(cluster).await {
        Ok((version, date)) => {
            if let Some(date) = date {
                clock(
                    findings,
                    "clock of the cluster",
                    date.duration_since(Timestamp::now()).as_secs(),
                );
            } else {
                findings.not_checked("clock of the cluster", "the API server does not tell the time");
            }
            version
        }
        Err(error) => {
            let failure = Failure::kubernetes("ask the cluster for its version", &error);
            let text = failure.to_string();
            let (message, remedy) = text.split_once('\n').unwrap_or((&text, ""));
            findings.problem("cluster", message).advise(remedy);
            return None;
        }
    };
    let minor = version.minor.trim_end_matches('+').parse().ok();
    let address = clean(cluster.address()).into_owned();
    let name = clean(&version.git_version).into_owned();
    match minor {
        Some(minor) if version.major == "1" && minor < OLDEST => {
            findings
                .problem("cluster", format!("Kubernetes {name} at {address} is too old."))
                .advise(format!(
                    "Upgrade it to 1.{OLDEST} or newer; 1.{WITH_STAMP} records who asked for an action."
                ));
        }
        Some(minor) if version.major == "1" && minor < WITH_STAMP => {
            findings
                .warning(
                    "cluster",
                    format!("Kubernetes {name} at {address} does not record who asked for an action."),
                )
                .advise(format!(
                    "Upgrade it to 1.{WITH_STAMP} or newer for that. Everything else works."
                ));
        }
        Some(_) | None => {
            findings.ok("cluster", format!("Kubernetes {name} answers at {address}."));
        }
    }
    Some(Server { minor })
}

/// The version, and the time of the answer.
async fn ask(cluster: &Cluster) -> Result<(Info, Option<Timestamp>), kube::Error> {
    let request = Request::get("/version")
        .body(Body::empty())
        .map_err(kube::Error::HttpError)?;
    let response = cluster.client().send(request).await?;
    let date = response
        .headers()
        .get(http::header::DATE)
        .and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok())
        .map(|date| date.timestamp());
    // Through the client's own reading, which knows the server's errors.
    let version = cluster.client().apiserver_version().await?;
    Ok((version, date))
}

/// Tells how far a clock is from the one of this machine.
pub(super) fn clock(findings: &mut Findings, check: &str, ahead: i64) {
    let words = if ahead < 0 {
        format!("{} s behind this machine", ahead.unsigned_abs())
    } else {
        format!("{ahead} s ahead of this machine")
    };
    let remedy = "Set the clocks by NTP. Google refuses what a machine signs whose clock is minutes off.";
    match ahead.abs() {
        off if off >= FATAL_SKEW => {
            findings.problem(check, format!("It is {words}.")).advise(remedy);
        }
        off if off >= NOTABLE_SKEW => {
            findings.warning(check, format!("It is {words}.")).advise(remedy);
        }
        _ => {
            findings.ok(check, "It agrees with this machine.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        for (ahead, verdict) in [
            (0, Verdict::Ok),
            (-29, Verdict::Ok),
            (30, Verdict::Warning),
            (-299, Verdict::Warning),
            (300, Verdict::Problem),
            (-4_000, Verdict::Problem),
        ] {
            let mut findings = Findings::default();
            clock(&mut findings, "clock", ahead);
            assert_eq!(findings.all[0].verdict, verdict, "{ahead}");
        }
    }
}
