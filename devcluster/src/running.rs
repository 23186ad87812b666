//! The running programs of one cluster.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::leash::Leashed;
use crate::log_tail::tail;
use crate::program::Program;

#[derive(Debug)]
struct Entry {
    process: Leashed,
    log: PathBuf,
}

/// Each program at most once. Dropping it kills them all.
#[derive(Debug, Default)]
pub(crate) struct Running {
    entries: Mutex<BTreeMap<Program, Entry>>,
}

impl Running {
    /// Starts a program unless it runs; its output is added to the log.
    pub(crate) fn start(
        &self,
        program: Program,
        path: &Path,
        arguments: &[String],
        log: PathBuf,
    ) -> Result<(), Error> {
        let mut entries = self.lock();
        if entries.contains_key(&program) {
            return Ok(());
        }
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(Error::file("create", &log))?;
        let process = Leashed::start(path, arguments, |command| _ = command.current_dir("/"), &file);
        let process = process.map_err(|source| Error::Start {
            program: program.to_string(),
            source,
        })?;
        entries.insert(program, Entry { process, log });
        Ok(())
    }

    /// Kills a program and waits until it is gone. Does nothing if it does not run.
    pub(crate) fn stop(&self, program: Program) {
        self.lock().remove(&program);
    }

    /// Sends a signal; `action` says for what, as a verb.
    pub(crate) fn signal(&self, program: Program, action: &'static str, signal: Signal) -> Result<(), Error> {
        let entries = self.lock();
        let entry = entries.get(&program).ok_or(Error::NotRunning { program })?;
        entry.process.signal(signal).map_err(|source| Error::Signal {
            program,
            action,
            source,
        })
    }

    /// How much physical memory it takes now.
    pub(crate) fn resident_bytes(&self, program: Program) -> Result<u64, Error> {
        let id = self
            .lock()
            .get(&program)
            .ok_or(Error::NotRunning { program })?
            .process
            .id();
        let path = PathBuf::from(format!("/proc/{id}/status"));
        let status = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        parse_resident(&status).ok_or(Error::NotRunning { program })
    }

    /// An error if a program has ended by itself. It counts as stopped from then on.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut entries = self.lock();
        for (&program, entry) in entries.iter_mut() {
            let ended = entry.process.ended();
            if let Some(status) = ended.map_err(|source| Error::Start {
                program: program.to_string(),
                source,
            })? {
                let tail = tail(&entry.log);
                entries.remove(&program);
                return Err(Error::Ended {
                    program,
                    status,
                    tail,
                });
            }
        }
        Ok(())
    }

    /// A thread that panicked while it held the lock left entries that are still right.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Program, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes from the line `VmRSS: 123 kB`; a program that is ending has no such line.
fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(
            parse_resident("Name:\tx\nVmRSS:\t  2048 kB\nThreads: 1"),
            Some(2 * 1024 * 1024)
        );
        assert_eq!(parse_resident("Name:\tx\nState:\tZ (zombie)"), None);
    }

    #[test]
    fn a_program_that_ended_is_named_once_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::default();
        let arguments = ["-c".to_owned(), "echo no space left; exit 3".to_owned()];
        running
            .start(
                Program::Etcd,
                Path::new("/bin/sh"),
                &arguments,
                folder.path().join("etcd.log"),
            )
            .unwrap();
        let error = loop {
            if let Err(error) = running.check() {
                break error;
            }
        };
        let text = error.to_string();
        assert!(
            text.contains("etcd ended by itself") && text.contains("no space left"),
            "{text}"
        );
        running.check().unwrap();
        assert!(matches!(
            running.resident_bytes(Program::Etcd),
            Err(Error::NotRunning { .. })
        ));
    }
}
