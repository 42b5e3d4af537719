//! The console: data to stdout, talk to stderr, and the one place that prints.

#[cfg(test)]
use std::collections::VecDeque;
use std::io::{self, BufRead as _, Write};
#[cfg(test)]
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;
use serde_json::Value;

use crate::settings::Settings;
use crate::views::paint::Paint;

/// Where everything that is said goes.
#[derive(Debug)]
pub(crate) struct Console {
    sink: Mutex<Sink>,
    /// Bars that have to step aside for a line.
    bars: Mutex<Option<MultiProgress>>,
    out: Paint,
    err: Paint,
    interactive: bool,
    /// Everything that programs are told says that no cloud has any of it.
    simulated: bool,
}

#[derive(Debug)]
enum Sink {
    Process,
    #[cfg(test)]
    Captured(Arc<Mutex<Captured>>),
}

/// What a captured console was told, and the answers it gives.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) answers: VecDeque<String>,
}

impl Console {
    /// The console of the process.
    pub(crate) fn of_process(settings: &Settings) -> Self {
        Self {
            sink: Mutex::new(Sink::Process),
            bars: Mutex::new(None),
            out: Paint { on: settings.stdout.color },
            err: Paint { on: settings.stderr.color },
            interactive: settings.interactive,
            simulated: settings.simulated.is_some(),
        }
    }

    /// A console that keeps what it is told; with answers, somebody is there to be asked.
    #[cfg(test)]
    pub(crate) fn captured(answers: &[&str]) -> (Self, Arc<Mutex<Captured>>) {
        let answers: VecDeque<String> = answers.iter().map(|a| (*a).to_owned()).collect();
        let interactive = !answers.is_empty();
        let captured = Arc::new(Mutex::new(Captured { answers, ..Captured::default() }));
        let plain = Paint { on: false };
        let sink = Mutex::new(Sink::Captured(Arc::clone(&captured)));
        (Self { sink, bars: Mutex::new(None), out: plain, err: plain, interactive, simulated: false }, captured)
    }

    /// Colours for stdout.
    pub(crate) fn out_paint(&self) -> Paint {
        self.out
    }

    /// Colours for stderr.
    pub(crate) fn err_paint(&self) -> Paint {
        self.err
    }

    /// Whether somebody can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Data, to stdout. The text ends its own lines.
    pub(crate) fn data(&self, text: &str) {
        match &*lock(&self.sink) {
            // A reader that went away, as `head` does, is no error of ours.
            Sink::Process => {
                let mut stdout = io::stdout().lock();
                let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            }
            #[cfg(test)]
            Sink::Captured(captured) => lock(captured).out.push_str(text),
        }
    }

    /// A document as it is told: one about a simulated cloud says so.
    pub(crate) fn marked(&self, mut document: Value) -> Value {
        if let Some(fields) = document.as_object_mut().filter(|_| self.simulated) {
            fields.insert("simulated".to_owned(), true.into());
        }
        document
    }

    /// A line of talk, to stderr.
    pub(crate) fn say(&self, line: &str) {
        let bars = lock(&self.bars).clone();
        match bars {
            Some(bars) => bars.suspend(|| self.write_line(line)),
            None => self.write_line(line),
        }
    }

    fn write_line(&self, line: &str) {
        match &*lock(&self.sink) {
            Sink::Process => {
                let mut stderr = io::stderr().lock();
                let _ = writeln!(stderr, "{line}");
            }
            #[cfg(test)]
            Sink::Captured(captured) => {
                let mut captured = lock(captured);
                captured.err.push_str(line);
                captured.err.push('\n');
            }
        }
    }

    /// Makes lines appear above these bars from now on.
    pub(crate) fn with_bars(&self, bars: Option<MultiProgress>) {
        *lock(&self.bars) = bars;
    }

    /// Asks, and gives the answer; `None` at the end of the input. Blocks its thread.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        #[cfg(test)]
        if let Sink::Captured(captured) = &*lock(&self.sink) {
            let mut captured = lock(captured);
            captured.err.push_str(question);
            captured.err.push('\n');
            return captured.answers.pop_front();
        }
        {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
        }
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Text and answers are whole after every operation, so that a panic elsewhere does not matter here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A failure before there is a console. Gives the exit code.
#[expect(clippy::print_stderr, reason = "this is the module that prints")]
pub(crate) fn last_words(failure: &crate::failure::Failure) -> u8 {
    eprintln!("{}", crate::views::failure::text(failure, Paint { on: false }));
    failure.kind.exit()
}
