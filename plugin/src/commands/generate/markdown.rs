//! The command line as a page of Markdown.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::failure::Exit;

const EXITS: [(Exit, &str); 7] = [
    (Exit::Done, "Done."),
    (
        Exit::Failed,
        "It could not be done: no such object, no right to it, no cluster. Standard error says why.",
    ),
    (Exit::Usage, "The command line cannot be used."),
    (
        Exit::NotGood,
        "It was looked at, and the answer is not good: a check failed, an action did not succeed.",
    ),
    (
        Exit::OutcomeUnknown,
        "Nobody can know what became of an action: look at the device.",
    ),
    (
        Exit::StillRunning,
        "The wait is over and the end is not reached. It goes on without this program.",
    ),
    (Exit::Interrupted, "Ctrl-C."),
];

/// The page. Hidden commands and flags are left out.
pub(super) fn page(mut root: Command) -> String {
    root.build();
    let mut page = String::from(
        "<!-- Made by `make generate` from plugin/src; change the help texts there. -->\n\n# kubectl chromeos\n\n",
    );
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    // Writing into a String cannot fail.
    let _ = writeln!(
        page,
        "{about}. How to install it, and how to use it in scripts: [platform-engineers.md](platform-engineers.md).\n"
    );
    contents(&mut page, &root);
    exits(&mut page);
    page.push_str("## Flags of every command\n\n");
    flags(
        &mut page,
        root.get_arguments().filter(|flag| flag.is_global_set()),
    );
    for command in visible(&root) {
        section(&mut page, command, "kubectl chromeos", 2);
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    let subcommands = command.get_subcommands();
    subcommands.filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn contents(page: &mut String, root: &Command) {
    page.push_str("| Command | What it does |\n|---|---|\n");
    for command in visible(root) {
        let (name, about) = (
            command.get_name(),
            command.get_about().map(ToString::to_string).unwrap_or_default(),
        );
        let _ = writeln!(
            page,
            "| [`{name}`](#kubectl-chromeos-{name}) | {} |",
            cell(&about)
        );
    }
    page.push('\n');
}

fn exits(page: &mut String) {
    page.push_str("## Exit codes\n\n| Code | Meaning |\n|---|---|\n");
    for (exit, meaning) in EXITS {
        let _ = writeln!(page, "| {} | {meaning} |", exit.code());
    }
    page.push('\n');
}

fn section(page: &mut String, command: &Command, parent: &str, depth: usize) {
    let name = format!("{parent} {}", command.get_name());
    let _ = writeln!(page, "{} {name}\n", "#".repeat(depth));
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(about) = about {
        let _ = writeln!(page, "{}.\n", about.to_string().trim_end_matches('.'));
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = writeln!(page, "```sh\n{usage}\n```\n");
    let own =
        |argument: &&Arg| !argument.is_global_set() && !argument.is_hide_set() && argument.get_id() != "help";
    let (arguments, options): (Vec<_>, Vec<_>) = command
        .get_arguments()
        .filter(own)
        .partition(|argument| argument.is_positional());
    flags(page, arguments.into_iter().chain(options));
    if let Some(after) = command.get_after_help() {
        after_help(page, &after.to_string());
    }
    for command in visible(command) {
        section(page, command, &name, depth + 1);
    }
}

fn flags<'a>(page: &mut String, flags: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<_> = flags.filter(|flag| !flag.is_hide_set()).map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(page, "| | |\n|---|---|\n{}\n", rows.join("\n"));
    }
}

fn row(flag: &Arg) -> String {
    let short = flag.get_short().map(|short| format!("-{short}"));
    let long = flag.get_long().map(|long| format!("--{long}"));
    let mut name = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if flag.get_action().takes_values() {
        let values = flag.get_value_names().unwrap_or_default();
        let value = values
            .iter()
            .map(clap::builder::Str::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let value = if value.is_empty() {
            flag.get_id().as_str().to_uppercase()
        } else {
            value
        };
        let between = match (name.is_empty(), flag.is_require_equals_set()) {
            (true, _) => "",
            (false, true) => "=",
            (false, false) => " ",
        };
        let _ = write!(name, "{between}{value}");
    }
    let help = flag
        .get_long_help()
        .or_else(|| flag.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut words = help
        .trim_end_matches('.')
        .replace("\n\n", ". ")
        .replace('\n', " ");
    let possible: Vec<_> = flag
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if flag.get_action().takes_values() && !possible.is_empty() && !is_true_or_false(flag) {
        let _ = write!(words, ": {}", possible.join(", "));
    }
    let defaults: Vec<_> = flag
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if flag.get_action().takes_values() && !defaults.is_empty() && !flag.is_hide_default_value_set() {
        let _ = write!(words, " (default {})", defaults.join(", "));
    }
    // What stands between backticks is shown as it is.
    format!("| `{}` | {} |", name.replace('|', "\\|"), cell(&words))
}

fn is_true_or_false(flag: &Arg) -> bool {
    let values = flag.get_possible_values();
    values.len() == 2
        && values
            .iter()
            .all(|value| matches!(value.get_name(), "true" | "false"))
}

/// Text for one cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// Paragraphs as they are, and lines that are set in as something to type.
fn after_help(page: &mut String, text: &str) {
    let mut is_code = false;
    for line in text.lines() {
        let code = line.strip_prefix("  ");
        if code.is_some() != is_code {
            page.push_str(if is_code { "```\n" } else { "\n```sh\n" });
            is_code = code.is_some();
        }
        let _ = writeln!(page, "{}", code.unwrap_or(line));
    }
    page.push_str(if is_code { "```\n\n" } else { "\n" });
}
