//! Every rule, kept and broken, and every default.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::names::Cidr;
use crate::spec::tests::EVERYTHING;
use crate::spec::{Spec, explain, read};

const HEAD: &str = "apiVersion: clusterctl.dev/v1\nkind: Cluster\nmetadata: {name: demo}\nspec:\n";

fn spec(body: &str) -> Spec {
    match read(&format!("{HEAD}{body}")) {
        Ok(document) => document.spec,
        Err(problems) => unreachable!("the file is unsound: {problems}"),
    }
}

fn cluster(body: &str) -> Cluster {
    match resolve(&spec(body)) {
        Ok(cluster) => cluster,
        Err(problems) => unreachable!("the cluster is refused: {problems}"),
    }
}

/// Problems as lines, or the warnings of a cluster that is allowed.
fn verdict(body: &str, expected: &Expect) {
    let text = match resolve(&spec(body)) {
        Err(problems) => problems.to_string(),
        Ok(cluster) if cluster.warnings().is_empty() => "allowed".to_owned(),
        Ok(cluster) => {
            cluster.warnings().iter().map(|warning| format!("warning: {warning}")).collect::<Vec<_>>().join("\n")
        }
    };
    expected.assert_eq(&text);
}

#[test]
fn the_smallest_file_becomes_a_production_cluster() {
    let demo = cluster("  cloud: aws\n");
    assert_eq!(demo.control_plane.count, 3);
    assert_eq!(demo.zones, ZoneChoice::Count(3));
    assert_eq!(demo.network.egress, Egress::NatPerZone);
    assert!(demo.warnings().is_empty());
    expect![[r#"
        apiVersion: clusterctl.dev/v1
        kind: Cluster
        metadata:
          name: demo
        spec:
          cloud: aws
          zones: 3  # default: the cluster outlives the loss of one zone of three
          kubernetes: "1.36"  # default: one release behind the newest, so that drivers and operators have had time to follow
          network:
            cidr: 10.20.0.0/16  # default: room for thousands of machines
            topology: private  # default: nodes need no public addresses
            egress: perZone  # default: a zone that fails leaves the others their way out
            pods:
              plugin: cilium  # default: works on every cloud
              mode: overlay  # default: needs no routes and no quota of them
              cidr: 100.64.0.0/12  # default: a /24 for each of 4096 nodes, in a range that other networks rarely use
            services:
              cidr: 10.96.0.0/16  # default: 65,536 Services, more than Kubernetes is tested with
          access:
            api:
              visibility: private  # default: reachable from inside the network until somebody says who else
              from: [10.20.0.0/16]  # default: the cluster's network and its peers
            bastion: false  # default: none was asked for
          dns:
            visibility: none  # default: the load balancer's own name is enough
          controlPlane:
            count: 3  # default: 3 control-plane nodes over 3 zones
            machine:
              cpu: 4  # default: enough for etcd and the API server of a hundred nodes
              memory: 16Gi  # default: enough for etcd and the API server of a hundred nodes
              arch: amd64  # default: every image exists for it
            disk:
              size: 50Gi  # default: images of the control plane and logs
            etcdDisk:
              size: 20Gi  # default: etcd advises against more than 8 GiB of data; a defragmentation needs as much again
          nodeGroups:  # default: one group for everything
            - name: general
              machine:
                cpu: 4  # default: room for system pods and a few workloads
                memory: 16Gi  # default: room for system pods and a few workloads
                arch: amd64  # default: every image exists for it
              count: {min: 3, max: 10}  # default: one in each of three zones, more when they are needed
              capacity: [on-demand]  # default: machines that the cloud does not take back
              disk:
                size: 100Gi  # default: images and containers
          platform:
            profile: none  # default: this version installs no platform yet
          deletionProtection: false  # default: deleting asks for the name anyway
    "#]].assert_eq(&demo.to_yaml(Comments::Defaults));
}

#[test]
fn a_full_file_says_the_same_and_leaves_no_default() {
    for body in [
        "  cloud: aws\n",
        "  cloud: gcp\n  zones: 1\n  network: {topology: public}\n",
        "  cloud: aws\n  nodeGroups: [{name: g, machine: {gpu: {model: l4}}}, {name: t, machine: {type: m7i.large}}]\n",
        &EVERYTHING[EVERYTHING.find("  cloud:").expect("a cloud")..],
    ] {
        let first = cluster(body);
        let printed = first.to_yaml(Comments::None);
        let second = resolve_document(&read(&printed).expect("readable")).expect("allowed");
        assert_eq!(second.to_spec(), first.to_spec());
        assert!(second.defaults().is_empty(), "{:?}", second.defaults());
        // Comments change nothing.
        assert_eq!(read(&first.to_yaml(Comments::Defaults)).expect("readable").spec, first.to_spec());
        // Every default has a place in the full file.
        let document = read(&printed).expect("readable");
        for path in first.defaults().keys() {
            let text = document.span(path).map(|span| &printed[span.start..span.end]);
            assert!(text.is_some(), "{path}");
            assert_ne!(document.span(path), document.span(crate::spec::tests::parent_of(path)), "{path} is not there");
        }
    }
}

#[test]
fn defaults_are_what_the_schema_says() {
    let document = read(&cluster("  cloud: aws\n").to_yaml(Comments::None)).expect("readable");
    let full = serde_json::to_value(&document.spec).expect("json");
    for path in [
        "spec.kubernetes",
        "spec.network.cidr",
        "spec.network.topology",
        "spec.network.egress",
        "spec.network.pods.plugin",
        "spec.network.pods.mode",
        "spec.network.pods.cidr",
        "spec.network.services.cidr",
        "spec.access.api.visibility",
        "spec.access.bastion",
        "spec.dns.visibility",
        "spec.controlPlane.count",
        "spec.controlPlane.disk",
        "spec.controlPlane.etcdDisk",
        "spec.platform.profile",
        "spec.deletionProtection",
        "spec.nodeGroups.capacity",
        "spec.controlPlane.machine.arch",
    ] {
        let pointer = format!("/{}", path.replace("nodeGroups", "nodeGroups/0").replace('.', "/"));
        let found = full.pointer(&pointer).expect(path);
        assert_eq!(explain(path).and_then(|help| help.default), Some(crate::spec::tests::flow(found)), "{path}");
    }
}

#[test]
fn everything_is_allowed_together() {
    let document = read(EVERYTHING).expect("everything");
    let all = resolve_document(&document).expect("allowed");
    assert!(all.warnings().is_empty(), "{:?}", all.warnings());
    assert_eq!(all.network.egress, Egress::Existing);
    assert_eq!(all.pod_routes(), 0);
    assert_eq!(all.room().by_network, None);
    let gpu = &all.node_groups[2];
    let taints: Vec<String> = gpu.taints.iter().map(ToString::to_string).collect();
    assert_eq!(taints, ["example.com/dedicated=training:NoExecute", "nvidia.com/gpu=present:NoSchedule"]);
}

#[test]
fn ranges_may_not_overlap() {
    verdict(
        "  cloud: aws
  network:
    cidr: 10.64.0.0/16
    pods: {cidr: 10.0.0.0/8}
    services: {cidr: 10.96.0.0/12}
    peers: [10.96.1.0/24, 10.96.0.0/16, 192.168.0.0/16]
",
        &expect![[r#"
            spec.network.pods.cidr: 10.0.0.0/8 (the pods' network) overlaps 10.64.0.0/16 (the machines' network): traffic between them would go astray; right would be: a range that no other one overlaps
            spec.network.services.cidr: 10.96.0.0/12 (the Services' network) overlaps 10.0.0.0/8 (the pods' network): traffic between them would go astray; right would be: a range that no other one overlaps
            spec.network.peers[0]: 10.96.1.0/24 (a peer) overlaps 10.0.0.0/8 (the pods' network): traffic between them would go astray; right would be: a range that no other one overlaps
            spec.network.peers[1]: 10.96.0.0/16 (a peer) overlaps 10.0.0.0/8 (the pods' network): traffic between them would go astray; right would be: a range that no other one overlaps
            spec.network.peers[0]: 10.96.1.0/24 (a peer) overlaps 10.96.0.0/12 (the Services' network): traffic between them would go astray; right would be: a range that no other one overlaps
            spec.network.peers[1]: 10.96.0.0/16 (a peer) overlaps 10.96.0.0/12 (the Services' network): traffic between them would go astray; right would be: a range that no other one overlaps"#]],
    );
    verdict(
        "  cloud: aws\n  network: {cidr: 172.17.0.0/16}\n",
        &expect![
            "warning: spec.network.cidr: 172.17.0.0/16 overlaps 172.17.0.0/16, which Docker takes on machines that run it; right would be: another private range"
        ],
    );
    verdict(
        "  cloud: aws\n  network: {cidr: 8.8.0.0/16}\n",
        &expect![
            "warning: spec.network.cidr: 8.8.0.0/16 is public address space; what lives there on the internet becomes unreachable; right would be: a private range, as in 10.20.0.0/16"
        ],
    );
    verdict(
        "  cloud: gcp\n  network: {cidr: 169.254.0.0/17, services: {cidr: 224.0.0.0/16}}\n",
        &expect![[r#"
        spec.network.cidr: 169.254.0.0/17 cannot be the machines' network: it holds link-local addresses, where clouds keep their metadata service; right would be: a private range, as in 10.20.0.0/16
        spec.network.services.cidr: 224.0.0.0/16 cannot be the Services' network: it holds multicast or reserved addresses; right would be: a private range, as in 10.20.0.0/16"#]],
    );
}

#[test]
fn there_must_be_addresses_for_every_group_at_its_maximum() {
    verdict(
        "  cloud: aws
  network: {cidr: 10.20.0.0/24}
  nodeGroups: [{name: general, count: {min: 3, max: 300}}]
",
        &expect![
            "spec.network.cidr: 10.20.0.0/24 has room for 48 machines in each of 3 zones; there may be 103 in one; right would be: 10.20.0.0/23 or wider, or smaller maxima"
        ],
    );
    verdict(
        "  cloud: aws
  region: eu-central-1
  zones: [eu-central-1a, eu-central-1b, eu-central-1c]
  network: {cidr: 10.20.0.0/22}
  nodeGroups: [{name: general, count: 250, zones: [eu-central-1b]}]
",
        &expect![
            "spec.network.cidr: 10.20.0.0/22 has room for 240 machines in each of 3 zones; there may be 253 in one; right would be: 10.20.0.0/21 or wider, or smaller maxima"
        ],
    );
    verdict(
        "  cloud: aws
  network: {pods: {cidr: 100.64.0.0/20}}
  nodeGroups: [{name: general, count: {min: 3, max: 20}}]
",
        &expect![
            "spec.network.pods.cidr: 100.64.0.0/20 has a /24 for 16 machines; there may be 25, one of each kind being replaced; right would be: a network of /19 or wider, or smaller maxima"
        ],
    );
    verdict(
        "  cloud: aws\n  network: {cidr: 10.0.0.0/8, services: {cidr: 192.168.0.0/26}}\n",
        &expect![[r#"
        spec.network.cidr: 10.0.0.0/8 is not of a size that aws makes a network of; right would be: a network from /16 to /28
        spec.network.services.cidr: 192.168.0.0/26 is not of a size that the API server takes; right would be: a network from /12 to /24"#]],
    );
    verdict(
        "  cloud: aws\n  network: {services: {cidr: 192.168.0.0/26}, pods: {cidr: 100.64.0.0/28}}\n",
        &expect![[r#"
            spec.network.services.cidr: 192.168.0.0/26 is not of a size that the API server takes; right would be: a network from /12 to /24
            spec.network.pods.cidr: 100.64.0.0/28 has a /24 for 0 machines; there may be 15, one of each kind being replaced; right would be: a network of /20 or wider, or smaller maxima"#]],
    );
    let room = cluster("  cloud: aws\n").room();
    expect![[r#"
        (
            Room {
                wanted: 15,
                by_pods: 4096,
                by_network: Some(
                    49104,
                ),
            },
            4081,
        )
    "#]]
    .assert_debug_eq(&(room, room.growth()));
    verdict(
        "  cloud: aws
  controlPlane: {machine: {cpu: 4, memory: 16Gi}}
  network: {pods: {mode: routed}}
  nodeGroups: [{name: general, count: {min: 3, max: 1000}}]
",
        &expect![
            "warning: spec.controlPlane.machine: 4 processors are few for an API server with up to 1005 machines; right would be: cpu: 16"
        ],
    );
    let routed =
        cluster("  cloud: aws\n  network: {pods: {mode: routed}}\n  nodeGroups: [{name: general, count: 10}]\n");
    assert_eq!(routed.pod_routes(), 15);
}

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
            "warning: spec.zones: of 3 control-plane nodes over 2 zones one zone holds the majority: the cluster stops when it does; right would be: 3 zones, or 1"
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
fn places_belong_to_their_cloud() {
    verdict(
        "  cloud: aws\n  region: eu-central-1a\n",
        &expect!["spec.region: eu-central-1a is not a region of aws; right would be: eu-central-1"],
    );
    verdict(
        "  cloud: aws\n  region: Frankfurt\n",
        &expect![
            "spec.region: Frankfurt is not a region of aws; right would be: a region as AWS calls it, as in eu-central-1"
        ],
    );
    verdict(
        "  cloud: aws\n  region: eu-central-1\n  zones: [eu-west-1a, eu-central-1a, eu-central-1a]\n",
        &expect![[r#"
            spec.zones[0]: eu-west-1a is not a zone of the cluster's region; right would be: a zone of eu-central-1, as in eu-central-1a
            spec.zones[2]: eu-central-1a is named twice; right would be: each zone once"#]],
    );
    verdict(
        "  cloud: gcp\n  region: europe-west1-b\n",
        &expect!["spec.region: europe-west1-b is not a region of gcp; right would be: europe-west1"],
    );
    verdict("  cloud: gcp\n  region: europe-west1\n  zones: [europe-west1-b]\n", &expect!["allowed"]);
    verdict(
        "  cloud: azure\n  region: West-Europe\n  zones: ['1', '4']\n",
        &expect![[r#"
        spec.region: West-Europe is not a region of azure; right would be: westeurope
        spec.zones[1]: 4 is not a zone of the cluster's region; right would be: 1, 2 or 3"#]],
    );
    verdict("  cloud: openstack\n  region: RegionOne\n  zones: [nova]\n", &expect!["allowed"]);
    verdict("  cloud: aws\n  region: us-gov-west-1\n  zones: [us-gov-west-1a]\n", &expect!["allowed"]);
}

#[test]
fn doors_are_opened_by_name() {
    verdict(
        "  cloud: aws\n  access: {api: {visibility: public}}\n",
        &expect![
            "spec.access.api.from: from is missing: a public API has to say who may reach it; right would be: networks as in [203.0.113.0/24], or [0.0.0.0/0] for the whole internet"
        ],
    );
    verdict(
        "  cloud: aws\n  access: {api: {visibility: public, from: []}}\n",
        &expect!["spec.access.api.from: nobody may reach the API; right would be: at least one network"],
    );
    verdict(
        "  cloud: aws\n  access: {api: {visibility: public, from: [0.0.0.0/0]}}\n",
        &expect![
            "warning: spec.access.api.from[0]: the API is open to the whole internet; right would be: the networks that need it"
        ],
    );
    verdict(
        "  cloud: aws\n  access: {bastion: true}\n",
        &expect![
            "spec.access.ssh: a bastion without ssh lets nobody in; right would be: ssh: {from: [networks that may connect], keys: [public keys]}"
        ],
    );
    verdict(
        "  cloud: aws\n  access: {bastion: true, ssh: {keys: []}}\n",
        &expect![[r#"
        spec.access.ssh.from: from is missing: the bastion can be reached from the internet; right would be: networks that may connect, as in [203.0.113.0/24]
        spec.access.ssh.keys: there is no key to log in with; right would be: at least one public key"#]],
    );
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    verdict(
        &format!("  cloud: aws\n  network: {{topology: public}}\n  access: {{ssh: {{keys: [{key}, {key} again]}}}}\n"),
        &expect![[r#"
            spec.access.ssh.from: from is missing: public nodes can be reached from the internet; right would be: networks that may connect, as in [203.0.113.0/24]
            spec.access.ssh.keys[1]: the same key stands above already; right would be: each key once"#]],
    );
    verdict(
        &format!("  cloud: aws\n  access: {{bastion: true, ssh: {{from: [0.0.0.0/0], keys: [{key}]}}}}\n"),
        &expect![
            "warning: spec.access.ssh.from[0]: SSH is open to the whole internet; right would be: the networks that need it"
        ],
    );
    let inside = cluster(&format!(
        "  cloud: aws\n  network: {{peers: [192.168.0.0/16]}}\n  access: {{ssh: {{keys: [{key}]}}}}\n"
    ));
    let ranges: Vec<String> = inside.access.ssh.expect("ssh").from.iter().map(Cidr::to_string).collect();
    assert_eq!(ranges, ["10.20.0.0/16", "192.168.0.0/16"]);
}

#[test]
fn names_are_published_in_a_zone() {
    verdict(
        "  cloud: aws\n  dns: {visibility: public}\n",
        &expect![
            "spec.dns.zone: zone is missing: public names need one; right would be: zone: and a domain, as in example.com"
        ],
    );
    verdict(
        "  cloud: aws\n  dns: {zone: example.com}\n",
        &expect![
            "spec.dns.zone: nothing is published in example.com, because visibility is none; right would be: visibility: public or private, or no zone"
        ],
    );
    let zone = "example.com".parse().expect("zone");
    assert_eq!(cluster("  cloud: aws\n  dns: {visibility: private, zone: example.com}\n").dns, Dns::Private { zone });
}

#[test]
fn an_existing_network_is_described() {
    verdict(
        "  cloud: aws\n  network: {existing: {network: vpc-1, subnets: [s-1, s-1]}}\n",
        &expect![[r#"
        spec.network.existing.subnets: s-1 is named twice; right would be: each subnet once
        spec.network.cidr: cidr is missing: overlaps and firewall rules need the range of the existing network; right would be: the range that its subnets lie in, as in 10.0.0.0/16"#]],
    );
    verdict(
        "  cloud: aws
  zones: 3
  network: {cidr: 10.0.0.0/16, egress: shared, existing: {network: vpc-1, subnets: {public: [s-1, s-2]}}}
",
        &expect![[r#"
            spec.network.existing.subnets: there is no private subnet for the nodes; right would be: private: with the ids of subnets, one for each zone
            spec.network.egress: an existing network keeps its own way out; right would be: no egress line"#]],
    );
    verdict(
        "  cloud: aws
  network: {cidr: 10.0.0.0/16, existing: {network: vpc-1, subnets: [s-1, s-2, s-3]}}
  access: {api: {visibility: public, from: [203.0.113.0/24]}}
",
        &expect![
            "spec.network.existing.subnets: a public API or a bastion needs public subnets, and none is named; right would be: {private: [...], public: [...]}"
        ],
    );
    let own = cluster("  cloud: aws\n  network: {cidr: 10.0.0.0/16, existing: {network: vpc-1, subnets: [s-1]}}\n");
    assert_eq!(own.zones, ZoneChoice::Count(1));
    assert_eq!(own.network.existing.expect("existing").private_subnets.len(), 1);
    verdict(
        "  cloud: aws\n  network: {topology: public, egress: perZone}\n",
        &expect![
            "spec.network.egress: public nodes need no NAT gateway; right would be: no egress line, or topology: private"
        ],
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

#[test]
fn a_cluster_lives_as_long_as_it_may() {
    verdict(
        "  cloud: aws\n  ttl: 5m\n  deletionProtection: true\n",
        &expect![[r#"
        spec.ttl: 5m is over before the cluster is up; right would be: at least 15m, as in 8h
        spec.deletionProtection: a cluster with a ttl is deleted by itself and cannot be protected; right would be: one of the two"#]],
    );
    verdict(
        "  cloud: aws\n  kubernetes: 1.30.2\n  platform: {profile: standard}\n",
        &expect![[r#"
        spec.platform.profile: this version installs no platform yet, so standard cannot be had; right would be: none
        spec.kubernetes: this version of clusterctl does not install Kubernetes 1.30.2; right would be: one of 1.35, 1.36, 1.37"#]],
    );
}

#[test]
fn problems_between_values_have_their_places_in_the_file() {
    let text = format!(
        "{HEAD}  cloud: aws\n  access:\n    api: {{visibility: public}}\n  network:\n    pods: {{cidr: 10.20.128.0/17}}\n"
    );
    let problems = resolve_document(&read(&text).expect("sound")).expect_err("refused");
    expect![[r#"
        7:5: spec.access.api.from: from is missing: a public API has to say who may reach it; right would be: networks as in [203.0.113.0/24], or [0.0.0.0/0] for the whole internet
        9:18: spec.network.pods.cidr: 10.20.128.0/17 (the pods' network) overlaps 10.20.0.0/16 (the machines' network): traffic between them would go astray; right would be: a range that no other one overlaps"#]].assert_eq(&problems.to_string());
    let text = format!("{HEAD}  cloud: aws\n  access:\n    api: {{visibility: public, from: [0.0.0.0/0]}}\n");
    let cluster = resolve_document(&read(&text).expect("sound")).expect("allowed");
    let span = cluster.warnings()[0].span.expect("a place");
    assert_eq!(&text[span.start..span.end], "0.0.0.0/0");
}

proptest! {
    /// A zone's block, its neighbours and the public one fit into the network, judged by laying them out.
    #[test]
    fn zone_blocks_fit_into_the_network(prefix in 8_u8..=24, zones in 1_usize..=6) {
        let net: Cidr = format!("10.0.0.0/{prefix}").parse().expect("network");
        let block = addresses::zone_prefix(net, zones);
        let size = 1_u64 << (32 - block);
        prop_assert!(size * (zones as u64 + 1) <= net.addresses(), "{zones} zones and the public block fit");
        prop_assert!(size * 2 * (zones as u64 + 1) > net.addresses(), "twice the size would not");
    }

    /// What a refusal calls right is accepted.
    #[test]
    fn the_network_that_is_called_right_is_right(prefix in 16_u8..=28, max in 1_u32..2_000, zones in 1_u8..=6) {
        let body = |network: &str| format!(
            "  cloud: gcp\n  zones: {zones}\n  network: {{cidr: {network}}}\n  nodeGroups: [{{name: g, count: {max}}}]\n"
        );
        if let Err(problems) = resolve(&spec(&body(&format!("10.20.0.0/{prefix}")))) {
            let problem = problems.into_vec().into_iter().find(|p| p.path == "spec.network.cidr").expect("a problem");
            let right = problem.right.expect("a right network");
            let right = right.split(' ').next().expect("a word");
            // A wider one may reach into the default ranges, which is another problem.
            if right.parse::<Cidr>().expect("a network").prefix() >= 10 {
                let again = resolve(&spec(&body(right)));
                let still = again.err().into_iter().flat_map(|problems| problems.into_vec()).any(|p| p.message.contains("room"));
                prop_assert!(!still, "{right}");
            }
        }
    }
}
