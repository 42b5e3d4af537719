//! The one allocator that cuts the cluster's network.
//!
//! The network is cut into equal blocks, a power of two of them and at least one more than there are zones. Zone `i`
//! gets block `i` for its nodes; the last block is cut again, in the same number of pieces as there are zones (rounded
//! up to a power of two), for what faces the internet. So a zone added later takes a free block and moves nobody.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::cluster::addresses::zone_prefix;
use crate::names::Cidr;

/// The addresses of one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneBlocks {
    pub nodes: Ipv4Net,
    pub public: Ipv4Net,
}

/// A network, cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub zones: Vec<ZoneBlocks>,
    /// Blocks that nobody has: room for further zones.
    pub free: Vec<Ipv4Net>,
}

/// How long the prefix of a subnet may be: clouds make none with fewer than 16 addresses.
const LONGEST: u8 = 28;

/// Cuts `cidr` for so many zones.
///
/// `None` when there are no zones or the pieces would be smaller than a subnet may be.
#[must_use]
pub fn cut(cidr: Cidr, zones: usize) -> Option<Cut> {
    let prefix = zone_prefix(cidr, zones);
    let blocks: Vec<Ipv4Net> = cidr.net().subnets(prefix).ok()?.collect();
    let (last, blocks) = blocks.split_last()?;
    let pieces = u8::try_from(zones.next_power_of_two().trailing_zeros()).ok()?;
    let public: Vec<Ipv4Net> = last.subnets(last.prefix_len() + pieces).ok()?.collect();
    if zones == 0 || blocks.len() < zones || last.prefix_len() + pieces > LONGEST {
        return None;
    }
    Some(Cut {
        zones: blocks
            .iter()
            .zip(public)
            .take(zones)
            .map(|(nodes, public)| ZoneBlocks { nodes: *nodes, public })
            .collect(),
        free: blocks[zones..].to_vec(),
    })
}

/// The first address of a subnet that machines may have; clouds keep up to the first four for themselves.
const FIRST_FIXED: u32 = 10;

/// The fixed address of the `index`-th control-plane node of the cluster, in its zone's subnet.
#[must_use]
pub(super) fn fixed(subnet: Ipv4Net, index: usize) -> Option<Ipv4Addr> {
    let offset = u32::try_from(index).ok()?.checked_add(FIRST_FIXED)?;
    let address = Ipv4Addr::from(u32::from(subnet.network()).checked_add(offset)?);
    (subnet.contains(&address) && address != subnet.broadcast()).then_some(address)
}
