//! AWS for clusterctl.
//!
//! - [`resources`] the data, in the vocabulary of the Terraform provider
//! - [`catalogue`] machine types, zones and images as data
//! - [`names`] names, tags and paths that prove ownership
//!
//! With feature `api`, the only files that know the SDK: `client`, `drivers`, `observe`, `facts`, and `cloud`, which is
//! AWS as the engine sees it.

pub mod catalogue;
pub mod names;
pub mod resources;

#[cfg(feature = "api")]
pub mod client;
#[cfg(feature = "api")]
pub mod cloud;
#[cfg(feature = "api")]
pub mod drivers;
#[cfg(feature = "api")]
pub mod facts;
#[cfg(feature = "api")]
pub mod observe;
