//! What the demo can be told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, value_parser};

/// Shows the Chrome Enterprise operator at work, on this machine only: a real Kubernetes API server, a simulated
/// Google with a fleet of Chromebooks, and the operator program that connects the two.
#[derive(Debug, Parser)]
#[command(name = "demo", max_term_width = 100)]
pub(crate) struct Options {
    /// Devices that Google has
    #[arg(long, value_name = "NUMBER", default_value_t = 1_200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) devices: u32,

    /// The fleet is a function of this number
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub(crate) seed: u64,

    /// Show the result and end, with exit code 0 if everything agrees and 1 if not; without it the demo stays up
    /// until Ctrl-C
    #[arg(long)]
    pub(crate) once: bool,

    /// How long the connection may take to become Active
    #[arg(
        long, value_name = "SECONDS", default_value_t = 180, value_parser = value_parser!(u64).range(1..=86_400)
    )]
    pub(crate) timeout_seconds: u64,

    /// The operator program [default: chrome-enterprise-operator next to this program]
    #[arg(long, value_name = "FILE", env = "CHROME_ENTERPRISE_OPERATOR_PROGRAM")]
    pub(crate) operator_program: Option<PathBuf>,

    /// How long the simulated Google takes for a page of 200 devices, so that there is something to watch
    #[arg(
        long, value_name = "MILLISECONDS", default_value_t = 400, value_parser = value_parser!(u64).range(0..=60_000)
    )]
    pub(crate) latency_per_page_milliseconds: u64,
}

impl Options {
    /// How long the connection may take to become Active.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_show_1200_devices() {
        let options = Options::try_parse_from(["demo"]).unwrap();
        assert_eq!((options.devices, options.once), (1_200, false));
        assert_eq!(options.timeout(), Duration::from_mins(3));
    }

    #[test]
    fn nonsense_is_refused() {
        for flags in [
            ["--devices", "0"],
            ["--devices", "many"],
            ["--timeout-seconds", "0"],
            ["--seed", "-1"],
        ] {
            assert!(
                Options::try_parse_from(["demo"].into_iter().chain(flags)).is_err(),
                "{flags:?}"
            );
        }
    }
}
