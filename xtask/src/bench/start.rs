//! How long the command takes to start and say something.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::{Figure, Part, median};

const TIMES: usize = 20;

pub(super) fn figures(binary: &Path) -> Part {
    let mut figures = Vec::new();
    for args in [["--help"], ["version"]] {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            crate::ground::step(Command::new(binary).args(args))?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        figures
            .push(Figure::new(format!("clusterctl {}, median of {TIMES}", args[0]), median(times), "ms").at_most(20.0));
    }
    Ok(Ok(figures))
}
