//! The encodings that clouds speak.
//!
//! - [`form`] `a.1.b=x` as AWS's query protocols send it; [`xml`] their answers

pub mod form;
pub mod xml;
