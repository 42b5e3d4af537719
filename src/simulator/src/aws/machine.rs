use super::table::Behaviour;
use crate::world::World;

pub(super) const BEHAVIOURS: &[Behaviour] = &[];

pub(super) fn happened(world: &mut World, id: &str, name: &str) {
    super::ec2::compute::happened(world, id, name);
}

pub(super) fn began(_: &mut World, _: &str) {}
