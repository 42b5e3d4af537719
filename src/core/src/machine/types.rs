//! A machine type, its price, a catalogue of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The instruction set of a machine, in the words of Debian and of container images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    #[default]
    Amd64,
    Arm64,
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no architecture; it is amd64 or arm64")]
pub struct NotAnArch(pub String);

impl FromStr for Arch {
    type Err = NotAnArch;

    fn from_str(text: &str) -> Result<Self, NotAnArch> {
        match text {
            "amd64" => Ok(Self::Amd64),
            "arm64" => Ok(Self::Arm64),
            _ => Err(NotAnArch(text.to_owned())),
        }
    }
}

/// How capacity is bought: a rung of a node group's ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    Spot,
    OnDemand,
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        })
    }
}

/// US dollars an hour, exact to a millionth.
///
/// An integer, so that prices have a total order and sums do not drift. An unknown price is `Option::None`, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price {
    micro_usd: u64,
}

impl Price {
    #[must_use]
    pub const fn from_micro_usd(micro_usd: u64) -> Self {
        Self { micro_usd }
    }

    #[must_use]
    pub const fn micro_usd(self) -> u64 {
        self.micro_usd
    }

    /// The price as a number to calculate estimates with.
    #[must_use]
    pub fn usd_per_hour(self) -> f64 {
        // Exact below 2^53 millionths, which is nine thousand million dollars an hour.
        self.micro_usd as f64 / 1e6
    }
}

/// As a price list writes it: `0.1728`, at least two digits after the point.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.micro_usd % 1_000_000);
        let kept = fraction.trim_end_matches('0').len().max(2);
        f.pad(&format!("{}.{}", self.micro_usd / 1_000_000, &fraction[..kept]))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price; it is US dollars above 0 with at most six digits after the point")]
pub struct NotAPrice(pub String);

impl FromStr for Price {
    type Err = NotAPrice;

    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        let wrong = || NotAPrice(text.to_owned());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let fraction: u64 = format!("{fraction:0<6}").parse().map_err(|_| wrong())?;
        let micro_usd = whole.checked_mul(1_000_000).and_then(|m| m.checked_add(fraction)).ok_or_else(wrong)?;
        if micro_usd == 0 { Err(wrong()) } else { Ok(Self { micro_usd }) }
    }
}

/// The GPUs of one machine, all of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// As users write it: `a10g`, `a100-80gb`.
    pub model: String,
    pub count: u32,
    /// Of each GPU.
    pub memory_mib: u64,
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.model, self.count))
    }
}

/// A type of machine that a cloud rents out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineType {
    pub name: String,
    /// Virtual CPUs, as the cloud counts them.
    pub cpu: u32,
    pub memory_mib: u64,
    pub arch: Arch,
    pub gpu: Option<Gpu>,
    /// On demand, in the reference region of the price list. `None` is unknown, never free.
    pub price: Option<Price>,
    /// Network interfaces on its default network card.
    pub interfaces: u32,
    /// IPv4 addresses that each of them can carry.
    pub addresses_per_interface: u32,
    /// Interfaces for OS-bypass traffic between machines (EFA on AWS); 0 where it has none.
    pub efa_interfaces: u32,
    /// Local NVMe disks together, in decimal gigabytes, as clouds count them; 0 where it has none.
    pub local_nvme_gb: u64,
    /// Its CPUs are not all its own all the time: a baseline with credits, or a guaranteed share.
    pub burstable: bool,
    /// Not called a previous generation by its cloud.
    pub current: bool,
    /// A whole server: minutes slower to start.
    pub bare_metal: bool,
    pub markets: BTreeSet<Market>,
}

impl MachineType {
    /// How many pods get an address where pods take addresses of the machine's own interfaces.
    ///
    /// One address of each interface is the interface's own; two pods live on the node's address. With an overlay this
    /// is no limit. <https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html>
    #[must_use]
    pub fn max_pods(&self) -> u32 {
        self.interfaces * self.addresses_per_interface.saturating_sub(1) + 2
    }

    /// Cheapest first, unknown prices last, ties by name.
    #[must_use]
    pub fn cheaper_first(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |t: &Self| (t.price.is_none(), t.price);
        rank(self).cmp(&rank(other)).then_with(|| self.name.cmp(&other.name))
    }
}

/// Where the prices of a catalogue are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    pub as_of: Date,
    pub source: String,
    /// Prices are this region's; elsewhere they only order types.
    pub region: String,
}

/// The machine types of a cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The day of everything but the prices.
    pub as_of: Date,
    pub source: String,
    pub prices: PriceList,
    /// Sorted by name, each name once.
    pub types: Vec<MachineType>,
}

impl Catalogue {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&MachineType> {
        self.types.binary_search_by(|t| t.name.as_str().cmp(name)).ok().map(|at| &self.types[at])
    }

    /// The same catalogue with types that were read from the cloud added or put in place of its own.
    #[must_use]
    pub fn with(mut self, types: impl IntoIterator<Item = MachineType>) -> Self {
        let mut by_name: BTreeMap<_, _> = self.types.drain(..).map(|t| (t.name.clone(), t)).collect();
        by_name.extend(types.into_iter().map(|t| (t.name.clone(), t)));
        self.types = by_name.into_values().collect();
        self
    }

    /// Every GPU model with the counts it comes in.
    #[must_use]
    pub fn gpus(&self) -> BTreeMap<&str, BTreeSet<u32>> {
        let mut models: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for gpu in self.types.iter().filter_map(|t| t.gpu.as_ref()) {
            models.entry(&gpu.model).or_default().insert(gpu.count);
        }
        models
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact_and_never_zero() {
        for (text, micro) in [("0.1728", 172_800), ("113.9328", 113_932_800), ("2", 2_000_000), ("0.00001", 10)] {
            assert_eq!(text.parse::<Price>(), Ok(Price::from_micro_usd(micro)));
        }
        for text in ["", "0", "0.000000", ".5", "1.", "-1", "1e3", "0.1234567", "99999999999999999999"] {
            assert!(text.parse::<Price>().is_err(), "{text}");
        }
        let shown = |micro| Price::from_micro_usd(micro).to_string();
        assert_eq!([shown(172_800), shown(2_000_000), shown(27_447_050)], ["0.1728", "2.00", "27.44705"]);
    }
}
