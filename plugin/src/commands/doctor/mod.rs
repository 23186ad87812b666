//! `kubectl chromeos doctor`: looks at everything that connections depend on, and says what to do.
//!
//! | file | what it looks at |
//! |---|---|
//! | `server` | the API server: reachable, version, clock |
//! | `resource_types` | the CustomResourceDefinitions |
//! | `policies` | admission policies and roles |
//! | `rights` | what the user and the operator's account may do |
//! | `operator` | whether an operator works |
//! | `connection` | each connection and its Secret |
//! | `google` | each connection at Google, from this machine |
//! | `difference` | how what is installed differs from what this program carries |
//! | `finding`, `report` | what was found, and how it is printed |
//!
//! What cannot be looked at is a finding too: nothing is left out in silence.

#![allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "the flags of a command line, whose doc comments are its help text"
)]

mod connection;
mod difference;
mod finding;
mod google;
mod operator;
mod policies;
mod report;
mod resource_types;
mod rights;
mod server;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use clap::{Args, ValueEnum};
use kube::api::ListParams;

use crate::cluster::{Cluster, Scope, pages};
use crate::connections::{name_of, namespace_of};
use crate::failure::{Exit, Failure};
use crate::google::GoogleArguments;
use crate::terminal::Progress;

use finding::Findings;

/// How the findings are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: nothing is wrong, perhaps with warnings. 3: there is a problem.

Where the Secret of a connection can be read, Google is asked from this machine with these credentials; nothing is
changed there.

Examples:
  kubectl chromeos doctor
  kubectl chromeos doctor -A --no-google
  kubectl chromeos doctor -A -o json > findings.json
  kubectl chromeos doctor --operator-service-account chromeenterprise/chrome-enterprise-operator"
)]
pub struct Arguments {
    /// Look at the connections of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// Do not ask Google from this machine
    #[arg(long)]
    pub no_google: bool,

    /// ServiceAccount that the operator runs as, if it is not found by its role
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = rights::service_account)]
    pub operator_service_account: Option<rights::ServiceAccount>,

    /// How the findings are printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Format,

    /// How Google is reached.
    #[command(flatten)]
    pub google: GoogleArguments,
}

/// Looks at everything.
///
/// # Errors
/// When the output cannot be written, or flags about Google cannot be used.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut progress = Progress::new();
    let mut findings = Findings::default();
    // Without a terminal there would be a line for each step beside the report.
    let mut step = |text: &str| {
        if crate::terminal::can_ask() {
            progress.show(text);
        }
    };
    step("Looking at the cluster");
    if let Some(server) = server::look(cluster, &mut findings).await {
        step("Looking at the resource types");
        let served = resource_types::look(cluster, &mut findings).await;
        step("Looking at the policies and roles");
        policies::look(cluster, &server, &mut findings).await;
        step("Looking at rights");
        let scope = cluster.scope(arguments.all_namespaces);
        rights::look_at_user(cluster, &scope, &mut findings).await;
        rights::look_at_operator(
            cluster,
            &scope,
            arguments.operator_service_account.as_ref(),
            &mut findings,
        )
        .await;
        if served {
            look_at_connections(cluster, arguments, &scope, &mut findings, &mut step).await?;
        } else {
            findings.not_checked("connections", "the resource types are not served");
        }
    }
    progress.finish();
    report::print(&findings, arguments.output)?;
    Ok(if findings.has_problem() {
        Exit::NotGood
    } else {
        Exit::Done
    })
}

async fn look_at_connections(
    cluster: &Cluster,
    arguments: &Arguments,
    scope: &Scope,
    findings: &mut Findings,
    step: &mut impl FnMut(&str),
) -> Result<(), Failure> {
    let api = cluster.api_in::<ChromeEnterpriseConnection>(scope);
    let listed = pages(
        api,
        ListParams::default(),
        format!("list connections {}", scope.words()),
    );
    let connections = match listed.all().await {
        Ok(connections) => connections,
        Err(failure) => {
            findings.not_checked("connections", &failure.to_string());
            return Ok(());
        }
    };
    step("Looking for the operator");
    operator::look(&connections, findings);
    if connections.is_empty() {
        findings.not_checked(
            "connections",
            &format!(
                "there are none {}; `kubectl chromeos connect` makes one",
                scope.words()
            ),
        );
    }
    for connection in &connections {
        step(&format!(
            "Looking at connection {} in namespace {}",
            name_of(connection),
            namespace_of(connection)
        ));
        connection::look(connection, findings);
        let key = connection::look_at_secret(cluster, connection, findings).await;
        google::look(connection, key, arguments, findings).await?;
    }
    Ok(())
}
