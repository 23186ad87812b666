//! What the commands that act on one device have in common: find it, show it, make sure, ask once, and follow.

mod caution;
mod confirm;
mod create;
mod details;
pub(crate) mod filter;
mod follow;
mod order;
mod outcome;
mod request;
mod sheet;
mod show;

use std::pin::pin;

use chrome_enterprise_operator::api::DeviceAction;
use chrome_enterprise_operator::api::device::ChromeOSDevice;
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

pub(crate) use confirm::Confirmation;
pub(crate) use details::{details, moment_text, named};
pub(crate) use follow::{follow, state, told};
pub(crate) use order::Order;
use outcome::goes_on;
pub(crate) use outcome::report;
pub(crate) use sheet::Sheet;
use sheet::say;

use self::caution::Caution;
use self::request::Terms;
use crate::cli::moment::{self, Moment};
use crate::cluster::{Cluster, find_device};
use crate::failure::{Exit, Failure};
use crate::output::{ObjectFormat, ObjectOutput, clean, print_object};
use crate::terminal::{self, Progress};

/// The longest time that the admission policies let an action wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is only tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Print the action, and ask nobody to create it
    Client,
    /// Let the API server and its policies check it, and create nothing
    Server,
}

/// When an action that has ended is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many seconds after its end.
    Seconds(i32),
    /// Never.
    Always,
}

/// Flags of all commands that act on a device.
#[derive(Debug, Args)]
pub struct Options {
    /// Serial number of the device, or Google's ID of it
    #[arg(value_name = "DEVICE")]
    pub device: String,

    /// When it is too late to begin: a span such as 30m or a time such as 2026-12-01T16:00:00Z, at most 7 days
    /// ahead [default: 1h; lost mode on 24h]
    #[arg(long, value_name = "SPAN|TIME", value_parser = moment::moment)]
    pub not_after: Option<Moment>,

    /// Keep the action so long after its end, or `always`; its receipt stays anyway
    #[arg(long, value_name = "SPAN", value_parser = keep, default_value = "30d")]
    pub ttl: Keep,

    /// Name of the action, for scripts: a name is good for one action, so a repetition does nothing
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Do not wait for the end
    #[arg(long)]
    pub no_wait: bool,

    /// How long to wait for the end; the action goes on afterwards
    #[arg(long, value_name = "SPAN", value_parser = moment::span, default_value = "15m", conflicts_with = "no_wait")]
    pub timeout: SignedDuration,

    /// Only show what would be asked for
    #[arg(long, value_name = "WHERE")]
    pub dry_run: Option<DryRun>,

    /// How the action is printed.
    #[command(flatten)]
    pub output: ObjectOutput,
}

fn keep(text: &str) -> Result<Keep, String> {
    if text == "always" {
        return Ok(Keep::Always);
    }
    let explain = "write a span up to 365d such as 1h or 30d, or always";
    let seconds = moment::span(text).map_err(|_| explain)?.as_secs();
    i32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= 31_536_000)
        .map(Keep::Seconds)
        .ok_or_else(|| explain.to_owned())
}

/// Does all of it.
pub(crate) async fn act(
    cluster: &Cluster,
    order: Order,
    options: &Options,
    confirmation: &Confirmation,
) -> Result<Exit, Failure> {
    check_time(options, Timestamp::now())?;
    let device = find_device(cluster, &options.device).await?;
    terminal::say(show::device(&device, Timestamp::now()).trim_end());
    cautions(cluster, &order, &device, options.dry_run.is_some()).await?;
    let serial = show::serial(&device);
    let known_as = serial.map_or_else(|| device.name_any(), str::to_owned);
    if options.dry_run.is_none() {
        confirm::confirm(&order, &known_as, confirmation)?;
    }
    let now = Timestamp::now();
    // Exactly this device: nothing can change between what was shown and what is done.
    let wanted = request::action(
        cluster.namespace(),
        &order,
        &device.name_any(),
        serial,
        Terms {
            name: options.name.clone(),
            not_after: not_after(&order, options, now),
            ttl_seconds: match options.ttl {
                Keep::Seconds(seconds) => Some(seconds),
                Keep::Always => None,
            },
        },
    );
    let shown = clean(&known_as).into_owned();
    match options.dry_run {
        Some(DryRun::Client) => print_wanted(&wanted, options.output.output),
        Some(DryRun::Server) => {
            let api = cluster.api();
            let answered = create::try_out(&api, &order, &shown, &wanted).await?;
            print_wanted(&answered, options.output.output)
        }
        None => perform(cluster, &order, &shown, wanted, options).await,
    }
}

