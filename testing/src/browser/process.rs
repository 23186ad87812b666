//! The process of a Chromium, with its profile.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use devcluster::Leashed;
use tempfile::TempDir;

use super::{DEADLINE, program};
use crate::Error;

/// What it starts with, besides its profile.
const ARGUMENTS: [&str; 21] = [
    "--headless=new",
    // A free port, which it writes into a file of its profile.
    "--remote-debugging-port=0",
    // No host has an address but this machine, and no proxy is asked instead.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    // Not one of the person's key rings.
    "--password-store=basic",
    // Containers have a small /dev/shm.
    "--disable-dev-shm-usage",
    // The same pictures everywhere.
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    "--mute-audio",
    // No pop-ups of its own, and http stays http.
    "--disable-features=Translate,OptimizationHints,MediaRouter,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
    "--disable-search-engine-choice-screen",
];

/// A Chromium that ends with this value, and however the test process ends.
#[derive(Debug)]
pub(super) struct Process {
    /// Before the profile: it has to be gone when the profile is removed.
    leashed: Leashed,
    profile: TempDir,
}

impl Process {
    pub(super) fn start() -> Result<Self, Error> {
        let program = program::find()?;
        let folder = std::env::temp_dir();
        let profile = tempfile::Builder::new()
            .prefix("operator-testing-browser-")
            .tempdir()
            .map_err(|source| Error::File {
                action: "create a folder in",
                path: folder,
                source,
            })?;
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        if is_root() {
            // Chromium refuses to build its sandbox as root.
            arguments.push("--no-sandbox".to_owned());
        }
        arguments.push("about:blank".to_owned());
        let configure = |command: &mut std::process::Command| {
            command
                .env("TZ", "UTC")
                .env("HOME", profile.path())
                // Else it waits for a message bus that answers nobody.
                .env("DBUS_SESSION_BUS_ADDRESS", "disabled:");
        };
        let log = profile.path().join("log");
        let failed = |source| Error::File {
            action: "start or log into the profile of",
            path: program.clone(),
            source,
        };
        let output = File::create(&log).map_err(failed)?;
        let leashed = Leashed::start(&program, &arguments, configure, &output).map_err(failed)?;
        Ok(Self { leashed, profile })
    }

    pub(super) fn id(&self) -> u32 {
        self.leashed.id()
    }

    /// The address that it can be driven at, as soon as there is one.
    pub(super) async fn address(&mut self) -> Result<String, Error> {
        let file = self.profile.path().join("DevToolsActivePort");
        let begun = Instant::now();
        loop {
            // One line with the port, one with the path; it may be half written.
            let content = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some((port, path)) = content.split_once('\n')
                && !path.is_empty()
            {
                return Ok(format!("ws://127.0.0.1:{port}{}", path.trim_end()));
            }
            if let Ok(Some(status)) = self.leashed.ended() {
                return Err(self.not_started(format!("it ended ({status})")));
            }
            if begun.elapsed() > DEADLINE {
                return Err(self.not_started(format!("it was not ready after {DEADLINE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The folder with everything that it keeps.
    #[cfg(test)]
    pub(super) fn profile(&self) -> &Path {
        self.profile.path()
    }

    fn not_started(&self, reason: String) -> Error {
        let log = std::fs::read(self.profile.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default()
            .join("\n");
        Error::BrowserStart { reason, tail }
    }
}

fn is_root() -> bool {
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|process| process.uid() == 0)
}
