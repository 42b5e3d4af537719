//! `export terraform`.

use super::{Desk, Done};
use crate::args::{Export, ExportWhat};
use crate::failure::Failure;
use crate::operations::export::{imports, module, offline, write};
use crate::views::count;

pub(crate) async fn run(desk: &Desk, args: &Export) -> Result<Done, Failure> {
    let ExportWhat::Terraform { which, out, import } = &args.what;
    let offline = offline(&desk.app, which.name.as_deref(), which.file.as_deref()).await?;
    let ids = if *import { Some(imports(&desk.app, &offline).await?) } else { None };
    let files = module(&offline, ids)?;
    write(out, &files)?;
    for name in files.keys() {
        desk.console.data(&format!("{out}/{name}\n"));
    }
    let what = count(offline.graph.len(), "resource");
    desk.console.say(&format!("{what} in {}; next: terraform -chdir={out} init", count(files.len(), "file")));
    Ok(Done::Well)
}
