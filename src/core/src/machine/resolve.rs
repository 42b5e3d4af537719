//! The choice: cheapest first, further types for a ladder, what had to be left out and why.

use std::fmt;

use serde::Serialize;

use super::refusal::{self, NoMachine};
use super::request::{Demand, Offerings, Request, Role, Want};
use super::types::{Catalogue, MachineType, Market};

/// How many further types a choice names.
const MOST_ALTERNATIVES: usize = 5;

/// Further types cost at most so many times the chosen one: a ladder must not multiply the bill unasked.
const DEAREST_ALTERNATIVE: u64 = 2;

/// Whether somebody asked the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// The cloud said that it offers the type in these zones.
    Offered,
    /// The catalogue alone decided; a zone may turn out not to have the type.
    CatalogueOnly,
}

/// What was asked for and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Lost {
    Zone(String),
    Market(Market),
}

/// A zone or rung that the choice does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    pub what: Lost,
    pub reason: String,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Lost::Zone(zone) => write!(f, "zone {zone} is left out: {}", self.reason),
            Lost::Market(market) => write!(f, "{market} capacity is left out: {}", self.reason),
        }
    }
}

/// The machine type of a demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub machine: MachineType,
    /// At least as large, with the same GPUs and architecture, offered in the same zones and markets; nearest price
    /// first. Empty where a type was asked for by name.
    pub alternatives: Vec<MachineType>,
    /// The zones it will be used in, in the order of the demand.
    pub zones: Vec<String>,
    /// The rungs that remain, in the order of the demand.
    pub markets: Vec<Market>,
    pub dropped: Vec<Dropped>,
    pub checked: Checked,
}

/// Chooses the machine type of a demand.
///
/// The cheapest type that is offered in all zones and sold on all rungs; ties are broken by name, unknown prices come
/// last. Burstable types, previous generations and bare metal are chosen only by name, but naming a GPU model is naming
/// its generation. GPU workers lose the zones that do not have the type, as few as possible, as long as one is left;
/// anything else needs every zone. Rungs are lost likewise.
///
/// # Errors
/// [`NoMachine`], which names the zones or rungs that cannot serve the demand and the nearest types that exist.
pub fn resolve(demand: &Demand, catalogue: &Catalogue, offered: &Offerings) -> Result<Choice, NoMachine> {
    let mut candidates = candidates(&demand.want, catalogue)?;
    let wanted = if demand.markets.is_empty() { &[Market::OnDemand][..] } else { &demand.markets };
    let may_drop = demand.role == Role::Worker && candidates.iter().all(|t| t.gpu.is_some());

    let missing = |t: &MachineType| demand.zones.iter().filter(|zone| !offered.has(zone, &t.name)).count();
    let unsold = |t: &MachineType| wanted.iter().filter(|market| !t.markets.contains(market)).count();
    let placed = |t: &MachineType| match missing(t) {
        0 => true,
        lost => may_drop && lost < demand.zones.len(),
    };
    candidates.retain(|t| unsold(t) < wanted.len());
    if candidates.is_empty() {
        return Err(NoMachine::NotSold { want: demand.want.clone(), markets: wanted.to_vec() });
    }
    // The first of several minima is returned, and the candidates are cheapest first.
    let chosen = candidates.iter().filter(|t| placed(t)).min_by_key(|t| (missing(t), unsold(t)));
    let Some(&machine) = chosen else {
        return Err(refusal::not_offered(demand, &candidates, catalogue, offered));
    };

    let (zones, no_zones): (Vec<_>, Vec<_>) = demand.zones.iter().partition(|zone| offered.has(zone, &machine.name));
    let (markets, no_markets): (Vec<_>, Vec<_>) = wanted.iter().partition(|market| machine.markets.contains(market));
    let lost_zones = no_zones.into_iter().map(|zone| Dropped {
        what: Lost::Zone(zone.clone()),
        reason: match (candidates.iter().find(|t| offered.has(zone, &t.name)), &demand.want) {
            (Some(other), _) => format!("{} is not offered there ({} is)", machine.name, other.name),
            (None, Want::Exact(name)) => format!("{name} is not offered there"),
            (None, Want::Having(request)) => format!("no type with {request} is offered there"),
        },
    });
    let lost_markets = no_markets.into_iter().map(|&market| Dropped {
        what: Lost::Market(market),
        reason: format!("{} is not sold as {market}", machine.name),
    });
    let dropped = lost_zones.chain(lost_markets).collect();
    let ladder = candidates.iter().filter(|t| {
        t.name != machine.name
            && stands_in(t, machine)
            && zones.iter().all(|zone| offered.has(zone, &t.name))
            && markets.iter().all(|market| t.markets.contains(market))
    });
    Ok(Choice {
        machine: machine.clone(),
        alternatives: ladder.take(MOST_ALTERNATIVES).map(|&t| t.clone()).collect(),
        zones: zones.into_iter().cloned().collect(),
        markets: markets.into_iter().copied().collect(),
        dropped,
        checked: match offered {
            Offerings::Known(_) => Checked::Offered,
            Offerings::Unknown => Checked::CatalogueOnly,
        },
    })
}

/// Every type that satisfies the want somewhere, cheapest first; never empty.
pub(super) fn candidates<'a>(want: &Want, catalogue: &'a Catalogue) -> Result<Vec<&'a MachineType>, NoMachine> {
    match want {
        Want::Exact(name) => match catalogue.get(name) {
            Some(machine) => Ok(vec![machine]),
            None => Err(refusal::unknown_type(name, catalogue)),
        },
        Want::Having(request) => {
            let mut types: Vec<_> = catalogue.types.iter().filter(|t| satisfies(t, request)).collect();
            // Some counts of a GPU exist only as a whole server; then the count asks for it.
            if types.iter().any(|t| !t.bare_metal) {
                types.retain(|t| !t.bare_metal);
            }
            if types.is_empty() {
                return Err(refusal::unsatisfied(request, catalogue));
            }
            types.sort_by(|a, b| a.cheaper_first(b));
            Ok(types)
        }
    }
}

fn satisfies(machine: &MachineType, request: &Request) -> bool {
    of_its_kind(machine, request) && machine.cpu >= request.cpu && machine.memory_mib >= request.memory_mib
}

/// Whether only the machine's size can keep it from satisfying the request.
pub(super) fn of_its_kind(machine: &MachineType, request: &Request) -> bool {
    machine.arch == request.arch
        && match (&machine.gpu, &request.gpu) {
            (Some(gpu), Some(wish)) => gpu.model == wish.model && gpu.count == wish.count,
            (None, None) => machine.current && !machine.burstable && !machine.bare_metal,
            _ => false,
        }
}

/// Whether what runs on the chosen machine also runs on the other.
///
/// The autoscaler takes all types of a group for as large as the first, hence no smaller one. A price that is unknown
/// beside one that is known is no bargain.
fn stands_in(other: &MachineType, chosen: &MachineType) -> bool {
    let affordable = match (other.price, chosen.price) {
        (Some(other), Some(chosen)) => other.micro_usd() <= chosen.micro_usd().saturating_mul(DEAREST_ALTERNATIVE),
        (None, Some(_)) => false,
        (_, None) => true,
    };
    affordable && other.gpu == chosen.gpu && other.cpu >= chosen.cpu && other.memory_mib >= chosen.memory_mib
}

#[cfg(test)]
mod tests;
