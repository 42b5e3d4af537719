//! `lock ls` and `lock break`.

use serde_json::{Value, json};

use super::apply::declined;
use super::consent::Asking;
use super::{Desk, Done};
use crate::args::{Format, Lock, LockWhat};
use crate::failure::{Failure, Kind};
use crate::operations::apply::Consent;
use crate::operations::inspect::{break_it, lock, locks};
use crate::operations::load;
use crate::views::data::document;
use crate::views::paint::one_line;
use crate::views::table::table;

pub(crate) async fn run(desk: &Desk, args: &Lock) -> Result<Done, Failure> {
    match &args.what {
        LockWhat::Ls { output } => ls(desk, output.format).await?,
        LockWhat::Break { name, epoch, yes } => broken(desk, name, *epoch, *yes).await?,
    }
    Ok(Done::Well)
}

async fn ls(desk: &Desk, format: Format) -> Result<(), Failure> {
    let mut items: Vec<Value> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for entry in locks(&desk.app).await? {
        match entry.lease {
            Ok(lease) if !lease.is_held() => {}
            Ok(lease) => {
                rows.push(vec![
                    entry.cluster.clone(),
                    lease.epoch.to_string(),
                    lease.holder.to_string(),
                    lease.renewed_at.to_string(),
                    lease.holder.command.clone(),
                ]);
                items.push(json!({
                    "cluster": entry.cluster,
                    "epoch": lease.epoch,
                    "holder": lease.holder,
                    "acquiredAt": lease.acquired_at,
                    "renewedAt": lease.renewed_at,
                    "ttlSeconds": lease.ttl_s,
                }));
            }
            Err(error) => {
                rows.push(vec![entry.cluster.clone(), "-".into(), format!("unreadable: {error}")]);
                items.push(json!({ "cluster": entry.cluster, "error": error.to_string() }));
            }
        }
    }
    match format {
        Format::Json | Format::Yaml => desk.print(format, &document("LockList", json!({ "items": items }))),
        Format::Name => {
            rows.iter().filter_map(|row| row.first()).for_each(|name| desk.console.data(&format!("{name}\n")));
            Ok(())
        }
        Format::Table | Format::Wide if rows.is_empty() => {
            desk.console.say("Nothing is locked.");
            Ok(())
        }
        Format::Table | Format::Wide => {
            desk.console.data(&table(&["CLUSTER", "EPOCH", "HOLDER", "RENEWED", "COMMAND"], &rows));
            Ok(())
        }
    }
}

async fn broken(desk: &Desk, name: &str, epoch: Option<u64>, yes: bool) -> Result<(), Failure> {
    load::name(name)?;
    let asking = Asking::from(yes, &desk.console)?;
    let held = lock(&desk.app, name).await?;
    let epoch = match (epoch, &held) {
        (Some(epoch), _) => epoch,
        (None, Some(lease)) => lease.epoch,
        (None, None) => return Err(Failure::new(Kind::NotFound, format!("cluster {name} is not locked"))),
    };
    if let Some(lease) = &held {
        desk.console.say(&one_line(&format!(
            "{name} is locked by {} (`{}`), renewed {}",
            lease.holder, lease.holder.command, lease.renewed_at
        )));
    }
    let question = "If that run still lives it stops at its next step. Break its lock?";
    if asking.yes(&desk.console, question).await? == Consent::Refused {
        return Err(declined("Nothing was changed"));
    }
    break_it(&desk.app, name, epoch).await?;
    desk.console.say(&format!("The lock of {name} is broken."));
    Ok(())
}
