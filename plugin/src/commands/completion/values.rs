//! Which candidates there are. What only the cluster knows is asked for shortly, and left out where it does not answer.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use chrome_enterprise_operator::api::{
    ChromeEnterpriseConnection, ChromeOSDevice, DeviceAction, DeviceActionReceipt,
};
use clap::Arg;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::config::Kubeconfig;
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::place::{Kind, Place};
use super::{FILES, NOTHING_ELSE};
use crate::cluster::{Cluster, ClusterArguments};
use crate::output::clean;

/// A person waits at the prompt.
const PATIENCE: Duration = Duration::from_secs(2);
/// More candidates than this nobody reads.
const MOST: usize = 50;
/// Devices in one question.
const PAGE: u32 = 500;

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is put in place of the typed word.
    pub(super) text: String,
    /// What it is, in a few words.
    pub(super) words: Option<String>,
}

impl Candidate {
    fn new(text: impl Into<String>, words: Option<String>) -> Self {
        let words = words.map(|words| clean(words.lines().next().unwrap_or_default()).into_owned());
        Self {
            text: text.into(),
            words,
        }
    }
}

/// The candidates for a place, and what the shell may do besides.
pub(super) async fn candidates(place: &Place<'_>) -> (Vec<Candidate>, u8) {
    let (found, directive) = match place.kind {
        Kind::Flag => (flags(place), NOTHING_ELSE),
        Kind::Value(argument) => of_argument(place, argument).await,
        Kind::Word(argument) => {
            let mut found = commands(place);
            let mut directive = NOTHING_ELSE;
            if let Some(argument) = argument {
                let (values, allowed) = of_argument(place, argument).await;
                found.extend(values);
                directive = allowed;
            }
            (found, directive)
        }
    };
    let fits = |candidate: &Candidate| starts(&candidate.text, &place.typed);
    let lead = |candidate: Candidate| Candidate {
        text: format!("{}{}", place.lead, candidate.text),
        ..candidate
    };
    (
        found.into_iter().filter(fits).take(MOST).map(lead).collect(),
        directive,
    )
}

