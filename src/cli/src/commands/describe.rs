//! `describe cluster NAME`: all that is recorded.

use super::{Desk, Done, name_in};
use crate::args::{Describe, Format};
use crate::failure::Failure;
use crate::operations::inspect::cluster;
use crate::views::cluster as view;
use crate::views::data::document;

pub(crate) async fn run(desk: &Desk, args: &Describe) -> Result<Done, Failure> {
    let entry = cluster(&desk.app, &name_in(&args.words)?).await?;
    match args.output.format {
        format @ (Format::Json | Format::Yaml) => {
            desk.print(format, &document("ClusterDescription", view::describe_data(&entry)))?;
        }
        Format::Name => desk.console.data(&format!("{}\n", entry.name)),
        Format::Table | Format::Wide => desk.console.data(&view::describe(&entry, &*desk.app.clock)),
    }
    Ok(Done::Well)
}
