//! The order of a plan: single steps and what each waits for.
//!
//! | step | waits for |
//! |---|---|
//! | create, update | what its arguments mention: known outputs where those suffice, readiness otherwise |
//! | create of a replacement | the deletion of the old one, or the other way round where the kind says so |
//! | delete | the deletion of everything live that names it, and the update of what stops naming it |
//! | anything of a roll | the roll's previous member being whole again |

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Action, Item, Point, Step, StepId, Verb};
use crate::addr::Addr;
use crate::cloud::{Live, Observed};
use crate::graph::{Graph, Kind, Order, kind_of};
use crate::value;

/// The steps of one address.
#[derive(Default)]
struct Own {
    create: Option<StepId>,
    update: Option<StepId>,
    /// Deletions of the live resource and of its surplus twins.
    deletes: Vec<StepId>,
}

pub(super) fn order(
    items: &BTreeMap<Addr, Item>,
    desired: &Graph,
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut own: BTreeMap<&Addr, Own> = BTreeMap::new();
    let mut push = |addr: &Addr, verb: Verb, live: Option<&Live>, seconds: f64| {
        steps.push(Step { addr: addr.clone(), verb, live: live.cloned(), after: Vec::new(), seconds });
        steps.len() - 1
    };
    for (addr, item) in items {
        let (making, removing) = kind_of(kinds, &addr.kind).map_or((1.0, 1.0), |k| k.seconds);
        let entry = own.entry(addr).or_default();
        match item.action {
            Action::Keep => {}
            Action::Create => entry.create = Some(push(addr, Verb::Create, None, making)),
            Action::Update => entry.update = Some(push(addr, Verb::Update, item.live.as_ref(), 1.0)),
            Action::Replace => {
                entry.deletes.push(push(addr, Verb::Delete, item.live.as_ref(), removing));
                entry.create = Some(push(addr, Verb::Create, None, making));
            }
            Action::Delete => entry.deletes.push(push(addr, Verb::Delete, item.live.as_ref(), removing)),
        }
        for live in &item.surplus {
            entry.deletes.push(push(addr, Verb::Delete, Some(live), removing));
        }
    }
    if steps.is_empty() {
        return steps;
    }
    makings(items, desired, &own, &mut steps);
    removals(items, observed, kinds, depends, &own, &mut steps);
    let mut rolled = steps.clone();
    rolls(items, desired, &own, &mut rolled);
    // Where something that all members stand on is replaced under them, they cannot go one after another.
    if super::check::references(&rolled).is_ok() {
        steps = rolled;
    }
    for step in &mut steps {
        step.after.sort_unstable();
        step.after.dedup();
        // Waiting for a step to be done implies waiting for its outputs.
        let done: BTreeSet<StepId> = step.after.iter().filter(|(_, p)| *p == Point::Done).map(|(id, _)| *id).collect();
        step.after.retain(|(id, point)| *point == Point::Done || !done.contains(id));
    }
    steps
}

/// Creates and updates wait for what they mention.
fn makings(items: &BTreeMap<Addr, Item>, desired: &Graph, own: &BTreeMap<&Addr, Own>, steps: &mut [Step]) {
    for (addr, item) in items {
        let Some(mine) = own.get(addr) else { continue };
        let Some(step) = mine.create.or(mine.update) else { continue };
        for (of, attr) in value::mentions(&item.want) {
            let Some(theirs) = own.get(&of) else { continue };
            if let Some(create) = theirs.create {
                let early = desired.get(&of).is_some_and(|n| n.kind.early.contains(&attr.as_str()));
                steps[step].after.push((create, if early { Point::Created } else { Point::Done }));
            } else if let Some(update) = theirs.update {
                steps[step].after.push((update, Point::Done));
            }
        }
    }
}

fn removals(
    items: &BTreeMap<Addr, Item>,
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
    own: &BTreeMap<&Addr, Own>,
    steps: &mut [Step],
) {
    for (user, used) in edges(observed, kinds, depends) {
        let (Some(user_own), Some(used_own)) = (own.get(user), own.get(used)) else { continue };
        for &delete in &used_own.deletes {
            for &other in &user_own.deletes {
                steps[delete].after.push((other, Point::Done));
            }
            // What is changed in place stops naming the old one first, unless it can only do so once the new one is
            // there and the new one cannot be there before the old one is gone.
            if let Some(update) = user_own.update {
                let new_one_first = used_own.create.is_some() && order_of(kinds, used) == Order::DeleteFirst;
                if !new_one_first {
                    steps[delete].after.push((update, Point::Done));
                }
            }
        }
    }
    for (addr, item) in items.iter().filter(|(_, i)| i.action == Action::Replace) {
        let Some(Own { create: Some(create), deletes, .. }) = own.get(addr) else { continue };
        match order_of(kinds, addr) {
            Order::DeleteFirst => deletes.iter().for_each(|&d| steps[*create].after.push((d, Point::Done))),
            Order::CreateFirst => {
                for &delete in deletes {
                    steps[delete].after.push((*create, Point::Done));
                }
            }
        }
        debug_assert!(item.live.is_some(), "only what lives is replaced");
    }
}

