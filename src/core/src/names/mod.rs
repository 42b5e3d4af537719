//! Words and quantities that cannot hold nonsense.
//!
//! Every newtype here is made by its `FromStr` alone (serde goes the same way), prints as it is written, and carries
//! its JSON Schema. What is refused comes back as [`Invalid`]: what is wrong and what would be right.
//!
//! - [`name`] names of clusters, node groups, regions, zones, DNS zones, and ids of things in a cloud
//! - [`version`] Kubernetes versions and which of them this release installs
//! - [`cidr`] IPv4 networks
//! - [`quantity`] memory, disk sizes, durations
//! - [`label`] Kubernetes labels and taints, and the tags of a cloud
//! - [`ssh`] public keys
//! - [`gpu`] GPU models
//!
//! [`check`] finds the parser of a newtype by the `format` its schema carries, so that the reader of the cluster file
//! reports every malformed value in one run instead of the first one that serde meets.

pub mod cidr;
pub mod gpu;
mod invalid;
pub mod label;
pub mod name;
pub mod quantity;
pub mod ssh;
pub mod version;

pub use cidr::Cidr;
pub use gpu::{GpuModel, GpuRequest};
pub use invalid::{Invalid, shown};
pub use label::{LabelKey, LabelValue, TagKey, TagValue, Taint, TaintEffect};
pub use name::{
    AmiId, CapacityReservationId, ClusterName, DnsZone, GroupName, MachineType, RegionName, ResourceId, ZoneName,
};
pub use quantity::{DiskSize, Duration, MemorySize};
pub use ssh::{SshAlgorithm, SshKey};
pub use version::KubernetesVersion;

/// A newtype that is written as one word of text.
///
/// `FORMAT` names it in the schema; [`check`] leads from there back to its parser.
pub trait Word: std::str::FromStr<Err = Invalid> + std::fmt::Display {
    /// The value of `format` in the JSON Schema.
    const FORMAT: &'static str;
    /// A regular expression for editors, never narrower than the parser.
    const PATTERN: &'static str;
    /// What it is, in one sentence.
    const ABOUT: &'static str;
    /// A value that parses.
    const EXAMPLE: &'static str;
}

/// Implements everything that follows from [`Word`]: serde both ways, `TryFrom<String>` and the schema.
macro_rules! word {
    ($type:ty, $format:literal, $pattern:literal, $about:literal, $example:literal) => {
        impl $crate::names::Word for $type {
            const FORMAT: &'static str = $format;
            const PATTERN: &'static str = $pattern;
            const ABOUT: &'static str = $about;
            const EXAMPLE: &'static str = $example;
        }

        impl TryFrom<String> for $type {
            type Error = $crate::names::Invalid;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": $format,
                    "pattern": $pattern,
                    "description": $about,
                    "examples": [$example],
                })
            }
        }
    };
}

/// A [`word!`] that is kept as the text it was written in, checked by a function.
macro_rules! text_word {
    ($(#[$doc:meta])* $name:ident, $check:expr, $format:literal, $pattern:literal, $about:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::Invalid;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> Result<(), $crate::names::Invalid> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        $crate::names::word!($name, $format, $pattern, $about, $example);
    };
}

use {text_word, word};

/// Parses `text` with the newtype that carries `format` in its schema.
///
/// `None` when no newtype carries it.
pub fn check(format: &str, text: &str) -> Option<Result<(), Invalid>> {
    fn parses<T: Word>(text: &str) -> Result<(), Invalid> {
        text.parse::<T>().map(drop)
    }
    macro_rules! table {
        ($($type:ty),* $(,)?) => {
            $(if format == <$type as Word>::FORMAT { return Some(parses::<$type>(text)); })*
        };
    }
    table!(
        AmiId,
        CapacityReservationId,
        Cidr,
        ClusterName,
        DiskSize,
        DnsZone,
        Duration,
        GpuModel,
        GpuRequest,
        GroupName,
        KubernetesVersion,
        LabelKey,
        LabelValue,
        MachineType,
        MemorySize,
        RegionName,
        ResourceId,
        SshKey,
        TagKey,
        TagValue,
        Taint,
        ZoneName,
    );
    None
}

#[cfg(test)]
pub(crate) mod tests;
