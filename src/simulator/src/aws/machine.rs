use super::table::Behaviour;

pub(super) const BEHAVIOURS: &[Behaviour] = &[];

pub(super) fn happened(_: &mut crate::world::World, _: &str, _: &str) {}
