//! Figures, measured in one run on one machine, beside what is wanted and what others need.
//!
//! - `plan` CPU time and memory of planning at 100, 1,000 and 10,000 resources, each in a process of its own
//! - `makespan` how long an apply takes beside its critical path, on a paused clock with measured latencies
//! - `start` how long the command takes to say anything
//! - `emulator` calls and seconds on moto with 100 ms added to every call, beside the figures of kops
#![expect(clippy::print_stdout, reason = "a benchmark reports on the console")]

mod emulator;
mod makespan;
mod plan;
mod start;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::ground::Ground;

pub(crate) use plan::measure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What takes minutes is left out.
    Quick,
    Whole,
}

/// A line of the table: a figure, and what it may be at most.
#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// No limit: it is only shown.
    at_most: Option<f64>,
    /// For people: what it is to be compared with.
    beside: String,
}

impl Figure {
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, at_most: None, beside: String::new() }
    }

    fn at_most(mut self, limit: f64) -> Self {
        self.at_most = Some(limit);
        self
    }

    fn beside(mut self, text: impl Into<String>) -> Self {
        self.beside = text.into();
        self
    }

    fn holds(&self) -> bool {
        self.at_most.is_none_or(|limit| self.value <= limit)
    }
}

/// The figures of one part, or why it could not be measured here.
type Part = Result<Result<Vec<Figure>, String>>;

/// Measures, prints a table and JSON, and says whether every limit holds.
pub(crate) fn run(ground: &Ground, extent: Extent) -> Result<bool> {
    let binary = ground.binary()?;
    let parts: [(&str, Part); 4] = [
        ("plan", plan::figures()),
        ("makespan", makespan::figures(ground)),
        ("start", start::figures(&binary)),
        ("emulator", emulator::figures(ground, extent)),
    ];
    let mut json = Map::new();
    let (mut held, mut broken) = (0, 0);
    println!("{:<58}{:>12}  {:<8}{:>10}", "", "", "", "at most");
    for (name, part) in parts {
        match part? {
            Ok(figures) => {
                for figure in &figures {
                    print(figure);
                    if figure.holds() { held += 1 } else { broken += 1 }
                }
                json.insert(name.to_owned(), figures.iter().map(as_json).collect());
            }
            Err(reason) => {
                println!("skipped: {name}: {reason}");
                json.insert(name.to_owned(), json!({ "skipped": reason }));
            }
        }
    }
    println!("{}", Value::Object(json));
    println!("{held} passed, {broken} failed");
    Ok(broken == 0)
}

fn print(figure: &Figure) {
    let limit = figure.at_most.map(|limit| format!("{limit}")).unwrap_or_default();
    let mark = if figure.holds() { "" } else { "  TOO MUCH" };
    println!("{:<58}{:>12.3}  {:<8}{limit:>10}  {}{mark}", figure.name, figure.value, figure.unit, figure.beside);
}

fn as_json(figure: &Figure) -> Value {
    json!({
        "name": figure.name, "value": figure.value, "unit": figure.unit, "atMost": figure.at_most, "beside": figure.beside,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
