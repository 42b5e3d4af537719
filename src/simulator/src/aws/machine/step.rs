//! The phases of a script: what each waits for, how long it takes, and what is different after it.

use super::script::Script;
use super::{Progress, secret};
use crate::aws::ec2::compute;
use crate::aws::elb;
use crate::aws::table::text;
use crate::world::{Ms, Thing, World};

/// Whether a phase can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Ready,
    /// For `what`, so long.
    Waits {
        patience: Ms,
        what: String,
    },
}

const MINUTE: Ms = 60_000;

fn waits(patience: Ms, what: impl Into<String>) -> Step {
    Step::Waits { patience, what: what.into() }
}

/// Who a member of etcd is: the disk it is on.
fn identity(at: &Progress) -> String {
    if at.script.volume.is_empty() { at.name.clone() } else { at.script.volume.clone() }
}

/// The disk has a member that has served before.
pub(super) fn has_served(world: &World, script: &Script) -> bool {
    world.get("volume", &script.volume).is_some_and(|volume| volume.attrs.contains_key("_member"))
}

pub(super) fn ready(world: &mut World, id: &str, at: &mut Progress, phase: &str) -> Step {
    match phase {
        "etcd-disk" => {
            let there = |volume: &Thing| {
                volume.at("attachmentSet.instanceId").first().is_some_and(|machine| **machine == id)
                    && volume.at("attachmentSet.status").first().is_some_and(|state| **state == "attached")
            };
            if at.script.volume.is_empty() || world.get("volume", &at.script.volume).is_some_and(there) {
                Step::Ready
            } else {
                waits(15 * MINUTE, format!("the etcd volume {}", at.script.volume))
            }
        }
        "control-plane" => bring_up(world, id, at),
        "join-material" => match secret::get(world, &at.script, "join/material") {
            Some(_) => Step::Ready,
            None => waits(30 * MINUTE, "join material from the control plane"),
        },
        "api" => reachable(world, id, &at.script),
        _ => Step::Ready,
    }
}

/// One control-plane node at a time, under the lock, begins the cluster or joins it.
fn bring_up(world: &mut World, id: &str, at: &mut Progress) -> Step {
    let announced = |world: &World, at: &Progress| secret::get(world, &at.script, "control-plane/cluster").is_some();
    let begun = secret::get(world, &at.script, "control-plane/etcd");
    if !announced(world, at) && begun.is_some_and(|begun| begun != identity(at)) {
        let what = "the node with the first etcd member (is its disk lost? then delete the parameter \
                    control-plane/etcd)";
        return waits(30 * MINUTE, what);
    }
    if let Err(holder) = secret::lock(world, id, at) {
        return waits(Ms::MAX, format!("{holder} is being set up first"));
    }
    if announced(world, at) {
        return reachable(world, id, &at.script);
    }
    let script = at.script.clone();
    secret::put(world, &script, "control-plane/etcd", &identity(at));
    Step::Ready
}

/// Whether a machine gets an answer at the endpoint: through the load balancer of its network, or, where there is none,
/// from a peer.
fn reachable(world: &World, id: &str, script: &Script) -> Step {
    let vpc = world.get("instance", id).map(|instance| instance.text("vpcId")).unwrap_or_default();
    let balanced = world.all("load-balancer").any(|balancer| balancer.text("VpcId") == vpc);
    let peer = |other: &Thing| {
        other.id != id
            && other.attrs.contains_key("_api_from")
            && other.attrs.get("_machine").is_some_and(|machine| text(&machine["script"]["uid"]) == script.uid)
    };
    if elb::serves(world, vpc) || !balanced && world.all("instance").any(peer) {
        return Step::Ready;
    }
    waits(15 * MINUTE, format!("the API endpoint {}", script.endpoint))
}

/// How long a phase works.
pub(super) fn takes(world: &mut World, at: &Progress, phase: &str) -> Ms {
    let spread = world.chance.unit("machine/phase") + 0.5;
    let about = |ms: f64| (ms * spread) as Ms;
    match phase {
        "packages" if !at.prepared => about(4000.0),
        // The driver is built or loaded before anything else sees a GPU.
        "kernel" if at.gpu && !at.prepared => about(40_000.0),
        "programs" if !at.prepared => world.takes("os.install.packages"),
        "containerd" | "etcd-disk" | "keys" | "data-disk" => about(3000.0),
        "rejoin" => world.takes("k8s.kubeadm.init"),
        "control-plane" if secret::get(world, &at.script, "control-plane/cluster").is_some() => {
            world.takes("k8s.kubeadm.joinCP")
        }
        "control-plane" => world.takes("k8s.pull.controlPlane") + world.takes("k8s.kubeadm.init"),
        "join" => world.takes("k8s.kubeadm.joinNode"),
        _ => about(600.0),
    }
}

/// What is different after a phase.
pub(super) fn done(world: &mut World, id: &str, at: &mut Progress, phase: &str) {
    let script = at.script.clone();
    match phase {
        "programs" => at.prepared = true,
        "etcd-disk" => {
            if let Some(volume) = world.get_mut("volume", &script.volume) {
                volume.set("_mounted", true);
            }
        }
        "keys" => secret::keys(world, &script),
        "rejoin" => up(world, id, &script),
        "control-plane" => {
            if secret::get(world, &script, "control-plane/cluster").is_none() {
                secret::material(world, &script);
                secret::put(world, &script, "control-plane/cluster", &identity(at));
            }
            if let Some(volume) = world.get_mut("volume", &script.volume) {
                volume.set("_member", true);
            }
            secret::unlock(world, at);
            up(world, id, &script);
        }
        "join" => {
            let now = world.now();
            if let Some(instance) = world.get_mut("instance", id) {
                instance.set("_joined", now);
            }
        }
        _ => {}
    }
}

/// The kubelet runs, and on a control-plane node the API.
pub(super) fn up(world: &mut World, id: &str, script: &Script) {
    let now = world.now();
    if let Some(instance) = world.get_mut("instance", id).filter(|instance| compute::state(instance) == "running") {
        instance.set("_joined", now);
        if script.control_plane {
            instance.set("_api_from", now);
        }
    }
}

/// Why a machine does not get past a phase, when it is one that never joins.
pub(super) fn trouble(phase: &str) -> &'static str {
    match phase {
        "packages" => "apt-get could not install nftables",
        "kernel" => "the kernel has no module br_netfilter",
        "programs" => "cannot fetch https://dl.k8s.io/release/v1.36.1/bin/linux/amd64/kubelet",
        "data-disk" => "/dev/nvme1n1 is not ours (its label is 'data', not cctl-data): left alone",
        "containerd" => "gave up waiting for containerd's socket",
        "facts" => "no answer from the metadata service",
        "etcd-disk" => "cannot read /dev/nvme2n1",
        "keys" => "ssm PutParameter: AccessDeniedException",
        "control-plane" => "kubeadm init: error: etcd cluster is not healthy",
        "join-material" => "ssm GetParameter: AccessDeniedException",
        "api" => "gave up waiting for the API endpoint",
        "join" => "kubeadm join: error: couldn't validate the identity of the API Server",
        _ => "exit 1 of: systemctl enable -q kubelet.service",
    }
}
