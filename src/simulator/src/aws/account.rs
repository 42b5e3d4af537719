//! What an account holds before anybody of ours comes.

use crate::weather::Weather;
use crate::world::World;

/// A new account with decoys in it that look like ours: the same names, another owner or none.
#[must_use]
pub fn account(region: &str, seed: u64, weather: Weather) -> World {
    World::new("aws", region, seed, weather)
}
