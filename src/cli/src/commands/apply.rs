//! `apply`, and the part of `create` that is the same.

use clusterctl_core::engine::Waiting;
use clusterctl_core::timeline::Timeline;
use serde_json::json;

use super::consent::Asking;
use super::{Desk, Done};
use crate::args::{Apply, Doing, Format};
use crate::failure::{BadFile, Failure, Kind};
use crate::operations::apply::{Applied, DataLoss, Options, Target, Verify, apply};
use crate::operations::load::{self, Wanted};
use crate::operations::saved;
use crate::output::Console;
use crate::settings::Progress;
use crate::views::data::document;
use crate::views::plan::PlanView;
use crate::views::problems::{self, Severity};
use crate::views::{cluster, progress};

/// How it is carried out and shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    asking: Asking,
    options: Options,
    format: Format,
}

impl Way {
    pub(crate) fn from(doing: &Doing, format: Format, console: &Console) -> Result<Self, Failure> {
        Ok(Self {
            asking: Asking::from(doing.yes, console)?,
            options: Options {
                waiting: if doing.no_wait { Waiting::NotForMachines } else { Waiting::ForMachines },
                data_loss: if doing.allow_data_loss { DataLoss::Allowed } else { DataLoss::Refused },
                verify: if doing.no_verify { Verify::No } else { Verify::Yes },
            },
            format,
        })
    }
}

pub(crate) async fn run(desk: &Desk, args: &Apply) -> Result<Done, Failure> {
    let way = Way::from(&args.doing, args.output.format, &desk.console)?;
    let target = match (&args.file, &args.target) {
        (Some(file), _) => Target::Wanted(Box::new(Wanted::from_file(file)?)),
        (None, Some(path)) if saved::is_one(path) => Target::Saved(Box::new(saved::read(&desk.app, path)?)),
        (None, Some(name)) => Target::Wanted(Box::new(recorded(desk, name).await?)),
        (None, None) => return Err(Failure::usage("what is to be applied? give a NAME, a saved plan or -f FILE")),
    };
    carry_out(desk, target, way).await
}

/// A recorded cluster by its name.
pub(super) async fn recorded(desk: &Desk, name: &str) -> Result<Wanted, Failure> {
    load::name(name)?;
    let store = desk.app.open_store().await?;
    Wanted::recorded(&load::recorded(&desk.app, &*store, name).await?.state)
}

/// Somebody said no: what comes next in a script relies on a yes.
pub(super) fn declined(what: &str) -> Failure {
    Failure::new(Kind::Interrupted, format!("{what}: there was no consent"))
}

/// What is allowed and may still be a mistake.
pub(super) fn warn(console: &Console, wanted: &Wanted) {
    let problems = wanted.cluster.warnings().to_vec();
    if !problems.is_empty() {
        let file = BadFile { name: wanted.origin.clone(), text: wanted.text.clone(), problems };
        console.say(&problems::text(&file, Severity::Warning, console.err_paint()));
    }
}

pub(super) async fn carry_out(desk: &Desk, target: Target, way: Way) -> Result<Done, Failure> {
    let console = &desk.console;
    if let Target::Wanted(wanted) = &target {
        warn(console, wanted);
    }
    let mut watcher = progress::watcher(&desk.app.settings, console);
    let applied = apply(
        &desk.app,
        &target,
        way.options,
        async |ready| {
            let view = PlanView {
                plan: &ready.plan,
                graph: &ready.graph,
                state: &ready.state,
                choices: Some(&ready.choices),
                format: way.format,
            };
            console.say(&view.text(console.err_paint()));
            way.asking.yes(console, "Carry this plan out?").await
        },
        &mut *watcher,
    )
    .await?;
    match applied {
        None => Err(declined("Nothing was changed")),
        Some(applied) => {
            told(desk, &applied, way.format)?;
            Ok(Done::Well)
        }
    }
}

fn told(desk: &Desk, applied: &Applied, format: Format) -> Result<(), Failure> {
    let took = applied.report.as_ref().map(|report| report.elapsed);
    let result = || {
        document(
            "Applied",
            json!({
                "cluster": applied.state.name,
                "uid": applied.state.uid.as_str(),
                "changed": applied.report.is_some(),
                "created": applied.newborn,
                "summary": applied.summary,
                "seconds": took.map(|took| took.as_secs_f64()),
                "timeline": applied.timeline.as_ref().map(Timeline::summary),
                "endpoint": cluster::endpoint(&applied.state),
                "resources": applied.state.resources.len(),
            }),
        )
    };
    match format {
        Format::Json | Format::Yaml => desk.print(format, &result()),
        Format::Name => {
            desk.console.data(&format!("{}\n", applied.state.name));
            Ok(())
        }
        Format::Table | Format::Wide if desk.app.settings.progress == Progress::Json => {
            desk.print_line(result());
            Ok(())
        }
        Format::Table | Format::Wide => {
            if took.is_none() {
                desk.console.say("Nothing to do: everything is as in the file.");
            }
            desk.console.say(&cluster::next(&applied.state, took, desk.app.settings.flags()));
            Ok(())
        }
    }
}
