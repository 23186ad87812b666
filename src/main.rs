//! The program `chrome-enterprise-operator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    chrome_enterprise_operator::cli::main()
}
