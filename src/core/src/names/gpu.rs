//! GPU models, and the request for some of them.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use super::{Invalid, shown, word};

/// A GPU model that a cloud rents out.
///
/// Written in lower case; where the maker sells one model with two memory sizes, the size belongs to the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GpuModel {
    /// NVIDIA T4, 16 GiB.
    T4,
    /// NVIDIA V100.
    V100,
    /// NVIDIA A10G, 24 GiB.
    A10g,
    /// NVIDIA L4, 24 GiB.
    L4,
    /// NVIDIA L40S, 48 GiB.
    L40s,
    /// NVIDIA A100 with 40 GiB.
    A100With40Gb,
    /// NVIDIA A100 with 80 GiB.
    A100With80Gb,
    /// NVIDIA H100, 80 GiB.
    H100,
    /// NVIDIA H200, 141 GiB.
    H200,
    /// NVIDIA B200.
    B200,
}

impl GpuModel {
    /// Every model, smallest first.
    pub const ALL: [Self; 10] = [
        Self::T4,
        Self::V100,
        Self::A10g,
        Self::L4,
        Self::L40s,
        Self::A100With40Gb,
        Self::A100With80Gb,
        Self::H100,
        Self::H200,
        Self::B200,
    ];

    /// The model as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::T4 => "t4",
            Self::V100 => "v100",
            Self::A10g => "a10g",
            Self::L4 => "l4",
            Self::L40s => "l40s",
            Self::A100With40Gb => "a100-40gb",
            Self::A100With80Gb => "a100-80gb",
            Self::H100 => "h100",
            Self::H200 => "h200",
            Self::B200 => "b200",
        }
    }

    /// Whether the maker lets one GPU be partitioned in hardware (MIG).
    pub fn can_be_partitioned(self) -> bool {
        match self {
            Self::A100With40Gb | Self::A100With80Gb | Self::H100 | Self::H200 | Self::B200 => true,
            Self::T4 | Self::V100 | Self::A10g | Self::L4 | Self::L40s => false,
        }
    }
}

impl FromStr for GpuModel {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let list = || format!("one of {}", Self::ALL.map(Self::as_str).join(", "));
        if text.is_empty() {
            return Err(Invalid::Empty { right: list() });
        }
        let lower = text.to_ascii_lowercase();
        // The larger one is what is meant where nobody says: it is the one sold as "A100" today.
        let known = if lower == "a100" { "a100-80gb" } else { lower.as_str() };
        let model = Self::ALL.into_iter().find(|model| model.as_str() == known);
        match model {
            Some(model) if text == lower => Ok(model),
            Some(_) => Err(Invalid::shape(format!("{} has capital letters", shown(text)), lower)),
            None => {
                let near = Self::ALL
                    .into_iter()
                    .map(|model| (strsim::jaro_winkler(model.as_str(), &lower), model.as_str()))
                    .filter(|(score, _)| *score > 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let right = match near {
                    Some((_, name)) => format!("{name}, or another {}", list()),
                    None => list(),
                };
                Err(Invalid::shape(format!("{} is no GPU model that is known here", shown(text)), right))
            }
        }
    }
}

impl fmt::Display for GpuModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

word!(
    GpuModel,
    "gpu-model",
    r"^(t4|v100|a10g|l4|l40s|a100|a100-40gb|a100-80gb|h100|h200|b200)$",
    "GPU model in lower case; a100 means a100-80gb.",
    "a10g"
);

/// So many GPUs of one model in one machine, as the command line writes it: `a10g:1`, or `a10g` for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GpuRequest {
    /// Which model.
    pub model: GpuModel,
    /// How many in each machine.
    pub count: NonZeroU8,
}

impl FromStr for GpuRequest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (model, count) = text.split_once(':').map_or((text, None), |(model, count)| (model, Some(count)));
        let model: GpuModel = model.parse()?;
        let count = match count {
            None => NonZeroU8::MIN,
            Some(count) => {
                let plain = count.bytes().all(|b| b.is_ascii_digit());
                count.parse().ok().filter(|n: &NonZeroU8| plain && n.get() <= 16).ok_or_else(|| {
                    Invalid::shape(
                        format!("{} is not a number of GPUs", shown(count)),
                        format!("{model}:N with N from 1 to 16, as in a10g:1"),
                    )
                })?
            }
        };
        Ok(Self { model, count })
    }
}

impl fmt::Display for GpuRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.model, self.count))
    }
}

word!(GpuRequest, "gpu-request", r"^[a-z0-9-]+(:[0-9]+)?$", "GPUs of each machine: a model, or MODEL:COUNT.", "a10g:1");
