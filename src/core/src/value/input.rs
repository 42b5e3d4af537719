//! An argument that is known now or is an output of another node.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{as_output, output};
use crate::addr::Addr;

/// What a resource needs: a value known now, or an output of another node.
///
/// `T` says what kind of thing it is (`Input<VpcId>` is not `Input<SubnetId>`); it has no value of its own.
pub enum Input<T> {
    Known(String, PhantomData<T>),
    Output { of: Addr, attr: String, marker: PhantomData<T> },
}

impl<T> Input<T> {
    pub fn known(value: impl Into<String>) -> Self {
        Self::Known(value.into(), PhantomData)
    }

    #[must_use]
    pub fn output(of: &Addr, attr: &str) -> Self {
        Self::Output { of: of.clone(), attr: attr.to_owned(), marker: PhantomData }
    }

    /// The value, once it is known; drivers only ever see known inputs.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Known(value, _) => Some(value),
            Self::Output { .. } => None,
        }
    }

    /// The same value under another meaning, for the few places where a cloud uses one id as another.
    #[must_use]
    pub fn retype<U>(&self) -> Input<U> {
        match self {
            Self::Known(value, _) => Input::known(value.clone()),
            Self::Output { of, attr, .. } => Input::output(of, attr),
        }
    }

    fn key(&self) -> (Option<&str>, Option<(&Addr, &str)>) {
        match self {
            Self::Known(value, _) => (Some(value), None),
            Self::Output { of, attr, .. } => (None, Some((of, attr))),
        }
    }
}

impl<T> Clone for Input<T> {
    fn clone(&self) -> Self {
        self.retype()
    }
}

impl<T> fmt::Debug for Input<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value, _) => write!(f, "{value:?}"),
            Self::Output { of, attr, .. } => write!(f, "{of}.{attr}"),
        }
    }
}

impl<T> PartialEq for Input<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl<T> Eq for Input<T> {}
impl<T> PartialOrd for Input<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Input<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
impl<T> Hash for Input<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl<T> Serialize for Input<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value, _) => s.serialize_str(value),
            Self::Output { of, attr, .. } => output(of, attr).serialize(s),
        }
    }
}

impl<'de, T> Deserialize<'de> for Input<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(d)?;
        if let Some((of, attr)) = as_output(&value) {
            return Ok(Self::output(&of, &attr));
        }
        match value {
            Value::String(text) => Ok(Self::known(text)),
            other => Err(serde::de::Error::custom(format!("expected a string or an output, found {other}"))),
        }
    }
}
