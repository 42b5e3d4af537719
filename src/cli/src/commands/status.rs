//! `status NAME`: the record against the cloud.

use super::{Desk, Done, name_in};
use crate::args::{Format, Status};
use crate::failure::Failure;
use crate::operations::inspect::status;
use crate::views::cluster as view;
use crate::views::data::document;

pub(crate) async fn run(desk: &Desk, args: &Status) -> Result<Done, Failure> {
    let status = status(&desk.app, &name_in(&args.words)?).await?;
    match args.output.format {
        format @ (Format::Json | Format::Yaml) => {
            desk.print(format, &document("Status", view::status_data(&status)))?
        }
        Format::Name => desk.console.data(&format!("{}\n", status.state.name)),
        Format::Table | Format::Wide => desk.console.data(&view::status(&status, desk.app.settings.flags())),
    }
    Ok(if args.detailed_exitcode && !status.plan.is_empty() { Done::Changes } else { Done::Well })
}
