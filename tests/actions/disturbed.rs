//! A school whose operator dies at named moments and is started again.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use chrome_enterprise_operator::api::action::{ActionState, DeviceAction};
use chrome_enterprise_operator::runtime::moments::Moment;
use tempfile::TempDir;

use crate::school::{School, state};
use crate::world::{Cluster, PATIENCE};

/// Environment variable that a debug build of the operator obeys.
pub(crate) const MOMENTS: &str = "CHROME_ENTERPRISE_OPERATOR_DEBUG_MOMENTS";

/// How long a moment that comes after the end of an action may take to come.
const AFTERWARDS: Duration = Duration::from_millis(700);

pub(crate) struct Disturbed {
    pub(crate) school: School,
    folder: TempDir,
}

impl Disturbed {
    /// A connected school with so many devices, and nothing that disturbs it yet.
    pub(crate) async fn start(cluster: &Cluster, devices: u32) -> Self {
        let mut school = School::start(cluster, devices).await;
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("moment");
        school.world.operator.kill();
        school.world.operator.environment = vec![(MOMENTS.to_owned(), format!("file={}", file.display()))];
        school.world.operator.restart();
        Self { school, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("moment")
    }

    /// Lets the operator die, once, when it comes to this moment the next time.
    pub(crate) fn die_at(&self, moment: Moment) {
        self.wish(moment, "kill");
    }

    /// Lets the operator stand still, once, when it comes to this moment the next time.
    pub(crate) fn stop_at(&self, moment: Moment) {
        self.wish(moment, "stop");
    }

    fn wish(&self, moment: Moment, signal: &str) {
        let draft = self.folder.path().join("draft");
        fs::write(&draft, format!("{}={signal}", moment.name())).unwrap();
        fs::rename(draft, self.file()).unwrap();
    }

    /// Waits until the operator stands still.
    pub(crate) async fn until_stopped(&self) {
        let began = Instant::now();
        while !is_stopped(self.school.world.operator.id()) {
            assert!(
                began.elapsed() < PATIENCE,
                "the operator does not come to that moment:\n{}",
                self.school.world.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the operator again should it have died. Returns whether it had.
    pub(crate) fn revive(&mut self) -> bool {
        let died = !self.school.world.operator.is_running();
        if died {
            self.school.world.operator.restart();
        }
        died
    }

    /// Waits until the action has ended, through the deaths of the operator, and for a moment that comes after the end.
    /// Returns whether the operator died.
    pub(crate) async fn follow(&mut self, name: &str) -> (DeviceAction, bool) {
        let (began, mut died) = (Instant::now(), false);
        let ended = loop {
            died |= self.revive();
            let action = self.school.actions().get(name).await.unwrap();
            if state(&action).is_some_and(ActionState::is_final) {
                break action;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{name} has no end: {:?}\n{:?}\n{}",
                action.status,
                self.school.receipts().get_opt(name).await,
                self.school.world.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let over = Instant::now();
        while self.file().exists() && over.elapsed() < AFTERWARDS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Whoever removes the file decides: the operator dies of it, or the moment was not reached.
        if !died && fs::remove_file(self.file()).is_err() {
            self.school.world.operator.until_exit(PATIENCE).await;
        }
        (ended, self.revive() || died)
    }
}

/// Whether a process stands still by a signal.
fn is_stopped(process: u32) -> bool {
    let listed = Command::new("ps")
        .args(["-o", "state=", "-p", &process.to_string()])
        .output()
        .unwrap();
    String::from_utf8_lossy(&listed.stdout).trim().starts_with('T')
}
