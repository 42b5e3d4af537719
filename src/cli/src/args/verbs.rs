//! The arguments of the commands.

use clap::{Args, Subcommand};

use super::{Format, Output};
use crate::commands::rehearse;
use crate::rehearsal::scenario::Scenario;

/// How something is carried out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Carrying out")]
pub(crate) struct Doing {
    /// Do not ask
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    /// Wait until machines run (the default)
    #[arg(long, overrides_with = "no_wait")]
    pub(crate) wait: bool,
    /// Do not wait for machines
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Carry out what loses data, such as the replacement of a disk
    #[arg(long)]
    pub(crate) allow_data_loss: bool,
    /// Do not look again afterwards whether everything is as planned
    #[arg(long, hide = true)]
    pub(crate) no_verify: bool,
}

/// Which cluster: a file or a recorded name.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Which {
    /// The name of a recorded cluster
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The cluster file; - is standard input
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "name")]
    pub(crate) file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// table, json or yaml; anything else is a file that the plan is saved in
    #[arg(short = 'o', long = "output", value_name = "FORMAT|FILE")]
    pub(crate) output: Option<String>,
    /// A file that the plan is saved in, for `apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The name of a recorded cluster, or a saved plan
    #[arg(value_name = "NAME|PLAN")]
    pub(crate) target: Option<String>,
    /// The cluster file; - is standard input
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "target")]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    pub(crate) doing: Doing,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// The cluster file; - is standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: String,
    /// What is played: create, scale, add, upgrade, edit, adopt, delete, cycle
    #[arg(long = "scenario", value_name = "LIST", value_delimiter = ',', default_value = "create,scale,upgrade,delete", value_parser = rehearse::scenario)]
    pub(crate) scenarios: Vec<Scenario>,
    /// How many faults are injected, at least
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) faults: u64,
    /// Repeats a rehearsal
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 1..=2)]
    pub(crate) words: Vec<String>,
    /// Do not ask for the name
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    /// Delete it although its file says deletionProtection
    #[arg(long)]
    pub(crate) override_protection: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(subcommand)]
    pub(crate) what: GetWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GetWhat {
    /// All clusters, or one
    #[command(visible_alias = "cluster")]
    Clusters {
        #[arg(value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
        /// With -o yaml or json: the file with every default filled in, and where each came from
        #[arg(long, requires = "name")]
        show_defaults: bool,
    },
    /// The node groups of a cluster, or of all
    #[command(visible_aliases = ["nodegroup", "ng"])]
    Nodegroups {
        #[arg(value_name = "CLUSTER")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// The resources of a cluster
    #[command(visible_alias = "resource")]
    Resources {
        #[arg(value_name = "CLUSTER")]
        name: String,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 1..=2)]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 1..=2)]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Exit with 2 when cloud and record differ
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) what: ExportWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportWhat {
    /// A Terraform module
    Terraform {
        #[command(flatten)]
        which: Which,
        /// The directory that it is written to
        #[arg(long, value_name = "DIR")]
        out: String,
        /// Add import blocks for what is there
        #[arg(long)]
        import: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 1..=2)]
    pub(crate) words: Vec<String>,
    /// The file that is written: a page, or data where its name ends in .json; - is standard output [default: NAME-report.html]
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(crate) output: Option<String>,
    /// A file for the steps of the last run as trace events, for Perfetto or chrome://tracing; without -o no page is written
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Lock {
    #[command(subcommand)]
    pub(crate) what: LockWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LockWhat {
    /// All locks and who holds them
    Ls {
        #[command(flatten)]
        output: Output,
    },
    /// Ends the lock of a run that is gone
    Break {
        #[arg(value_name = "CLUSTER")]
        name: String,
        /// The epoch that `lock ls` shows
        #[arg(long)]
        epoch: Option<u64>,
        /// Do not ask
        #[arg(short = 'y', long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// `cluster`, which may be left out, and the name
    #[arg(value_name = "[cluster] NAME", num_args = 1..=2)]
    pub(crate) words: Vec<String>,
    /// The owner uid, from the tag that every resource carries; otherwise what is left of the state is searched for it,
    /// and then the region for what carries the cluster's name
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Option<String>,
    /// The cluster file; without it the cluster can only be deleted until `apply -f`
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// The cloud, without a file
    #[arg(long)]
    pub(crate) cloud: Option<String>,
    /// The region, without a file
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Do not ask
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A field as in spec.nodeGroups.gpu, or a code as in CC7900
    #[arg(value_name = "FIELD|CODE")]
    pub(crate) what: String,
}

#[derive(Debug, Args)]
pub(crate) struct Iam {
    #[command(subcommand)]
    pub(crate) what: IamWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IamWhat {
    /// The least policy that making, changing and deleting the cluster needs
    Policy {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Completion {
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Help {
    /// A command, or exit-codes
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: Vec<String>,
}

/// Where a plan goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanOutput {
    pub(crate) format: Format,
    pub(crate) file: Option<String>,
}

impl PlanArgs {
    /// `-o` is a format where it is the word of one, and a file otherwise.
    pub(crate) fn destination(&self) -> PlanOutput {
        let format = match self.output.as_deref() {
            Some("json") => Some(Format::Json),
            Some("yaml") => Some(Format::Yaml),
            Some("table") => Some(Format::Table),
            Some("wide") => Some(Format::Wide),
            Some("name") => Some(Format::Name),
            _ => None,
        };
        let from_o = if format.is_none() { self.output.clone() } else { None };
        PlanOutput { format: format.unwrap_or_default(), file: self.out.clone().or(from_o) }
    }
}

/// Takes the noun off: `cluster demo` and `demo` are the same.
///
/// # Errors
/// What would be right.
pub(crate) fn name_of(words: &[String]) -> Result<Option<&str>, String> {
    match words {
        [] => Ok(None),
        [only] if only == "cluster" => Ok(None),
        [only] => Ok(Some(only)),
        [noun, name] if noun == "cluster" => Ok(Some(name)),
        [noun, ..] => Err(format!("`{noun}` is not known here; right would be `cluster NAME` or `NAME`")),
    }
}
