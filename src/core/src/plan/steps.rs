//! The order of a plan: single steps and what each waits for.
//!
//! | step | waits for |
//! |---|---|
//! | create, update, check | what its arguments mention: known outputs where those suffice, readiness otherwise |
//! | create of a replacement | the deletion of the old one, or the other way round where the kind says so |
//! | delete | the deletion of everything live that names it, and the update of what stops naming it |
//! | anything of a roll | the roll's previous member being whole again |

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::{Action, Item, Point, Step, StepId, Verb};
use crate::addr::Addr;
use crate::cloud::{Live, Observed};
use crate::graph::links::Links;
use crate::graph::{Kind, Order, kind_of};

/// One address, and its steps.
struct Own<'a> {
    addr: &'a Addr,
    item: &'a Item,
    create: Option<StepId>,
    update: Option<StepId>,
    check: Option<StepId>,
    /// Deletions of the live resource and of its surplus twins.
    deletes: Vec<StepId>,
}

pub(super) fn order(
    items: &BTreeMap<Addr, Item>,
    links: &Links<'_>,
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let own: Vec<Own<'_>> = items.iter().map(|(addr, item)| single(addr, item, kinds, &mut steps)).collect();
    if steps.is_empty() {
        return steps;
    }
    // What is wanted is never deleted, and both lists are sorted by address: these are the graph's, by their numbers.
    let wanted: Vec<&Own<'_>> = own.iter().filter(|own| own.item.action != Action::Delete).collect();
    makings(&wanted, links, &mut steps);
    removals(&own, observed, kinds, depends, &mut steps);
    if wanted.iter().any(|own| own.item.action == Action::Replace) {
        rolls(&wanted, links, &mut steps);
    }
    for step in &mut steps {
        // Waiting for a step to be done implies waiting for its outputs.
        step.after.sort_unstable_by_key(|(id, point)| (*id, Reverse(*point)));
        step.after.dedup_by_key(|(id, _)| *id);
    }
    steps
}

/// The steps of one address, still without what they wait for.
fn single<'a>(addr: &'a Addr, item: &'a Item, kinds: &[&'static Kind], steps: &mut Vec<Step>) -> Own<'a> {
    let mut own = Own { addr, item, create: None, update: None, check: None, deletes: Vec::new() };
    if item.action == Action::Keep && item.surplus.is_empty() {
        return own;
    }
    let (making, removing) = kind_of(kinds, &addr.kind).map_or((1.0, 1.0), |k| k.seconds);
    let mut push = |verb: Verb, live: Option<&Arc<Live>>, seconds: f64| {
        steps.push(Step { addr: addr.clone(), verb, live: live.cloned(), after: Vec::new(), seconds });
        steps.len() - 1
    };
    if matches!(item.action, Action::Replace | Action::Delete) {
        own.deletes.push(push(Verb::Delete, item.live.as_ref(), removing));
    }
    match item.action {
        Action::Create | Action::Replace => own.create = Some(push(Verb::Create, None, making)),
        Action::Update => own.update = Some(push(Verb::Update, item.live.as_ref(), 1.0)),
        Action::Check => own.check = Some(push(Verb::Check, item.live.as_ref(), making)),
        Action::Keep | Action::Delete => {}
    }
    own.deletes.extend(item.surplus.iter().map(|live| push(Verb::Delete, Some(live), removing)));
    own
}

