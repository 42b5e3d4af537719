//! A cluster with every default filled in, as data in the words of the cluster file.

use clusterctl_core::cluster::{
    ApiAccess, Cluster, ControlPlane, Dns, Egress, GpuSharing, Machine, MachineGpu, Network, NodeGroup, ZoneChoice,
};
use serde_json::{Map, Value, json};

/// The file that says everything.
pub(crate) fn filled(cluster: &Cluster) -> Value {
    let mut metadata = object(json!({ "name": cluster.name }));
    if !cluster.labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(cluster.labels));
    }
    let mut spec = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            spec.insert(name.to_owned(), value);
        }
    };
    put("cloud", json!(cluster.cloud));
    put("region", json!(cluster.region));
    put("zones", match &cluster.zones {
        ZoneChoice::Count(count) => json!(count),
        ZoneChoice::Named(names) => json!(names),
    });
    put("kubernetes", json!(cluster.kubernetes));
    put("network", network(&cluster.network));
    put("access", access(cluster));
    put("dns", match &cluster.dns {
        Dns::None => json!({ "visibility": "none" }),
        Dns::Public { zone } => json!({ "visibility": "public", "zone": zone }),
        Dns::Private { zone } => json!({ "visibility": "private", "zone": zone }),
    });
    put("controlPlane", control_plane(&cluster.control_plane));
    put("nodeGroups", Value::Array(cluster.node_groups.iter().map(group).collect()));
    put("ttl", json!(cluster.ttl));
    put("deletionProtection", json!(cluster.deletion_protection));
    let aws = &cluster.options.aws;
    if aws.ami.is_some() || !aws.tags.is_empty() {
        put("options", json!({ "aws": without_null(json!({
            "ami": aws.ami,
            "tags": (!aws.tags.is_empty()).then_some(&aws.tags),
        })) }));
    }
    json!({ "apiVersion": "clusterctl.dev/v1", "kind": "Cluster", "metadata": metadata, "spec": spec })
}

fn network(network: &Network) -> Value {
    let egress = match network.egress {
        Egress::NatPerZone => json!("perZone"),
        Egress::NatShared => json!("shared"),
        Egress::Direct | Egress::Existing => Value::Null,
    };
    let existing = network.existing.as_ref().map(|existing| {
        json!({
            "network": existing.network,
            "subnets": { "private": existing.private_subnets, "public": existing.public_subnets },
        })
    });
    without_null(json!({
        "cidr": network.cidr,
        "topology": network.topology,
        "egress": egress,
        "pods": { "plugin": network.pods.plugin, "mode": network.pods.mode, "cidr": network.pods.cidr },
        "services": { "cidr": network.services },
        "existing": existing,
        "peers": (!network.peers.is_empty()).then_some(&network.peers),
    }))
}

fn access(cluster: &Cluster) -> Value {
    let ApiAccess { visibility, from } = &cluster.access.api;
    let ssh = cluster.access.ssh.as_ref().map(|ssh| json!({ "from": ssh.from, "keys": ssh.keys }));
    without_null(json!({
        "api": { "visibility": visibility, "from": from },
        "ssh": ssh,
        "bastion": cluster.access.bastion,
    }))
}

fn control_plane(plane: &ControlPlane) -> Value {
    json!({
        "count": plane.count,
        "machine": machine(&plane.machine),
        "disk": { "size": plane.disk },
        "etcdDisk": { "size": plane.etcd_disk },
    })
}

fn machine(machine: &Machine) -> Value {
    let gpu = |gpu: &Option<MachineGpu>| gpu.map(|gpu| json!({ "model": gpu.model, "count": gpu.count }));
    without_null(match machine {
        Machine::Request(request) => json!({
            "cpu": request.cpu,
            "memory": request.memory,
            "gpu": gpu(&request.gpu),
            "arch": request.arch,
        }),
        Machine::Type { name, arch, gpu: has } => json!({ "type": name, "arch": arch, "gpu": gpu(has) }),
    })
}

fn group(group: &NodeGroup) -> Value {
    let gpu = group.gpu.map(|gpu| {
        let sharing = match gpu.sharing {
            GpuSharing::None => json!("none"),
            GpuSharing::Mps => json!("mps"),
            GpuSharing::Mig => json!("mig"),
            GpuSharing::TimeSlicing(pods) => json!({ "timeSlicing": pods }),
        };
        json!({ "driver": gpu.driver, "sharing": sharing })
    });
    let aws = without_null(json!({
        "ami": group.aws.ami,
        "efa": group.aws.efa.then_some(true),
        "placementGroup": group.aws.placement,
        "capacityReservation": group.aws.reservation,
    }));
    let options = aws.as_object().is_some_and(|aws| !aws.is_empty()).then(|| json!({ "aws": aws }));
    without_null(json!({
        "name": group.name,
        "machine": machine(&group.machine),
        "count": { "min": group.count.min, "max": group.count.max },
        "capacity": group.capacity,
        "disk": { "size": group.disk },
        "zones": group.zones,
        "gpu": gpu,
        "labels": (!group.labels.is_empty()).then_some(&group.labels),
        "taints": (!group.taints.is_empty()).then_some(&group.taints),
        "options": options,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn without_null(value: Value) -> Value {
    Value::Object(object(value).into_iter().filter(|(_, value)| !value.is_null()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::load::Wanted;

    /// What is filled in says the same as what was left out.
    #[test]
    fn a_filled_file_is_the_same_cluster() {
        let files = [
            "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {name: demo}\nspec: {cloud: aws}\n",
            "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {name: demo, labels: {team: ml}}\nspec:\n  cloud: aws\n  region: eu-central-1\n  zones: [eu-central-1a, eu-central-1b]\n  kubernetes: 1.36\n  controlPlane: {count: 1}\n  network: {topology: public, peers: [192.168.0.0/16]}\n  access:\n    api: {visibility: public, from: [198.51.100.0/24]}\n  dns: {visibility: private, zone: example.internal}\n  deletionProtection: true\n  nodeGroups:\n  - name: gpu\n    machine: {gpu: {model: a10g, count: 1}}\n    count: 2\n    capacity: [spot, on-demand]\n    gpu: {sharing: {timeSlicing: 4}}\n",
        ];
        for file in files {
            let wanted = Wanted::read("a test", file.to_owned()).expect("a cluster");
            let text = serde_yaml::to_string(&filled(&wanted.cluster)).expect("yaml");
            let again = Wanted::read("filled in", text.clone()).unwrap_or_else(|f| {
                let problems = f.file.map(|file| format!("{:?}", file.problems));
                unreachable!("{f} {problems:?}\n{text}")
            });
            assert_eq!(filled(&again.cluster), filled(&wanted.cluster), "{text}");
        }
    }
}
