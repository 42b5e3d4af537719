//! What an account holds before anybody of ours comes: its default network, and what looks like ours and is not.
//!
//! `neighbours` are made in a world of their own by the requests that somebody else would send, so that they are what
//! those requests make; then they are put into the new account, where nothing happens to them any more.

mod neighbours;

use crate::weather::Weather;
use crate::world::{Ms, World};

/// The world of the neighbours has other numbers than any that is made of the same seed.
const ELSEWHERE: u64 = 0x0fad_ed00;
/// Until everything of the neighbours has come to rest.
const LONG: Ms = 7_200_000;
/// An account that is in use has been granted more addresses than a new one.
const ADDRESSES: u32 = 10;

/// A new account with decoys in it that look like ours: the same names, another owner or none.
#[must_use]
pub fn account(region: &str, seed: u64, weather: Weather) -> World {
    let mut elsewhere = World::new("aws", region, seed ^ ELSEWHERE, Weather::calm());
    neighbours::settle(&mut elsewhere);
    elsewhere.pass(LONG, super::happened);
    let mut world = World::new("aws", region, seed, weather);
    world.weather.quotas.entry("elastic-ip".to_owned()).or_insert(ADDRESSES);
    for thing in elsewhere.everything().filter(|thing| !thing.attrs.contains_key("_lingers")) {
        let mut thing = thing.clone();
        thing.foreign = true;
        (thing.born, thing.seen_from, thing.tagged_from) = (0, 0, 0);
        // The user's own zone is there to be written to.
        if thing.kind.contains("zone") || thing.kind.contains("record") {
            thing.set("_shared", true);
        }
        world.put(thing);
    }
    world
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::aws::testing::Desk;

    #[test]
    fn an_account_holds_decoys_that_look_like_ours() {
        let world = account("eu-central-1", 1, Weather::default());
        let named = |thing: &&crate::world::Thing| thing.tags.get("Name").is_some_and(|name| name.starts_with("demo-"));
        let foreign: Vec<&crate::world::Thing> = world.foreign().collect();
        assert!(foreign.iter().copied().filter(named).count() >= 10, "{foreign:?}");
        assert!(foreign.len() >= 30 && world.inventory().is_empty());
        let uids: BTreeSet<&String> = foreign.iter().filter_map(|thing| thing.tags.get("clusterctl.dev/uid")).collect();
        assert_eq!(uids.len(), 1, "another owner");
        assert!(foreign.iter().any(|thing| {
            thing.tags.contains_key("clusterctl.dev/cluster") && !thing.tags.contains_key("clusterctl.dev/uid")
        }));
        assert_eq!(world, account("eu-central-1", 1, Weather::default()));
    }

    #[test]
    fn the_neighbours_are_refused_nothing_that_is_simulated() {
        let mut elsewhere = World::new("aws", "us-east-1", 1, Weather::calm());
        let refused = neighbours::settle(&mut elsewhere);
        assert_eq!(refused, Vec::<String>::new());
    }

    #[test]
    fn nothing_new_gets_the_id_of_a_decoy() {
        let mut desk = Desk { world: account("eu-central-1", 7, Weather::calm()) };
        let foreign = |desk: &Desk| desk.world.foreign().cloned().collect::<Vec<_>>();
        let before = foreign(&desk);
        let vpc = desk.vpc("10.0.0.0/16");
        desk.subnet(&vpc, "10.0.0.0/24");
        desk.wait(LONG);
        let address = desk.address();
        desk.ok("ReleaseAddress", &[("AllocationId", &address)]);
        assert_eq!(foreign(&desk), before);
        // Network, table, group, two or three rules, ACL, subnet.
        assert_eq!(desk.world.inventory().len(), 7, "{:?}", desk.world.inventory());
    }
}
