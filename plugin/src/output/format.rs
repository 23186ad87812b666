//! `--output`.

use clap::{Args, ValueEnum};

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Columns for people
    #[default]
    Table,
    /// The same with more columns
    Wide,
    /// A List object as the API server has it
    Json,
    /// The same as YAML
    Yaml,
    /// Comma-separated values with a head line, all columns, times in UTC
    Csv,
    /// One name a line, as kubectl prints and takes it
    Name,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ListOutput {
    /// How the list is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ListFormat,

    /// Leave out the head line of a table
    #[arg(long)]
    pub no_headers: bool,
}

/// How one object is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ObjectFormat {
    /// For people
    #[default]
    Text,
    /// As the API server has it
    Json,
    /// The same as YAML
    Yaml,
    /// Its name, as kubectl prints and takes it
    Name,
}

/// How one object is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ObjectOutput {
    /// How the object is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ObjectFormat,
}
