//! The command: reads the line, runs one command, prints, exits.
//!
//! ```text
//! args ─settings─▶ commands/<verb> ─▶ operations (no printing) ─▶ views (values to text) ─▶ output
//! ```

mod args;
mod commands;
mod failure;
mod operations;
mod output;
mod providers;
pub mod rehearsal;
mod settings;
mod simulated;
mod transport;
mod views;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use clusterctl_core::provider::Caller;
use clusterctl_core::store::{Clock, SystemClock};

use args::{Cli, Command, Format};
use commands::{Desk, Done};
use failure::{Failure, Kind};
use operations::interrupt::{Came, Interrupt};
use operations::{App, Sight, View};
use output::Console;
use settings::{Process, Progress, Settings, Terminals};

/// Carries out the line that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let line: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; everything else is a wrong line.
            let _ = error.print();
            let exit = if error.use_stderr() { Kind::Usage.exit() } else { 0 };
            return ExitCode::from(exit);
        }
    };
    let settings = match Settings::new(&cli.global, line, &Process, Terminals::found()) {
        Ok(settings) => settings,
        Err(failure) => return ExitCode::from(output::last_words(&failure)),
    };
    let console = Arc::new(Console::of_process(&settings));
    let progress = settings.progress;
    let outcome = match commands::offline(&cli.command, &console) {
        Some(outcome) => outcome,
        None => online(settings, &console, &cli.command),
    };
    let exit = match outcome {
        Ok(done) => done.exit(),
        Err(failure) => {
            told(&failure, &console, &cli.command, progress);
            failure.kind.exit()
        }
    };
    // Not by returning: a thread that still waits for an answer on the terminal would keep the process.
    std::process::exit(i32::from(exit))
}

/// A failure, where the reader of the result looks for it and where people look.
fn told(failure: &Failure, console: &Console, command: &Command, progress: Progress) {
    let data = console.marked(views::failure::data(failure));
    match (command.format(), progress) {
        (Format::Json, _) => console.data(&format!("{data:#}\n")),
        (_, Progress::Json) => console.data(&format!("{data}\n")),
        _ => {}
    }
    if progress == Progress::GitHub {
        console.say(&views::failure::annotation(failure));
    }
    console.say(&views::failure::text(failure, console.err_paint()));
}

fn online(settings: Settings, console: &Arc<Console>, command: &Command) -> Result<Done, Failure> {
    let simulated = settings.simulated.clone();
    let runtime = match &simulated {
        None => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        Some(_) => simulated::runtime(),
    };
    let runtime = runtime.map_err(|e| Failure::new(Kind::Failed, format!("no runtime: {e}")))?;
    let entered = runtime.enter();
    let interrupt = Arc::new(Interrupt::default());
    let quiet = matches!(settings.progress, Progress::Quiet);
    let notices = Arc::clone(console);
    let profile = settings.profile.clone();
    let (sight, clock): (Sight, Arc<dyn Clock>) = match &simulated {
        None => (Box::new(move |_| network(profile.clone())), Arc::new(SystemClock)),
        Some(simulated) => {
            // The one cloud that can be simulated; more will open theirs when they are asked for.
            let simulation = simulated::open("aws", simulated)?;
            console.say(views::notice::SIMULATED);
            let clock = Arc::new(simulated::WorldClock(simulation.clone()));
            (Box::new(move |_| Ok(simulated::view(&simulation))), clock)
        }
    };
    let app = App {
        settings,
        providers: providers::all(),
        clock,
        interrupt: Arc::clone(&interrupt),
        notify: Box::new(move |notice| {
            if !quiet {
                notices.say(&views::notice::text(notice));
            }
        }),
        sight,
        store: None,
        alive: operations::alive,
        held: Default::default(),
    };
    let outcome = runtime.block_on(async {
        tokio::spawn(signals(interrupt, Arc::clone(console)));
        if let Some(simulated) = simulated {
            tokio::spawn(simulated::pace(simulated.speed));
        }
        let desk = Desk { app, console: Arc::clone(console) };
        tokio::select! {
            outcome = commands::run(&desk, command) => outcome,
            () = desk.app.interrupt.with_nothing_held() => Err(operations::session::interrupted(&desk.app)),
        }
    });
    drop(entered);
    runtime.shutdown_background();
    outcome
}

/// The way to real clouds.
fn network(profile: Option<String>) -> Result<View, Failure> {
    match transport::Network::new() {
        Ok(network) => Ok(View { transport: Arc::new(network), caller: Caller::Configured { profile }, region: None }),
        Err(error) => Err(Failure::new(Kind::Failed, format!("TLS cannot be set up: {error}"))),
    }
}

/// The first signal stops in order, the second at once.
async fn signals(interrupt: Arc<Interrupt>, console: Arc<Console>) {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    loop {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            Some(_) = async { terminate.as_mut()?.recv().await } => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        match interrupt.request() {
            Came::BeforeTheRun => {}
            Came::IntoTheRun => console.say(
                "Stopping: no new steps, a few seconds for those under way. Once more stops at once, which is as safe.",
            ),
            Came::Again => std::process::exit(i32::from(Kind::Interrupted.exit())),
        }
    }
}
