//! What is refused for the user's protection, with the way out.

use clusterctl_core::plan::{Action, Plan, Risk};
use clusterctl_core::store::state::State;

use super::load::Wanted;
use crate::failure::{Failure, Kind};

/// A cluster does not move.
pub(crate) fn same_place(wanted: &Wanted, state: &State) -> Result<(), Failure> {
    let cluster = &wanted.cluster;
    let moved = |what: &str, from: &str, to: &str| {
        Err(Failure::new(Kind::Spec, format!("{} is in {what} {from} and cannot be moved to {to}", state.name))
            .hint("create a cluster of another name there, move the work, and delete this one"))
    };
    if cluster.cloud.as_str() != state.cloud {
        return moved("cloud", &state.cloud, cluster.cloud.as_str());
    }
    if let Some(region) = &cluster.region
        && region.as_str() != state.region
    {
        return moved("region", &state.region, region.as_str());
    }
    Ok(())
}

/// Nothing but deleting on.
pub(crate) fn not_deleting(state: &State) -> Result<(), Failure> {
    if !state.deleting {
        return Ok(());
    }
    Err(Failure::new(Kind::Policy, format!("the deletion of {} was begun, so that it can only be finished", state.name))
        .hint(format!("clusterctl delete cluster {}", state.name)))
}

pub(crate) fn other_account(state: &State, recorded: &str, live: &str) -> Failure {
    Failure::new(
        Kind::Auth,
        format!("{} is in account {recorded}, but these credentials are of account {live}", state.name),
    )
    .detail("nothing was changed")
    .hint("use the credentials of the account that it was created in")
}

/// Members of etcd are not taken out by this version, so that fewer machines would be a cluster without a quorum.
pub(crate) fn control_plane(wanted: &Wanted, state: &State) -> Result<(), Failure> {
    let before = state.spec.resolved.pointer("/spec/controlPlane/count").and_then(serde_json::Value::as_u64);
    let after = u64::from(wanted.cluster.control_plane.count);
    match before {
        Some(before) if after < before && !state.resources.is_empty() => Err(Failure::new(
            Kind::Policy,
            format!("the control plane of {} cannot shrink from {before} machines to {after}", state.name),
        )
        .detail("each machine is a member of etcd; this version does not take members out, and without that the cluster would lose its quorum")
        .hint(format!("leave spec.controlPlane.count at {before}"))),
        _ => Ok(()),
    }
}

/// What loses data needs a word more.
pub(crate) fn data(plan: &Plan) -> Result<(), Failure> {
    if plan.risk() < Risk::DataLoss {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::Policy, "this plan loses data");
    for (addr, item) in plan.items.iter().filter(|(_, item)| item.risk == Risk::DataLoss) {
        let what = if item.action == Action::Replace { "replaced" } else { "deleted" };
        failure = failure.detail(format!("{addr} would be {what}, with what is on it"));
    }
    Err(failure.hint("take the change back, or allow it with --allow-data-loss"))
}

/// A cluster that says it must stay.
pub(crate) fn protection(state: &State) -> Result<(), Failure> {
    let protected = state.spec.resolved.pointer("/spec/deletionProtection").and_then(serde_json::Value::as_bool);
    if protected != Some(true) {
        return Ok(());
    }
    Err(Failure::new(Kind::Policy, format!("{} is protected: its file says deletionProtection: true", state.name))
        .hint("apply the file without that line, or delete with --override-protection"))
}