/// Creates and updates wait for what they mention.
fn makings(wanted: &[&Own<'_>], links: &Links<'_>, steps: &mut [Step]) {
    for (number, own) in wanted.iter().enumerate() {
        let Some(step) = own.create.or(own.update).or(own.check) else { continue };
        for &(of, attr) in links.mentions(number) {
            if let Some(create) = wanted[of].create {
                let early = links.nodes[of].kind.early.contains(&attr);
                steps[step].after.push((create, if early { Point::Created } else { Point::Done }));
            } else if let Some(other) = wanted[of].update.or(wanted[of].check) {
                steps[step].after.push((other, Point::Done));
            }
        }
    }
}

fn removals(
    own: &[Own<'_>],
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
    steps: &mut [Step],
) {
    for (user, used) in edges(own, observed, kinds, depends) {
        for &delete in &used.deletes {
            for &other in &user.deletes {
                steps[delete].after.push((other, Point::Done));
            }
            // What is changed in place stops naming the old one first, unless it can only do so once the new one is
            // there and the new one cannot be there before the old one is gone.
            if let Some(update) = user.update {
                let new_one_first = used.create.is_some() && order_of(kinds, used.addr) == Order::DeleteFirst;
                if !new_one_first {
                    steps[delete].after.push((update, Point::Done));
                }
            }
        }
    }
    for Own { addr, item, create, deletes, .. } in own {
        let Some(create) = create.filter(|_| item.action == Action::Replace) else { continue };
        match order_of(kinds, addr) {
            Order::DeleteFirst => deletes.iter().for_each(|&d| steps[create].after.push((d, Point::Done))),
            Order::CreateFirst => deletes.iter().for_each(|&d| steps[d].after.push((create, Point::Done))),
        }
        debug_assert!(item.live.is_some(), "only what lives is replaced");
    }
}

fn order_of(kinds: &[&'static Kind], addr: &Addr) -> Order {
    kind_of(kinds, &addr.kind).map_or(Order::DeleteFirst, |kind| kind.replace)
}

/// Arguments by which a resource says what it is itself; a name that is some other resource's id names nobody there.
const OWN: &[&str] = &["name", "path", "description", "tags", "tag"];

/// Who names what is deleted, by its ids in their arguments and by the record: of those who have a step for it to wait
/// for.
fn edges<'a>(
    own: &'a [Own<'a>],
    observed: &Observed,
    kinds: &[&'static Kind],
    depends: &BTreeMap<Addr, BTreeSet<Addr>>,
) -> Vec<(&'a Own<'a>, &'a Own<'a>)> {
    let deleted: HashMap<&Addr, &Own<'_>> =
        own.iter().filter(|own| !own.deletes.is_empty()).map(|own| (own.addr, own)).collect();
    let named = names(own, observed, kinds);
    let mut edges = Vec::new();
    for user in own.iter().filter(|user| !deleted.is_empty() && (user.update.is_some() || !user.deletes.is_empty())) {
        let mut uses = |used: &'a Own<'a>| {
            if used.addr != user.addr {
                edges.push((user, used));
            }
        };
        for live in observed.resources.get(user.addr).into_iter().flatten() {
            let args = live.args.as_object().into_iter().flatten();
            for (_, arg) in args.filter(|(name, _)| !OWN.contains(&name.as_str())) {
                strings(arg, &mut |text| named.get(text).into_iter().flatten().for_each(|used| uses(used)));
            }
        }
        let recorded = depends.get(user.addr).into_iter().flatten();
        recorded.filter_map(|used| deleted.get(used)).for_each(|used| uses(used));
    }
    edges
}

/// By which ids and other outputs what is deleted is named.
fn names<'a, 'b>(
    own: &'b [Own<'b>],
    observed: &'a Observed,
    kinds: &[&'static Kind],
) -> HashMap<&'a str, Vec<&'b Own<'b>>> {
    let mut named: HashMap<&str, Vec<&Own<'_>>> = HashMap::new();
    for own in own.iter().filter(|own| !own.deletes.is_empty()) {
        let lives = observed.resources.get(own.addr).map_or(&[][..], Vec::as_slice);
        let identity = kind_of(kinds, &own.addr.kind).map_or(&["id"][..], |kind| kind.identity);
        let outputs = identity.iter().filter_map(|attr| lives.iter().find_map(|l| l.outputs.get(*attr)?.as_str()));
        for name in outputs.chain(lives.iter().map(|live| live.id.as_str())) {
            named.entry(name).or_default().push(own);
        }
    }
    named
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
fn rolls(wanted: &[&Own<'_>], links: &Links<'_>, steps: &mut Vec<Step>) {
    let before: Vec<_> = steps.iter().map(|step| step.after.clone()).collect();
    one_after_another(wanted, links, steps);
    // Where something that all members stand on is replaced under them, they cannot go one after another.
    if super::check::references(steps).is_err() {
        steps.truncate(before.len());
        steps.iter_mut().zip(before).for_each(|(step, before)| step.after = before);
    }
}

fn one_after_another(wanted: &[&Own<'_>], links: &Links<'_>, steps: &mut Vec<Step>) {
    let mut rolls: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (number, node) in links.nodes.iter().enumerate() {
        if let Some(roll) = &node.roll {
            rolls.entry(roll).or_default().entry(&node.addr.name).or_default().push(number);
        }
    }
    for members in rolls.into_values() {
        let mut whole: Vec<StepId> = Vec::new();
        for parts in members.into_values() {
            if !parts.iter().any(|&part| wanted[part].item.action == Action::Replace) {
                continue;
            }
            let of = |own: &Own<'_>| {
                own.deletes.iter().copied().chain(own.create).chain(own.update).chain(own.check).collect()
            };
            let mine: Vec<StepId> = parts.iter().flat_map(|&part| -> Vec<StepId> { of(wanted[part]) }).collect();
            for &step in &mine {
                steps[step].after.extend(whole.iter().map(|&w| (w, Point::Done)));
            }
            let makings: Vec<StepId> = mine.iter().copied().filter(|&s| steps[s].verb != Verb::Delete).collect();
            whole.clone_from(&makings);
            for part in parts {
                let Own { addr, item, .. } = wanted[part];
                if item.action != Action::Keep {
                    continue;
                }
                steps.push(Step {
                    addr: (*addr).clone(),
                    verb: Verb::Check,
                    live: item.live.clone(),
                    after: makings.iter().map(|&m| (m, Point::Done)).collect(),
                    seconds: links.nodes[part].kind.seconds.0,
                });
                whole.push(steps.len() - 1);
            }
        }
    }
}
