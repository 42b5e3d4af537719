//! `rehearse`: the user's own file through a cloud that breaks.

use serde_json::json;

use super::Done;
use crate::args::{Format, Rehearse};
use crate::failure::{Failure, Kind};
use crate::operations::load::Wanted;
use crate::output::Console;
use crate::rehearsal::scenario::Scenario;
use crate::rehearsal::show::{self, Act, Program};
use crate::views::data::{self, document};
use crate::views::{count, span};

pub(crate) fn run(args: &Rehearse, console: &Console) -> Result<Done, Failure> {
    let wanted = Wanted::from_file(&args.file)?;
    let program = Program {
        scenarios: args.scenarios.clone(),
        faults: args.faults,
        seed: args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>())),
    };
    let names: Vec<&str> = program.scenarios.iter().map(|scenario| scenario.name()).collect();
    console.say(&format!(
        "Simulated: {} in a cloud that breaks: {}, {}, seed {} ...",
        wanted.name(),
        names.join(", "),
        count(usize::try_from(program.faults).unwrap_or(usize::MAX), "fault"),
        program.seed
    ));
    let structured = matches!(args.output.format, Format::Json | Format::Yaml);
    let shown = show::play(&wanted, &program, &mut |act| {
        if !structured {
            console.say(&told(act, args.output.format));
        }
    })?;
    let acts = || shown.acts.iter().map(as_data).collect::<Vec<_>>();
    let broken = shown.acts.iter().find_map(|act| act.violation.as_ref());
    if structured {
        let result = json!({
            "simulated": true,
            "cluster": wanted.name(),
            "seed": program.seed,
            "verdict": if broken.is_none() { "kept" } else { "broken" },
            "faults": shown.faults,
            "processes": shown.processes,
            "acts": acts(),
        });
        console.data(&data::text(args.output.format, &document("Rehearsal", result))?);
    }
    let again = format!(
        "clusterctl rehearse -f {} --scenario {} --faults {} --seed {}",
        args.file,
        names.join(","),
        program.faults,
        program.seed
    );
    match broken {
        None => {
            console.say(&format!(
                "Kept: {} and {} in {} runs; every time the same command came to its end, nothing leaked, nothing \
                 doubled, nothing foreign touched.\nThe same again: {again}",
                count(shown.faults, "fault"),
                count(shown.kills, "kill"),
                shown.processes
            ));
            Ok(Done::Well)
        }
        Some(violation) => Err(Failure::new(Kind::Bug, format!("a promise was broken: {violation}"))
            .hint(format!("the same again: {again}"))
            .hint("please report it with this line and the file")),
    }
}

fn told(act: &Act, format: Format) -> String {
    let verdict = if act.violation.is_some() { "BROKEN" } else { "ok" };
    let slower = act.took.saturating_sub(act.calm);
    let mut lines = vec![format!(
        "{verdict:<7}{:<8} {:>3} faults, {:>2} runs of the command, {} ({} of it recovery)",
        act.scenario.name(),
        act.hits.len(),
        act.processes,
        span(act.took),
        span(slower)
    )];
    let most = if format == Format::Wide || act.violation.is_some() { usize::MAX } else { 2 };
    let injected = act.hits.iter().take(most).map(|hit| format!("         ! {hit}"));
    let remedies = act.remedies.iter().take(most).map(|remedy| format!("         > {remedy}"));
    lines.extend(injected.chain(remedies));
    if let Some(violation) = &act.violation {
        lines.push(format!("         {violation}"));
    }
    lines.join("\n")
}

fn as_data(act: &Act) -> serde_json::Value {
    json!({
        "scenario": act.scenario.name(),
        "seed": act.seed,
        "injected": act.hits,
        "remedies": act.remedies,
        "runs": act.processes,
        "seconds": act.took.as_secs_f64(),
        "recoverySeconds": act.took.saturating_sub(act.calm).as_secs_f64(),
        "violation": act.violation,
    })
}

/// Reads the name of a scenario.
pub(crate) fn scenario(text: &str) -> Result<Scenario, String> {
    Scenario::of(text).ok_or_else(|| {
        let known: Vec<&str> = Scenario::ALL.into_iter().map(Scenario::name).collect();
        format!("there is no such scenario; there are {}", known.join(", "))
    })
}
