//! The program `kubectl-chromeos`: `kubectl chromeos` runs it.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubectl_chromeos::cli::main()
}
