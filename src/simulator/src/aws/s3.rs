use bytes::Bytes;

use super::call::Refused;
use super::table::Behaviour;
use crate::world::World;

pub(super) const BEHAVIOURS: &[Behaviour] = &[];

pub(super) fn answer(_: &mut World, _: &http::Request<Bytes>) -> Result<http::Response<Bytes>, Refused> {
    Err(Refused::new(404, "UnknownService", "not yet"))
}

pub(super) fn name(_: &http::Request<Bytes>) -> (String, bool) {
    (String::new(), false)
}
