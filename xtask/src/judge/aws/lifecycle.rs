//! A cluster's whole life: made, unchanged, edited four times, removed; and after each step exactly that and no more.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::case::{Case, EXTRA};
use super::plan::{self, Actions};
use super::world::{Latency, World, shorten};
use super::{Rig, Scenario};

const CASES: [&str; 9] = [
    "minimal",
    "ha-private",
    "public",
    "gpu-spot",
    "existing-network",
    "bastion",
    "dns-private",
    "dns-public",
    "routed",
];

pub(super) fn scenarios(scenarios: &mut Vec<(String, Scenario)>) {
    for case in CASES {
        scenarios.push((format!("lifecycle {case}"), Box::new(move |rig| life(rig, case))));
    }
}

/// One edit: what it does to the file, what a plan may then say, and which kinds of the account may then differ.
struct Edit {
    name: &'static str,
    change: fn(&mut Case) -> Result<()>,
    /// Whether this action on this address is a consequence of the edit.
    follows: fn(&str, &str) -> bool,
    /// Kinds of resources that have to be among the addresses.
    needed: &'static [&'static str],
    /// As the reader of the account calls them.
    kinds: &'static [&'static str],
}

/// A life begins one release behind, so that there is one to go to.
pub(super) const OLDER: &str = "1.35";
pub(super) const NEWER: &str = "1.36";

const EDITS: [Edit; 4] = [
    Edit {
        name: "scale",
        change: Case::scale,
        follows: |address, action| action == "update" && address.starts_with("aws_autoscaling_group."),
        needed: &["aws_autoscaling_group"],
        kinds: &["scaling-group"],
    },
    Edit {
        name: "add a GPU group",
        change: Case::add_gpu_group,
        follows: |address, action| action == "create" && address.contains(EXTRA),
        needed: &["aws_autoscaling_group", "aws_launch_template"],
        kinds: &["scaling-group", "launch-template", "launch-template-version", "tag"],
    },
    Edit {
        name: "change the version",
        change: |case| case.set_version(NEWER),
        follows: |address, action| match address.split('.').next().unwrap_or_default() {
            "aws_instance" => action == "replace" && address.contains("control-plane"),
            "aws_volume_attachment" => action == "replace",
            "aws_launch_template" => action == "update" || action == "replace",
            "aws_autoscaling_group" => action == "update",
            _ => false,
        },
        needed: &["aws_instance", "aws_launch_template"],
        kinds: &[
            "instance",
            "launch-template",
            "launch-template-version",
            "network-interface",
            "scaling-group",
            "tag",
            "volume",
        ],
    },
    Edit {
        name: "remove the group",
        change: Case::remove_gpu_group,
        follows: |address, action| action == "delete" && address.contains(EXTRA),
        needed: &["aws_autoscaling_group", "aws_launch_template"],
        kinds: &["scaling-group", "launch-template", "launch-template-version", "instance", "volume", "tag"],
    },
];

fn life(rig: &Rig, name: &str) -> Result<String> {
    let mut world = World::start(rig, &format!("lifecycle-{name}"), Latency::NONE)?;
    let mut case = world.case(name)?;
    case.set_version(OLDER)?;
    let decoys = world.add_decoys(&case)?;
    let before = world.account.read()?;
    let planned = plan::actions(&world, &case)?;
    ensure!(planned.values().all(|action| action == "create"), "the first plan does more than create");
    world.apply(&case)?;
    world.plan_is_empty(&case)?;
    let mut now = world.account.read()?;
    no_duplicates(&now.duplicates())?;
    // A group that the file leaves to its default is written out first; that alone changes nothing.
    case.group()?;
    case.write()?;
    world.plan_is_empty(&case)?;
    let mut changed = Vec::new();
    for edit in EDITS {
        (edit.change)(&mut case)?;
        let actions = plan::actions(&world, &case)?;
        only_what_follows(&edit, &actions)?;
        world.apply(&case)?;
        world.plan_is_empty(&case)?;
        let then = world.account.read()?;
        let allowed: BTreeSet<String> = edit.kinds.iter().map(ToString::to_string).collect();
        let others: Vec<String> = now.kinds_changed(&then).difference(&allowed).cloned().collect();
        ensure!(
            others.is_empty(),
            "{}: {} differ too:\n  {}",
            edit.name,
            others.join(", "),
            shorten(&now.differences(&then))
        );
        no_duplicates(&then.duplicates())?;
        changed.push(actions.len());
        now = then;
    }
    world.delete(&case)?;
    world.unchanged_since(&before)?;
    Ok(format!("{} made, {changed:?} changed by 4 edits, {decoys} decoys untouched, nothing left", planned.len()))
}

fn only_what_follows(edit: &Edit, actions: &Actions) -> Result<()> {
    let strays: Vec<String> = actions
        .iter()
        .filter(|(address, action)| !(edit.follows)(address, action))
        .map(|(address, action)| format!("{action} {address}"))
        .collect();
    ensure!(strays.is_empty(), "{} does not call for:\n  {}", edit.name, shorten(&strays));
    for kind in edit.needed {
        ensure!(
            actions.keys().any(|address| address.starts_with(&format!("{kind}."))),
            "{} changes no {kind}, only {:?}",
            edit.name,
            actions.keys()
        );
    }
    Ok(())
}

pub(super) fn no_duplicates(duplicates: &[String]) -> Result<()> {
    ensure!(duplicates.is_empty(), "made more than once:\n  {}", shorten(duplicates));
    Ok(())
}
