//! The encodings that clouds speak.
//!
//! - [`form`] `a.1.b=x` as AWS's query protocols send it; [`xml`] their answers
//! - [`element`] XML that is sent

pub mod element;
pub mod form;
pub mod xml;
