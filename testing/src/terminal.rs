//! A program in a pseudo terminal, and what a person would see there.

use std::fmt;
use std::num::NonZeroU16;
use std::process::ExitStatus;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Program};

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many characters a line has.
    pub columns: u16,
    /// How many lines there are.
    pub rows: u16,
}

impl Default for Size {
    /// What a terminal has when nobody made it larger.
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// A program that runs in a pseudo terminal. It is ended when this is dropped.
pub struct Terminal {
    program: Program,
    size: Size,
    pty: pty_process::Pty,
    child: Child,
    ends: Instant,
    /// All that was printed.
    bytes: Vec<u8>,
    /// How much of it was matched by earlier waits.
    matched: usize,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Terminal")
            .field("program", &self.program.name())
            .field("screen", &self.screen())
            .finish_non_exhaustive()
    }
}

/// What a program left in its terminal.
#[derive(Clone, Debug)]
pub struct TerminalOutput {
    /// All that the terminal received, which includes the echo of what was typed.
    pub bytes: Vec<u8>,
    /// The size of the terminal.
    pub size: Size,
    /// How the program ended.
    pub status: ExitStatus,
}

impl TerminalOutput {
    /// What the screen shows at the end, without blanks at the ends of lines and without empty lines at the end.
    #[must_use]
    pub fn screen(&self) -> String {
        screen(&self.bytes, self.size)
    }

    /// Like [`screen`](Self::screen), but of a terminal that has lines enough for everything: nothing scrolled away.
    #[must_use]
    pub fn scroll(&self) -> String {
        let columns = usize::from(self.size.columns).max(1);
        // A line that is too long goes on below, so this is enough even if every byte is a character.
        let rows = self
            .bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.len() / columns + 1)
            .sum::<usize>();
        let rows = u16::try_from(rows).unwrap_or(u16::MAX).max(self.size.rows);
        screen(&self.bytes, Size { rows, ..self.size })
    }

    /// Its exit code; none if a signal ended it.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Terminal {
    pub(crate) fn start(program: &Program, size: Size) -> Result<Self, Error> {
        let failed = |error: pty_process::Error| program.failed("open a terminal for", &error);
        let (pty, pts) = pty_process::open().map_err(failed)?;
        pty.resize(pty_process::Size::new(size.rows, size.columns))
            .map_err(failed)?;
        let mut command = pty_process::Command::new(&program.path)
            .args(&program.arguments)
            .env_clear()
            .env("TERM", "xterm-256color")
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        if let Some(folder) = &program.folder {
            command = command.current_dir(folder);
        }
        let child = command
            .spawn(pts)
            .map_err(|error| program.failed("start", &error))?;
        Ok(Self {
            program: program.clone(),
            size,
            pty,
            child,
            ends: Instant::now() + program.deadline,
            bytes: Vec::new(),
            matched: 0,
        })
    }

    /// Waits until the program has printed `text`, after what an earlier wait found. Colours within the text hide it.
    ///
    /// # Errors
    ///
    /// The program ends first, or its deadline passes.
    pub async fn wait_for(&mut self, text: &str) -> Result<(), Error> {
        loop {
            let unseen = self.bytes.get(self.matched..).unwrap_or_default();
            if let Some(start) = memmem::find(unseen, text.as_bytes()) {
                self.matched += start + text.len();
                return Ok(());
            }
            self.read_for(text).await?;
        }
    }

    /// Waits until the screen shows `text`, whatever its colours. It is for a screen that stays, such as a question
    /// or a list: what scrolls past may not be seen. It changes nothing for [`wait_for`](Self::wait_for).
    ///
    /// # Errors
    ///
    /// The program ends first, or its deadline passes.
    pub async fn wait_for_screen(&mut self, text: &str) -> Result<(), Error> {
        while !screen(&self.bytes, self.size).contains(text) {
            self.read_for(text).await?;
        }
        Ok(())
    }

    /// Types something.
    ///
    /// # Errors
    ///
    /// The terminal does not take it before the deadline.
    pub async fn send(&mut self, text: &str) -> Result<(), Error> {
        match timeout_at(self.ends, self.pty.write_all(text.as_bytes())).await {
            Ok(written) => written.map_err(|error| self.program.failed("type into", &error)),
            Err(_) => Err(self.late("typing")),
        }
    }

    /// Types a line, with the Enter key at its end.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send).
    pub async fn send_line(&mut self, line: &str) -> Result<(), Error> {
        self.send(&format!("{line}\r")).await
    }

    /// Presses Ctrl-C.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send).
    pub async fn interrupt(&mut self) -> Result<(), Error> {
        self.send("\u{3}").await
    }

    /// Presses Ctrl-D, which ends the input of a program at the start of a line.
    ///
    /// # Errors
    ///
    /// See [`send`](Self::send).
    pub async fn end_input(&mut self) -> Result<(), Error> {
        self.send("\u{4}").await
    }

    /// What the screen shows of what was read so far.
    #[must_use]
    pub fn screen(&self) -> String {
        screen(&self.bytes, self.size)
    }

    /// The number of the process.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the program has ended, and returns everything that it printed.
    ///
    /// # Errors
    ///
    /// The deadline passes first; then the program is ended.
    pub async fn finish(mut self) -> Result<TerminalOutput, Error> {
        while self.read("the end of the program").await? {}
        let status = timeout_at(self.ends, self.child.wait())
            .await
            .map_err(|_| self.late("the end of the program"))?
            .map_err(|error| self.program.failed("wait for", &error))?;
        Ok(TerminalOutput {
            bytes: self.bytes,
            size: self.size,
            status,
        })
    }

    async fn read_for(&mut self, text: &str) -> Result<(), Error> {
        let what = format!("{text:?}");
        if self.read(&what).await? {
            return Ok(());
        }
        let reason = format!(
            "it ended without printing {what}; its screen shows:\n{}",
            self.screen()
        );
        Err(self.program.failed("go on with", &reason))
    }

    /// Reads what is there, or waits for it. False when there will be no more.
    async fn read(&mut self, what: &str) -> Result<bool, Error> {
        let mut chunk = [0; 8192];
        match timeout_at(self.ends, self.pty.read(&mut chunk)).await {
            Err(_) => Err(self.late(what)),
            Ok(Ok(0)) => Ok(false),
            Ok(Ok(count)) => {
                self.bytes.extend(chunk.iter().take(count));
                Ok(true)
            }
            // This is how Linux says that nobody has the other end any more.
            Ok(Err(error)) if error.raw_os_error() == Some(EIO) => Ok(false),
            Ok(Err(error)) => Err(self.program.failed("read the terminal of", &error)),
        }
    }

    fn late(&self, what: &str) -> Error {
        Error::Deadline {
            what: format!("{what} in the terminal of {}", self.program.name()),
            after: self.program.deadline,
            seen: format!("its screen shows:\n{}", self.screen()),
        }
    }
}

