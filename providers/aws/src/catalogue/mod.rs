//! What AWS rents out and where: data with a date and a source.
//!
//! - [`catalogue`] the EC2 machine types, embedded from `machines.txt`
//! - [`regions`], [`zones`] the regions and their availability zones, embedded from `zones.txt`
//! - [`images`] how the Ubuntu image of a node is found
//!
//! `README.md` beside the data says where it is from and how it was made. What is offered today is asked of AWS and
//! handed to [`clusterctl_core::machine::resolve`]; without a connection these files alone decide.

use std::sync::LazyLock;

use clusterctl_core::machine::Catalogue;

pub mod images;
mod regions;

pub use regions::{regions, zones, zones_as_of};

/// The EC2 machine types, read once.
///
/// # Panics
/// Never: the embedded table is read by a test of this module.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        Catalogue::from_table(include_str!("machines.txt")).expect("the embedded table is well-formed")
    });
    &CATALOGUE
}

#[cfg(test)]
mod tests;
