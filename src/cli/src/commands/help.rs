//! `help` and `completion`.

use clap::CommandFactory as _;

use crate::args::{Cli, Completion, Help};
use crate::commands::Done;
use crate::failure::{Failure, TABLE};
use crate::output::Console;

pub(crate) fn run(args: &Help, console: &Console) -> Result<Done, Failure> {
    if args.topic.first().is_some_and(|topic| topic == "exit-codes") {
        console.data(&exit_codes());
        return Ok(Done::Well);
    }
    let mut command = Cli::command();
    command.build();
    let mut at = &mut command;
    for topic in &args.topic {
        at = at.find_subcommand_mut(topic).ok_or_else(|| {
            Failure::usage(format!("there is no command `{topic}`")).hint("`clusterctl help` lists them all")
        })?;
    }
    let help = at.render_long_help();
    let text = if console.out_paint().on { help.ansi().to_string() } else { help.to_string() };
    console.data(&text);
    Ok(Done::Well)
}

fn exit_codes() -> String {
    let mut text = String::from("  0           done, or nothing to do\n");
    text.push_str("  2           there is something to do (only with --detailed-exitcode)\n");
    for row in TABLE {
        text.push_str(&format!("{:>3}  {}  {}\n", row.exit, row.code, row.means));
    }
    text.push_str("\n`clusterctl explain CODE` says what to do about one.\n");
    text
}

pub(crate) fn completion(args: &Completion, console: &Console) -> Result<Done, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "clusterctl", &mut script);
    console.data(&String::from_utf8_lossy(&script));
    Ok(Done::Well)
}
