//! What can be typed, as types.
//!
//! - [`Cli`] the whole line: global flags and a command
//! - [`create`] the flags that describe a cluster; `verbs` everything else
//!
//! Nothing here reads the environment: [`crate::settings`] lays flags over variables over defaults.

pub(crate) mod create;
mod verbs;

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clusterctl_core::names;

use crate::simulated::Speed;

pub(crate) use create::{ClusterFlags, Create};
pub(crate) use verbs::{
    Apply, Completion, Delete, Describe, Doing, Explain, Export, ExportWhat, Get, GetWhat, Help, Iam, IamWhat, Lock,
    LockWhat, PlanArgs, Recover, Rehearse, Report, Status, name_of,
};

const ABOUT: &str = "Kubernetes clusters with GPU node groups from one cluster file.";

const AFTER: &str = "\
Examples:
  clusterctl create demo --region eu-central-1 --node-count 3 --gpu a10g:1
  clusterctl plan -f cluster.yaml
  clusterctl apply -f cluster.yaml
  clusterctl delete demo

Every command can be interrupted and run again: it goes on where it stopped.
This is not the clusterctl of Cluster API; `clusterctl version` says which one you have.
Exit codes: clusterctl help exit-codes";

/// The whole line.
#[derive(Debug, Parser)]
#[command(name = "clusterctl", about = ABOUT, after_help = AFTER, version, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, propagate_version = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where state, journal and lock live: a directory or a URL such as s3://bucket/prefix [env: CLUSTERCTL_STORE]
    #[arg(long, global = true, value_name = "DIR|URL")]
    pub(crate) store: Option<String>,
    /// How progress is shown [env: CLUSTERCTL_PROGRESS]
    #[arg(long, global = true, value_enum, value_name = "MODE")]
    pub(crate) progress: Option<ProgressMode>,
    /// Whether output is coloured; NO_COLOR goes before it [env: CLUSTERCTL_COLOR]
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub(crate) color: Option<ColorMode>,
    /// How long to wait for another run of the same cluster, such as 0 or 10m [env: CLUSTERCTL_LOCK_TIMEOUT]
    #[arg(long, global = true, value_name = "TIME", value_parser = span)]
    pub(crate) lock_timeout: Option<Duration>,
    /// The profile of the cloud's own configuration [env: CLUSTERCTL_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Use a simulated cloud: no account, no costs, time runs faster [env: CLUSTERCTL_SIMULATE]
    #[arg(long, global = true)]
    pub(crate) simulate: bool,
    /// How much faster simulated time runs: a factor, or max
    #[arg(long, global = true, value_name = "FACTOR", default_value_t = Speed::default())]
    pub(crate) speed: Speed,
    /// The seed of everything that is random
    #[arg(long = "random-seed", global = true, hide = true)]
    pub(crate) seed: Option<u64>,
    /// How many seconds the cloud's lists may be behind: for judges whose lists never are
    #[arg(long, global = true, hide = true, value_name = "SECONDS")]
    pub(crate) lists_behind: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// Bars on a terminal, lines elsewhere
    Auto,
    Tty,
    Plain,
    /// One JSON object a line on stdout
    Json,
    Quiet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorMode {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates a cluster from flags or a file; the same line again goes on where it stopped
    Create(Box<Create>),
    /// Shows what apply would do, and changes nothing
    Plan(PlanArgs),
    /// Makes a cluster what its file says
    Apply(Apply),
    /// Deletes a cluster and everything that is its
    Delete(Delete),
    /// Lists clusters, node groups or resources, from the record
    Get(Get),
    /// Shows all that is recorded of a cluster
    Describe(Describe),
    /// Plays a cluster file through a simulated cloud that breaks, and says what became of it
    Rehearse(Rehearse),
    /// Compares the record with the cloud and says what is under way
    Status(Status),
    /// Writes a cluster as plain Terraform
    Export(Export),
    /// Writes what is recorded of a cluster and its last run as one page
    Report(Report),
    /// Looks at locks, and breaks one
    Lock(Lock),
    /// Builds a lost state anew from the ownership tags in the cloud
    Recover(Recover),
    /// Prints the JSON Schema of the cluster file
    Schema,
    /// Explains a field of the cluster file or an error code
    Explain(Explain),
    /// Prints the permissions that a cluster needs
    Iam(Iam),
    /// Checks everything that a run relies on
    Doctor(Doctor),
    /// Says which clusterctl this is
    Version(Version),
    /// Prints a completion script
    Completion(Completion),
    /// Explains a command, or `exit-codes`
    Help(Help),
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) output: Output,
    /// The region to check; otherwise the one that the cloud's configuration names
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Output {
    /// How the result is printed
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// Reads a span of time; `0` is one too.
fn span(text: &str) -> Result<Duration, names::Invalid> {
    if text == "0" { Ok(Duration::ZERO) } else { text.parse::<names::Duration>().map(Duration::from) }
}

/// Reads a span of time out of a variable.
pub(crate) fn read_span(text: &str) -> Option<Duration> {
    span(text).ok()
}

impl Command {
    /// How its result is to be printed, where it has one.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Plan(args) => args.destination().format,
            Self::Apply(args) => args.output.format,
            Self::Delete(args) => args.output.format,
            Self::Describe(args) => args.output.format,
            Self::Rehearse(args) => args.output.format,
            Self::Status(args) => args.output.format,
            Self::Doctor(args) => args.output.format,
            Self::Version(args) => args.output.format,
            Self::Get(args) => match &args.what {
                GetWhat::Clusters { output, .. }
                | GetWhat::Nodegroups { output, .. }
                | GetWhat::Resources { output, .. } => output.format,
            },
            Self::Lock(Lock { what: LockWhat::Ls { output } }) => output.format,
            _ => Format::Table,
        }
    }
}
