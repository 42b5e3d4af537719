//! What the workspace can do with itself: `cargo xtask COMMAND`.
//!
//! - [`judge`] outside judges: moto, the real terraform, shellcheck
//! - [`bench`] figures as JSON and as a table
//! - [`chaos`] the reliability programme on the simulator · [`mutants`] bugs that it has to find
//! - [`ci`] what CI runs after the tests · [`demo`] a cluster on an AWS that runs here
//! - [`ground`] where things lie and what Python needs · [`offline`] a case without an account · [`process`] children that never outlive us
#![expect(clippy::print_stdout, reason = "these commands report on the console")]

mod bench;
mod chaos;
mod ci;
mod demo;
mod ground;
mod judge;
mod mutants;
mod offline;
mod process;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

use ground::Ground;
use mutants::search::Others;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Judges, benchmarks and checks of the workspace")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks an outside judge.
    Judge {
        judge: Which,
        /// Only cases whose name contains this.
        #[arg(long)]
        only: Option<String>,
        /// Of the random instants; without it one is drawn and printed.
        #[arg(long)]
        seed: Option<u64>,
        /// A few kills at random instead of many, and one case of a kill after each call, as in CI.
        #[arg(long)]
        brief: bool,
    },
    /// Everything that CI runs after `cargo test --workspace`.
    Ci,
    /// Measures, and compares with what is wanted.
    Bench {
        /// Leaves out what takes minutes.
        #[arg(long)]
        quick: bool,
        /// Only parts whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// The reliability programme on the simulator.
    Chaos {
        /// Only suites whose name contains this.
        #[arg(long)]
        only: Option<String>,
        #[arg(long)]
        seed: Option<u64>,
        /// How many trials, instead of each suite's own number.
        #[arg(long)]
        trials: Option<u64>,
        /// Seeds bugs into a copy of the sources, and finds each of them.
        #[arg(long)]
        mutants: bool,
        /// Ends at the first broken promise.
        #[arg(long, hide = true)]
        first: bool,
        /// Asks no other suite than the one that is named.
        #[arg(long, hide = true, requires = "first")]
        alone: bool,
    },
    /// Rewrites the golden files from what the code says now.
    Bless,
    /// Starts an AWS on this machine, brings a cluster up on it, changes nothing, and removes it.
    Demo,
    /// One measurement in a process of its own.
    #[command(hide = true)]
    Measure {
        #[command(subcommand)]
        what: bench::Measured,
    },
    /// A simulated AWS on a port of the loopback address; time runs FACTOR times as fast as the real one.
    #[command(hide = true)]
    Serve {
        port: u16,
        #[arg(default_value_t = 60.0)]
        factor: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Aws,
    Terraform,
    Shell,
    Simulator,
    All,
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
fn run(command: Command) -> Result<bool> {
    let ground = Ground::find()?;
    match command {
        Command::Judge { judge, only, seed, brief } => {
            let mut good = true;
            let extent = if brief { judge::Extent::Brief } else { judge::Extent::Whole };
            let judges = [
                (Which::Shell, "shell"),
                (Which::Terraform, "terraform"),
                (Which::Simulator, "simulator"),
                (Which::Aws, "aws"),
            ];
            for (which, name) in judges {
                if judge == which || judge == Which::All {
                    let options = judge::Options { only: only.clone(), seed, extent };
                    good &= judge::run(&ground, name, &options)?.passed();
                }
            }
            Ok(good)
        }
        Command::Ci => ci::run(&ground),
        Command::Bench { quick, only } => {
            let extent = if quick { bench::Extent::Quick } else { bench::Extent::Whole };
            bench::run(&ground, extent, only.as_deref())
        }
        Command::Chaos { only, mutants: true, .. } => mutants::run(&ground, only.as_deref()),
        Command::Chaos { only, seed, trials, first: true, alone, .. } => {
            let others = if alone { Others::No } else { Others::Yes };
            mutants::search::run(&chaos::Options { only, seed, trials }, others)
        }
        Command::Chaos { only, seed, trials, .. } => chaos::run(&ground, &chaos::Options { only, seed, trials }),
        Command::Bless => ci::bless(&ground),
        Command::Demo => demo::run(&ground),
        Command::Measure { what } => bench::measure(what),
        Command::Serve { port, factor } => {
            judge::simulator::front::serve(port, factor)?;
            Ok(true)
        }
    }
}
