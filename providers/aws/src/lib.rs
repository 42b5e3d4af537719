//! aws
pub mod catalogue;
