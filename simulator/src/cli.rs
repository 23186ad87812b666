//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use google_admin_simulator::config::{MAXIMUM_DEVICES, TenantConfig};
use google_admin_simulator::quota::QuotaLimits;
use google_admin_simulator::switches::Switches;
use google_admin_simulator::{Simulator, SimulatorBuilder};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::credentials;

/// The Google side of a ChromeOS fleet, on one port of this computer.
///
/// It answers the Directory API, the sign-in endpoints and the consent page as Google does, for customers that
/// do not exist. Programs that are pointed at it (with the credential files that it writes) find a fleet of
/// Chromebooks which is the same for the same seed. Under /sim/v1 it can be told to fail, to change devices and
/// to move its clock; see docs/simulator.md.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a fleet and answers until it is stopped (Ctrl-C).
    ///
    /// Example: google-admin-simulator serve --devices 1200 --seed 7 --credentials-dir ./credentials
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address and port to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:18080")]
    listen: SocketAddr,

    /// Devices of each customer.
    #[arg(long, value_name = "N", default_value_t = 1200, value_parser = clap::value_parser!(u32).range(..=i64::from(MAXIMUM_DEVICES)))]
    devices: u32,

    /// Number from which everything is invented: the same seed gives the same fleet.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,

    /// How many customers there are: school.example, second.example, third.example …
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    tenants: u16,

    /// Folder for the credential files (service account key, OAuth client); further customers get a folder each,
    /// named like their domain. Without it no files are written.
    #[arg(long, value_name = "DIR")]
    credentials_dir: Option<PathBuf>,

    /// Address that the credential files name, if clients reach the simulator under another one, for example
    /// through a proxy or from a container.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// What the simulated clock shows at the start, for example 2026-11-23T08:00:00Z; now, if left out.
    #[arg(long, value_name = "TIME")]
    clock_start: Option<Timestamp>,

    /// How fast the simulated clock runs; 1 is real time, 0 stops it.
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    time_scale: f64,

    /// Milliseconds that every page of a device list takes.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_per_page_milliseconds: u64,

    /// Milliseconds that a page of the FULL projection takes in addition.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_per_full_page_milliseconds: u64,

    /// Largest page of a device list.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1000))]
    page_size_limit: u32,

    /// Calls that one account may make in a minute.
    #[arg(long, value_name = "N", default_value_t = QuotaLimits::default().queries_per_minute)]
    queries_per_minute: u32,

    /// Changes of devices that one account may make in a minute.
    #[arg(long, value_name = "N", default_value_t = QuotaLimits::default().device_writes_per_minute)]
    device_writes_per_minute: u32,
}

/// Does what the command line asks for.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    match arguments.command {
        Command::Serve(serve) => runtime.block_on(serve.run()),
    }
}

impl Serve {
    async fn run(self) -> anyhow::Result<()> {
        // Registered before anybody is told that the simulator is there.
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
        let simulator = self.builder().start().await?;
        let url = self
            .public_url
            .clone()
            .unwrap_or_else(|| reachable_url(simulator.address()));
        let written = credentials::write(&simulator, &url, self.credentials_dir.as_deref())?;
        print_welcome(&simulator, &url, &written);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        simulator.stop().await;
        Ok(())
    }

    fn builder(&self) -> SimulatorBuilder {
        let tenant = TenantConfig {
            devices: self.devices,
            ..TenantConfig::default()
        };
        let builder = Simulator::builder()
            .listen(self.listen)
            .seed(self.seed)
            .time_scale(self.time_scale)
            .tenant_configs(vec![tenant; usize::from(self.tenants)])
            .switches(Switches {
                page_size_limit: self.page_size_limit,
                latency_per_page_milliseconds: self.latency_per_page_milliseconds,
                latency_per_full_page_milliseconds: self.latency_per_full_page_milliseconds,
                ..Switches::default()
            })
            .quota(QuotaLimits {
                queries_per_minute: self.queries_per_minute,
                device_writes_per_minute: self.device_writes_per_minute,
                ..QuotaLimits::default()
            });
        match self.clock_start {
            None => builder,
            Some(start) => builder.clock_start(start),
        }
    }
}

/// An address that a client on this computer can use, also when the simulator listens on all of them.
fn reachable_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn print_welcome(simulator: &Simulator, url: &str, written: &[credentials::Written]) {
    println!(
        "google-admin-simulator listens at http://{}\n",
        simulator.address()
    );
    for tenant in simulator.tenants() {
        let report = tenant.report();
        println!("Customer {} ({}):", report.customer_id, report.domain);
        println!(
            "  devices               {} in {} organisational units",
            report.devices, report.org_units
        );
        println!("  administrator         {}", report.admin_email);
        if let Some(files) = written
            .iter()
            .find(|files| files.customer_id == report.customer_id)
        {
            println!("  service account key   {}", files.service_account.display());
            println!("  OAuth client          {}", files.client_secret.display());
        }
        println!();
    }
    println!("Next:");
    if written.is_empty() {
        println!(
            "  start again with --credentials-dir DIR to get credential files, or fetch what you need from"
        );
        println!("  {url}/sim/v1/auth");
    }
    println!("  chrome-enterprise-operator run --google-endpoint {url}");
    println!("  curl {url}/sim/v1/tenants");
    println!("  docs/simulator.md tells how to change devices, make calls fail and move the clock.");
    println!("\nStop with Ctrl-C.");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn all_addresses_are_reached_by_loopback() {
        assert_eq!(
            reachable_url("0.0.0.0:18080".parse().unwrap()),
            "http://127.0.0.1:18080"
        );
        assert_eq!(reachable_url("[::1]:80".parse().unwrap()), "http://[::1]:80");
    }
}
