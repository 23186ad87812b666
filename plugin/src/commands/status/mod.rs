//! `kubectl chromeos status`: how connections are.

#![allow(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "the flags of a command line, whose doc comments are its help text"
)]

mod detail;
mod watch;

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::{ChromeEnterpriseConnectionStatus, ConnectionState};
use clap::Args;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::cluster::{Cluster, pages};
use crate::connections::{self, name_of};
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, ListFormat, ListOutput, ObjectFormat, Rows, Shown, print_object};

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a name: a table of the connections. With one: everything about it, and what to do.

Examples:
  kubectl chromeos status
  kubectl chromeos status school
  kubectl chromeos status school --watch
  kubectl chromeos status -A --check || echo 'look after the connections'"
)]
pub struct Arguments {
    /// Connection to show with everything
    #[arg(value_name = "CONNECTION")]
    pub name: Option<String>,

    /// List the connections of all namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["name", "watch"])]
    pub all_namespaces: bool,

    /// Follow one connection until it is active or somebody has to act
    #[arg(short, long, conflicts_with = "output")]
    pub watch: bool,

    /// End with code 3 unless every connection is active or suspended
    #[arg(long)]
    pub check: bool,

    /// How it is printed; without it a table, or text for one connection
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<ListFormat>,

    /// Leave out the head line of a table
    #[arg(long)]
    pub no_headers: bool,
}

/// Shows them.
///
/// # Errors
/// When there is no such connection, the cluster refuses or cannot be asked, or the output cannot be written.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.watch {
        let connection = connections::find(cluster, arguments.name.as_deref()).await?;
        return watch::run(cluster, &connection).await;
    }
    match &arguments.name {
        Some(name) => one(cluster, arguments, name).await,
        None => list(cluster, arguments).await,
    }
}

async fn one(cluster: &Cluster, arguments: &Arguments, name: &str) -> Result<Exit, Failure> {
    let connection = connections::find(cluster, Some(name)).await?;
    let format = match arguments.output {
        None => ObjectFormat::Text,
        Some(ListFormat::Json) => ObjectFormat::Json,
        Some(ListFormat::Yaml) => ObjectFormat::Yaml,
        Some(ListFormat::Name) => ObjectFormat::Name,
        Some(format @ (ListFormat::Table | ListFormat::Wide | ListFormat::Csv)) => {
            let output = ListOutput {
                output: format,
                no_headers: arguments.no_headers,
            };
            let mut rows = Rows::new(output, COLUMNS, false);
            rows.write(std::slice::from_ref(&connection))?;
            rows.finish("")?;
            return Ok(exit(arguments.check, is_good(&connection)));
        }
    };
    print_object(&connection, format, || detail::text(&connection))?;
    Ok(exit(arguments.check, is_good(&connection)))
}

async fn list(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let scope = cluster.scope(arguments.all_namespaces);
    let output = ListOutput {
        output: arguments.output.unwrap_or_default(),
        no_headers: arguments.no_headers,
    };
    let mut rows = Rows::new(output, COLUMNS, arguments.all_namespaces);
    let mut pages = pages::<ChromeEnterpriseConnection>(
        cluster.api_in(&scope),
        ListParams::default(),
        format!("list connections {}", scope.words()),
    );
    let mut all_good = true;
    while let Some(page) = pages.next().await? {
        all_good &= page.iter().all(is_good);
        rows.write(&page)?;
    }
    rows.finish(&format!(
        "There are no connections {}. `kubectl chromeos connect` makes one.",
        scope.words()
    ))?;
    Ok(exit(arguments.check, all_good))
}

const fn exit(check: bool, good: bool) -> Exit {
    if check && !good { Exit::NotGood } else { Exit::Done }
}

/// Whether nobody has to look after it: it works, or somebody stopped it on purpose.
fn is_good(connection: &ChromeEnterpriseConnection) -> bool {
    matches!(
        connections::state(connection),
        Some(ConnectionState::Active | ConnectionState::Suspended)
    )
}

fn status(connection: &ChromeEnterpriseConnection) -> Option<&ChromeEnterpriseConnectionStatus> {
    connection.status.as_ref()
}

const COLUMNS: &[Column<ChromeEnterpriseConnection>] = &[
    Column {
        title: "NAMESPACE",
        shown: Shown::AllNamespaces,
        value: |connection| Cell::text(connection.metadata.namespace.as_deref()),
    },
    Column {
        title: "NAME",
        shown: Shown::Always,
        value: |connection| Cell::Text(name_of(connection).into()),
    },
    Column {
        title: "STATE",
        shown: Shown::Always,
        value: |connection| match connections::state(connection) {
            Some(state) => Cell::Word(connections::word(state).into(), connections::tone(connection)),
            None => Cell::Missing,
        },
    },
    Column {
        title: "DEVICES",
        shown: Shown::Always,
        value: |connection| Cell::number(status(connection).and_then(|status| Some(status.devices?.synced))),
    },
    Column {
        title: "LAST CHECK-IN",
        shown: Shown::Always,
        value: |connection| {
            Cell::time(status(connection).and_then(|status| Some(status.last_check_in_time.as_ref()?.0)))
        },
    },
    Column {
        title: "ACCOUNT",
        shown: Shown::Always,
        value: |connection| {
            Cell::text(status(connection).and_then(|status| status.connected_account.as_deref()))
        },
    },
    Column {
        title: "REASON",
        shown: Shown::Always,
        value: |connection| Cell::text(connections::reason(connection)),
    },
    Column {
        title: "CUSTOMER",
        shown: Shown::Wide,
        value: |connection| Cell::text(status(connection).and_then(|status| status.customer_id.as_deref())),
    },
    Column {
        title: "AGE",
        shown: Shown::Wide,
        value: |connection| Cell::time(connection.creation_timestamp().map(|time| time.0)),
    },
    Column {
        title: "MESSAGE",
        shown: Shown::Wide,
        value: |connection| Cell::text(connections::ready(connection).map(|ready| ready.message.as_str())),
    },
];
