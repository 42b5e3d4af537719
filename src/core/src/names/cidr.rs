//! IPv4 networks.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::Ipv4Net;

use super::{Invalid, shown, word};

/// An IPv4 network in CIDR notation whose host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// Every address there is: `0.0.0.0/0`.
    pub const ANYWHERE: Self = Self(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));

    /// The network as `ipnet` has it.
    pub fn net(self) -> Ipv4Net {
        self.0
    }

    /// The number after the slash.
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// How many addresses it spans, the first and last among them.
    pub fn addresses(self) -> u64 {
        1_u64 << (32 - u32::from(self.prefix()))
    }

    /// Whether any address lies in both.
    pub fn overlaps(self, other: Self) -> bool {
        // Two networks are either disjoint or one holds the other.
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }

    /// Whether every address of `other` lies in this one.
    pub fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }
}

/// Takes over a network, clearing its host bits.
impl From<Ipv4Net> for Cidr {
    fn from(net: Ipv4Net) -> Self {
        Self(net.trunc())
    }
}

const RIGHT: &str = "an IPv4 network as in 10.20.0.0/16";

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Invalid::unless_sized(text, 43, RIGHT)?;
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Err(Invalid::shape(format!("{text} has no prefix length"), format!("{address}/32")));
        }
        if text.contains(':') {
            return Err(Invalid::shape(format!("{} looks like IPv6, which is not supported", shown(text)), RIGHT));
        }
        let net: Ipv4Net =
            text.parse().map_err(|_| Invalid::shape(format!("{} is not an IPv4 network", shown(text)), RIGHT))?;
        // A leading zero means octal to some readers: 010.0.0.0 is 8.0.0.0 there.
        if text != net.to_string() {
            return Err(Invalid::shape(format!("{} has leading zeros", shown(text)), net.trunc().to_string()));
        }
        if net.trunc() != net {
            return Err(Invalid::shape(format!("{text} has host bits set"), net.trunc().to_string()));
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

word!(
    Cidr,
    "ipv4-cidr",
    r"^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$",
    "IPv4 network in CIDR notation.",
    "10.20.0.0/16"
);