/// Creates the action and follows it.
async fn perform(
    cluster: &Cluster,
    order: &Order,
    device: &str,
    wanted: DeviceAction,
    options: &Options,
) -> Result<Exit, Failure> {
    let name = wanted.name_any();
    let api = cluster.api::<DeviceAction>();
    let mut progress = Progress::new();
    // Who stops the program from here on has the name.
    say(&format!(
        "Asking to {} with action {name}, which can begin until {}.",
        order.words(device),
        wanted.spec.not_after.0
    ));
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    let created = tokio::select! {
        biased;
        _ = &mut interrupt => {
            progress.finish();
            terminal::say(&format!(
                "Stopped while the cluster was asked, so the action may be there or not. {}",
                goes_on(cluster.namespace(), &name)
            ));
            return Ok(Exit::Interrupted);
        }
        created = create::create(&api, order, device, &wanted, &mut progress) => created?,
    };
    if options.no_wait {
        progress.finish();
        print_object(&created, options.output.output, || {
            format!(
                "{name}: created\nSee how it goes:  kubectl chromeos -n {} actions {name} --follow",
                cluster.namespace()
            )
        })?;
        return Ok(Exit::Done);
    }
    let patience = options.timeout.unsigned_abs();
    let end = follow(cluster, created, patience, interrupt, &mut progress).await?;
    progress.finish();
    report(cluster, &name, end, options.output.output).await
}

/// Says what speaks against it, and stops where it would be rejected.
async fn cautions(
    cluster: &Cluster,
    order: &Order,
    device: &ChromeOSDevice,
    only_tried: bool,
) -> Result<(), Failure> {
    let state = device.status.as_ref().and_then(|status| status.state.as_deref());
    let all = [
        caution::of_connection(cluster).await,
        caution::of_state(order, state),
    ];
    for caution in all.into_iter().flatten() {
        match caution {
            Caution::Doubtful(text) => say(&format!("warning: {}", clean(&text))),
            Caution::Refused(failure) if only_tried => say(&format!("warning: {failure}")),
            Caution::Refused(failure) => return Err(failure),
        }
    }
    Ok(())
}

fn not_after(order: &Order, options: &Options, now: Timestamp) -> Timestamp {
    options
        .not_after
        .unwrap_or(Moment::Distance(order.patience()))
        .ahead_of(now)
}

/// A time that no action can have is refused before anything is asked.
fn check_time(options: &Options, now: Timestamp) -> Result<(), Failure> {
    let Some(moment) = options.not_after else {
        return Ok(());
    };
    let time = moment.ahead_of(now);
    if time <= now {
        return Err(Failure::usage(format!(
            "--not-after is {time:.0}, which has passed."
        )));
    }
    if time.duration_since(now) > LONGEST_WAIT {
        return Err(
            Failure::usage(format!("--not-after is {time:.0}, more than 7 days ahead."))
                .advise("An action that waits longer surprises people: ask again nearer to the time."),
        );
    }
    Ok(())
}

/// What would be created. For people it is YAML, as `kubectl create -f` takes it.
fn print_wanted(action: &DeviceAction, format: ObjectFormat) -> Result<Exit, Failure> {
    let format = match format {
        ObjectFormat::Text => ObjectFormat::Yaml,
        other @ (ObjectFormat::Json | ObjectFormat::Yaml | ObjectFormat::Name) => other,
    };
    print_object(action, format, String::new)?;
    Ok(Exit::Done)
}
