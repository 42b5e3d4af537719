//! AWS for clusterctl.
//!
//! - [`resources`] the data, in the vocabulary of the Terraform provider
//! - [`catalogue`] machine types, zones and images as data
//! - [`names`] names, tags and paths that prove ownership
//!
//! With feature `api`, the only files that know the SDK: `client`, `drivers`, `observe`, `facts`; and `store`, state,
//! journal and lock in a bucket.

pub mod catalogue;
pub mod names;
pub mod resources;

#[cfg(feature = "api")]
pub mod client;
#[cfg(feature = "api")]
pub mod drivers;
#[cfg(feature = "api")]
pub mod facts;
#[cfg(feature = "api")]
pub mod observe;
#[cfg(feature = "api")]
pub mod store;
