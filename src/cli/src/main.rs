//! The process around the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    clusterctl::main()
}
