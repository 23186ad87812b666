//! What stands where the cursor is. Pure: the command line in, a place out.

use clap::{Arg, Command};

/// Where the cursor is.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The command that was named so far.
    pub(super) command: &'a Command,
    /// What can stand here.
    pub(super) kind: Kind<'a>,
    /// What is typed of it.
    pub(super) typed: String,
    /// What stands before it in the same word, such as `--output=`.
    pub(super) lead: String,
    /// The flags that were given with their values, by their ids.
    pub(super) given: Vec<(String, String)>,
}

/// What can stand somewhere.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// A flag.
    Flag,
    /// The value of a flag.
    Value(&'a Arg),
    /// A command, or an argument without a flag.
    Word(Option<&'a Arg>),
}

impl<'a> Place<'a> {
    /// The place of the last word. Unknown flags are passed over.
    pub(super) fn find(root: &'a Command, words: &[String]) -> Self {
        let (typed, before) = words
            .split_last()
            .map_or((String::new(), &[][..]), |(last, before)| (last.clone(), before));
        let mut walk = Walk {
            command: root,
            waiting: None,
            passed: 0,
            flags_are_over: false,
            given: Vec::new(),
        };
        for word in before {
            walk.step(word);
        }
        walk.end(typed)
    }
}

/// How far the words were read.
struct Walk<'a> {
    command: &'a Command,
    /// A flag whose value comes next.
    waiting: Option<&'a Arg>,
    /// Arguments without a flag that were passed.
    passed: usize,
    /// After `--`.
    flags_are_over: bool,
    given: Vec<(String, String)>,
}

impl<'a> Walk<'a> {
    fn step(&mut self, word: &str) {
        if let Some(flag) = self.waiting.take() {
            self.given.push((flag.get_id().to_string(), word.to_owned()));
        } else if word == "--" && !self.flags_are_over {
            self.flags_are_over = true;
        } else if let Some(long) = word.strip_prefix("--").filter(|_| !self.flags_are_over) {
            let (name, value) = long
                .split_once('=')
                .map_or((long, None), |(name, value)| (name, Some(value)));
            if let Some(flag) = self.long(name) {
                self.flag(flag, value);
            }
        } else if let Some(shorts) = word
            .strip_prefix('-')
            .filter(|rest| !rest.is_empty() && !self.flags_are_over)
        {
            self.shorts(shorts);
        } else if let Some(command) = self.command.find_subcommand(word).filter(|_| self.passed == 0) {
            self.command = command;
        } else {
            self.passed += 1;
        }
    }

    /// `-A`, `-ojson`, `-An school`.
    fn shorts(&mut self, shorts: &str) {
        for (place, short) in shorts.char_indices() {
            let Some(flag) = self.short(short) else { continue };
            let rest = shorts.get(place + short.len_utf8()..).unwrap_or_default();
            if !takes_value(flag) {
                continue;
            }
            self.flag(
                flag,
                Some(rest.strip_prefix('=').unwrap_or(rest)).filter(|rest| !rest.is_empty()),
            );
            return;
        }
    }

    fn flag(&mut self, flag: &'a Arg, value: Option<&str>) {
        match value {
            Some(value) => self.given.push((flag.get_id().to_string(), value.to_owned())),
            None if takes_value(flag) && !flag.is_require_equals_set() => self.waiting = Some(flag),
            None => {}
        }
    }

    fn end(self, typed: String) -> Place<'a> {
        let place = |kind, typed, lead| Place {
            command: self.command,
            kind,
            typed,
            lead,
            given: self.given.clone(),
        };
        if let Some(flag) = self.waiting {
            return place(Kind::Value(flag), typed, String::new());
        }
        if self.flags_are_over || !typed.starts_with('-') {
            return place(Kind::Word(self.argument()), typed, String::new());
        }
        if let Some((name, value)) = typed.split_once('=')
            && let Some(flag) = name.strip_prefix("--").and_then(|name| self.long(name))
        {
            return place(Kind::Value(flag), value.to_owned(), format!("{name}="));
        }
        place(Kind::Flag, typed, String::new())
    }

    /// The argument without a flag that comes next; the last one may come several times.
    fn argument(&self) -> Option<&'a Arg> {
        let all: Vec<_> = self.command.get_positionals().collect();
        let next = all.get(self.passed).copied();
        next.or_else(|| {
            all.last()
                .copied()
                .filter(|last| last.get_num_args().is_some_and(|count| count.max_values() > 1))
        })
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        let is_it = |flag: &&Arg| {
            flag.get_long() == Some(name)
                || flag
                    .get_all_aliases()
                    .is_some_and(|aliases| aliases.contains(&name))
        };
        self.command.get_arguments().find(is_it)
    }

    fn short(&self, short: char) -> Option<&'a Arg> {
        self.command
            .get_arguments()
            .find(|flag| flag.get_short() == Some(short))
    }
}

/// Whether something follows the flag.
pub(super) fn takes_value(flag: &Arg) -> bool {
    flag.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn describe(words: &[&str]) -> String {
        let mut root = Cli::command();
        root.build();
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let place = Place::find(&root, &words);
        let kind = match place.kind {
            Kind::Flag => "flag".to_owned(),
            Kind::Value(flag) => format!("value of {}", flag.get_id()),
            Kind::Word(Some(argument)) => format!("word {}", argument.get_id()),
            Kind::Word(None) => "word".to_owned(),
        };
        format!(
            "{} {kind} {}{:?}",
            place.command.get_name(),
            place.lead,
            place.typed
        )
    }

    #[test]
    fn the_place_of_the_cursor_is_found() {
        for (words, place) in [
            (&[][..], "kubectl-chromeos word \"\""),
            (&["st"], "kubectl-chromeos word \"st\""),
            (&["status", ""], "status word name \"\""),
            (&["status", "school", ""], "status word \"\""),
            (&["status", "-"], "status flag \"-\""),
            (&["status", "--out"], "status flag \"--out\""),
            (&["status", "--output", ""], "status value of output \"\""),
            (&["status", "-o", "j"], "status value of output \"j\""),
            (&["status", "-An", "sch"], "status value of namespace \"sch\""),
            (&["status", "--output=j"], "status value of output --output=\"j\""),
            (&["-n", "school", "sync", "sc"], "sync word name \"sc\""),
            (&["status", "-n", "status", ""], "status word name \"\""),
            (&["status", "--", "-x"], "status word name \"-x\""),
            (&["disconnect", "--wait", "x"], "disconnect word name \"x\""),
            (&["status", "--unknown", ""], "status word name \"\""),
        ] {
            assert_eq!(describe(words), place, "{words:?}");
        }
    }

    #[test]
    fn flags_that_choose_the_cluster_are_remembered() {
        let mut root = Cli::command();
        root.build();
        let words = ["-n", "school", "status", "--context=two", ""].map(str::to_owned);
        let given = Place::find(&root, &words).given;
        assert_eq!(given[0], ("namespace".to_owned(), "school".to_owned()));
        assert_eq!(given[1], ("context".to_owned(), "two".to_owned()));
    }
}
