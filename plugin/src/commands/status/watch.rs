//! `kubectl chromeos status --watch`: follows one connection until it works or somebody has to act.

use std::ops::ControlFlow;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::ConnectionState;

use super::detail;
use crate::cluster::Cluster;
use crate::connections::{self, End, Limit, follow, name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::output::{ObjectFormat, clean, print_object};
use crate::terminal::{self, Progress};

/// What the end of the look means.
enum Ended {
    Works,
    NeedsAPerson,
    Gone,
}

/// Follows it.
///
/// # Errors
/// When the cluster refuses, or the output cannot be written.
pub(super) async fn run(cluster: &Cluster, connection: &ChromeEnterpriseConnection) -> Result<Exit, Failure> {
    let (name, namespace) = (name_of(connection), namespace_of(connection));
    let mut progress = Progress::new();
    let mut told = String::new();
    let mut last = connection.clone();
    let end = follow(cluster, &namespace, &name, Limit::Never, |connection, _| {
        let Some(connection) = connection else {
            return ControlFlow::Break(Ended::Gone);
        };
        last = connection.clone();
        if let Some(ended) = ended(connection) {
            return ControlFlow::Break(ended);
        }
        let line = line(connection);
        if line != told {
            progress.note(&line);
            told = line;
        }
        match connections::part(connection) {
            Some(part) => part.show(&mut progress),
            None => progress.show("Waiting"),
        }
        ControlFlow::Continue(())
    })
    .await?;
    progress.finish();
    match end {
        End::Reached(Ended::Gone) => {
            terminal::say(&format!(
                "There is no connection {name} in namespace {namespace} any more."
            ));
            Ok(Exit::Done)
        }
        End::Reached(ended @ (Ended::Works | Ended::NeedsAPerson)) => {
            print_object(&last, ObjectFormat::Text, || detail::text(&last))?;
            Ok(match ended {
                Ended::Works | Ended::Gone => Exit::Done,
                Ended::NeedsAPerson => Exit::NotGood,
            })
        }
        End::TooLong | End::Interrupted => Ok(Exit::Interrupted),
    }
}

/// Whether the present status is about the present settings, and will not change by itself soon.
fn ended(connection: &ChromeEnterpriseConnection) -> Option<Ended> {
    let status = connection.status.as_ref()?;
    if status.observed_generation != connection.metadata.generation {
        return None;
    }
    match status.state? {
        ConnectionState::Active | ConnectionState::Suspended => Some(Ended::Works),
        ConnectionState::Conflict => Some(Ended::NeedsAPerson),
        ConnectionState::Connecting | ConnectionState::Syncing | ConnectionState::Degraded => {
            connections::needs_a_person(connection).then_some(Ended::NeedsAPerson)
        }
        ConnectionState::Deleting => None,
    }
}

/// `Degraded (GoogleUnavailable): …`
fn line(connection: &ChromeEnterpriseConnection) -> String {
    let word = connections::state(connection).map_or("No operator has looked at it yet", connections::word);
    match connections::ready(connection) {
        Some(ready) => format!("{word} ({}): {}", clean(&ready.reason), clean(&ready.message)),
        None => word.to_owned(),
    }
}
