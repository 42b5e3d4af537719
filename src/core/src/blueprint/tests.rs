use ipnet::Ipv4Net;
use proptest::prelude::*;

use super::addresses::{cut, fixed};
use crate::names::Cidr;

fn cidr(text: &str) -> Cidr {
    text.parse().expect("a network")
}

#[test]
fn three_zones_of_a_slash_16() {
    let cut = cut(cidr("10.20.0.0/16"), 3).expect("room enough");
    let nodes: Vec<String> = cut.zones.iter().map(|z| z.nodes.to_string()).collect();
    let public: Vec<String> = cut.zones.iter().map(|z| z.public.to_string()).collect();
    assert_eq!(nodes, ["10.20.0.0/18", "10.20.64.0/18", "10.20.128.0/18"]);
    assert_eq!(public, ["10.20.192.0/20", "10.20.208.0/20", "10.20.224.0/20"]);
    assert_eq!(fixed(cut.zones[0].nodes, 0).map(|a| a.to_string()).as_deref(), Some("10.20.0.10"));
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!(cut(cidr("10.20.0.0/26"), 3), None);
    assert_eq!(cut(cidr("10.20.0.0/16"), 0), None);
    assert_eq!(fixed("10.0.0.0/28".parse().expect("a network"), 5), None, "the last address is the broadcast's");
}

/// All addresses of a network, one by one: what the allocator is checked against.
fn every(net: Ipv4Net) -> impl Iterator<Item = u32> {
    u32::from(net.network())..=u32::from(net.broadcast())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No address belongs to two pieces, and none lies outside: counted one by one.
    #[test]
    fn pieces_never_overlap(prefix in 18_u8..=24, zones in 1_usize..=6, third in 0_u8..=255) {
        let whole = Ipv4Net::new(std::net::Ipv4Addr::new(10, 7, third, 0), prefix).expect("a prefix").trunc();
        let network: Cidr = whole.to_string().parse().expect("a network");
        let Some(cut) = cut(network, zones) else { return Ok(()) };
        let mut owner = std::collections::HashMap::new();
        let pieces = cut.zones.iter().flat_map(|z| [z.nodes, z.public]).chain(cut.free.iter().copied());
        for (index, piece) in pieces.enumerate() {
            for address in every(piece) {
                prop_assert!(whole.contains(&std::net::Ipv4Addr::from(address)));
                prop_assert_eq!(owner.insert(address, index), None);
            }
        }
        prop_assert_eq!(cut.zones.len(), zones);
    }

    /// One zone more moves nobody while the blocks keep their size.
    #[test]
    fn a_zone_more_takes_a_free_block(zones in 1_usize..=6) {
        let (Some(fewer), Some(more)) = (cut(cidr("10.0.0.0/16"), zones), cut(cidr("10.0.0.0/16"), zones + 1)) else {
            return Ok(());
        };
        if fewer.zones[0].nodes.prefix_len() == more.zones[0].nodes.prefix_len() {
            prop_assert_eq!(fewer.zones[0].nodes, more.zones[0].nodes);
            prop_assert!(fewer.free.contains(&more.zones[zones].nodes));
        }
    }
}
