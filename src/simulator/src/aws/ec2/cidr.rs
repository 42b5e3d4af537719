//! Ranges of IPv4 addresses.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range, with the bits after its prefix cleared as EC2 clears them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cidr {
    first: u32,
    prefix: u32,
}

impl Cidr {
    pub(super) fn prefix(self) -> u32 {
        self.prefix
    }

    /// How many addresses it has.
    pub(super) fn size(self) -> u64 {
        1 << (32 - self.prefix)
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && other.first & mask(self.prefix) == self.first
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The address at that place.
    pub(super) fn address(self, place: u64) -> String {
        Ipv4Addr::from(self.first.wrapping_add(place as u32)).to_string()
    }

    /// At which place an address is.
    pub(super) fn place(self, address: Ipv4Addr) -> Option<u64> {
        u32::from(address).checked_sub(self.first).map(u64::from).filter(|place| *place < self.size())
    }
}

fn mask(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix).unwrap_or(0)
}

impl FromStr for Cidr {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address: Ipv4Addr = address.parse().map_err(drop)?;
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or(())?;
        Ok(Self { first: u32::from(address) & mask(prefix), prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().expect("a range")
    }

    #[test]
    fn a_range_is_cleared_behind_its_prefix_and_compared_by_its_addresses() {
        assert_eq!(cidr("100.68.0.18/18").to_string(), "100.68.0.0/18");
        assert!(cidr("0.0.0.0/0").contains(cidr("10.0.0.0/8")) && !cidr("10.0.0.0/8").contains(cidr("0.0.0.0/0")));
        assert!(
            cidr("10.0.1.0/24").overlaps(cidr("10.0.0.0/16")) && !cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24"))
        );
        assert_eq!((cidr("10.0.0.0/28").size(), cidr("10.0.0.0/28").address(15).as_str()), (16, "10.0.0.15"));
        let place = |address: &str| cidr("10.0.0.0/28").place(address.parse().expect("an address"));
        assert_eq!([place("10.0.0.15"), place("10.0.0.16"), place("9.9.9.9")], [Some(15), None, None]);
        assert!("10.0.0.0".parse::<Cidr>().is_err() && "10.0.0.0/33".parse::<Cidr>().is_err());
    }
}
