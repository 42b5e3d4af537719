//! Memory, disk sizes and durations.

use std::fmt;
use std::str::FromStr;

use super::{Invalid, shown, word};

/// An amount of memory, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemorySize {
    mebibytes: u32,
}

impl MemorySize {
    /// So many MiB.
    pub const fn from_mebibytes(mebibytes: u32) -> Self {
        Self { mebibytes }
    }

    /// So many GiB.
    pub const fn from_gibibytes(gibibytes: u16) -> Self {
        Self { mebibytes: gibibytes as u32 * 1024 }
    }

    /// The amount in MiB.
    pub fn mebibytes(self) -> u32 {
        self.mebibytes
    }
}

/// The size of a disk, in whole GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskSize {
    gibibytes: u32,
}

impl DiskSize {
    /// So many GiB.
    pub const fn from_gibibytes(gibibytes: u32) -> Self {
        Self { gibibytes }
    }

    /// The size in GiB.
    pub fn gibibytes(self) -> u32 {
        self.gibibytes
    }
}

/// Splits `16Gi` into 16 and the MiB of its unit. Decimal units are refused with the binary one that is meant.
fn binary(text: &str, right: &'static str) -> Result<u64, Invalid> {
    Invalid::unless_sized(text, 16, right)?;
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let wrong = || Invalid::shape(format!("{} is not a size", shown(text)), right);
    if number.is_empty() {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let mebibytes: u64 = match unit {
        "Mi" => 1,
        "Gi" => 1024,
        "Ti" => 1024 * 1024,
        "" => {
            return Err(Invalid::shape(format!("{text} has no unit"), format!("{number}Gi or {number}Mi")));
        }
        "M" | "MB" | "MiB" | "m" | "mb" | "mi" => {
            return Err(Invalid::shape(format!("{text} has another unit than Mi, Gi or Ti"), format!("{number}Mi")));
        }
        "G" | "GB" | "GiB" | "g" | "gb" | "gi" => {
            return Err(Invalid::shape(format!("{text} has another unit than Mi, Gi or Ti"), format!("{number}Gi")));
        }
        _ => return Err(wrong()),
    };
    let total = number.checked_mul(mebibytes).ok_or_else(wrong)?;
    if total == 0 {
        return Err(Invalid::shape(format!("{text} is nothing"), right));
    }
    Ok(total)
}

const MEMORY_RIGHT: &str = "a number and Mi, Gi or Ti, as in 16Gi";
const DISK_RIGHT: &str = "whole GiB, as in 100Gi or 1Ti";

impl FromStr for MemorySize {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mebibytes = u32::try_from(binary(text, MEMORY_RIGHT)?)
            .map_err(|_| Invalid::shape(format!("{text} is more than any machine has"), MEMORY_RIGHT))?;
        Ok(Self { mebibytes })
    }
}

impl FromStr for DiskSize {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mebibytes = binary(text, DISK_RIGHT)?;
        if mebibytes % 1024 != 0 {
            return Err(Invalid::shape(
                format!("{text} is not a whole number of GiB"),
                format!("{}Gi", mebibytes.div_ceil(1024)),
            ));
        }
        let gibibytes = u32::try_from(mebibytes / 1024)
            .map_err(|_| Invalid::shape(format!("{text} is more than any disk has"), DISK_RIGHT))?;
        Ok(Self { gibibytes })
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mebibytes {
            whole if whole % 1024 == 0 => f.pad(&format!("{}Gi", whole / 1024)),
            part => f.pad(&format!("{part}Mi")),
        }
    }
}

impl fmt::Display for DiskSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}Gi", self.gibibytes))
    }
}

word!(MemorySize, "memory-size", r"^[0-9]+(Mi|Gi|Ti)$", "Amount of memory: a number and Mi, Gi or Ti.", "16Gi");
word!(DiskSize, "disk-size", r"^[0-9]+(Mi|Gi|Ti)$", "Size of a disk: whole GiB, written with Gi or Ti.", "100Gi");

/// A span of time, in whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    seconds: u32,
}

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
const DURATION_RIGHT: &str = "a number and d, h, m or s, largest first, as in 8h or 1h30m";

impl Duration {
    /// So many seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// The span in seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }
}

impl From<Duration> for std::time::Duration {
    fn from(span: Duration) -> Self {
        Self::from_secs(u64::from(span.seconds))
    }
}

impl FromStr for Duration {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Invalid::unless_sized(text, 24, DURATION_RIGHT)?;
        let wrong = || Invalid::shape(format!("{} is not a duration", shown(text)), DURATION_RIGHT);
        let mut rest = text;
        let mut total: u32 = 0;
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            let number: u32 = number.parse().map_err(|_| wrong())?;
            let mut characters = after.chars();
            let unit = characters.next().ok_or_else(wrong)?;
            // Each unit at most once and the largest first: the iterator only moves on.
            let (_, factor) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            total = number.checked_mul(*factor).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
            rest = characters.as_str();
        }
        if total == 0 {
            return Err(Invalid::shape(format!("{text} is no time at all"), DURATION_RIGHT));
        }
        Ok(Self { seconds: total })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.seconds;
        let mut out = String::new();
        for (name, factor) in UNITS {
            if rest >= factor {
                out.push_str(&format!("{}{name}", rest / factor));
                rest %= factor;
            }
        }
        f.pad(&out)
    }
}

word!(
    Duration,
    "time-span",
    r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
    "Span of time: a number and d, h, m or s, largest first.",
    "8h"
);
