//! A second look at a finished plan, by rules and not by how it was made.
//!
//! A plan may come out of a file. What is checked here is what would hurt: touching what was not observed as ours,
//! waiting for ever, making something twice, removing what is still needed.

use std::collections::{HashMap, HashSet};

use super::{Action, Plan, Step, Verb};
use crate::addr::Addr;
use crate::cloud::Observed;

/// A plan that must not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("step {0} waits for step {1}, which does not exist")]
    NoSuchStep(usize, usize),
    #[error("{} steps wait for each other, {} among them", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Cycle(Vec<Addr>),
    #[error("{addr}: {id} would be touched, but nothing owned with that id was observed")]
    NotOurs { addr: Addr, id: String },
    #[error("{0} would be made although it is there")]
    MadeTwice(Addr),
    #[error("{0} is wanted, but no step makes it")]
    NeverMade(Addr),
    #[error("{user} stays and needs {used}, which would be removed")]
    StillNeeded { user: Addr, used: Addr },
    #[error("{0}: the steps do not match the decision `{1:?}`")]
    Mismatch(Addr, Action),
}

/// Checks `plan` against what was observed.
///
/// # Errors
/// The first fault found.
pub fn check(plan: &Plan, observed: &Observed) -> Result<(), Fault> {
    references(&plan.steps)?;
    ownership(plan, observed)?;
    decisions(plan)?;
    needs(plan)
}

pub(super) fn references(steps: &[Step]) -> Result<(), Fault> {
    let mut waiting: Vec<usize> = Vec::with_capacity(steps.len());
    let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (id, step) in steps.iter().enumerate() {
        for (other, _) in &step.after {
            dependants.get_mut(*other).ok_or(Fault::NoSuchStep(id, *other))?.push(id);
        }
        waiting.push(step.after.len());
    }
    let mut free: Vec<usize> = (0..steps.len()).filter(|&id| waiting[id] == 0).collect();
    let mut seen = 0;
    while let Some(id) = free.pop() {
        seen += 1;
        for &dependant in &dependants[id] {
            waiting[dependant] -= 1;
            if waiting[dependant] == 0 {
                free.push(dependant);
            }
        }
    }
    if seen == steps.len() {
        return Ok(());
    }
    Err(Fault::Cycle(steps.iter().zip(&waiting).filter(|(_, w)| **w > 0).map(|(s, _)| s.addr.clone()).collect()))
}

/// What a plan touches that was not observed to be ours.
pub fn foreign<'a>(plan: &'a Plan, observed: &'a Observed) -> impl Iterator<Item = (&'a Addr, &'a str)> {
    let touched = plan.steps.iter().filter_map(|step| Some((&step.addr, step.live.as_ref()?.id.as_str())));
    touched.filter(|(addr, id)| !observed.resources.get(addr).is_some_and(|all| all.iter().any(|one| one.id == *id)))
}

fn ownership(plan: &Plan, observed: &Observed) -> Result<(), Fault> {
    if let Some((addr, id)) = foreign(plan, observed).next() {
        return Err(Fault::NotOurs { addr: addr.clone(), id: id.to_owned() });
    }
    for (addr, item) in &plan.items {
        if item.action == Action::Create && observed.resources.get(addr).is_some_and(|all| !all.is_empty()) {
            return Err(Fault::MadeTwice(addr.clone()));
        }
    }
    Ok(())
}

fn decisions(plan: &Plan) -> Result<(), Fault> {
    let mut counted: HashMap<&Addr, [usize; 3]> = HashMap::new();
    for step in &plan.steps {
        let counts = counted.entry(&step.addr).or_default();
        match step.verb {
            Verb::Create => counts[0] += 1,
            Verb::Update => counts[1] += 1,
            Verb::Delete => counts[2] += 1,
            Verb::Check => {}
        }
    }
    for (addr, item) in &plan.items {
        let [creates, updates, deletes] = counted.remove(addr).unwrap_or_default();
        let surplus = item.surplus.len();
        let expected = match item.action {
            Action::Keep | Action::Check => [0, 0, surplus],
            Action::Create => [1, 0, surplus],
            Action::Update => [0, 1, surplus],
            Action::Replace => [1, 0, 1 + surplus],
            Action::Delete => [0, 0, 1 + surplus],
        };
        if item.action == Action::Create && creates == 0 {
            return Err(Fault::NeverMade(addr.clone()));
        }
        if [creates, updates, deletes] != expected {
            return Err(Fault::Mismatch(addr.clone(), item.action));
        }
    }
    match counted.into_keys().min() {
        Some(addr) => Err(Fault::Mismatch(addr.clone(), Action::Keep)),
        None => Ok(()),
    }
}

fn needs(plan: &Plan) -> Result<(), Fault> {
    let stays: HashSet<&Addr> =
        plan.items.iter().filter(|(_, i)| i.action != Action::Delete).map(|(addr, _)| addr).collect();
    for (user, item) in plan.items.iter().filter(|(_, i)| i.action != Action::Delete) {
        if let Some(used) = item.needs.iter().find(|need| !stays.contains(need)) {
            return Err(Fault::StillNeeded { user: user.clone(), used: used.clone() });
        }
    }
    Ok(())
}