/// Serial numbers are typed in small letters too.
fn starts(candidate: &str, typed: &str) -> bool {
    candidate
        .get(..typed.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

fn commands(place: &Place<'_>) -> Vec<Candidate> {
    let visible = place
        .command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    visible
        .map(|command| Candidate::new(command.get_name(), command.get_about().map(ToString::to_string)))
        .collect()
}

fn flags(place: &Place<'_>) -> Vec<Candidate> {
    let visible = place.command.get_arguments().filter(|flag| !flag.is_hide_set());
    visible
        .flat_map(|flag| {
            let words = flag.get_help().map(ToString::to_string);
            let long = flag.get_long().map(|long| format!("--{long}"));
            // One letter is offered only to whoever has typed it.
            let short = flag
                .get_short()
                .map(|short| format!("-{short}"))
                .filter(|short| *short == place.typed);
            [long, short]
                .into_iter()
                .flatten()
                .map(move |text| Candidate::new(text, words.clone()))
        })
        .collect()
}

async fn of_argument(place: &Place<'_>, argument: &Arg) -> (Vec<Candidate>, u8) {
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        let visible = possible.iter().filter(|value| !value.is_hide_set());
        let values =
            visible.map(|value| Candidate::new(value.get_name(), value.get_help().map(ToString::to_string)));
        return (values.collect(), NOTHING_ELSE);
    }
    let value_name = argument
        .get_value_names()
        .and_then(<[_]>::first)
        .map_or("", |name| name.as_str());
    let typed = place.typed.as_str();
    let found = match (argument.get_id().as_str(), value_name) {
        ("context", _) => kubeconfig(place, |file| {
            file.contexts.iter().map(|context| context.name.clone()).collect()
        }),
        ("cluster", _) => kubeconfig(place, |file| {
            file.clusters.iter().map(|cluster| cluster.name.clone()).collect()
        }),
        ("user", _) => kubeconfig(place, |file| {
            file.auth_infos.iter().map(|user| user.name.clone()).collect()
        }),
        ("namespace", _) => in_time(place, namespaces).await,
        (_, "CONNECTION") => in_time(place, connections).await,
        ("name", _) if place.command.get_name() == "actions" => in_time(place, names::<DeviceAction>).await,
        ("name", _) if place.command.get_name() == "receipts" => {
            in_time(place, names::<DeviceActionReceipt>).await
        }
        // A serial number that confirms something is meant to be typed by a person.
        ("confirm", _) => Vec::new(),
        (_, "DEVICE" | "SERIAL" | "SERIAL|ID") => in_time(place, |cluster| devices(cluster, typed)).await,
        (_, "FILE" | "DIR") => return (Vec::new(), FILES),
        _ => Vec::new(),
    };
    (found, NOTHING_ELSE)
}

/// Asks the cluster that the flags name; nothing if it does not answer in time.
async fn in_time<F>(place: &Place<'_>, ask: impl FnOnce(Cluster) -> F) -> Vec<Candidate>
where
    F: Future<Output = Option<Vec<Candidate>>>,
{
    let answer = async {
        let cluster = Cluster::choose(&cluster_arguments(place)).await.ok()?;
        ask(cluster).await
    };
    tokio::time::timeout(PATIENCE, answer)
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
}

fn cluster_arguments(place: &Place<'_>) -> ClusterArguments {
    let last = |id: &str| {
        place
            .given
            .iter()
            .rev()
            .find(|(name, _)| name == id)
            .map(|(_, value)| value.clone())
    };
    let groups = place
        .given
        .iter()
        .filter(|(name, _)| name == "impersonate_groups");
    ClusterArguments {
        kubeconfig: last("kubeconfig").map(Into::into),
        context: last("context"),
        cluster: last("cluster"),
        user: last("user"),
        namespace: last("namespace"),
        impersonate: last("impersonate"),
        impersonate_groups: groups.map(|(_, value)| value.clone()).collect(),
    }
}

fn kubeconfig(place: &Place<'_>, names: impl FnOnce(&Kubeconfig) -> Vec<String>) -> Vec<Candidate> {
    let file = match cluster_arguments(place).kubeconfig {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    let Ok(file) = file else { return Vec::new() };
    named(names(&file))
}

/// Only names that no shell takes for anything else: they come from other people.
fn named(names: impl IntoIterator<Item = String>) -> Vec<Candidate> {
    names
        .into_iter()
        .filter(|name| is_plain(name))
        .map(|name| Candidate::new(name, None))
        .collect()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ':' | '/'))
}

async fn namespaces(cluster: Cluster) -> Option<Vec<Candidate>> {
    let api: Api<Namespace> = Api::all(cluster.client().clone());
    let listed = api.list_metadata(&ListParams::default().limit(PAGE)).await.ok()?;
    Some(named(listed.iter().map(kube::ResourceExt::name_any)))
}

async fn connections(cluster: Cluster) -> Option<Vec<Candidate>> {
    let api = cluster.api::<ChromeEnterpriseConnection>();
    let listed = api.list(&ListParams::default().limit(PAGE)).await.ok()?;
    let words = |connection: &ChromeEnterpriseConnection| {
        crate::connections::state(connection).map(crate::connections::word)
    };
    let candidates = listed
        .iter()
        .map(|connection| Candidate::new(connection.name_any(), words(connection).map(str::to_owned)));
    Some(candidates.collect())
}

async fn names<K>(cluster: Cluster) -> Option<Vec<Candidate>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let parameters = ListParams::default().limit(PAGE);
    let listed = cluster.api::<K>().list_metadata(&parameters).await.ok()?;
    Some(named(listed.iter().map(kube::ResourceExt::name_any)))
}

/// Serial numbers. A field selector knows no beginnings, so the pages are read until enough fit.
async fn devices(cluster: Cluster, typed: &str) -> Option<Vec<Candidate>> {
    let began = tokio::time::Instant::now();
    let mut parameters = ListParams::default().limit(PAGE);
    let mut found = Vec::new();
    let api = cluster.api::<ChromeOSDevice>();
    loop {
        // What was found in time is better than nothing.
        let left = (PATIENCE * 3 / 4).saturating_sub(began.elapsed());
        let Ok(listed) = tokio::time::timeout(left, api.list(&parameters)).await else {
            return Some(found);
        };
        let page = listed.ok()?;
        found.extend(
            page.iter()
                .filter_map(device)
                .filter(|candidate| starts(&candidate.text, typed)),
        );
        parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if found.len() >= MOST || parameters.continue_token.is_none() {
            return Some(found);
        }
    }
}

fn device(device: &ChromeOSDevice) -> Option<Candidate> {
    let status = device.status.as_ref()?;
    let serial = status.serial_number.clone().filter(|serial| is_plain(serial))?;
    let words = [&status.model, &status.org_unit_path];
    let words: Vec<_> = words.into_iter().flatten().map(String::as_str).collect();
    Some(Candidate::new(serial, Some(words.join(", "))))
}
