//! The cluster file: read from two writers' hands, printed, and read again.

use std::collections::HashSet;

use clusterctl_core::names;
use clusterctl_core::spec::{Problems, Spec, read, scaffold};
use serde_json::Value;

use super::positions::{Position, Spot};
use super::{Counts, Proof, guarded, violation};

const YAML: &str = "YAML, the cluster file";

/// A position and the texts that its own reader lets in.
#[derive(Debug)]
pub(super) struct Accepted<'a> {
    pub(super) position: &'a Position,
    pub(super) texts: Vec<String>,
}

/// Puts every string at every position.
pub(super) fn check<'a>(
    strings: &[String],
    positions: &'a [Position],
    counts: &mut Counts,
) -> Proof<Vec<Accepted<'a>>> {
    positions.iter().map(|position| at(position, strings, counts)).collect()
}

fn at<'a>(position: &'a Position, strings: &[String], counts: &mut Counts) -> Proof<Accepted<'a>> {
    let name = position.name();
    let document = position.document();
    let Some(spot) = position.spots(&document).into_iter().next() else {
        return violation(YAML, &name, &position.example, format!("does not stand in {document}"));
    };
    if let Err(problems) = read(&document.to_string()) {
        return violation(YAML, &name, &position.example, format!("the example is refused: {problems}"));
    }
    let mut texts: Vec<String> = strings.iter().flat_map(|string| position.texts(string)).collect();
    texts.sort();
    texts.dedup();
    let alone: HashSet<&str> = strings.iter().map(String::as_str).collect();
    let mut taken = Vec::new();
    for text in texts {
        let file = spot.put(&document, &text);
        let answer =
            guarded(YAML, &name, &text, || match position.format.is_some() && alone.contains(text.as_str()) {
                true => both(&file, &text),
                false => Ok(read(&file.to_string()).map(|document| document.spec)),
            })?;
        match answer {
            Err(disagree) => return violation(YAML, &name, &text, disagree),
            Ok(Err(problems)) => {
                refused_in_place(&problems, &spot.path(&text)).or_else(|what| violation(YAML, &name, &text, what))?;
                counts.refused += 1;
            }
            Ok(Ok(spec)) => {
                said(position, &spot, &file, &spec, &text).or_else(|what| violation(YAML, &name, &text, what))?;
                let printed = scaffold(&spec);
                match guarded(YAML, &name, &text, || read(&printed))? {
                    Ok(again) if again.spec == spec => counts.proven(YAML, 1),
                    Ok(_) => {
                        return violation(YAML, &name, &text, format!("printed, it says something else: {printed}"));
                    }
                    Err(problems) => {
                        return violation(YAML, &name, &text, format!("printed, it is refused: {problems}"));
                    }
                }
                taken.push(text);
            }
        }
    }
    Ok(Accepted { position, texts: taken })
}

/// What YAML 1.1 takes for the end of a line and 1.2 does not.
const OLD_LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Reads a file as JSON and as another program writes it in YAML: the answers have to be the same.
///
/// That program writes YAML 1.1, so that the two say different things where [`OLD_LINE_ENDS`] stand; and it writes the
/// key `<<` without quotes, which makes it another thing.
fn both(file: &Value, text: &str) -> Result<Result<Spec, Problems>, String> {
    let json = read(&file.to_string());
    if text.contains(OLD_LINE_ENDS) || text == "<<" {
        return Ok(json.map(|document| document.spec));
    }
    let yaml = serde_yaml::to_string(file).map_err(|e| format!("cannot be said in YAML: {e}"))?;
    let words = |problems: &Problems| {
        problems.iter().map(|p| format!("{}: {}; {:?}", p.path, p.message, p.right)).collect::<Vec<_>>()
    };
    match (json, read(&yaml)) {
        (Ok(json), Ok(yaml)) if json.spec == yaml.spec => Ok(Ok(json.spec)),
        (Err(json), Err(yaml)) if words(&json) == words(&yaml) => Ok(Err(json)),
        (json, other) => {
            Err(format!("JSON and YAML differ: {:?} and {:?}: {yaml}", json.map(|d| d.spec), other.map(|d| d.spec)))
        }
    }
}

/// Every problem is at the place of the text, and none carries what a terminal obeys.
fn refused_in_place(problems: &Problems, path: &str) -> Result<(), String> {
    match problems.iter().find(|problem| problem.path != path) {
        Some(problem) => Err(format!("refused at {} instead of {path}: {problem}", problem.path)),
        None => in_clean_words(problems),
    }
}

/// Every problem has a line, and none carries what a terminal obeys.
pub(super) fn in_clean_words(problems: &Problems) -> Result<(), String> {
    for problem in problems {
        if problem.span.is_none() {
            return Err(format!("refused without a line: {problem}"));
        }
        let words = format!("{problem}");
        if let Some(bad) = words.chars().find(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c)) {
            return Err(format!("refused in words with {bad:?}: {words:?}"));
        }
    }
    Ok(())
}

/// What was read is what was written: the text in its place, and everything else as it was.
fn said(position: &Position, spot: &Spot, file: &Value, spec: &Spec, text: &str) -> Result<(), String> {
    let spec = serde_json::to_value(spec).map_err(|e| e.to_string())?;
    if spec == *file {
        return Ok(());
    }
    // A size, a span or a network is a number written in one of several ways: it comes out in one of them.
    let normal = ["memory-size", "disk-size", "time-span", "ipv4-cidr", "gpu-request", "kubernetes-version"];
    let got = spot.get(&spec, text).unwrap_or_default();
    let format = position.format.unwrap_or_default();
    let equal_there = normal.contains(&format) && matches!(names::check(format, &got), Some(Ok(())));
    if equal_there && spot.put(&spec, text) == *file {
        return Ok(());
    }
    Err(format!("is read as {got:?} in {spec}"))
}
