//! One request while it is answered.

use serde_json::{Map, Value};

use crate::world::{Ms, World};

/// An error as a service answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Seconds.
    pub retry_after: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), retry_after: None }
    }

    /// The usual: the request was wrong.
    pub(super) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }
}

/// What an action answers: the members of its response in their order.
pub(super) type Answer = Result<Map<String, Value>, Refused>;

/// A request with its parameters as a tree, in the names of the API.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub world: &'a mut World,
    pub params: Map<String, Value>,
}

impl Call<'_> {
    /// The value at a path such as `Ebs.VolumeSize`.
    pub(super) fn at(&self, path: &str) -> Option<&Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let found = self.params.get(first)?;
        rest.split('.').filter(|step| !step.is_empty()).try_fold(found, |value, step| match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(step),
        })
    }

    /// A parameter as text; empty ones are none.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// A parameter that the action cannot do without.
    pub(super) fn needs(&self, path: &str) -> Result<String, Refused> {
        self.text(path)
            .map(str::to_owned)
            .ok_or_else(|| Refused::bad("MissingParameter", format!("The request must contain the parameter {path}")))
    }

    pub(super) fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    pub(super) fn flag(&self, path: &str) -> Option<bool> {
        self.text(path)?.parse().ok()
    }

    /// A list; a single value is a list of one.
    pub(super) fn list(&self, path: &str) -> Vec<Value> {
        match self.at(path) {
            Some(Value::Array(items)) => items.clone(),
            Some(Value::String(text)) if text.is_empty() => Vec::new(),
            Some(other) => vec![other.clone()],
            None => Vec::new(),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        self.list(path).iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn now(&self) -> Ms {
        self.world.now()
    }
}

/// Makes an object of pairs.
pub(super) fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A time as the services write it, from the world's.
pub(super) fn timestamp(at: Ms) -> String {
    let begin = crate::world::begin();
    let after = jiff::SignedDuration::from_millis(i64::try_from(at).unwrap_or(i64::MAX));
    begin.checked_add(after).unwrap_or(begin).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Whether `text` has `id` in it as a whole word.
pub(super) fn mentions(text: &str, id: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices(id).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + id.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

/// How what a request begins is going to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Usual,
    Fails,
    NeverEnds,
}

/// The world's own view before an injection, to be put back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    failing: f64,
}

/// Sets the fate of what begins now.
pub(super) fn begun(world: &mut World, fate: Fate) -> Outcome {
    let failing = world.weather.accepted_then_failed;
    match fate {
        Fate::Usual => {}
        Fate::Fails => world.weather.accepted_then_failed = 1.0,
        // More often than always: `fate` tells the two apart.
        Fate::NeverEnds => world.weather.accepted_then_failed = 2.0,
    }
    Outcome { failing }
}

pub(super) fn ended(world: &mut World, outcome: Outcome) {
    world.weather.accepted_then_failed = outcome.failing;
}

/// How an operation that begins now is going to end: handlers of what goes on after its answer ask.
pub(super) fn fate(world: &mut World, what: &str) -> Fate {
    let often = world.weather.accepted_then_failed;
    if often > 1.0 {
        Fate::NeverEnds
    } else if world.chance.happens(&format!("fate/{what}"), often) {
        Fate::Fails
    } else {
        Fate::Usual
    }
}

/// Makes reads not know what was made in the last two minutes; gives what to put back.
pub(super) fn forget(world: &mut World) -> Vec<(String, String, Ms)> {
    let now = world.now();
    let new: Vec<(String, String, Ms)> = world
        .everything()
        .filter(|thing| thing.born + 120_000 > now && !thing.foreign)
        .map(|thing| (thing.kind.clone(), thing.id.clone(), thing.seen_from))
        .collect();
    for (kind, id, _) in &new {
        if let Some(thing) = world.get_mut(kind, id) {
            thing.seen_from = now + 1;
        }
    }
    world.weather.flap = -world.weather.flap;
    new
}

pub(super) fn remember(world: &mut World, before: Vec<(String, String, Ms)>) {
    world.weather.flap = -world.weather.flap;
    for (kind, id, seen_from) in before {
        if let Some(thing) = world.get_mut(&kind, &id) {
            thing.seen_from = seen_from;
        }
    }
}
