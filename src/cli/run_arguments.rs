//! The flags of `run`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};

use super::google_arguments::GoogleArguments;
use super::keyless_arguments::KeylessArguments;
use crate::controllers::settings::{ActionSettings, ControllerSettings, WatchNamespaces};
use crate::run::RunSettings;
use crate::runtime::kubernetes::KubernetesSettings;
use crate::runtime::telemetry::{self, LogFormat, LogSettings};

/// Everything that `run` can be told.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Which cluster.
    #[command(flatten)]
    pub kubernetes: KubernetesArguments,
    /// How Google is reached.
    #[command(flatten)]
    pub google: GoogleArguments,
    /// Who may sign in without a key.
    #[command(flatten)]
    pub keyless: KeylessArguments,
    /// How devices are read and written.
    #[command(flatten)]
    pub sync: SyncArguments,
    /// How actions are carried out.
    #[command(flatten)]
    pub actions: ActionArguments,
    /// How the operator is watched.
    #[command(flatten)]
    pub observation: ObservationArguments,
}

/// Flags about the cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Kubernetes")]
pub struct KubernetesArguments {
    /// Kubeconfig file of the cluster
    ///
    /// Without it: KUBECONFIG, then ~/.kube/config, then the service account of the Pod.
    #[arg(long, value_name = "FILE", env = "CHROME_ENTERPRISE_OPERATOR_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig to use in place of its current one
    #[arg(long, value_name = "NAME", env = "CHROME_ENTERPRISE_OPERATOR_CONTEXT")]
    pub context: Option<String>,

    /// Look after this namespace only; can be repeated, or hold names separated by commas [default: all namespaces]
    #[arg(
        long, value_name = "NAMESPACE", env = "CHROME_ENTERPRISE_OPERATOR_WATCH_NAMESPACE", value_delimiter = ',',
        value_parser = namespace
    )]
    pub watch_namespace: Vec<String>,
}

/// Flags about the sync.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sync")]
pub struct SyncArguments {
    /// Devices that one request to Google asks for
    ///
    /// When Google refuses the number, the largest that it accepts is used.
    #[arg(
        long, value_name = "DEVICES", env = "CHROME_ENTERPRISE_OPERATOR_PAGE_SIZE", default_value_t = 200,
        value_parser = value_parser!(u32).range(1..=300)
    )]
    pub page_size: u32,

    /// Device objects that are written to Kubernetes at the same time, for each connection
    #[arg(
        long, value_name = "NUMBER", env = "CHROME_ENTERPRISE_OPERATOR_WRITE_CONCURRENCY", default_value_t = 8,
        value_parser = value_parser!(u16).range(1..=512)
    )]
    pub write_concurrency: u16,

    /// How often the Secret of a connection is looked at for new credentials
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_SECRET_POLL_SECONDS", default_value_t = 60,
        value_parser = value_parser!(u64).range(1..=3_600)
    )]
    pub secret_poll_seconds: u64,

    /// How old the last-seen time, free disk and network of a device may get while nothing else about it changes
    ///
    /// These move all the time at Google; writing each move would load the cluster for little.
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_ACTIVITY_FRESHNESS_SECONDS",
        default_value_t = 86_400, value_parser = value_parser!(u64).range(60..=2_592_000)
    )]
    pub activity_freshness_seconds: u64,

    /// Wait after the first failure of a connection; each further wait is twice as long
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_RETRY_INITIAL_SECONDS", default_value_t = 15,
        value_parser = value_parser!(u64).range(1..=3_600)
    )]
    pub retry_initial_seconds: u64,

    /// Longest wait between two tries of a connection that fails
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_RETRY_MAX_SECONDS", default_value_t = 600,
        value_parser = value_parser!(u64).range(1..=86_400)
    )]
    pub retry_max_seconds: u64,
}

/// Flags about device actions.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device actions")]
pub struct ActionArguments {
    /// Longest time between claiming an action and sending it to Google
    ///
    /// After an operator died while it sent an action, it takes this time, the longest exchange with Google (at most 30
    /// seconds) and the margin below until another one says that the outcome is unknown.
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_ACTION_ATTEMPT_SECONDS", default_value_t = 10,
        value_parser = value_parser!(u64).range(1..=300)
    )]
    pub action_attempt_seconds: u64,

    /// On top of the longest exchange with Google: time for an answer to be on its way, and for clocks to differ
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_ACTION_MARGIN_SECONDS", default_value_t = 5,
        value_parser = value_parser!(u64).range(1..=300)
    )]
    pub action_margin_seconds: u64,

    /// How long a device is watched for the wanted state after Google's answer was lost
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_ACTION_SETTLE_SECONDS", default_value_t = 60,
        value_parser = value_parser!(u64).range(1..=3_600)
    )]
    pub action_settle_seconds: u64,

    /// How long a restart or wipe may be pending at Google before its state is OutcomeUnknown
    ///
    /// It is followed on, rarely, and its receipt tells what came of it: a device that is switched off may carry it out
    /// months later.
    #[arg(
        long, value_name = "SECONDS", env = "CHROME_ENTERPRISE_OPERATOR_ACTION_PATIENCE_SECONDS",
        default_value_t = 86_400, value_parser = value_parser!(u64).range(1..=31_536_000)
    )]
    pub action_patience_seconds: u64,

    /// Days after their end at which receipts of actions are removed [default: never]
    ///
    /// Receipts keep an action from being done twice, and they are the audit. None is removed while its action exists,
    /// before notAfter has passed, or while Google may still deliver the command.
    #[arg(
        long, value_name = "DAYS", env = "CHROME_ENTERPRISE_OPERATOR_RECEIPT_RETENTION_DAYS",
        value_parser = value_parser!(u32).range(1..=36_500)
    )]
    pub receipt_retention_days: Option<u32>,
}

