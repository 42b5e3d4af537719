//! What can go wrong in a store.

use std::io;
use std::sync::Arc;

use super::key::{Key, KeyError};

/// A failed store operation.
///
/// After [`Unavailable`](Self::Unavailable), [`Full`](Self::Full) and [`Io`](Self::Io) it is open whether a write took
/// place; [`super::settle`] finds out. Every other error means that nothing was written. It is `Clone` because one write
/// may carry the records of many callers.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("{key} was changed by someone else in the meantime")]
    Conflict { key: Key },
    #[error("{what} does not exist")]
    NotFound { what: String },
    #[error("the store cannot be reached: {what}")]
    Unavailable { what: String, retryable: bool },
    #[error("access to the store was denied: {what}")]
    Denied { what: String },
    #[error("no space left: {what}")]
    Full { what: String },
    #[error("{key} is damaged: {damage}")]
    Corrupt { key: Key, damage: Damage },
    #[error(
        "{key} has format version {found}, written by clusterctl {written_by}; this clusterctl reads up to {known}"
    )]
    Newer { key: Key, found: u32, known: u32, written_by: String },
    #[error("the store ignores conditional writes: {what}")]
    ConditionsIgnored { what: String },
    #[error("{what}")]
    Io {
        what: String,
        #[source]
        source: Arc<io::Error>,
    },
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What a damaged document shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    #[error("it is empty")]
    Empty,
    #[error("its end is missing")]
    Truncated,
    #[error("it does not begin like a clusterctl document")]
    Foreign,
    #[error("its checksum does not match")]
    Checksum,
    #[error("it is the document of {key}")]
    Misplaced { key: String },
    #[error("it is a {found} document, not {expected}")]
    OtherFormat { found: String, expected: &'static str },
    #[error("its content does not fit its format: {problem}")]
    Content { problem: String },
}

impl StoreError {
    /// Wraps an error of the operating system, keeping apart what a user can act on.
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied { what: format!("{what}: {source}") }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { what: format!("{what}: {source}") }
            }
            _ => Self::Io { what: format!("{what}: {source}"), source: Arc::new(source) },
        }
    }

    /// Whether the same operation may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { retryable: true, .. })
    }

    /// Whether a write that failed like this may nevertheless have taken place.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Full { .. } | Self::Io { .. })
    }

    /// What the user can do about it, as one sentence, where there is something to do.
    pub fn way_out(&self) -> Option<String> {
        Some(match self {
            Self::Conflict { .. } => "Run the same command again; it starts from what is there now.".into(),
            Self::Unavailable { retryable: true, .. } => {
                "Run the same command again when the store can be reached.".into()
            }
            Self::Denied { .. } => "Check the credentials, and the rights on the store that --store names.".into(),
            Self::Full { .. } => {
                "Free some space and run the same command again; what was stored before is unharmed.".into()
            }
            Self::Corrupt { key, .. } => format!(
                "Restore {key} from a backup or an earlier object version, or rebuild the state from the cloud's \
                 ownership tags with `clusterctl recover`."
            ),
            Self::NotFound { .. } => {
                "Restore it, or rebuild the state from the cloud's ownership tags with `clusterctl recover`.".into()
            }
            Self::Newer { written_by, .. } => format!("Upgrade to clusterctl {written_by} or later."),
            Self::ConditionsIgnored { .. } => {
                "Use a store that honours conditional writes; with this one two runs could change the same cluster."
                    .into()
            }
            _ => return None,
        })
    }
}
