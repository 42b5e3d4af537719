//! One file for each command: arguments, settings, operation, view.

mod apply;
mod consent;
mod create;
mod delete;
mod describe;
mod doctor;
mod explain;
mod export;
mod get;
mod help;
mod iam;
mod lock;
mod plan;
mod recover;
pub(crate) mod rehearse;
mod report;
mod status;
mod version;

use std::sync::Arc;

use clusterctl_core::spec;

use serde_json::Value;

use crate::args::{Command, Format};
use crate::failure::{Failure, Kind};
use crate::operations::App;
use crate::output::Console;
use crate::views::data;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Well,
    /// There is something to do, and `--detailed-exitcode` asked for it to be told.
    Changes,
}

impl Done {
    pub(crate) fn exit(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Changes => 2,
        }
    }
}

/// The operations and the console.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) app: App,
    pub(crate) console: Arc<Console>,
}

impl Desk {
    /// Prints a document as it was asked for.
    pub(crate) fn print(&self, format: Format, document: &Value) -> Result<(), Failure> {
        self.console.data(&data::text(format, &self.console.marked(document.clone()))?);
        Ok(())
    }

    /// Prints a document on a line of its own, as the last of a run's events.
    pub(crate) fn print_line(&self, document: Value) {
        self.console.data(&format!("{}\n", self.console.marked(document)));
    }
}

/// The commands that need neither store nor cloud: their first byte is their last.
pub(crate) fn offline(command: &Command, console: &Console) -> Option<Result<Done, Failure>> {
    Some(match command {
        Command::Schema => data::text(Format::Json, &spec::schema()).map(|text| {
            console.data(&text);
            Done::Well
        }),
        Command::Explain(args) => explain::run(args, console),
        Command::Rehearse(args) => rehearse::run(args, console),
        Command::Version(args) => version::run(args, console),
        Command::Completion(args) => help::completion(args, console),
        Command::Help(args) => help::run(args, console),
        _ => return None,
    })
}

/// Carries a command out.
pub(crate) async fn run(desk: &Desk, command: &Command) -> Result<Done, Failure> {
    match command {
        Command::Create(args) => create::run(desk, args).await,
        Command::Plan(args) => plan::run(desk, args).await,
        Command::Apply(args) => apply::run(desk, args).await,
        Command::Delete(args) => delete::run(desk, args).await,
        Command::Get(args) => get::run(desk, args).await,
        Command::Describe(args) => describe::run(desk, args).await,
        Command::Status(args) => status::run(desk, args).await,
        Command::Export(args) => export::run(desk, args).await,
        Command::Report(args) => report::run(desk, args).await,
        Command::Lock(args) => lock::run(desk, args).await,
        Command::Recover(args) => recover::run(desk, args).await,
        Command::Iam(args) => iam::run(desk, args).await,
        Command::Doctor(args) => doctor::run(desk, args).await,
        Command::Schema
        | Command::Explain(_)
        | Command::Rehearse(_)
        | Command::Version(_)
        | Command::Completion(_)
        | Command::Help(_) => {
            offline(command, &desk.console).unwrap_or_else(|| Err(Failure::new(Kind::Bug, "no such command")))
        }
    }
}

/// The name that has to be there.
fn name_in(words: &[String]) -> Result<String, Failure> {
    let name = crate::args::name_of(words).map_err(Failure::usage)?;
    let name = name.ok_or_else(|| Failure::usage("the NAME of the cluster is missing"))?;
    Ok(crate::operations::load::name(name)?.to_string())
}
