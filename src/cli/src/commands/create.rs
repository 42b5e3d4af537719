//! `create cluster NAME`.

use super::apply::{Way, carry_out};
use super::{Desk, Done};
use crate::args::{ClusterFlags, Create, Format, name_of};
use crate::failure::Failure;
use crate::operations::apply::Target;
use crate::operations::load::{self, Wanted};

pub(crate) async fn run(desk: &Desk, args: &Create) -> Result<Done, Failure> {
    let name = name_of(&args.words).map_err(Failure::usage)?;
    if args.dry_run {
        let wanted = wanted(desk, args, name).await?;
        desk.console.data(&wanted.text);
        return Ok(Done::Well);
    }
    let way = Way::from(&args.doing, Format::Table, &desk.console)?;
    let wanted = wanted(desk, args, name).await?;
    carry_out(desk, Target::Wanted(Box::new(wanted)), way).await
}

async fn wanted(desk: &Desk, args: &Create, name: Option<&str>) -> Result<Wanted, Failure> {
    if let Some(file) = &args.file {
        if args.cluster != ClusterFlags::default() {
            return Err(Failure::usage("a file and flags that describe the cluster exclude each other")
                .hint("write the flags' wishes into the file, or leave -f out"));
        }
        let wanted = Wanted::from_file(file)?;
        return match name {
            Some(name) if name != wanted.name() => {
                Err(Failure::usage(format!("{file} describes {}, not {name}", wanted.name())))
            }
            _ => Ok(wanted),
        };
    }
    let name = name.ok_or_else(|| Failure::usage("the NAME of the cluster is missing"))?;
    let name = load::name(name)?;
    if args.cluster.is_empty() {
        // `create demo` of what is recorded goes on with it, and does not make it smaller by leaving flags out.
        let store = desk.app.open_store().await?;
        if let Some(recorded) = load::record(&*store, name.as_str()).await?.filter(|c| !c.state.spec.text.is_empty()) {
            return Wanted::recorded(&recorded.state);
        }
    }
    load::from_flags(&desk.app, &args.cluster, name)
}

