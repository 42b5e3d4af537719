//! `recover NAME`: a lost state from the ownership tags.

use super::apply::declined;
use super::consent::Asking;
use super::{Desk, Done, name_in};
use crate::args::Recover;
use crate::failure::Failure;
use crate::operations::load::Wanted;
use crate::operations::recover::{Clues, recover};
use crate::views::count;
use crate::views::paint::one_line;

pub(crate) async fn run(desk: &Desk, args: &Recover) -> Result<Done, Failure> {
    let name = name_in(&args.words)?;
    let console = &desk.console;
    let asking = Asking::from(args.yes, console)?;
    let wanted = args.file.as_deref().map(Wanted::from_file).transpose()?;
    if let Some(wanted) = wanted.as_ref().filter(|wanted| wanted.name() != name) {
        return Err(Failure::usage(format!("{} describes {}, not {name}", wanted.origin, wanted.name())));
    }
    let of_file = wanted.as_ref().map(|wanted| wanted.cluster.cloud.to_string());
    let cloud = match (of_file.or_else(|| args.cloud.clone()), desk.app.providers.as_slice()) {
        (Some(cloud), _) => cloud,
        (None, [only]) => only.name().to_owned(),
        (None, _) => return Err(Failure::usage("--cloud is missing")),
    };
    let region = wanted.as_ref().and_then(|wanted| wanted.cluster.region.as_ref().map(ToString::to_string));
    let region = region.or_else(|| args.region.clone());
    let clues = Clues { name: name.clone(), uid: args.uid.clone(), wanted, cloud, region };
    let state = recover(&desk.app, clues, async |state, observed| {
        console.say(&format!("{} in {} carry the uid {}:", count(observed.len(), "resource"), state.region, state.uid));
        for (addr, lives) in &observed.resources {
            let ids: Vec<&str> = lives.iter().map(|live| live.id.as_str()).collect();
            console.say(&one_line(&format!("  {addr}  {}", ids.join(" "))));
        }
        asking.yes(console, &format!("Record them as cluster {name}?")).await
    })
    .await?;
    let flags = desk.app.settings.flags();
    match state {
        None => return Err(declined("Nothing was recorded")),
        Some(state) if state.spec.text.is_empty() => console.say(&format!(
            "{name} is recorded again, without its file. Next: clusterctl plan -f FILE{flags}, or \
             clusterctl delete cluster {name}{flags}"
        )),
        Some(_) => console.say(&format!("{name} is recorded again. Next: clusterctl plan {name}{flags}")),
    }
    Ok(Done::Well)
}
