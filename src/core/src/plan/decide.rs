//! Per address: keep, create, update, replace or delete, and why.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Action, Change, Item, Risk};
use crate::addr::Addr;
use crate::cloud::{Live, Observed};
use crate::graph::{Graph, GraphError, Kind, Node, kind_of};
use crate::value;

pub(super) fn decide(
    desired: &Graph,
    observed: &Observed,
    kinds: &[&'static Kind],
) -> Result<BTreeMap<Addr, Item>, GraphError> {
    let mut items: BTreeMap<Addr, Item> = BTreeMap::new();
    for node in desired.order()? {
        // Outputs of what stays are known; of what is made anew they are not, and their dependants differ for that.
        let want = value::resolve(&node.args, &|of, attr| {
            let item = items.get(of).filter(|i| matches!(i.action, Action::Keep | Action::Update))?;
            item.live.as_ref()?.outputs.get(attr).cloned()
        });
        let item = one(node, &want, observed.resources.get(&node.addr).map_or(&[], Vec::as_slice));
        items.insert(node.addr.clone(), item);
    }
    for (addr, lives) in &observed.resources {
        if desired.get(addr).is_none()
            && let Some((first, rest)) = lives.split_first()
        {
            let kind = kind_of(kinds, &addr.kind);
            items.insert(
                addr.clone(),
                Item {
                    action: Action::Delete,
                    risk: risk(Action::Delete, kind),
                    changes: Vec::new(),
                    live: Some(first.clone()),
                    surplus: rest.to_vec(),
                    want: Value::Null,
                    needs: Default::default(),
                    ladder: Vec::new(),
                },
            );
        }
    }
    Ok(items)
}

fn one(node: &Node, want: &Value, lives: &[Live]) -> Item {
    let mut item = Item {
        action: Action::Create,
        risk: Risk::Safe,
        changes: Vec::new(),
        live: None,
        surplus: Vec::new(),
        want: node.args.clone(),
        needs: node.needs(),
        ladder: node.ladder.iter().map(Into::into).collect(),
    };
    // Of several, the one that fits best stays: the fewest arguments that force a replacement, then the fewest changes,
    // then the lowest id, so that every run picks the same one.
    let best = lives.iter().map(|live| (differences(node, want, live), live)).min_by_key(|(changes, live)| {
        (changes.iter().filter(|c| c.forces_new).count(), changes.len(), live.id.clone())
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
    item.live = Some(live.clone());
    item.changes = changes;
    item
}

fn differences(node: &Node, want: &Value, live: &Live) -> Vec<Change> {
    let kind = node.kind;
    let (want, live_args) = (value::ordered(want, kind.sets), value::ordered(&live.args, kind.sets));
    want.as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !kind.write_only.contains(&name.as_str()))
        .filter_map(|(name, to)| {
            let from = live_args.get(name).unwrap_or(&Value::Null);
            (!value::same(to, from)).then(|| Change {
                argument: name.clone(),
                from: from.clone(),
                to: to.clone(),
                forces_new: kind.forces_new.contains(&name.as_str()),
            })
        })
        .collect()
}

fn risk(action: Action, kind: Option<&Kind>) -> Risk {
    match action {
        Action::Keep | Action::Create => Risk::Safe,
        Action::Update => Risk::Safe,
        Action::Replace | Action::Delete if kind.is_some_and(|k| k.holds_data) => Risk::DataLoss,
        Action::Replace | Action::Delete => Risk::Disruptive,
    }
}
