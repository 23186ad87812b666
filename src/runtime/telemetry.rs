//! Logs: one line per event on standard error, as text for people or as JSON for machines.
//!
//! Logs hold no credential and no personal data of pupils. The operator's own code keeps to that by what it logs; what
//! libraries log is held back by [`is_safe`], whatever the administrator asks for.

use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// What is logged unless the administrator says otherwise. kube's HTTP layer reports each failed request, which the
/// caller then reports again with the object that it was about.
pub const DEFAULT_FILTER: &str = "info,kube_client::client::builder=off";

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Text when standard error is a terminal, JSON otherwise
    #[default]
    Auto,
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// How a line is written.
    pub format: LogFormat,
    /// What is logged, in the syntax of [`EnvFilter`]: `info,chrome_enterprise_operator=debug`.
    pub filter: String,
}

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not valid.
    #[error("the log filter is not valid: {0}. Example: info,chrome_enterprise_operator=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Logging was started before.
    #[error("logging could not be started: {0}")]
    Start(#[from] TryInitError),
}

/// Starts logging for the whole process. To be called once.
///
/// # Errors
/// When the filter is not valid, or logging was started before.
pub fn start(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder()
        .parse(&settings.filter)?
        .and(filter_fn(is_safe));
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let lines = if json {
        json_lines(io::stderr).boxed()
    } else {
        text_lines(io::stderr().is_terminal()).boxed()
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic becomes a log line like any other, in place of plain text between lines of JSON.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("without a message");
    tracing::error!(
        location,
        "The program panicked: {message}. This is a defect; please report it with this line."
    );
}

fn text_lines(colours: bool) -> impl Layer<Registry> {
    fmt::layer().with_writer(io::stderr).with_ansi(colours)
}

fn json_lines<W>(writer: W) -> impl Layer<Registry>
where
    W: for<'writer> fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(writer)
}

/// Checks a filter before logging is started.
///
/// # Errors
/// When the text is not a filter.
pub fn check_filter(text: &str) -> Result<String, TelemetryError> {
    EnvFilter::builder().parse(text)?;
    Ok(text.to_owned())
}

/// Libraries that write tokens, signed assertions or whole HTTP messages at their more verbose levels.
const TALKATIVE: [&str; 7] = [
    "yup_oauth2",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "tower",
];
/// kube's client writes the whole answer as a warning when it does not parse: that may be a Secret, or a list of
/// devices with their users. The caller gets the error and reports it without the answer.
const PRINTS_ANSWERS: &str = "kube_client::client";

/// Whether this kind of event may be logged at all.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    may_log(metadata.target(), *metadata.level())
}

fn may_log(target: &str, level: Level) -> bool {
    if target == PRINTS_ANSWERS {
        return false;
    }
    let library = target.split("::").next().unwrap_or(target);
    level <= Level::INFO || !TALKATIVE.contains(&library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Collects what is logged.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, work: impl FnOnce()) -> Vec<serde_json::Value> {
        let paper = Paper::default();
        let writer = paper.clone();
        let filter = EnvFilter::builder()
            .parse(filter)
            .unwrap()
            .and(filter_fn(is_safe));
        let lines = json_lines(move || writer.clone()).with_filter(filter);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), work);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_json_line_has_its_fields_at_the_top_and_the_span_beside_them() {
        let lines = logged("info", || {
            let _span = tracing::info_span!("sync", connection = "north/google").entered();
            tracing::info!(devices = 1_200, "Sync finished.");
            tracing::debug!("not asked for");
        });
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line["message"], "Sync finished.");
        assert_eq!(line["devices"], 1_200);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["connection"], "north/google");
        assert!(line["timestamp"].is_string());
    }

    #[test]
    fn libraries_that_print_tokens_and_answers_are_silenced_even_at_trace() {
        let lines = logged("trace", || {
            tracing::debug!(target: "yup_oauth2::service_account", "received response; body: token");
            tracing::trace!(target: "hyper::proto::h1::io", "flushed Authorization");
            tracing::warn!(target: "kube_client::client", "{{\"kind\":\"Secret\"}}, error");
            tracing::warn!(target: "kube_client::client::builder", "allowed");
            tracing::info!(target: "reqwest::connect", "allowed");
            tracing::trace!(target: "hyperspace", "allowed");
            tracing::trace!(target: "chrome_enterprise_operator::google", "allowed");
        });
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines.iter().all(|line| line["message"] == "allowed"), "{lines:?}");
    }

    #[test]
    fn a_wrong_filter_is_refused_with_an_example() {
        let error = check_filter("info,operator=loud").unwrap_err().to_string();
        assert!(error.contains("Example: info"), "{error}");
        assert_eq!(check_filter(DEFAULT_FILTER).unwrap(), DEFAULT_FILTER);
    }
}
