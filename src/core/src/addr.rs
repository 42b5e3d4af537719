//! Where a node of the graph lives: `aws_vpc.main`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A resource's address: its Terraform address, and its identity in tags, plan and journal.
///
/// Looked-up things that are not managed have a kind that starts with `data.`, as in Terraform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr {
    pub kind: String,
    pub name: String,
}

impl Addr {
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned() }
    }
}

/// The kind and the name in `kind.name`.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    text.rsplit_once('.').filter(|(kind, name)| word(kind.strip_prefix("data.").unwrap_or(kind)) && word(name))
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; an address looks like `aws_vpc.main`")]
pub struct NotAnAddr(pub String);

impl FromStr for Addr {
    type Err = NotAnAddr;

    fn from_str(text: &str) -> Result<Self, NotAnAddr> {
        let (kind, name) = parts(text).ok_or_else(|| NotAnAddr(text.to_owned()))?;
        Ok(Self::new(kind, name))
    }
}

impl Serialize for Addr {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Addr {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        for text in ["aws_vpc.main", "data.aws_ami.node-amd64", "aws_subnet.private-eu-central-1a"] {
            assert_eq!(text.parse::<Addr>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "aws_vpc", "aws_vpc.", ".main", "aws_vpc.a b", "aws_vpc.a.b"] {
            assert!(text.parse::<Addr>().is_err(), "{text}");
        }
    }
}