impl ActionArguments {
    fn settings(&self, longest_exchange: Duration) -> ActionSettings {
        ActionSettings {
            attempt_window: Duration::from_secs(self.action_attempt_seconds),
            in_flight: longest_exchange + Duration::from_secs(self.action_margin_seconds),
            settle: Duration::from_secs(self.action_settle_seconds),
            command_patience: Duration::from_secs(self.action_patience_seconds),
            receipt_retention: self
                .receipt_retention_days
                .map(|days| Duration::from_hours(24 * u64::from(days))),
        }
    }
}

/// Flags about health, metrics and logs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Health, metrics and logs")]
pub struct ObservationArguments {
    /// Address for /healthz, /readyz and /metrics; with port 0 the system chooses one, which is logged
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "CHROME_ENTERPRISE_OPERATOR_LISTEN",
        default_value = "0.0.0.0:8080"
    )]
    pub listen: SocketAddr,

    /// How a log line on standard error is written
    #[arg(long, value_enum, env = "CHROME_ENTERPRISE_OPERATOR_LOG_FORMAT", default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,

    /// What is logged: a level (error, warn, info, debug, trace), then exceptions by module
    ///
    /// Example: info,chrome_enterprise_operator=debug. Whatever is asked for, libraries never get to log tokens or
    /// answers of the API server.
    #[arg(
        long, value_name = "FILTER", env = "CHROME_ENTERPRISE_OPERATOR_LOG_FILTER",
        default_value = telemetry::DEFAULT_FILTER, value_parser = log_filter
    )]
    pub log_filter: String,
}

impl RunArguments {
    /// The settings that these flags amount to.
    ///
    /// # Errors
    /// A sentence for the administrator, when values do not fit together or a file cannot be read.
    pub fn settings(&self) -> Result<RunSettings, String> {
        let mut google = self.google.settings()?;
        google.endpoints = self.keyless.endpoints(google.endpoints)?;
        let actions = self.actions.settings(google.http.change_timeout());
        Ok(RunSettings {
            kubernetes: KubernetesSettings {
                kubeconfig: self.kubernetes.kubeconfig.clone(),
                context: self.kubernetes.context.clone(),
            },
            google,
            controllers: self.controller_settings(actions)?,
            listen: self.observation.listen,
        })
    }

    /// How to log.
    #[must_use]
    pub fn log_settings(&self) -> LogSettings {
        LogSettings {
            format: self.observation.log_format,
            filter: self.observation.log_filter.clone(),
        }
    }

    fn controller_settings(&self, actions: ActionSettings) -> Result<ControllerSettings, String> {
        let sync = &self.sync;
        if sync.retry_max_seconds < sync.retry_initial_seconds {
            return Err(format!(
                "--retry-max-seconds {} is less than --retry-initial-seconds {}; raise the first or lower the second.",
                sync.retry_max_seconds, sync.retry_initial_seconds
            ));
        }
        Ok(ControllerSettings {
            page_size: sync.page_size,
            write_concurrency: sync.write_concurrency.into(),
            secret_poll: Duration::from_secs(sync.secret_poll_seconds),
            activity_freshness: Duration::from_secs(sync.activity_freshness_seconds),
            retry_initial: Duration::from_secs(sync.retry_initial_seconds),
            retry_max: Duration::from_secs(sync.retry_max_seconds),
            watch_namespaces: WatchNamespaces::from_names(self.kubernetes.watch_namespace.iter().cloned()),
            actions,
            keyless: self.keyless.allow_keyless.clone(),
        })
    }
}

/// A name that a namespace can have (RFC 1123 label).
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let good = (1..=63).contains(&text.len())
        && text.chars().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if good {
        return Ok(text.to_owned());
    }
    Err(
        "a namespace has 1 to 63 lower-case letters, digits and hyphens, and no hyphen at its ends"
            .to_owned(),
    )
}

fn log_filter(text: &str) -> Result<String, String> {
    telemetry::check_filter(text).map_err(|error| error.to_string())
}
