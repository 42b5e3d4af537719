//! Kubernetes versions, and which of them this release installs.

use std::fmt;
use std::str::FromStr;

use super::{Invalid, shown, word};

/// A Kubernetes version: a minor release, or one exact patch of it.
///
/// Ordered; a minor without a patch (the newest patch known) sorts before its patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u16,
    patch: Option<u16>,
}

/// Minor releases that this release of clusterctl installs, oldest first. Kubernetes itself maintains three.
pub const SUPPORTED: &[KubernetesVersion] =
    &[KubernetesVersion::of_minor(35), KubernetesVersion::of_minor(36), KubernetesVersion::of_minor(37)];

/// The minor release that is installed when the file names none.
///
/// One behind the newest, so that drivers and operators have had time to follow.
pub const DEFAULT: KubernetesVersion = KubernetesVersion::of_minor(36);

impl KubernetesVersion {
    /// Kubernetes 1.`minor`, with no patch chosen.
    pub const fn of_minor(minor: u16) -> Self {
        Self { minor, patch: None }
    }

    /// The minor release number: 36 of 1.36.3.
    pub fn minor(self) -> u16 {
        self.minor
    }

    /// The patch number, when one was chosen: 3 of 1.36.3.
    pub fn patch(self) -> Option<u16> {
        self.patch
    }

    /// The same release without its patch.
    pub fn without_patch(self) -> Self {
        Self::of_minor(self.minor)
    }

    /// Whether this release of clusterctl installs it.
    pub fn is_supported(self) -> bool {
        SUPPORTED.contains(&self.without_patch())
    }
}

const RIGHT: &str = "a minor release as in 1.36, or an exact one as in 1.36.3";

impl FromStr for KubernetesVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Invalid::unless_sized(text, 16, RIGHT)?;
        if let Some(bare) = text.strip_prefix(['v', 'V']) {
            return Err(match bare.parse::<Self>() {
                Ok(version) => Invalid::shape(format!("{} starts with a v", shown(text)), version.to_string()),
                Err(inner) => inner,
            });
        }
        let wrong = || Invalid::shape(format!("{} is not a Kubernetes version", shown(text)), RIGHT);
        let number = |part: &str| -> Result<u16, Invalid> {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let padded = part.len() > 1 && part.starts_with('0');
            if plain && !padded { part.parse().map_err(|_| wrong()) } else { Err(wrong()) }
        };
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["1", minor] => Ok(Self { minor: number(minor)?, patch: None }),
            ["1", minor, patch] => Ok(Self { minor: number(minor)?, patch: Some(number(patch)?) }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            Some(patch) => f.pad(&format!("1.{}.{patch}", self.minor)),
            None => f.pad(&format!("1.{}", self.minor)),
        }
    }
}

word!(
    KubernetesVersion,
    "kubernetes-version",
    r"^1\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?$",
    "Kubernetes version: a minor release, or one exact patch of it.",
    "1.36"
);
