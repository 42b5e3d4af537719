//! AWS for clusterctl.
//!
//! - [`resources`] the data, in the vocabulary of the Terraform provider
//! - [`catalogue`] machine types, zones and images as data
//! - [`lower`] from a blueprint to AWS's words
//! - [`names`] names, tags and paths that prove ownership
//! - [`provider()`] all of it behind core's seam
//!
//! With feature `api`, the only files that know the SDK: `client` (our transport, faults), `drivers` (one per kind),
//! `observe` (everything of an owner), `cloud` (those two behind core's seam), `facts` (what a plan must ask), `store`
//! (state in S3).

pub mod catalogue;
mod choose;
mod export;
pub mod lower;
pub mod names;
mod provider;
pub mod resources;

#[cfg(feature = "api")]
pub mod client;
#[cfg(feature = "api")]
pub mod cloud;
#[cfg(feature = "api")]
mod connection;
#[cfg(feature = "api")]
pub mod drivers;
#[cfg(feature = "api")]
pub mod facts;
#[cfg(feature = "api")]
pub mod observe;
#[cfg(feature = "api")]
pub mod store;

pub use provider::provider;
