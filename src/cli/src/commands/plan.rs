//! `plan`: what apply would do, without a lock and without a trace.

use super::apply::{recorded, warn};
use super::{Desk, Done};
use crate::args::{Format, PlanArgs};
use crate::failure::Failure;
use crate::operations::load::{self, Wanted};
use crate::operations::prepare::prepare;
use crate::operations::{guard, saved};
use crate::views::plan::PlanView;

pub(crate) async fn run(desk: &Desk, args: &PlanArgs) -> Result<Done, Failure> {
    let wanted = match (&args.which.name, &args.which.file) {
        (_, Some(file)) => Wanted::from_file(file)?,
        (Some(name), None) => recorded(desk, name).await?,
        (None, None) => return Err(Failure::usage("which cluster? give a NAME or -f FILE")),
    };
    let console = &desk.console;
    warn(console, &wanted);
    let store = desk.app.open_store().await?;
    let before = load::record(&*store, wanted.name()).await?;
    if let Some(before) = &before {
        guard::not_deleting(&before.state)?;
        guard::control_plane(&wanted, &before.state)?;
    }
    let ready = prepare(&desk.app, &wanted, before.as_ref()).await?;
    let output = args.destination();
    let view = PlanView {
        plan: &ready.plan,
        graph: &ready.graph,
        state: &ready.state,
        choices: Some(&ready.choices),
        format: output.format,
    };
    match output.format {
        Format::Json | Format::Yaml => desk.print(output.format, &view.data())?,
        Format::Name => {
            let names: String = ready.plan.steps.iter().map(|step| format!("{}\n", step.addr)).collect();
            console.data(&names);
        }
        Format::Table | Format::Wide => console.data(&view.text(console.out_paint())),
    }
    if let Some(file) = &output.file {
        saved::write(file, &saved::save(&desk.app, &ready, before.as_ref())?)?;
        console.say(&format!("Saved for 24 hours; carry it out with: clusterctl apply {file}"));
    }
    Ok(if args.detailed_exitcode && !ready.plan.is_empty() { Done::Changes } else { Done::Well })
}
