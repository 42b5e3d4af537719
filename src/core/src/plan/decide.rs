//! Per address: keep, create, update, replace or delete, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Action, Change, Item, Risk};
use crate::addr::Addr;
use crate::cloud::{Live, Observed, Unready};
use crate::graph::links::Links;
use crate::graph::{GraphError, Kind, Node, kind_of};
use crate::value::{self, Mention};

pub(super) fn decide(
    links: &Links<'_>,
    observed: &Observed,
    kinds: &[&'static Kind],
) -> Result<BTreeMap<Addr, Item>, GraphError> {
    let (wanted, unwanted) = split(links, observed);
    let mut decided: Vec<Option<Item>> = links.nodes.iter().map(|_| None).collect();
    for number in links.order()? {
        let node = links.nodes[number];
        let recorded = observed.recorded.get(&node.addr).map(String::as_str);
        let mut item = one(node, wanted[number], recorded, &|mention| output(links, &decided, mention));
        if recorded.is_some() && recorded == item.live.as_ref().map(|live| live.id.as_str()) {
            wait_or_replace(&mut item, node.kind, observed.unready.get(&node.addr).copied());
        }
        item.needs = links.needs(number).map(|need| links.nodes[need].addr.clone()).collect();
        decided[number] = Some(item);
    }
    let addrs = links.nodes.iter().map(|node| node.addr.clone());
    let stay = addrs.zip(decided).filter_map(|(addr, item)| Some((addr, item?)));
    let go = unwanted.into_iter().filter_map(|(addr, lives)| {
        let item = gone(kind_of(kinds, &addr.kind), lives)?;
        Some((addr.clone(), item))
    });
    Ok(stay.chain(go).collect())
}

type Lives<'a> = &'a [Arc<Live>];

/// What is live of each node, by its number, and what is live of no node. Both sides are sorted by address.
fn split<'a>(links: &Links<'_>, observed: &'a Observed) -> (Vec<Lives<'a>>, Vec<(&'a Addr, Lives<'a>)>) {
    let (mut wanted, mut unwanted) = (Vec::with_capacity(links.nodes.len()), Vec::new());
    let mut seen = observed.resources.iter().map(|(addr, lives)| (addr, lives.as_slice())).peekable();
    for node in &links.nodes {
        unwanted.extend(std::iter::from_fn(|| seen.next_if(|(addr, _)| **addr < node.addr)));
        wanted.push(seen.next_if(|(addr, _)| **addr == node.addr).map_or(&[][..], |(_, lives)| lives));
    }
    unwanted.extend(seen);
    (wanted, unwanted)
}

/// Outputs of what stays are known; of what is made anew they are not, and its dependants differ for that.
fn output<'a>(links: &Links<'_>, decided: &'a [Option<Item>], mention: Mention<'_>) -> Option<Cow<'a, Value>> {
    let item = decided[links.mentioned(mention)?].as_ref()?;
    let stays = matches!(item.action, Action::Keep | Action::Check | Action::Update);
    item.live.as_ref().filter(|_| stays)?.outputs.get(mention.attr).map(Cow::Borrowed)
}

fn gone(kind: Option<&Kind>, lives: Lives<'_>) -> Option<Item> {
    let (first, rest) = lives.split_first()?;
    Some(Item {
        action: Action::Delete,
        risk: risk(Action::Delete, kind),
        changes: Vec::new(),
        live: Some(first.clone()),
        unready: None,
        surplus: rest.to_vec(),
        want: Default::default(),
        needs: Default::default(),
        ladder: Vec::new(),
    })
}

type Lookup<'a, 'b> = &'b dyn Fn(Mention<'a>) -> Option<Cow<'a, Value>>;

fn one<'a>(node: &'a Node, lives: Lives<'_>, recorded: Option<&str>, lookup: Lookup<'a, '_>) -> Item {
    let mut item = Item {
        action: Action::Create,
        risk: Risk::Safe,
        changes: Vec::new(),
        live: None,
        unready: None,
        surplus: Vec::new(),
        want: node.args.clone(),
        needs: Default::default(),
        ladder: node.ladder.iter().map(Into::into).collect(),
    };
    // Of several, the one that fits best stays: the fewest arguments that force a replacement, then the one on record,
    // which others use, then the fewest changes, then the lowest id, so that every run picks the same one.
    let best = lives.iter().map(|live| (differences(node, live, lookup), live)).min_by_key(|(changes, live)| {
        let forced = changes.iter().filter(|c| c.forces_new).count();
        (forced, recorded != Some(live.id.as_str()), changes.len(), live.id.as_str())
    });
    let Some((changes, live)) = best else { return item };
    item.action = if changes.iter().any(|c| c.forces_new) {
        Action::Replace
    } else if changes.is_empty() {
        Action::Keep
    } else {
        Action::Update
    };
    item.risk = risk(item.action, Some(node.kind));
    item.surplus = lives.iter().filter(|other| other.id != live.id).cloned().collect();
    if !item.surplus.is_empty() && node.kind.holds_data {
        // Nothing here knows which of them has the data.
        item.risk = Risk::DataLoss;
    }
    item.live = Some(live.clone());
    item.changes = changes;
    item
}

/// What was never ready is waited for; what did not become ready in time never will, and nothing stands on it.
fn wait_or_replace(item: &mut Item, kind: &Kind, unready: Option<Unready>) {
    item.unready = unready;
    match (unready, item.action) {
        (Some(Unready::Stuck), Action::Keep | Action::Update) if !kind.persists => {
            item.action = Action::Replace;
            item.risk = Risk::Disruptive;
        }
        (Some(_), Action::Keep) => item.action = Action::Check,
        _ => {}
    }
}

fn differences<'a>(node: &'a Node, live: &Live, lookup: Lookup<'a, '_>) -> Vec<Change> {
    let kind = node.kind;
    let there = live.args.as_object();
    let args = node.args.as_object().into_iter().flat_map(|args| value::beside(args, there));
    args.filter(|(name, ..)| !kind.write_only.contains(&name.as_str()) && !live.unseen.contains(name.as_str()))
        .filter_map(|(name, arg, from)| {
            let to = value::ordered_argument(name, value::resolved(arg, lookup), kind.sets);
            let from = value::ordered_argument(name, Cow::Borrowed(from.unwrap_or(&Value::Null)), kind.sets);
            (!value::same(&to, &from)).then(|| Change {
                argument: name.clone(),
                from: from.into_owned(),
                to: to.into_owned(),
                forces_new: kind.forces_new.contains(&name.as_str()),
            })
        })
        .collect()
}

fn risk(action: Action, kind: Option<&Kind>) -> Risk {
    match action {
        Action::Keep | Action::Check | Action::Create => Risk::Safe,
        Action::Update => Risk::Safe,
        Action::Replace | Action::Delete if kind.is_some_and(|k| k.holds_data) => Risk::DataLoss,
        Action::Replace | Action::Delete => Risk::Disruptive,
    }
}
