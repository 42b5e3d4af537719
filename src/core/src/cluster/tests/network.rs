//! Addresses, places and networks that are there already.

use expect_test::expect;
use proptest::prelude::*;

use super::*;

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
        "  cloud: aws\n  region: eu-central-1\n  zones: [eu-central-1a.b]\n",
        &expect![
            "spec.zones[0]: eu-central-1a.b is not a zone of the cluster's region; right would be: a zone of eu-central-1, as in eu-central-1a"
        ],
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
