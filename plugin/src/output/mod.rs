//! What is printed: tables for people, and CSV, JSON, YAML and names for programs.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `cell` | one value, and how each format writes it |
//! | `clean` | which characters of foreign text may reach a terminal |
//! | `format` | `--output` |
//! | `table` | how wide columns are |
//! | `rows` | lists that are written while they are read |
//! | `object` | one object as JSON or YAML |

mod cell;
mod clean;
mod format;
mod object;
mod rows;
mod table;

pub use cell::{Cell, Tone, age};
pub use clean::clean;
pub use format::{ListFormat, ListOutput, ObjectFormat, ObjectOutput};
pub use object::{print_object, to_yaml};
pub use rows::{Column, Rows, Shown, harmless};
pub use table::Table;

use std::io;

use crate::failure::{Exit, Failure};

/// Standard output cannot be written. A reader that has seen enough (`| head`) is no failure.
#[must_use]
pub fn unwritten(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new("").exit_with(Exit::Done);
    }
    Failure::new(format!("The output cannot be written: {error}."))
}