fn order_of(kinds: &[&'static Kind], addr: &Addr) -> Order {
    kind_of(kinds, &addr.kind).map_or(Order::DeleteFirst, |kind| kind.replace)
}

/// Arguments by which a resource says what it is itself; a name that is some other resource's id names nobody there.
const OWN: &[&str] = &["name", "path", "description", "tags", "tag"];

/// Who names whom among what is live: by the ids in their arguments, and by the record.
fn edges<'a>(
    observed: &'a Observed,
    kinds: &[&'static Kind],
    depends: &'a BTreeMap<Addr, BTreeSet<Addr>>,
) -> BTreeSet<(&'a Addr, &'a Addr)> {
    let mut named: BTreeMap<&str, Vec<&Addr>> = BTreeMap::new();
    for (addr, lives) in &observed.resources {
        let identity = kind_of(kinds, &addr.kind).map_or(&["id"][..], |kind| kind.identity);
        for output in identity.iter().filter_map(|attr| lives.iter().find_map(|l| l.outputs.get(*attr)?.as_str())) {
            named.entry(output).or_default().push(addr);
        }
        for live in lives {
            let entry = named.entry(live.id.as_str()).or_default();
            if !entry.contains(&addr) {
                entry.push(addr);
            }
        }
    }
    let mut edges = BTreeSet::new();
    for (user, lives) in &observed.resources {
        for live in lives {
            for (_, arg) in
                live.args.as_object().into_iter().flatten().filter(|(name, _)| !OWN.contains(&name.as_str()))
            {
                strings(arg, &mut |text| {
                    for used in named.get(text).into_iter().flatten() {
                        if *used != user {
                            edges.insert((user, *used));
                        }
                    }
                });
            }
        }
        for used in depends.get(user).into_iter().flatten() {
            if let Some((used, _)) = observed.resources.get_key_value(used).filter(|(used, _)| *used != user) {
                edges.insert((user, used));
            }
        }
    }
    edges
}

fn strings<'a>(value: &'a Value, each: &mut dyn FnMut(&'a str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, each)),
        Value::Object(map) => map.values().for_each(|item| strings(item, each)),
        _ => {}
    }
}

/// Members of a roll are replaced one after another; the members that are merely part of one being replaced are checked
/// before the next one starts.
fn rolls(items: &BTreeMap<Addr, Item>, desired: &Graph, own: &BTreeMap<&Addr, Own>, steps: &mut Vec<Step>) {
    let mut rolls: BTreeMap<&str, BTreeMap<&str, Vec<&Addr>>> = BTreeMap::new();
    for node in desired.iter() {
        if let Some(roll) = &node.roll {
            rolls.entry(roll).or_default().entry(&node.addr.name).or_default().push(&node.addr);
        }
    }
    for members in rolls.into_values() {
        let mut whole: Vec<StepId> = Vec::new();
        for parts in members.into_values() {
            let replaced = |addr: &Addr| items.get(addr).is_some_and(|i| i.action == Action::Replace);
            if !parts.iter().any(|addr| replaced(addr)) {
                continue;
            }
            let mine: Vec<StepId> = parts
                .iter()
                .filter_map(|addr| own.get(*addr))
                .flat_map(|o| o.deletes.iter().copied().chain(o.create).chain(o.update))
                .collect();
            for &step in &mine {
                steps[step].after.extend(whole.iter().map(|&w| (w, Point::Done)));
            }
            let makings: Vec<StepId> = mine.iter().copied().filter(|&s| steps[s].verb != Verb::Delete).collect();
            whole.clone_from(&makings);
            for addr in parts {
                let Some(item) = items.get(addr).filter(|i| i.action == Action::Keep) else { continue };
                steps.push(Step {
                    addr: addr.clone(),
                    verb: Verb::Check,
                    live: item.live.clone(),
                    after: makings.iter().map(|&m| (m, Point::Done)).collect(),
                    seconds: desired.get(addr).map_or(1.0, |n| n.kind.seconds.0),
                });
                whole.push(steps.len() - 1);
            }
        }
    }
}
