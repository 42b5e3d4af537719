//! The control plane and node groups.

use expect_test::expect;

use super::*;

#[test]
fn etcd_needs_a_majority() {
    for count in 0..=8 {
        // Flags lead past the schema.
        let mut demo = spec("  cloud: aws\n  controlPlane: {count: 3}\n");
        demo.spec.control_plane.as_mut().expect("written").count = Some(count);
        assert_eq!(resolve(&demo).is_ok(), matches!(count, 1 | 3 | 5), "{count}");
    }
    verdict(
        "  cloud: aws\n  controlPlane: {count: 4}\n",
        &expect![
            "spec.controlPlane.count: 4 survive no more losses than 3: etcd needs a majority; right would be: 1, 3 or 5"
        ],
    );
    verdict(
        "  cloud: aws\n  zones: 2\n",
        &expect![
            "warning: spec.zones: of 3 control-plane nodes over 2 zones one zone holds the majority: the cluster stops when that zone does; right would be: 3 zones, or 1"
        ],
    );
    verdict(
        "  cloud: aws
  controlPlane:
    machine: {cpu: 1, memory: 1Gi, gpu: {model: t4}}
    disk: {size: 8Gi}
    etcdDisk: {size: 1Gi}
",
        &expect![[r#"
            spec.controlPlane.machine.gpu: the control plane runs no GPU workloads; right would be: no gpu line
            spec.controlPlane.machine.cpu: kubeadm refuses such a machine; right would be: at least 2
            spec.controlPlane.machine.memory: kubeadm refuses such a machine; right would be: at least 2Gi
            spec.controlPlane.disk.size: 8Gi is too small; right would be: at least 20Gi
            spec.controlPlane.etcdDisk.size: 1Gi is too small; right would be: at least 4Gi"#]],
    );
}

#[test]
fn groups_keep_their_rules() {
    verdict(
        "  cloud: aws
  nodeGroups:
  - {name: a, count: {min: 5, max: 2}, capacity: [spot], disk: {size: 10Gi}}
  - {name: a, capacity: [on-demand, spot], gpu: {sharing: mps}}
  - {name: b, machine: {type: m7i.large, cpu: 4, memory: 8Gi}, capacity: [spot, spot, on-demand]}
  - {name: c, machine: {type: {gcp: n2-standard-4}}, zones: [eu-central-1a]}
  - {name: d, machine: {memory: 512Mi}, labels: {node-role.kubernetes.io/worker: '', node.kubernetes.io/x: y, a: b}}
  - {name: e, taints: ['a=b:NoSchedule', 'a=c:NoSchedule', 'a=c:NoExecute']}
  - {name: f, machine: {gpu: {model: t4}}, gpu: {sharing: mig}}
",
        &expect![[r#"
            spec.nodeGroups[0].capacity: spot alone leaves the group without machines when the cloud has none to spare; right would be: [spot, on-demand]
            spec.nodeGroups[0].count.max: the maximum of 2 is below the minimum of 5; right would be: 5 or more, or a smaller min
            spec.nodeGroups[0].disk.size: 10Gi is too small; right would be: at least 30Gi
            spec.nodeGroups[1].gpu: the group's machines have no GPU; right would be: machine: {gpu: {model: a10g, count: 1}}, or no gpu line
            spec.nodeGroups[1].capacity: after on-demand there is no further rung, and each rung stands once; right would be: [on-demand], or [spot, on-demand]
            spec.nodeGroups[2].machine.cpu: a machine type says cpu already; right would be: either type, or cpu
            spec.nodeGroups[2].machine.memory: a machine type says memory already; right would be: either type, or memory
            spec.nodeGroups[2].capacity: after on-demand there is no further rung, and each rung stands once; right would be: [on-demand], or [spot, on-demand]
            spec.nodeGroups[3].machine.type: no type is given for aws, where the cluster is; right would be: aws: and a machine type
            spec.nodeGroups[3].zones[0]: the cluster takes 3 zones without naming them, so eu-central-1a may not be one; right would be: the zones by name in spec.zones, or no zones line here
            spec.nodeGroups[4].machine.memory: a node needs more memory than that; right would be: at least 1Gi
            spec.nodeGroups[4].labels["node-role.kubernetes.io/worker"]: node-role.kubernetes.io belongs to Kubernetes: a kubelet may not label its own node with it and does not start; right would be: a domain of your own, or node.kubernetes.io/...
            spec.nodeGroups[5].taints[1]: a taint of key a and effect NoSchedule stands above already; right would be: each key and effect once
            spec.nodeGroups[6].gpu.sharing: t4 cannot be partitioned in hardware; right would be: {timeSlicing: 4}, mps or none
            spec.nodeGroups[1].name: a is the name of spec.nodeGroups[0] already; right would be: a name of its own"#]],
    );
    verdict(
        "  cloud: aws
  zones: [eu-central-1a, eu-central-1b]
  controlPlane: {count: 1}
  nodeGroups: [{name: a, zones: [eu-central-1b, eu-central-1b, eu-central-1c]}]
",
        &expect![[r#"
            spec.nodeGroups[0].zones[1]: eu-central-1b is named twice; right would be: each zone once
            spec.nodeGroups[0].zones[2]: eu-central-1c is not a zone of the cluster; right would be: one of eu-central-1a, eu-central-1b"#]],
    );
    verdict(
        "  cloud: aws\n  nodeGroups: []\n",
        &expect![
            "warning: spec.nodeGroups: no group has a machine from the start: nothing but the control plane will run; right would be: a group with min: 1 or more"
        ],
    );
    verdict(
        "  cloud: aws\n  nodeGroups: [{name: sleepy, count: {min: 0, max: 3}}]\n",
        &expect![
            "warning: spec.nodeGroups: no group has a machine from the start: nothing but the control plane will run; right would be: a group with min: 1 or more"
        ],
    );
}

#[test]
fn gpu_groups_are_tainted_unless_they_say_how_themselves() {
    let taints = |body: &str| -> Vec<String> {
        cluster(&format!("  cloud: aws\n  nodeGroups:\n  - {{name: g, {body}}}\n")).node_groups[0]
            .taints
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let default = ["nvidia.com/gpu=present:NoSchedule"];
    assert_eq!(taints("machine: {gpu: {model: a10g}}"), default);
    assert_eq!(taints("machine: {gpu: {model: a10g}}, taints: []"), default);
    assert_eq!(taints("machine: {type: g5.xlarge}, gpu: {}"), default);
    assert_eq!(taints("machine: {type: g5.xlarge, gpu: {model: a10g}}"), default);
    assert!(taints("machine: {type: m7i.large}").is_empty());
    let own = "nvidia.com/gpu:PreferNoSchedule";
    assert_eq!(taints(&format!("machine: {{gpu: {{model: a10g}}}}, taints: ['{own}']")), [own]);
}

#[test]
fn counts_and_requests_are_filled_in_by_kind() {
    let made = cluster(
        "  cloud: aws
  nodeGroups:
  - {name: a}
  - {name: b, count: 4, machine: {cpu: 8}}
  - {name: c, machine: {gpu: {model: a10g}}}
  - {name: d, machine: {arch: arm64}}
",
    );
    let lines: Vec<String> =
        made.node_groups.iter().map(|g| format!("{} {:?} {:?}", g.name, g.count, g.machine)).collect();
    expect![[r#"
        a Count { min: 3, max: 10 } Request(MachineRequest { cpu: Some(4), memory: Some(MemorySize { mebibytes: 16384 }), gpu: None, arch: Amd64 })
        b Count { min: 4, max: 4 } Request(MachineRequest { cpu: Some(8), memory: Some(MemorySize { mebibytes: 4096 }), gpu: None, arch: Amd64 })
        c Count { min: 1, max: 8 } Request(MachineRequest { cpu: None, memory: None, gpu: Some(MachineGpu { model: A10g, count: 1 }), arch: Amd64 })
        d Count { min: 3, max: 10 } Request(MachineRequest { cpu: Some(4), memory: Some(MemorySize { mebibytes: 16384 }), gpu: None, arch: Arm64 })"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn options_of_aws_fit_together() {
    verdict(
        "  cloud: aws
  options: {aws: {ami: ami-01234567, tags: {team: x}}}
  nodeGroups:
  - {name: a, machine: {arch: arm64}}
  - {name: b, machine: {arch: arm64}, options: {aws: {ami: ami-12345678}}}
  - {name: c, options: {aws: {placementGroup: cluster, capacityReservation: cr-01234567}}, capacity: [spot, on-demand]}
  - {name: d, options: {aws: {placementGroup: spread, efa: true}}}
",
        &expect![[r#"
            spec.nodeGroups[2].options.aws.placementGroup: a cluster placement group lies in one zone, and the group is in 3; right would be: zones: with one zone, for this group
            spec.nodeGroups[2].options.aws.capacityReservation: a capacity reservation lies in one zone, and the group is in 3; right would be: zones: with one zone, for this group
            spec.nodeGroups[2].options.aws.capacityReservation: reserved capacity is on-demand capacity; right would be: capacity: [on-demand]
            spec.nodeGroups[0].machine: spec.options.aws.ami is one image: for amd64 as the control plane, or for arm64 as here; right would be: an ami of its own in the group's options.aws"#]],
    );
    let tags: Vec<String> = (0..30).map(|at| format!("t{at}: x")).collect();
    let labels: Vec<String> = (0..11).map(|at| format!("l{at}: x")).chain(["t1: y".to_owned()]).collect();
    let file = HEAD.replace("{name: demo}", &format!("{{name: demo, labels: {{{}, Name: z}}}}", labels.join(", ")));
    let file = format!("{file}  cloud: aws\n  options: {{aws: {{tags: {{{}}}}}}}\n", tags.join(", "));
    let problems = resolve_document(&read(&file).expect("sound")).expect_err("too many");
    expect![[r#"
        3:124: metadata.labels.Name: a label of the cluster becomes a tag in the cloud, and "Name" is reserved: every resource gets its own name there; right would be: a key of your own, as in cost-center
        6:19: spec.options.aws.tags: labels and tags make 43 tags on everything; right would be: at most 40 together
        6:37: spec.options.aws.tags.t1: t1 is a label of the cluster already, which becomes the same tag; right would be: one of the two"#]].assert_eq(&problems.to_string());
}
