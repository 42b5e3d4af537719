//! How long an apply takes beside its critical path, on a paused clock.

use super::Part;
use crate::ground::Ground;

pub(super) fn figures(_: &Ground) -> Part {
    Ok(Err("wip".to_owned()))
}
