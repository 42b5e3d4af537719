//! Figures, measured in one run on one machine, beside what is wanted and what others need.
//!
//! - `plan` CPU time and memory of planning at 100, 1,000 and 10,000 resources, each in a process of its own
//! - `makespan` how long an apply takes beside its critical path, and beside the same graph walked otherwise
//! - `fleet` the empty plans of 1,000 clusters in one process
//! - `large` a cluster of 1,000 machines, and how many of its calls are throttled
//! - `start` how long the command takes to say anything
//! - `emulator` calls and seconds on moto with 100 ms added to every call, beside the figures of kops
#![expect(clippy::print_stdout, reason = "a benchmark reports on the console")]

mod emulator;
mod fleet;
mod large;
mod makespan;
mod plan;
mod start;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::ground::Ground;

/// Three control-plane nodes in three zones, machines and machines with GPUs.
const HA_GPU: &str = include_str!("ha-gpu.yaml");

/// What is measured in a process of its own.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Measured {
    Plan { resources: usize },
    Fleet { clusters: usize },
}

pub(crate) fn measure(what: Measured) -> Result<bool> {
    match what {
        Measured::Plan { resources } => plan::measure(resources),
        Measured::Fleet { clusters } => fleet::measure(clusters),
    }
}

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
///
/// With `only`, those parts whose name contains it.
pub(crate) fn run(ground: &Ground, extent: Extent, only: Option<&str>) -> Result<bool> {
    let parts: [(&str, &dyn Fn() -> Part); 6] = [
        ("plan", &plan::figures),
        ("makespan", &makespan::figures),
        ("fleet", &|| fleet::figures(extent)),
        ("large", &|| large::figures(extent)),
        ("start", &|| start::figures(&ground.binary()?)),
        ("emulator", &|| emulator::figures(ground, extent)),
    ];
    let mut json = Map::new();
    let (mut held, mut broken) = (0, 0);
    println!("{:<62}{:>12}  {:<8}{:>10}", "", "", "", "at most");
    for (name, part) in parts {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        match part()? {
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
    println!("{:<62}{:>12.3}  {:<8}{limit:>10}  {}{mark}", figure.name, figure.value, figure.unit, figure.beside);
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

/// The most that this process has held in memory.
fn peak_mebibytes() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).context("VmHWM")?;
    let kibibytes: f64 = line.split_whitespace().nth(1).context("VmHWM")?.parse()?;
    Ok(kibibytes / 1024.0)
}
