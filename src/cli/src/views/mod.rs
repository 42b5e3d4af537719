//! What is shown: values to text, and nothing printed.
//!
//! - [`paint`] colours; [`table`] columns; [`data`] JSON and YAML, always with a `schema`
//! - [`plan`] a plan for people and for programs; [`progress`] a run while it goes on,
//!   and [`timeline`] where its time went
//! - [`problems`] what is wrong with a file, with carets; [`failure`] everything else that went wrong
//! - [`cluster`] what is recorded; [`annotated`] a file with its defaults; [`notice`] what is said on the way
//! - [`report`] all that is recorded of a cluster, as one page

pub(crate) mod annotated;
pub(crate) mod cluster;
pub(crate) mod data;
pub(crate) mod failure;
#[cfg(test)]
mod hostile;
pub(crate) mod notice;
pub(crate) mod paint;
pub(crate) mod plan;
pub(crate) mod problems;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod timeline;

use std::time::Duration;

/// A span for people: `850 ms`, `12 s`, `3 min 05 s`, `2 h 10 min`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{} ms", span.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// `1 resource`, `2 resources`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
