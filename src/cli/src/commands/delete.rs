//! `delete cluster NAME`.

use std::cmp::Ordering;

use clusterctl_core::graph::Graph;
use clusterctl_core::timeline::Timeline;
use serde_json::json;

use super::apply::declined;
use super::consent::Asking;
use super::{Desk, Done, name_in};
use crate::args::{Delete, Format};
use crate::failure::Failure;
use crate::operations::delete::{Deletion, Protection, Receipt, delete};
use crate::settings::Progress;
use crate::views::data::document;
use crate::views::plan::PlanView;
use crate::views::{count, progress, span};

pub(crate) async fn run(desk: &Desk, args: &Delete) -> Result<Done, Failure> {
    let name = name_in(&args.words)?;
    let console = &desk.console;
    let asking = Asking::from(args.yes, console)?;
    let protection = if args.override_protection { Protection::Overridden } else { Protection::Kept };
    let mut watcher = progress::watcher(&desk.app.settings, console);
    let deletion = delete(
        &desk.app,
        &name,
        protection,
        async |state, plan| {
            let graph = Graph::new();
            let view = PlanView { plan, graph: &graph, state, choices: None, format: args.output.format };
            console.say(&view.text(console.err_paint()));
            let question = format!("This cannot be taken back. Type the name of the cluster ({name}) to delete it: ");
            asking.name(console, &question, &name).await
        },
        &mut *watcher,
    )
    .await?;
    match &deletion {
        Deletion::Done(receipt) => told(desk, receipt, &done(receipt), args.output.format)?,
        Deletion::Before(receipt) => {
            let when = &receipt.deleted_at;
            let name = &receipt.name;
            let summary = format!("Nothing to do: {name} was deleted at {when:.0}: {}.", sum(receipt));
            told(desk, receipt, &summary, args.output.format)?;
        }
        Deletion::Declined => return Err(declined("Nothing was deleted")),
    }
    Ok(Done::Well)
}

fn told(desk: &Desk, receipt: &Receipt, summary: &str, format: Format) -> Result<(), Failure> {
    let data = || {
        document(
            "Receipt",
            json!({
                "cluster": receipt.name,
                "region": receipt.region,
                "deletedAt": receipt.deleted_at,
                "created": receipt.created,
                "gone": receipt.gone,
                "foreignTouched": receipt.foreign,
                "deleted": receipt.deleted,
                "left": 0,
                "swept": receipt.swept,
                "seconds": receipt.elapsed.as_secs_f64(),
                "timeline": receipt.timeline.as_ref().map(Timeline::summary),
            }),
        )
    };
    match format {
        Format::Json | Format::Yaml => desk.print(format, &data())?,
        Format::Name => desk.console.data(&format!("{}\n", receipt.name)),
        Format::Table | Format::Wide if desk.app.settings.progress == Progress::Json => {
            desk.print_line(data());
        }
        Format::Table | Format::Wide => desk.console.say(summary),
    }
    Ok(())
}

fn done(receipt: &Receipt) -> String {
    let swept = match receipt.swept.len() {
        0 => String::new(),
        number => format!(", {} of its machines' own", count(number, "thing")),
    };
    format!("{} is gone after {}: {}{swept}, nothing left.", receipt.name, span(receipt.elapsed), sum(receipt))
}

/// What became of everything that the cluster ever had.
fn sum(receipt: &Receipt) -> String {
    let Receipt { created, gone, foreign, .. } = receipt;
    let by_itself = match created.cmp(gone) {
        Ordering::Less => format!(", {} found that no record knew", gone - created),
        Ordering::Greater => format!(", {} had vanished by themselves", created - gone),
        Ordering::Equal => String::new(),
    };
    format!("{created} created{by_itself}, {gone} gone, {foreign} foreign touched")
}
