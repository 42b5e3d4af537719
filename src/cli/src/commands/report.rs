//! `report NAME`: one page, data, or trace events, from the record alone.

use super::{Desk, Done, name_in};
use crate::args::{Format, Report};
use crate::failure::{Failure, Kind};
use crate::operations::report::{Account, account, write};
use crate::views::data::{self, document};
use crate::views::report;

pub(crate) async fn run(desk: &Desk, args: &Report) -> Result<Done, Failure> {
    let name = name_in(&args.words)?;
    if args.trace.is_some() && args.trace == args.output {
        return Err(Failure::usage("the report and the trace cannot go to the same place"));
    }
    let account = account(&desk.app, &name).await?;
    if let Some(path) = &args.trace {
        put(desk, path, &trace(&account)?)?;
    }
    let page = match (&args.output, &args.trace) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(format!("{name}-report.html")),
    };
    if let Some(path) = page {
        let text = if path.to_ascii_lowercase().ends_with(".json") {
            data::text(Format::Json, &desk.console.marked(document("Report", report::data(&account))))?
        } else {
            report::page(&account)
        };
        put(desk, &path, &text)?;
    }
    Ok(Done::Well)
}

fn trace(account: &Account) -> Result<String, Failure> {
    let name = &account.state.name;
    let timeline = account.timeline.as_ref().ok_or_else(|| {
        Failure::new(Kind::NotFound, format!("no run of {name} is recorded"))
            .hint(format!("the next `clusterctl apply {name}` that changes something records one"))
    })?;
    data::text(Format::Json, &timeline.trace(name))
}

/// Data goes to stdout, and a file's name does where it is the file that was asked for.
fn put(desk: &Desk, path: &str, text: &str) -> Result<(), Failure> {
    if path == "-" {
        desk.console.data(text);
        return Ok(());
    }
    write(path, text)?;
    desk.console.data(&format!("{path}\n"));
    Ok(())
}
