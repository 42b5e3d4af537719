//! `doctor`: every check at once.

use serde_json::json;

use super::{Desk, Done};
use crate::args::{Doctor, Format};
use crate::failure::{Failure, Kind};
use crate::operations::doctor::{Verdict, doctor};
use crate::views::data::document;
use crate::views::paint::tame;

pub(crate) async fn run(desk: &Desk, args: &Doctor) -> Result<Done, Failure> {
    let checks = doctor(&desk.app, args.region.as_deref()).await;
    let bad = checks.iter().filter(|check| check.verdict == Verdict::Bad).count();
    match args.output.format {
        format @ (Format::Json | Format::Yaml) => {
            desk.print(format, &document("Checks", json!({ "healthy": bad == 0, "checks": checks })))?;
        }
        Format::Table | Format::Wide | Format::Name => {
            let paint = desk.console.out_paint();
            let width = checks.iter().map(|check| check.what.chars().count()).max().unwrap_or(0);
            for check in &checks {
                let mark = match check.verdict {
                    Verdict::Good => paint.green("ok  "),
                    Verdict::Warning => paint.yellow("warn"),
                    Verdict::Bad => paint.red("BAD "),
                };
                let pad = " ".repeat(width.saturating_sub(check.what.chars().count()));
                desk.console.data(&format!("{mark}  {}{pad}  {}\n", check.what, tame(&check.found)));
                if let Some(remedy) = &check.remedy {
                    desk.console.data(&format!("      {}  {} {}\n", " ".repeat(width), paint.cyan("->"), tame(remedy)));
                }
            }
        }
    }
    match bad {
        0 => Ok(Done::Well),
        1 => Err(Failure::new(Kind::Failed, "1 check is bad")),
        bad => Err(Failure::new(Kind::Failed, format!("{bad} checks are bad"))),
    }
}
