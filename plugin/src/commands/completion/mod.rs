//! `kubectl chromeos completion`, and the hidden `__complete` that answers kubectl's own completion.
//!
//! kubectl runs an executable `kubectl_complete-chromeos` with the words typed so far, the last of which is to be
//! completed, and reads one candidate a line and at the end `:` with a number for the shell. Source: `k8s.io/kubectl`,
//! `pkg/cmd/plugin/plugin_completion.go`; the numbers are those of cobra's `ShellCompDirective`.

mod place;
mod values;

use std::io::{Write as _, stdout};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::output::unwritten;

use place::Place;

/// The shell may complete file names.
const FILES: u8 = 0;
/// There is nothing else to complete.
const NOTHING_ELSE: u8 = 4;

/// Flags of the command.
#[derive(Debug, Args)]
#[command(
    after_help = "kubectl completes `kubectl chromeos` by itself, serial numbers included, when `kubectl_complete-chromeos` \
lies on the PATH beside this program. These scripts are for those who type `kubectl-chromeos`.

Examples:
  source <(kubectl-chromeos completion bash)
  kubectl-chromeos completion zsh > \"${fpath[1]}/_kubectl-chromeos\"
  kubectl-chromeos completion fish > ~/.config/fish/completions/kubectl-chromeos.fish"
)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script for a shell.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "kubectl-chromeos",
        &mut script,
    );
    stdout()
        .lock()
        .write_all(&script)
        .map_err(|error| unwritten(&error))?;
    Ok(Exit::Done)
}

/// The words of `__complete`.
#[derive(Debug, Args)]
pub struct Words {
    /// What was typed; the last word is to be completed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORD")]
    pub words: Vec<String>,
}

/// Prints the candidates for the last word.
///
/// # Errors
/// When standard output cannot be written. Whatever else goes wrong, there are no candidates.
pub async fn complete(typed: &Words) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let place = Place::find(&command, &typed.words);
    let (candidates, directive) = values::candidates(&place).await;
    let mut text = String::new();
    for candidate in candidates {
        text.push_str(&candidate.text);
        if let Some(words) = candidate.words {
            text.push('\t');
            text.push_str(&words);
        }
        text.push('\n');
    }
    writeln!(stdout().lock(), "{text}:{directive}").map_err(|error| unwritten(&error))?;
    Ok(Exit::Done)
}
