//! What is known of a cluster besides what it is.

use std::collections::BTreeMap;

use crate::spec::Problem;

/// Where the defaults of a cluster came from, and what deserves a warning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) warnings: Vec<Problem>,
}
