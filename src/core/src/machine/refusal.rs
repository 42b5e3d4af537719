//! Why no machine type was found, and the nearest that exist.

use std::fmt;

use super::request::{Demand, GpuWish, Offerings, Request, Want, memory};
use super::resolve::{candidates, of_its_kind};
use super::types::{Arch, Catalogue, MachineType, Market};

/// How many nearest types an error names.
const MOST_NEAREST: usize = 3;

/// A type that comes near, and what keeps it from being the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    pub name: String,
    pub but: String,
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.but.is_empty() { f.write_str(&self.name) } else { write!(f, "{} ({})", self.name, self.but) }
    }
}

/// Why no machine type was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMachine {
    #[error("no type with gpu {model}; {}there are {}", did_you_mean(.close), list(.known))]
    UnknownGpu { model: String, close: Option<String>, known: Vec<String> },
    #[error("no type with gpu {wish}; {} comes in {}", .wish.model, list(.counts))]
    GpuCount { wish: GpuWish, counts: Vec<u32> },
    #[error("no {arch} type with gpu {wish}; it comes with {}", list(.others))]
    GpuArch { wish: GpuWish, arch: Arch, others: Vec<Arch> },
    #[error("no type with {request}{}", hint(.nearest))]
    TooLarge { request: Request, nearest: Vec<Near> },
    #[error("no type `{name}` in the catalogue of {as_of}{}", hint(.nearest))]
    UnknownType { name: String, as_of: String, nearest: Vec<Near> },
    #[error("{want} is not sold as {}", either(.markets))]
    NotSold { want: Want, markets: Vec<Market> },
    #[error("{}{want} is {}{}", .without.subject(), .without.place(), hint(.nearest))]
    NotOffered { want: Want, without: Without, nearest: Vec<Near> },
}

/// The zones that stand in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Without {
    /// The type that was named is not offered in these.
    Exact(Vec<String>),
    /// None of these has any type that would do.
    Any(Vec<String>),
    /// Each has one, but no type is in all of them.
    Common(Vec<String>),
}

impl Without {
    fn subject(&self) -> &'static str {
        if matches!(self, Self::Exact(_)) { "" } else { "no type with " }
    }

    fn place(&self) -> String {
        match self {
            Self::Exact(zones) => format!("not offered in {}", list(zones)),
            Self::Any(zones) => format!("offered in {}", list(zones)),
            Self::Common(zones) => format!("offered in all of {}", list(zones)),
        }
    }
}

/// Why nothing in the catalogue satisfies the request.
pub(super) fn unsatisfied(request: &Request, catalogue: &Catalogue) -> NoMachine {
    if let Some(wish) = &request.gpu {
        let models = catalogue.gpus();
        let Some(counts) = models.get(wish.model.as_str()) else {
            let close = closest(&wish.model, models.keys().copied()).next().map(str::to_owned);
            let known = models.keys().map(|&model| model.to_owned()).collect();
            return NoMachine::UnknownGpu { model: wish.model.clone(), close, known };
        };
        if !counts.contains(&wish.count) {
            return NoMachine::GpuCount { wish: wish.clone(), counts: counts.iter().copied().collect() };
        }
    }
    let kind = |arch| {
        let request = Request { arch, ..request.clone() };
        catalogue.types.iter().filter(move |t| of_its_kind(t, &request))
    };
    let mut nearest: Vec<_> = kind(request.arch).collect();
    if let (Some(wish), true) = (&request.gpu, nearest.is_empty()) {
        let others = [Arch::Amd64, Arch::Arm64].into_iter().filter(|&arch| kind(arch).next().is_some()).collect();
        return NoMachine::GpuArch { wish: wish.clone(), arch: request.arch, others };
    }
    nearest.sort_by(|a, b| shortfall(a, request).total_cmp(&shortfall(b, request)).then_with(|| a.cheaper_first(b)));
    let size = |t: &MachineType| format!("cpu {}, memory {}", t.cpu, memory(t.memory_mib));
    let nearest = nearest.into_iter().take(MOST_NEAREST).map(|t| Near { name: t.name.clone(), but: size(t) });
    NoMachine::TooLarge { request: request.clone(), nearest: nearest.collect() }
}

pub(super) fn unknown_type(name: &str, catalogue: &Catalogue) -> NoMachine {
    let close = closest(name, catalogue.types.iter().map(|t| t.name.as_str())).take(MOST_NEAREST);
    let nearest = close.map(|name| Near { name: name.to_owned(), but: String::new() }).collect();
    NoMachine::UnknownType { name: name.to_owned(), as_of: catalogue.as_of.to_string(), nearest }
}

