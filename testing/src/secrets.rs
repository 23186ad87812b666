//! A search for secrets in places where they must not be.
//!
//! It looks for each secret as it is, escaped as in JSON, in base64 (also as a part of something longer, and wrapped
//! into lines), and percent-encoded as in URLs and forms. It says which secret is where, never the secret.

mod forms;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Error;
use forms::{Forms, Haystacks};

/// Shorter secrets would be found by chance.
const SHORTEST: usize = 8;

/// The secrets to look for, each with a name.
#[derive(Clone, Default)]
pub struct Secrets {
    named: Vec<(String, Forms)>,
}

/// A secret in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the secret.
    pub secret: String,
    /// Where it is.
    pub place: String,
    /// How it is written there: `plain`, `JSON`, `base64` or `URL-encoded`.
    pub form: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}) in {}", self.secret, self.form, self.place)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_list()
            .entries(self.named.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Secrets {
    /// No secrets yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret. White space around it, such as the end of the line in its file, does not count.
    ///
    /// # Panics
    ///
    /// It is too short: it would be found where it is not.
    #[must_use]
    pub fn with(mut self, name: &str, secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref().trim_ascii();
        assert!(
            secret.len() >= SHORTEST,
            "{name} has fewer than {SHORTEST} bytes, so it may be found by chance"
        );
        self.named.push((name.to_owned(), Forms::of(secret)));
        self
    }

    /// Begins a search.
    ///
    /// # Panics
    ///
    /// There is no secret, so it could find nothing.
    #[must_use]
    pub fn search(&self) -> Search {
        assert!(!self.named.is_empty(), "a search for no secrets finds nothing");
        Search {
            secrets: self.clone(),
            findings: Vec::new(),
            searched: 0,
        }
    }
}

/// A search, place after place.
#[derive(Debug)]
pub struct Search {
    secrets: Secrets,
    findings: Vec<Finding>,
    searched: usize,
}

impl Search {
    /// Searches bytes from anywhere, such as the output of a program.
    pub fn bytes(&mut self, place: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.searched += 1;
        let haystacks = Haystacks::of(bytes.as_ref());
        let place = self.printable(place);
        for (name, forms) in &self.secrets.named {
            for form in forms.in_any(&haystacks) {
                let finding = Finding {
                    secret: name.clone(),
                    place: place.clone(),
                    form,
                };
                if !self.findings.contains(&finding) {
                    self.findings.push(finding);
                }
            }
        }
        self
    }

    /// Searches JSON, such as an object of the API: its text, and every name and string in it.
    pub fn json(&mut self, place: &str, text: &str) -> &mut Self {
        // What is not JSON is searched as text.
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let mut strings = Vec::new();
        collect_strings(&value, &mut strings);
        self.bytes(place, text);
        for string in strings {
            self.bytes(place, string);
            // It is one place however many strings it has.
            self.searched -= 1;
        }
        self
    }

    /// Searches a file.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Error> {
        let path = path.as_ref();
        let content = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        Ok(self.bytes(&path.display().to_string(), content))
    }

    /// Searches every file below a folder, and their names. Symbolic links are not followed, but where they lead is
    /// searched as a name.
    ///
    /// # Errors
    ///
    /// Something in it cannot be read.
    pub fn folder(&mut self, path: impl AsRef<Path>) -> Result<&mut Self, Error> {
        let path = path.as_ref();
        let names = format!("a name in {}", path.display());
        for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, error))? {
            let entry = entry.map_err(|error| unreadable(path, error))?;
            let within = entry.path();
            self.bytes(&names, entry.file_name().as_encoded_bytes());
            let kind = entry.file_type().map_err(|error| unreadable(&within, error))?;
            if kind.is_dir() {
                self.folder(&within)?;
            } else if kind.is_file() {
                self.file(&within)?;
            } else if kind.is_symlink() {
                let target = std::fs::read_link(&within).map_err(|error| unreadable(&within, error))?;
                self.bytes(&names, target.as_os_str().as_encoded_bytes());
            }
        }
        Ok(self)
    }

    /// Searches the command line of a process, which every user of the machine can read.
    ///
    /// # Errors
    ///
    /// There is no such process, or it has no command line, as when it has ended and nobody has waited for it.
    pub fn process(&mut self, id: u32) -> Result<&mut Self, Error> {
        let path = command_line_path(id);
        let begun = Instant::now();
        loop {
            let arguments = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
            if !arguments.is_empty() {
                return Ok(self.command_line(id, &arguments));
            }
            // For a moment after its start it has none yet.
            if begun.elapsed() > Duration::from_secs(1) {
                return Err(unreadable(&path, io::ErrorKind::UnexpectedEof.into()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Searches the command lines of all processes that there are at this moment.
    ///
    /// # Errors
    ///
    /// The processes cannot be listed.
    pub fn processes(&mut self) -> Result<&mut Self, Error> {
        let all = Path::new("/proc");
        for entry in std::fs::read_dir(all).map_err(|error| unreadable(all, error))? {
            let entry = entry.map_err(|error| unreadable(all, error))?;
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            match std::fs::read(command_line_path(id)) {
                // A thread of the kernel, or one that has ended.
                Ok(arguments) if arguments.is_empty() => {}
                Ok(arguments) => {
                    self.command_line(id, &arguments);
                }
                // It has ended meanwhile.
                Err(_) if !entry.path().exists() => {}
                Err(error) => return Err(unreadable(&entry.path(), error)),
            }
        }
        Ok(self)
    }

    fn command_line(&mut self, id: u32, arguments: &[u8]) -> &mut Self {
        self.bytes(&format!("the command line of process {id}"), arguments)
    }

    /// Every finding so far.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many files, names, command lines and other pieces were searched.
    #[must_use]
    pub fn searched(&self) -> usize {
        self.searched
    }

    /// Panics if a secret was found, or if nothing was searched.
    ///
    /// # Panics
    ///
    /// See above. The message lists the findings.
    #[track_caller]
    pub fn assert_none(&self) {
        assert!(self.searched > 0, "nothing was searched for {:?}", self.secrets);
        let found: Vec<String> = self.findings.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "secrets leaked:\n{}", found.join("\n"));
    }

    /// The name of a place, unless it holds a secret itself.
    fn printable(&self, place: &str) -> String {
        let haystacks = Haystacks::of(place.as_bytes());
        let leaks = |(_, forms): &(String, Forms)| !forms.in_any(&haystacks).is_empty();
        if self.secrets.named.iter().any(leaks) {
            return "a place whose name holds a secret".to_owned();
        }
        place.to_owned()
    }
}

fn command_line_path(id: u32) -> PathBuf {
    Path::new("/proc").join(id.to_string()).join("cmdline")
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::File {
        action: "search",
        path: path.to_owned(),
        source,
    }
}

fn collect_strings<'value>(value: &'value Value, strings: &mut Vec<&'value str>) {
    match value {
        Value::String(string) => strings.push(string),
        Value::Array(values) => values.iter().for_each(|value| collect_strings(value, strings)),
        Value::Object(fields) => {
            for (name, value) in fields {
                strings.push(name);
                collect_strings(value, strings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