/// The operating system's number for an error of input or output.
const EIO: i32 = 5;

/// What a terminal emulator shows after these bytes.
fn screen(bytes: &[u8], size: Size) -> String {
    let at_least_one = |length: u16| NonZeroU16::new(length).unwrap_or(NonZeroU16::MIN);
    let mut parser = vt100::Parser::new(at_least_one(size.rows), at_least_one(size.columns), 0);
    parser.process(bytes);
    let lines: Vec<String> = parser
        .screen()
        .rows(0, size.columns)
        .map(|line| line.trim_end().to_owned())
        .collect();
    let mut text = lines.join("\n").trim_end_matches('\n').to_owned();
    text.push('\n');
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("/bin/sh")
            .arguments(["-c", script])
            .keep_environment("PATH")
            .deadline(Duration::from_secs(20))
    }

    /// A zombie counts as gone: who has to reap it depends on the machine's first process.
    pub(crate) fn wait_until_gone(id: &str) {
        let started = std::time::Instant::now();
        let lives = || {
            std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
                !stat
                    .rsplit(')')
                    .next()
                    .unwrap_or("")
                    .trim_start()
                    .starts_with('Z')
            })
        };
        while lives() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "process {id} lives on"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[tokio::test]
    async fn a_program_sees_the_size_and_what_is_typed() {
        let mut terminal = shell("stty size; read x; echo got $x")
            .in_terminal(Size::default())
            .unwrap();
        terminal.wait_for("24 80").await.unwrap();
        terminal.send_line("a laptop").await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.screen(), "24 80\na laptop\ngot a laptop\n");
        assert_eq!(output.exit_code(), Some(0));
        assert!(output.bytes.ends_with(b"got a laptop\r\n"));
    }

    #[tokio::test]
    async fn ctrl_c_interrupts() {
        let mut terminal =
            shell("trap 'echo stopped; exit 130' INT; echo ready; while :; do sleep 0.1; done")
                .in_terminal(Size::default())
                .unwrap();
        terminal.wait_for("ready").await.unwrap();
        terminal.interrupt().await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.exit_code(), Some(130));
        assert!(output.screen().contains("stopped"), "{}", output.screen());
    }

    #[tokio::test]
    async fn ctrl_d_ends_the_input() {
        let mut terminal = shell("echo ready; cat; echo over")
            .in_terminal(Size::default())
            .unwrap();
        terminal.wait_for("ready").await.unwrap();
        terminal.end_input().await.unwrap();
        assert!(terminal.finish().await.unwrap().screen().ends_with("over\n"));
    }

    #[tokio::test]
    async fn the_screen_is_what_remains_after_every_control_sequence() {
        let size = Size { columns: 20, rows: 3 };
        let script =
            r"printf 'one\ntwo\nworking\r\033[K\033[31mthr\033[0mee'; read x; printf 'four\n%025d' 7";
        let mut terminal = shell(script).in_terminal(size).unwrap();
        terminal.wait_for_screen("three").await.unwrap();
        assert_eq!(terminal.screen(), "one\ntwo\nthree\n");
        terminal.send_line("").await.unwrap();
        terminal.wait_for("00007").await.unwrap();
        let output = terminal.finish().await.unwrap();
        assert_eq!(output.screen(), "four\n00000000000000000000\n00007\n");
        assert_eq!(
            output.scroll(),
            "one\ntwo\nthree\nfour\n00000000000000000000\n00007\n"
        );
    }

    #[tokio::test]
    async fn each_wait_looks_behind_the_last_one() {
        let mut terminal = shell("echo go; read x; echo go; read x")
            .in_terminal(Size::default())
            .unwrap();
        terminal.wait_for("go").await.unwrap();
        terminal.send_line("a").await.unwrap();
        terminal.wait_for("go").await.unwrap();
        terminal.send_line("b").await.unwrap();
        terminal.finish().await.unwrap();
    }

    #[tokio::test]
    async fn an_end_without_the_text_shows_the_screen() {
        let mut terminal = shell("echo something else").in_terminal(Size::default()).unwrap();
        let error = terminal.wait_for("a prompt").await.unwrap_err().to_string();
        assert!(
            error.contains("a prompt") && error.contains("something else"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_program_that_waits_for_ever_is_ended() {
        let mut terminal = shell("echo ready; exec sleep 600")
            .deadline(Duration::from_secs(2))
            .in_terminal(Size::default())
            .unwrap();
        let id = terminal.process_id().unwrap().to_string();
        terminal.wait_for("ready").await.unwrap();
        let error = terminal.finish().await.unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error}");
        wait_until_gone(&id);
    }
}