/// Why no candidate is where it must be.
pub(super) fn not_offered(
    demand: &Demand,
    candidates: &[&MachineType],
    catalogue: &Catalogue,
    offered: &Offerings,
) -> NoMachine {
    let lacking = |zone: &&String| !candidates.iter().any(|t| offered.has(zone, &t.name));
    let nowhere: Vec<String> = demand.zones.iter().filter(lacking).cloned().collect();
    let without = match &demand.want {
        Want::Exact(_) => Without::Exact(nowhere),
        Want::Having(_) if nowhere.is_empty() => Without::Common(demand.zones.clone()),
        Want::Having(_) => Without::Any(nowhere),
    };
    let mut nearest = covering(&stand_ins(demand, candidates, catalogue), &demand.zones, offered);
    if nearest.is_empty() {
        nearest = covering(&other_gpus(candidates, catalogue), &demand.zones, offered);
    }
    NoMachine::NotOffered { want: demand.want.clone(), without, nearest }
}

/// The candidates; for a type that was named, the others that have at least what it has.
fn stand_ins<'a>(demand: &Demand, found: &[&'a MachineType], catalogue: &'a Catalogue) -> Vec<&'a MachineType> {
    match (&demand.want, found) {
        (Want::Exact(_), [named]) => {
            let gpu = named.gpu.as_ref().map(|gpu| GpuWish { model: gpu.model.clone(), count: gpu.count });
            let request = Request { cpu: named.cpu, memory_mib: named.memory_mib, gpu, arch: named.arch };
            let mut types = candidates(&Want::Having(request), catalogue).unwrap_or_default();
            types.retain(|t| t.name != named.name);
            types
        }
        _ => found.to_vec(),
    }
}

/// The cheapest type of every other GPU model in the same number and architecture.
fn other_gpus<'a>(candidates: &[&MachineType], catalogue: &'a Catalogue) -> Vec<&'a MachineType> {
    let Some((first, gpu)) = candidates.first().and_then(|t| Some((t, t.gpu.as_ref()?))) else {
        return Vec::new();
    };
    let mut others: Vec<&MachineType> = catalogue.types.iter().collect();
    others.retain(|t| {
        t.arch == first.arch && t.gpu.as_ref().is_some_and(|g| g.model != gpu.model && g.count == gpu.count)
    });
    others.sort_by(|a, b| a.cheaper_first(b));
    let mut seen = std::collections::BTreeSet::new();
    others.retain(|t| t.gpu.as_ref().is_some_and(|g| seen.insert(g.model.clone())));
    others
}

/// Those of the types that are offered in some of the zones, in most zones first, with the zones they lack.
fn covering(types: &[&MachineType], zones: &[String], offered: &Offerings) -> Vec<Near> {
    let mut near: Vec<_> = types
        .iter()
        .map(|&t| (t, zones.iter().filter(|zone| !offered.has(zone, &t.name)).cloned().collect::<Vec<_>>()))
        .filter(|(_, missing)| missing.len() < zones.len())
        .collect();
    near.sort_by_key(|(_, missing)| missing.len());
    let but = |t: &MachineType, missing: Vec<String>| {
        let gpu = t.gpu.as_ref().map(|gpu| format!("gpu {gpu}"));
        let lacks = (!missing.is_empty()).then(|| format!("not in {}", list(&missing)));
        gpu.into_iter().chain(lacks).collect::<Vec<_>>().join(", ")
    };
    near.into_iter()
        .take(MOST_NEAREST)
        .map(|(t, missing)| Near { name: t.name.clone(), but: but(t, missing) })
        .collect()
}

/// How far the machine is from being large enough: 1 is enough, 2 is half as large as it must be.
fn shortfall(machine: &MachineType, request: &Request) -> f64 {
    let cpu = f64::from(request.cpu) / f64::from(machine.cpu.max(1));
    let memory = request.memory_mib as f64 / machine.memory_mib.max(1) as f64;
    cpu.max(1.0) * memory.max(1.0)
}

/// The names most like the given one, best first; none that is unlike it.
fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut scored: Vec<_> = known.map(|k| (strsim::jaro_winkler(name, k), k)).filter(|(s, _)| *s > 0.85).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, k)| k)
}

fn did_you_mean(close: &Option<String>) -> String {
    close.as_ref().map(|name| format!("did you mean {name}? ")).unwrap_or_default()
}

fn hint(near: &[Near]) -> String {
    if near.is_empty() { String::new() } else { format!("; nearest: {}", list(near)) }
}

fn list(things: &[impl fmt::Display]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn either(things: &[impl fmt::Display]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
