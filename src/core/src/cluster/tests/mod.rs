//! Every rule, kept and broken, and every default.

mod machines;
mod network;

use expect_test::{Expect, expect};

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
