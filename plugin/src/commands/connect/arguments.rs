//! What can be typed.

#![allow(
    clippy::doc_markdown,
    reason = "doc comments here are the help text, which is printed as it stands"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::SignedDuration;

use crate::google::GoogleArguments;

/// The bounds of `spec.sync.intervalSeconds`.
const INTERVAL_SECONDS: std::ops::RangeInclusive<i64> = 60..=604_800;

/// Heading of the flags about the command itself.
const DOING: &str = "What is done";

const EXAMPLES: &str = "Examples:
  # With the key of a service account
  kubectl chromeos connect --key-file key.json --admin chromebooks@school.example

  # With a browser: an admin signs in and agrees
  kubectl chromeos connect --consent --client-file client_secret.json

  # Without a key, on Google Cloud
  kubectl chromeos connect --keyless fleet@project.iam.gserviceaccount.com \\
      --admin chromebooks@school.example

  # Print the objects for Git; nothing is changed
  kubectl chromeos connect --key-file key.json --admin chromebooks@school.example \\
      --dry-run=client -o yaml";

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("way").required(true).args(["key_file", "consent", "keyless"]))
)]
pub struct Arguments {
    /// Name of the connection
    #[arg(value_name = "NAME", default_value = "google")]
    pub name: String,

    /// How the operator signs in.
    #[command(flatten)]
    pub way: WayArguments,

    /// What is mirrored.
    #[command(flatten)]
    pub wishes: Wishes,

    /// Make the namespace if it does not exist
    #[arg(long, help_heading = DOING)]
    pub create_namespace: bool,

    /// Do not wait until the connection is Active
    #[arg(long, help_heading = DOING)]
    pub no_wait: bool,

    /// How long it waits.
    #[command(flatten)]
    pub wait: Wait,

    /// Print the objects in place of making them; neither Google nor the cluster is asked
    #[arg(
        long, value_enum, value_name = "client", hide_possible_values = true, help_heading = DOING,
        conflicts_with_all = ["no_wait", "create_namespace"]
    )]
    pub dry_run: Option<DryRun>,

    /// How --dry-run prints them
    #[arg(
        short, long, value_enum, value_name = "yaml", hide_possible_values = true, help_heading = DOING,
        requires = "dry_run"
    )]
    pub output: Option<DryRunFormat>,

    /// Where Google is.
    #[command(flatten)]
    pub google: GoogleArguments,
}

/// How the operator signs in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sign-in, one of three ways")]
pub struct WayArguments {
    /// Key file of a Google service account that has domain-wide delegation
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// Sign in with a browser and agree; needs --client-file
    #[arg(long, requires = "client_file")]
    pub consent: bool,

    /// File of an OAuth client of type "Desktop app", as Google Cloud made it
    #[arg(long, value_name = "FILE", requires = "consent")]
    pub client_file: Option<PathBuf>,

    /// A Google service account that the operator's own cloud identity signs for; no key
    #[arg(long, value_name = "EMAIL", value_parser = email)]
    pub keyless: Option<String>,

    /// The Google admin account to act as; with --consent it may be left out
    #[arg(long, value_name = "EMAIL", value_parser = email, required_unless_present = "consent")]
    pub admin: Option<String>,

    /// Print the address to open, and open no browser
    #[arg(long, requires = "consent")]
    pub no_browser: bool,

    /// Port of this machine to which the browser comes back; without it a free one
    #[arg(long, requires = "consent", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// How long the sign-in in the browser may take
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "consent", value_parser = duration)]
    pub sign_in_timeout: Duration,
}

/// What is mirrored.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is mirrored")]
pub struct Wishes {
    /// Google's customer ID; without it the customer of the admin account
    #[arg(long, value_name = "ID")]
    pub customer_id: Option<String>,

    /// Only this org unit and everything below it
    #[arg(long, value_name = "PATH")]
    pub org_unit: Option<String>,

    /// Only devices that Google finds with this, such as status:provisioned
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Only read: ask Google for no right to change devices
    #[arg(long)]
    pub read_only: bool,

    /// Also record who used each device last; this is personal data
    #[arg(long)]
    pub include_recent_users: bool,

    /// How often to look for changes, such as 15m
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub interval: Option<i64>,
}

/// How long it waits.
#[derive(Debug, Args)]
pub struct Wait {
    /// How long to wait until the connection is Active
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration, help_heading = DOING)]
    pub timeout: Duration,

    /// How long the operator may be silent before it is said to be missing
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration, hide = true)]
    pub silence: Duration,

    /// How often the operator is asked to look again while somebody has to act at Google
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration, hide = true)]
    pub look_again: Duration,
}

/// Where a dry run stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Here: the cluster is not asked
    Client,
}

/// How a dry run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRunFormat {
    /// YAML
    Yaml,
}

fn email(text: &str) -> Result<String, String> {
    let fits = text
        .split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.') && !domain.contains('@'));
    let odd = |character: char| character.is_whitespace() || character.is_control();
    if fits && !text.contains(odd) {
        Ok(text.to_owned())
    } else {
        Err("it is no e-mail address".to_owned())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .parse()
        .map_err(|_| "it looks like 90s, 5m or 1h".to_owned())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("it must be longer than nothing".to_owned()),
    }
}

fn interval(text: &str) -> Result<i64, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "it looks like 15m or 1h".to_owned())?;
    let seconds = parsed.as_secs();
    if INTERVAL_SECONDS.contains(&seconds) {
        Ok(seconds)
    } else {
        Err("it must be between 1m and 168h".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_addresses_are_read_as_people_write_them() {
        assert_eq!(interval("15m"), Ok(900));
        assert_eq!(interval("168h"), Ok(604_800));
        assert!(interval("59s").is_err() && interval("15").is_err());
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("0s").is_err() && duration("-5m").is_err() && duration("soon").is_err());
        assert!(email("chromebooks@school.example").is_ok());
        for odd in [
            "",
            "a",
            "@school.example",
            "a@b",
            "a@b@c.d",
            "a b@school.example",
            "a@s.e\n",
        ] {
            assert!(email(odd).is_err(), "{odd:?}");
        }
    }
}
